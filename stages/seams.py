"""Error along the borders of patches, by the engine's policy, at the ablation's thresholds."""

from pipeline.config import params
from pipeline.experiments.seams import measure
from stages.common import csv_files
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import bar, folder, run


def main():
    p = params.load()
    a = p.ablation
    paths = test_images(p)[p.images.ablation]
    thresholds = routing(p, a.gamma_low, a.gamma_upper)
    profile, quality = measure(trained(p, "prn"), paths, a.scale, thresholds,
                               device=device(), progress=bar("seams"))
    for name, rows in (("seams", profile), ("borders", quality)):
        csv_files.write(folder(p) / f"{name}.csv", rows, digits=6)
    return f"{len(paths)} images at x{a.scale}: {len(profile)} rows of errors, {len(quality)} of scores"


run(main)
