"""Score one method on every test set and scale: python -m stages.evaluate METHOD."""

import pandas as pd

from pipeline import params
from pipeline.evaluation import evaluate
from stages.models import test_images, trained
from stages.networks import device, routing
from stages.shared import argument, bar, folder, run


def main():
    method, p = argument(), params.load()
    rows = evaluate(method, trained(p, method), test_images(p), p.scales_of(method),
                    routing(p) if method in p.routed else None, device=device(),
                    progress=bar(method))
    out = folder(p) / "quality" / f"{method}.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(out, index=False, float_format="%.6f", lineterminator="\n")


run(main)
