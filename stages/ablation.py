"""Score every PRN variant at the ablation's thresholds, and PRN at all pairs of Table II.

A variant for one scale is scored there, and PRN beside it; those that differ in more are of `stages.front`.
"""

import pandas as pd

from pipeline.config import params
from pipeline.evaluation.protocol import sweep
from stages.common import csv_files
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import bar, folder, run


def main():
    p = params.load()
    a = p.ablation
    dataset = p.images.ablation
    default = routing(p, a.gamma_low, a.gamma_upper)
    rows, one_scale = [], []
    for name in p.present(p.variants):
        variant = p.variants[name]
        if variant.network == "prn" and len(p.scales_of(name)) < len(p.scales):
            for scale in p.scales_of(name) if not (variant.options or variant.recipe) else ():
                one_scale += [row for x in (name, "prn") for row in sweep(
                    x, trained(p, x), dataset, test_images(p)[dataset], scale, [default], device=device(),
                    progress=bar(f"{x} x{scale}"))]
        elif variant.network == "prn":
            pairs = [routing(p, low, upper) for _, low, upper in a.pairs()]
            extra = [r for r in pairs if r != default] if name == "prn" else []
            rows += sweep(name, trained(p, name), dataset, test_images(p)[dataset], a.scale,
                          [default, *extra], device=device(), progress=bar(name))
    table = pd.DataFrame(rows)
    csv_files.write(folder(p) / "ablation.csv", table, digits=6)
    csv_files.write(folder(p) / "one_scale.csv", pd.DataFrame(one_scale, columns=table.columns), digits=6)
    return (f"{len(table)} scores: {table.method.nunique()} variants, {table.image.nunique()} images of "
            f"{dataset}, {len(pairs)} pairs of thresholds for prn")


run(main)
