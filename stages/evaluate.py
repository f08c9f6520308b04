"""Score all rows of Table I side by side, or one: python -m stages.evaluate [METHOD]; goes on at the next image."""

import sys

import pandas as pd

from pipeline.config import params
from pipeline.config.resolved import scored
from pipeline.evaluation import VERSION, resume
from pipeline.evaluation.protocol import COLUMNS, evaluate, super_resolve
from pipeline.experiments.seams import with_context
from pipeline.io import sha256
from stages.common import csv_files
from stages.common.networks import device, routing
from stages.common.shell import ROOT, argument, counted, folder, run, telling
from stages.common.trained import expense, provenance, test_images, trained
from stages.common.workers import at_once, each


PRELOAD = ["stages.common.trained", "pipeline.experiments.seams", "pandas"]


def main():
    p = params.load()
    bases = scored(p)
    if sys.argv[1:]:
        name = argument([*bases, *p.present(p.variants)])
        bases = {name: bases.get(name, name)}
    jobs = {f"{name} {dataset} {scale}": expense(p, base, dataset, scale) for name, base in bases.items()
            for dataset in p.sets_of(base) for scale in p.scales_of(base)}
    if sys.argv[1:]:
        return "; ".join(one(job, telling(job), print) for job in jobs)
    each("stages.evaluate", jobs, width := at_once(device().type == "cuda"), preload=PRELOAD)
    return f"{len(bases)} rows of Table I on {', '.join(p.images.test)}, {len(jobs)} jobs, {width} at once"


def one(job, share, say):
    """Score a method on a test set at a scale: quality/METHOD/SET-xSCALE.csv."""
    p, (name, dataset, scale) = params.load(), job.split(" ")
    scale, base = int(scale), scored(p).get(name, name)
    route, by = routing(p) if base in p.routed else None, super_resolve if base == name else with_context
    images, model = test_images(p, [dataset]), trained(p, base)
    tag = {"version": VERSION, "network": p.variants[base].network, "scale": scale, "device": str(device()),
           "options": provenance(p, base)["options"], "routing": repr(route), "by": by.__name__,
           "weights": sha256(folder(p) / "models" / f"{base}.safetensors"),
           "images": [sha256(path) for path in images[dataset]]}
    known = resume.read(kept := ROOT / "states" / f"{p.profile}-{name}-{dataset}-x{scale}.rows", tag)
    rows = evaluate(name, model, images, [scale], route, device=device(), by=by, known=known,
                    keep=resume.keeper(kept, tag, known), progress=counted(share))
    table, new = pd.DataFrame(rows, columns=COLUMNS), len(rows) - len(known)
    csv_files.write(folder(p) / "quality" / name / f"{dataset}-x{scale}.csv", table, digits=6)
    return f"{name}: {dataset} x{scale}, {len(rows)} images ({new} new), PSNR {table.psnr_db.mean():.2f} dB"


if __name__ == "__main__":
    run(main)
