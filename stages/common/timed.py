"""Jobs that are timed once: what they depend on, and their rows from earlier runs.

Needs torch, numpy, PyYAML and pydantic only.
"""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

import torch

from pipeline.data import pack
from pipeline.io import read_json, sha256, write_text
from pipeline.timing.clocks import measure
from pipeline.timing.jobs import Network, luma_pairs, make_job
from stages.common.networks import device, fresh, placed
from stages.common.shell import ROOT, bar, folder


REPEATS = 30  # at least, on a GPU


class Kept:
    """Rows of a profile and budget, by the job, under one tag: device, images and repeats."""

    def __init__(self, p):
        self.p, self.path = p, ROOT / "states" / f"{p.profile}-{p.budget}.times.json"
        self.tag = {"images": sha256(folder(p) / "timing.npz"), "amounts": asdict(p.amounts.timing),
                    "dataset": p.images.ablation, "seed": p.seed, "device": str(device()),
                    "threads": torch.get_num_threads(), "torch": torch.__version__}
        try:
            found = read_json(self.path)
        except (FileNotFoundError, ValueError):
            found = {}
        same = found.get("tag") == self.tag
        self.machine, self.rows = (found["machine"], found["rows"]) if same else ({}, {})

    def save(self):
        write_text(self.path, json.dumps({"tag": self.tag, "machine": self.machine, "rows": self.rows}))

    def key(self, name, scale, mode, thresholds):
        """All that the time of a job depends on besides the tag, as text."""
        network, options = self.p.variants[name].network, json.dumps(self.p.options_of(name), sort_keys=True)
        return f"{name} x{scale} {mode} {thresholds} {network} {options} {_code(network)}"


def _code(network):
    """Digest of the programs that a job of a network runs."""
    files = [f for name in ("engine", "sr", "timing", "models") for f in sorted(Path("pipeline", name).glob("*.py"))]
    digest = hashlib.sha256()
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.stem == network or not re.search(r"^class \w+\(Network\):", text, re.M):
            digest.update(text.encode())
    return digest.hexdigest()[:12]


def timed(p, jobs):
    """Raw repeats of some jobs, interleaved, on the images of the ablation; weights are fresh ones, since
    time depends on shapes and routes, not on their values: a new training does not make the times old."""
    where, settings = device(), p.amounts.timing
    ys = list(pack.unpack(folder(p) / "timing.npz").values())[: settings.images]
    images = {scale: luma_pairs(ys, scale, where) for scale in p.scales}
    models = {name: placed(fresh(p, name)) for name in dict.fromkeys(job[0] for job in jobs)}
    nets = {key: Network.of(key[0], models[key[0]], key[1]) for key in dict.fromkeys(job[:2] for job in jobs)}
    made = [make_job(nets[name, scale], mode, thresholds, images[scale])
            for name, scale, mode, thresholds in jobs]
    gpu = where.type == "cuda"  # where a repeat costs milliseconds
    rows = measure(made, repeats=max(settings.repeats, REPEATS) if gpu else settings.repeats, warmup=settings.warmup,
                   device=where, budget_s=3.0 if gpu else 60.0, progress=bar("timing"))
    return [{"dataset": p.images.ablation, **row} for row in rows]
