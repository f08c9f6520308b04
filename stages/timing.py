"""Time all methods, modes and threshold pairs on the ablation data set, interleaved.

The weights are fresh ones: time depends on shapes and routes, not on their values, and so a new
training does not make the timings old.  Needs torch, numpy, PyYAML and pydantic only."""

from pipeline.config import params
from pipeline.data import pack
from pipeline.io import write_json, write_rows
from pipeline.timing.jobs import Network, luma_pairs, make_job
from pipeline.timing.clocks import measure, other_work, peaks
from stages.common.networks import conditions, device, fresh, placed, routing
from stages.common.shell import bar, folder, run


def plan(p):
    """(variant, scale, mode, thresholds): Table I, then Fig. 7, then Tables III and IV."""
    for name in p.present([*p.methods, *p.routed]):
        for scale in p.scales_of(name):
            yield name, scale, "whole", None
            if name in p.routed:
                yield name, scale, "grouped", routing(p)
                yield name, scale, "context", routing(p)
            if name == "prn":  # patch by patch is slow, and alike for its variants
                yield name, scale, "paper", routing(p)
    a = p.ablation
    for _, low, upper in a.pairs():
        yield "prn", a.scale, "grouped", routing(p, low, upper)
    for name in p.present(p.variants):
        variant = p.variants[name]
        if variant.network == "prn" and {"early", "middle", "rolling"} & variant.options.keys():
            yield name, a.scale, "grouped", routing(p, a.gamma_low, a.gamma_upper)


def main():
    p, where = params.load(), device()
    settings = p.amounts.timing
    ys = list(pack.unpack(folder(p) / "timing.npz").values())[: settings.images]
    images = {scale: luma_pairs(ys, scale, where) for scale in p.scales}
    models = {name: placed(fresh(p, name)) for name in p.present(p.variants)}
    peak = {**peaks(where), **conditions(where)}
    todo = [*dict.fromkeys(plan(p))]
    nets = {key: Network.of(key[0], models[key[0]], key[1]) for key in {(n, s) for n, s, *_ in todo}}
    jobs = [make_job(nets[name, scale], mode, thresholds, images[scale])
            for name, scale, mode, thresholds in todo]
    others = other_work()
    rows = measure(jobs, repeats=settings.repeats, warmup=settings.warmup, device=where,
                   progress=bar("timing"))
    write_rows(folder(p) / "timing.csv", [{"dataset": p.images.ablation, **row} for row in rows])
    peak["other_cores"] = others()
    write_json(folder(p) / "machine.json", peak)
    return f"{len(rows)} jobs, {settings.repeats} times on {len(ys)} images, on {where.type}"


run(main)
