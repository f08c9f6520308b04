"""Time PRN and its variants at gamma_low and gamma_upper, beside a reference of `stages.timing`."""

from pipeline.config import params
from pipeline.timing.reference import one_clock
from stages.common import timed
from stages.common.shell import folder, run


def main():
    p = params.load()
    todo = timed.routed(p)
    rows, drift = one_clock(timed.read(folder(p) / "timing_fixed.csv"), timed.timed(p, todo, "timing_routed"))
    timed.write(folder(p) / "timing.csv", rows)
    said = ", ".join(f"{factor:.2f} at x{scale}" for scale, factor in drift.items())
    return f"{len(todo)} jobs; the reference took {said} times as long in stage timing"


run(main)
