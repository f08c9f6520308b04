"""Score all methods and routed variants side by side, or one: python -m stages.evaluate [METHOD].

A job is a method on a test set at a scale; an interrupted one goes on at the next image.
"""

import sys

import pandas as pd

from pipeline.config import params
from pipeline.evaluation import VERSION, resume
from pipeline.evaluation.protocol import COLUMNS, evaluate
from pipeline.io import sha256
from stages.common import csv_files
from stages.common.networks import device, routing
from stages.common.shell import ROOT, argument, counted, folder, run, telling
from stages.common.trained import provenance, test_images, trained
from stages.common.workers import at_once, each


def main():
    p = params.load()
    names = [argument(p.present(p.variants))] if sys.argv[1:] else p.present([*p.methods, *p.routed])
    jobs = {f"{name} {dataset} {scale}": expense(p, name, dataset, scale)
            for name in names for dataset in p.sets_of(name) for scale in p.scales_of(name)}
    if sys.argv[1:]:
        return "; ".join(one(job, telling(job), print) for job in jobs)
    width = at_once(device().type == "cuda")
    each("stages.evaluate", jobs, width, ["stages.common.trained", "pipeline.evaluation.protocol", "pandas"])
    return f"{len(names)} methods on {', '.join(p.images.test)}, {len(jobs)} jobs, {width} at once"


def expense(p, name, dataset, scale):
    """Operations, roughly, to begin with the longest: those of the network, and of scoring."""
    macs = provenance(p, name)["macs_per_lr_pixel"][f"x{scale}"].values()
    pixels = sum(path.stat().st_size for path in test_images(p, [dataset])[dataset])  # about one a byte
    return (max(macs) / scale**2 + 5e4) * pixels


def one(job, share, say):
    """Score a method on a test set at a scale: quality/METHOD/SET-xSCALE.csv."""
    p, (name, dataset, scale) = params.load(), job.split(" ")
    scale, route = int(scale), routing(p) if name in p.routed else None
    images, model = test_images(p, [dataset]), trained(p, name)
    tag = {"version": VERSION, "network": p.variants[name].network, "scale": scale, "device": str(device()),
           "options": provenance(p, name)["options"], "routing": repr(route),
           "weights": sha256(folder(p) / "models" / f"{name}.safetensors"),
           "images": [sha256(path) for path in images[dataset]]}
    known = resume.read(kept := ROOT / "states" / f"{p.profile}-{name}-{dataset}-x{scale}.rows", tag)
    rows = evaluate(name, model, images, [scale], route, device=device(), known=known,
                    keep=resume.keeper(kept, tag, known), progress=counted(share))
    table, out = pd.DataFrame(rows, columns=COLUMNS), folder(p) / "quality" / name
    csv_files.write(out / f"{dataset}-x{scale}.csv", table, digits=6)
    new, mean = len(rows) - len(known), table.psnr_db.mean()
    return f"{name}: {dataset} x{scale}, {len(rows)} images ({new} new), PSNR {mean:.2f} dB"


if __name__ == "__main__":
    run(main)
