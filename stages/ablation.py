"""Score every PRN variant at the ablation's thresholds, and PRN at all pairs of Table II."""

import pandas as pd

from pipeline.config import params
from pipeline.evaluation.protocol import sweep
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import bar, folder, run


def main():
    p = params.load()
    a = p.ablation
    dataset = p.sets[p.profile].ablation
    default = routing(p, a.gamma_low, a.gamma_upper)
    rows = []
    for name in p.present(p.variants):
        if p.variants[name].network == "prn":
            pairs = [routing(p, low, upper) for _, low, upper in a.pairs()]
            extra = [r for r in pairs if r != default] if name == "prn" else []
            rows += sweep(name, trained(p, name), dataset, test_images(p)[dataset], a.scale,
                          [default, *extra], device=device(), progress=bar(name))
    pd.DataFrame(rows).to_csv(folder(p) / "ablation.csv", index=False, float_format="%.6f",
                              lineterminator="\n")


run(main)
