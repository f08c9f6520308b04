"""Every router on one ground: PSNR at equal products, settings from training images (ablation's scale)."""

import pandas as pd

from pipeline.config import params
from pipeline.evaluation.protocol import degrade, load
from pipeline.experiments.routers import patches
from pipeline.experiments.routers.compare import compare
from pipeline.experiments.routers.thresholds import thresholds
from stages.common import csv_files
from stages.common.networks import device
from stages.common.shell import bar, folder, run
from stages.common.trained import test_images, trained, training_images

ROUTED = ("prn", "prn_modern")  # their routes; and methods, all patches of each by one network:
CASCADE = ("bicubic", "fsrcnn", "prn", "lapsrn")
IMAGES = 200  # for training at most, spread over the sets


def main():
    p = params.load()
    scale, known = p.ablation.scale, training_images(p, IMAGES)
    paths = test_images(p)[p.images.ablation]
    names = [name for name in (*ROUTED, *CASCADE) if name in p.variants and scale in p.scales_of(name)]
    models = {name: trained(p, name) for name in p.present(names)}
    experts = {n: patches.routes_of(models[n]) for n in ROUTED if n in models and len(models[n].routes) > 1}
    experts["cascade"] = patches.cascade({n: models[n] for n in CASCADE if n in models}, scale)
    rows, cuts = [], []
    for name, some in experts.items():
        train, test = (patches.measure(some, bar(f"{name}, {role}")(pairs, count), scale, device=device())
                       for role, pairs, count in (
                           ("training", ((n, degrade(y, scale)) for n, y in known.items()), len(known)),
                           ("test", ((f.stem, load(f, scale)) for f in paths), len(paths))))
        rows += [{"experts": name, **row} for row in compare(train, test, seed=p.seed)]
        if name in ROUTED:
            domain = "bicubic" if p.prior.domain == "hr" else p.prior.domain
            cuts += [{"experts": name, "scale": scale, **row} for row in thresholds(train, domain)]
    cuts = pd.DataFrame(cuts, columns=["experts", "scale", "norm", "cost", "gamma_low", "gamma_upper"])
    for name, table in (("routers", pd.DataFrame(rows)), ("thresholds", cuts)):
        csv_files.write(folder(p) / f"{name}.csv", table)
    return f"{', '.join(experts)} on {len(paths)} images, settings from {len(known)} training images"


run(main)
