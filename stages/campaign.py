"""Train the campaign's variants, most important first, then time: one command on a GPU machine.

    python -m stages.campaign MINUTES [AT_ONCE]

Needs torch, numpy and PyYAML, and artifacts/params.ok, train.npz and timing.npz of `dvc repro pack`.
Every training stops cleanly at the limit and the next call goes on, on any machine. Bring
artifacts/states/ and artifacts/<profile>/{timing.csv,machine.json,campaign.json} home, and
`dvc repro` publishes them.
"""

import json
import subprocess
import sys
import time

from pipeline import params, schedule, training
from pipeline.speed import training_speed
from pipeline.timing import peaks
from stages.networks import device
from stages.setup import read
from stages.shared import ROOT, folder, run

TIMING = 0.25  # share of the minutes that is kept for timing


def speed(p, name, peak):
    setup = read(p, name)
    measured = training_speed(
        training.Run(setup.model.to(device()), setup.recipe, setup.scales, setup.label, setup.seed,
                     device()), setup.phases[0], peak, steps=200 if device().type == "cuda" else 5)
    print(name, measured, flush=True)
    return measured


def main():
    if len(sys.argv) < 2:
        raise ValueError("expected a number of minutes: python -m stages.campaign MINUTES [AT_ONCE]")
    p, minutes, start = params.load(), float(sys.argv[1]), time.monotonic()
    at_once = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    logs = ROOT / "states"
    logs.mkdir(parents=True, exist_ok=True)
    peak = peaks(device())
    speeds = {name: speed(p, name, peak) for name in p.present(p.campaign)[:3]}
    left = minutes * (1 - TIMING) - (time.monotonic() - start) / 60
    outcome = schedule.run(
        p.present(p.campaign),
        lambda name, rest: [sys.executable, "-m", "stages.train", name, f"{rest:.3f}"],
        at_once, left, logs)
    record = {"minutes": minutes, "at_once": at_once, "peak": peak, "speed": speeds,
              "outcome": outcome}
    (folder(p) / "campaign.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(outcome, indent=1), flush=True)
    subprocess.run([sys.executable, "-m", "stages.timing"], check=True)


run(main)
