"""The parts of an hour on a GPU machine, and what goes home from it: times, and states as small as a training can go on from."""

import subprocess
import sys
import time
import zipfile

import torch

from pipeline.io import read_json, write_json
from stages.common import setup
from stages.common.networks import conditions, device
from stages.common.shell import ROOT, axes

SIZE = 15e6  # bytes of an archive


def command(words, log, deadline):
    """Run a module of Python until a time of the monotonic clock; its exit status and last line."""
    with open(log, "w", encoding="utf-8") as file:
        try:
            code = subprocess.run([sys.executable, "-m", *words], stdout=file, stderr=file,
                                  timeout=max(1, deadline - time.monotonic())).returncode
        except subprocess.TimeoutExpired:
            code = "no time left"
    return f"{code}, {(['', *log.read_text(encoding='utf-8').splitlines()])[-1]}"


def pack_up(out):
    """Write times and states to archives in a folder; says how many."""
    home, number, size = axes()[0], 1, 0
    write_json(home / "gpu.json", {**conditions(device()), "date": time.strftime("%Y-%m-%d")})
    files = [home / "gpu.json", *sorted(home.glob("*_times.csv")), home / "timing.csv", home / "machine.json",
             home / "engine.json", *sorted(ROOT.glob("states/*/*.pt"))]
    for path in filter(lambda path: path.exists(), files):
        small = smaller(path) if path.suffix == ".pt" else path
        if size and size + small.stat().st_size > SIZE:
            number, size = number + 1, 0
        with zipfile.ZipFile(out / f"home-{number}.zip", "a" if size else "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(small, path)
        size += small.stat().st_size
    return f"{number} archives in {out}"


def smaller(path):
    """A copy of a state without the moments, and of a rung that a later one has passed without its weights."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    if "adam" in state:
        name = path.parent.name.split("-", 2)[2]  # of PROFILE-BUDGET-NAME
        model = setup.fresh(read_json(axes()[0] / "variants.json")[name])
        averaged = dict(zip([key for key, _ in model.named_parameters()], state["average"]))
        state = {key: state[key] for key in ("identity", "step", "curve", "seconds", "conditions")} | {
            "model": state["model"] | averaged}
    elif path.stem.startswith("rung-") and any(_patches(other) > _patches(path) and _finished(other)
                                               for other in path.parent.glob("rung-*.pt")):
        state["model"] = {}
    torch.save(state, small := path.with_suffix(".small"))
    return small


def _patches(path):
    return int(path.stem.removeprefix("rung-"))


def _finished(path):
    return "adam" not in torch.load(path, map_location="cpu", weights_only=True)
