"""Score all methods and routed variants side by side, or one: python -m stages.evaluate [METHOD].

An interrupted evaluation goes on at the next image; rows under the same settings are not scored again.
"""

import sys
from dataclasses import asdict

import pandas as pd

from pipeline.config import params
from pipeline.evaluation import VERSION, resume
from pipeline.evaluation.protocol import COLUMNS, evaluate
from pipeline.io import read_json, sha256
from stages.common import csv_files
from stages.common.networks import device, routing
from stages.common.shell import ROOT, counted, folder, run, telling
from stages.common.trained import test_images, trained
from stages.common.workers import at_once, each


def main():
    p = params.load()
    if len(sys.argv) > 1:
        return one(sys.argv[1], telling(sys.argv[1]), print)
    names = p.present([*p.methods, *p.routed])
    jobs = at_once(device().type == "cuda")
    each("stages.evaluate", {name: expense(p, name) for name in names}, jobs,
         preload=["stages.common.trained", "pipeline.evaluation.protocol", "pandas"])
    return f"{len(names)} methods on {', '.join(p.images.test)}, {jobs} at once"


def expense(p, name):
    """Operations, roughly, to begin with the longest: those of the network, and of scoring."""
    record = read_json(folder(p) / "models" / f"{name}.json")
    return sum(max(routes.values()) + 2e5 for routes in record["macs_per_lr_pixel"].values())


def one(name, share, say):
    p = params.load()
    p.present([name])
    route = routing(p) if name in p.routed else None
    images, model = test_images(p, p.sets_of(name)), trained(p, name)
    tag = {"version": VERSION, "network": p.variants[name].network, "options": p.variants[name].options,
           "device": str(device()), "routing": route and asdict(route),
           "weights": sha256(folder(p) / "models" / f"{name}.safetensors"),
           "images": [sha256(f) for files in images.values() for f in files]}
    known = resume.read(kept := ROOT / "states" / f"{p.profile}-{name}.rows", tag)
    rows = evaluate(name, model, images, p.scales_of(name), route, device=device(), known=known,
                    keep=resume.keeper(kept, tag, known), progress=counted(share))
    table = pd.DataFrame(rows, columns=COLUMNS)
    csv_files.write(folder(p) / "quality" / f"{name}.csv", table, digits=6)
    scores = ", ".join(f"x{s} {db:.2f}" for s, db in table.groupby("scale").psnr_db.mean().items())
    return f"{name}: {len(rows)} images and scales ({len(rows) - len(known)} new), PSNR {scores} dB"


if __name__ == "__main__":
    run(main)
