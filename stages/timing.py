"""Time all methods on whole images, and PRN at the ablation's thresholds, interleaved."""

import json

from pipeline.config import params
from pipeline.timing.clocks import other_work, peaks
from stages.common import timed
from stages.common.networks import conditions, device
from stages.common.shell import folder, run


def main():
    p, where = params.load(), device()
    peak, others = {**peaks(where), **conditions(where)}, other_work()
    todo = timed.fixed(p)
    timed.write(folder(p) / "timing_fixed.csv", timed.timed(p, todo, "timing"))
    peak["other_cores"] = others()
    (folder(p) / "machine.json").write_text(json.dumps(peak, indent=1) + "\n")
    repeats, images = p.amounts.timing.repeats, p.amounts.timing.images
    return f"{len(todo)} jobs, {repeats} times on {images} images at most, on {where.type}"


run(main)
