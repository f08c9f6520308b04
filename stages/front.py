"""Routing against narrower networks, on the images of the ablation: PSNR of both, and times side by side.

With FSRCNN beside them.  On a CPU with one thread, as `stages.engine`.
"""

import math

import pandas as pd
import torch

from pipeline.config import params, resolved
from pipeline.evaluation.protocol import degrade, load
from pipeline.experiments import front
from pipeline.io import write_json, write_rows
from pipeline.timing.clocks import measure, peaks
from pipeline.timing.jobs import Network, make_job
from stages.common import csv_files
from stages.common.networks import device
from stages.common.shell import bar, folder, run
from stages.common.trained import test_images, trained, training_images

IMAGES = 50  # for training at most
REPEATS = 3


def main():
    p, where = params.load(), device()
    scale = p.ablation.scale
    names = resolved.front(p)
    models = {name: trained(p, name) for name in (*names, "fsrcnn")}
    known = [(name, degrade(y, scale)) for name, y in training_images(p, IMAGES).items()]
    pairs = [(path.stem, load(path, scale)) for path in test_images(p)[p.images.ablation]]
    found = front.compare(models, known, pairs, scale, domain="lr" if p.prior.domain == "lr" else "bicubic",
                          progress=bar("quality"))
    rows = [{"setting": k, "image": image, "psnr_db": value} for k, values in enumerate(found.values())
            for (image, _), value in zip(pairs, values)]
    csv_files.write(folder(p) / "front.csv", pd.DataFrame(rows), digits=6)
    if where.type == "cpu":
        torch.set_num_threads(1)
    images = [(pair.lr_y.to(where), None) for _, pair in pairs]
    nets = {name: Network.of(name, model, scale) for name, model in models.items()}
    jobs = [make_job(nets[setting.method], setting.mode, setting.routing, images) for setting in found]
    for k, (job, setting) in enumerate(zip(jobs, found)):
        model = models[setting.method]
        job.labels.update(setting.labels, setting=k, width=getattr(model, "width", ""), routes=len(model.routes))
    times = measure(jobs, repeats=REPEATS, warmup=1, device=where, budget_s=math.inf, progress=bar("front"))
    write_rows(folder(p) / "front_times.csv", times)
    write_json(folder(p) / "front.json", peaks(where))
    return f"{len(names)} networks for x{scale}, {len(found)} settings on {len(pairs)} images of {p.images.ablation}"


run(main)
