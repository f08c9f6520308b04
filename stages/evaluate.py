"""Score one method on every test set and scale: python -m stages.evaluate METHOD.

An interrupted evaluation goes on at the next image.
"""

import pandas as pd

from pipeline.evaluation import resume
from pipeline.config import params
from pipeline.evaluation.protocol import COLUMNS, evaluate
from pipeline.io import sha256
from pipeline.training.checkpoints import make_tag
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import ROOT, argument, bar, folder, run


def main():
    method, p = argument(), params.load()
    rows = []
    if p.present([method]):  # else a header alone
        variant = p.variants[method]
        route = routing(p) if method in p.routed else None
        images = test_images(p, p.sets_of(method))
        weights = sha256(folder(p) / "models" / f"{method}.safetensors")
        tag = make_tag(("evaluation", f"models.{variant.network}"), method=method,
                       options=variant.options, routing=route, weights=weights,
                       images=[sha256(f) for files in images.values() for f in files])
        kept = ROOT / "states" / f"{p.profile}-{method}.rows"
        known, model = resume.read(kept, tag), trained(p, method)
        rows = evaluate(method, model, images, p.scales_of(method), route, device=device(),
                        known=known, keep=resume.keeper(kept, tag, known), progress=bar(method))
    out = folder(p) / "quality" / f"{method}.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(out, index=False, float_format="%.6f",
                                               lineterminator="\n")


run(main)
