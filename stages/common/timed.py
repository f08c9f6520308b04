"""What is timed, and how, for `stages.timing` and `stages.timing_routed`.

The weights are fresh ones: time depends on shapes and routes, not on their values, and so a new
training does not make the timings old.  Needs torch, numpy, PyYAML and pydantic only.
"""

import csv

from pipeline.data import pack
from pipeline.timing.clocks import measure
from pipeline.timing.jobs import Network, luma_pairs, make_job
from stages.common.networks import device, fresh, placed, routing
from stages.common.shell import bar, folder


def fixed(p):
    """(variant, scale, mode, thresholds) that gamma_low and gamma_upper leave alone: all methods on the
    whole image, then Fig. 7, then Tables III and IV."""
    jobs = [(name, scale, "whole", None) for name in p.present([*p.methods, *p.routed])
            for scale in p.scales_of(name)]
    a = p.ablation
    jobs += [("prn", a.scale, "grouped", routing(p, low, upper)) for _, low, upper in a.pairs()]
    for name in p.present(p.variants):
        variant = p.variants[name]
        if variant.network == "prn" and {"early", "middle", "rolling"} & variant.options.keys():
            jobs.append((name, a.scale, "grouped", routing(p, a.gamma_low, a.gamma_upper)))
    return [*dict.fromkeys(jobs)]


def routed(p):
    """Those at gamma_low and gamma_upper, unless `fixed` has them; and the reference, PRN's whole image."""
    jobs = []
    for name in p.present(p.routed):
        for scale in p.scales_of(name):
            jobs += [(name, scale, mode, routing(p)) for mode in ("grouped", "context")]
            if name == "prn":  # patch by patch is slow, and alike for its variants
                jobs += [(name, scale, "whole", None), (name, scale, "paper", routing(p))]
    measured = {job for job in fixed(p) if job[2] != "whole"}
    return [job for job in jobs if job not in measured]


def timed(p, todo, label):
    """Raw repeats of all jobs, interleaved, on the images of the ablation."""
    where, settings = device(), p.amounts.timing
    ys = list(pack.unpack(folder(p) / "timing.npz").values())[: settings.images]
    images = {scale: luma_pairs(ys, scale, where) for scale in p.scales}
    models = {name: placed(fresh(p, name)) for name in dict.fromkeys(job[0] for job in todo)}
    nets = {key: Network.of(key[0], models[key[0]], key[1]) for key in dict.fromkeys(job[:2] for job in todo)}
    jobs = [make_job(nets[name, scale], mode, thresholds, images[scale])
            for name, scale, mode, thresholds in todo]
    rows = measure(jobs, repeats=settings.repeats, warmup=settings.warmup, device=where, progress=bar(label))
    return [{"dataset": p.images.ablation, **row} for row in rows]


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path):
    """Rows as they were written: text, and numbers where they are some."""
    with open(path, newline="") as file:
        return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
