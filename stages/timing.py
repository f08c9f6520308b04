"""Time all methods, modes and thresholds, interleaved; what has been timed before stays as it was."""

from pipeline.config import params
from pipeline.config.options import FITTED
from pipeline.io import write_json, write_rows
from pipeline.timing.clocks import other_work, peaks
from pipeline.timing.reference import label, labels, one_clock
from stages.common.networks import conditions, device, routing
from stages.common.shell import folder, run
from stages.common.timed import Kept, timed


SLOW = ("drcn", "selfex")  # up to a minute an image on a CPU: there at the ablation's scale alone, that of Fig. 1


def plan(p):
    """(variant, scale, mode, thresholds): Table I, then Fig. 7, then Tables III and IV."""
    here, gpu = p.of_profile([*p.methods, *p.routed]), device().type == "cuda"  # with and without weights in this run
    if gpu:  # methods that are no networks are a CPU's
        here = [name for name in here if p.variants[name].network not in (*FITTED, "selfex")]
    for name in here:
        for scale in p.scales_of(name) if gpu or p.variants[name].network not in SLOW else [p.ablation.scale]:
            yield name, scale, "whole", None
            if name in p.routed:
                yield name, scale, "grouped", routing(p)
                yield name, scale, "context", routing(p)
    a = p.ablation
    yield "prn", a.scale, "paper", routing(p)  # patch by patch is slow, and read at this scale alone
    for _, low, upper in a.pairs():
        yield "prn", a.scale, "grouped", routing(p, low, upper)
    there = [n for n in p.present(p.variants) if p.variants[n].network == "prn" and a.scale in p.scales_of(n)]
    once = {repr(p.variants[n].options): n for n in reversed(there)}  # not what is trained again
    for name in reversed(once.values()):
        if {"early", "middle", "rolling"} & p.variants[name].options.keys():
            yield name, a.scale, "grouped", routing(p, a.gamma_low, a.gamma_upper)


def main():
    p = params.load()
    kept, reference = Kept(p), [("prn", scale, "whole", None) for scale in p.scales]
    jobs = {kept.key(*job): job for job in plan(p)}
    if not kept.rows.keys() >= {kept.key(*job) for job in reference}:
        kept.machine, kept.rows = {**conditions(device()), **peaks(device())}, {}
    new = {key: job for key, job in jobs.items() if key not in kept.rows}
    again = [job for job in reference if kept.rows and job[1] in {scale for _, scale, *_ in new.values()}]
    others = other_work()
    rows = timed(p, [*again, *new.values()]) if new else []
    rows, drift = one_clock([row for job in again for row in kept.rows[kept.key(*job)]], rows)
    for key, job in new.items():
        kept.rows[key] = [row for row in rows if labels(row) == label(job)]
    kept.machine.setdefault("other_cores", others())
    kept.save()
    write_rows(folder(p) / "timing.csv", [row for key in jobs for row in kept.rows[key]])
    write_json(folder(p) / "machine.json", kept.machine)
    drifted = "".join(f"; x{scale} on the clock of then: times {factor:.2f}" for scale, factor in drift.items())
    return f"{len(new)} of {len(jobs)} jobs, the others as timed before (to time all: remove {kept.path}){drifted}"


run(main)
