"""Train, fit or take from weights/ all variants, or one: python -m stages.train [VARIANT [MINUTES]].

Goes on where it was interrupted; what is finished under the same settings is not trained again.
"""

import sys

from pipeline.io import read_json
from pipeline.models.authors import unpublished
from pipeline.training.fit.run import FITTERS
from stages.common import setup
from stages.common.networks import device
from stages.common.shell import axes, run, telling
from stages.common.workers import STREAMS, at_once, each

UNLEARNT = ("bicubic", "selfex", *FITTERS)  # fitted anew, or nothing to learn


def main():
    home, weights, _ = axes()
    variants = read_json(home / "variants.json")
    setup.check(variants)  # before hours of training
    if len(sys.argv) > 1:
        return one(sys.argv[1], telling(sys.argv[1]), print, *map(float, sys.argv[2:3]))
    gpu = device().type == "cuda"
    jobs = STREAMS if gpu else at_once(gpu)
    each("stages.train", {name: setup.expense(v) for name, v in variants.items()}, jobs,
         preload=["stages.common.setup", "stages.common.outputs"], streams=gpu)
    return f"{len(variants)} variants in {home / 'models'}, {jobs} at once, weights {weights}"


def one(name, share, say, limit=None):
    """Make models/NAME.*; one line of what came out."""
    home, weights, usual = axes()
    limit = usual if limit is None else limit
    variants = read_json(home / "variants.json")
    if name not in variants:
        raise ValueError(f"{name}: no variant of {home / 'variants.json'}; there are {', '.join(variants)}")
    variant = variants[name]
    ours = unpublished(name, variant["scales"]) if weights == "published" else variant["scales"]
    if weights == "published" and (variant["network"] not in UNLEARNT or not ours):
        from stages.common.outputs import take
        return take(home, name, variant)
    model, rungs = setup.train(home, name, 60 * limit, lambda step, steps: share(step / steps), say, ours)
    wanted = 1 if variant["network"] in FITTERS else len(variant["rungs"])
    if setup.learns(model) and len(rungs) < wanted:
        raise RuntimeError(f"{name}: stopped at the limit of {limit:g} minutes; run the same command again")
    try:
        from stages.common import authors
        from stages.common.outputs import write
    except ImportError as missing:  # a GPU machine with torch alone: its states are the result
        return f"{name}: trained; {missing.name} is not here, so run this again where it is"
    others = {} if ours == variant["scales"] else authors.take(name, tuple(variant["scales"]), model)[1]
    return write(home, name, variant, model, rungs, others)


if __name__ == "__main__":
    run(main)
