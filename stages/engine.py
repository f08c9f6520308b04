"""Time the engine against the whole image, FSRCNN and the paper's mode.

Fresh weights and torch only, as `stages.timing`.  On a CPU with one thread: threads that share small
operations wait for each other, and more cores can take more images.
"""

import math
from itertools import product

import torch

from pipeline.timing import engine_jobs
from pipeline.config import params
from pipeline.data import pack
from pipeline.io import write_json, write_rows
from pipeline.timing.jobs import luma_pairs
from pipeline.timing.clocks import measure, peaks
from stages.common.networks import device, fresh, placed, routing
from stages.common.timed import REPEATS
from stages.common.shell import bar, folder, run


def main():
    p, where = params.load(), device()
    settings, repeats, a = p.images.engine, p.amounts.engine.repeats, p.ablation
    repeats = max(repeats, REPEATS // 3) if where.type == "cuda" else repeats
    if where.type == "cpu":
        torch.set_num_threads(1)
    images = pack.unpack(folder(p) / "engine.npz")
    thresholds = routing(p, a.gamma_low, a.gamma_upper)
    models = {name: placed(fresh(p, name)) for name in ("prn", "fsrcnn")}
    jobs, shares = [], []
    with torch.inference_mode():
        for dataset, scale in product(settings.sets, settings.scales):
            ys = [y for key, y in images.items() if key.startswith(f"{dataset}/")]
            pairs = luma_pairs(ys, scale, where)
            jobs += engine_jobs.against(models, pairs, scale, thresholds, dataset)
            if (dataset, scale) == (settings.sets[0], a.scale):
                shares = engine_jobs.by_share(models["prn"], pairs[0], scale)
    for name, some in (("engine", jobs), ("shares", shares)):
        rows = measure(some, repeats=repeats, warmup=1, device=where, budget_s=math.inf,
                       progress=bar(name))  # a ratio needs the same images
        write_rows(folder(p) / f"{name}_times.csv", rows)
    write_json(folder(p) / "engine.json", peaks(where))
    return f"{len(jobs)} jobs, {len(shares)} shares of patches, {repeats} times each, on {where.type}"


run(main)
