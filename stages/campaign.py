"""Train all variants on Dask: python -m stages.campaign [--scheduler ADDRESS] [--every SECONDS].

After `dvc repro pack`: what params.yaml names is trained and fitted, the most expensive first, on this machine's cores
or on a Dask cluster; then it is scored here, where the test images are, and `dvc repro` finds it all.  A training
sends its states home every so many seconds (120); with its worker it loses what came after, and another worker goes
on.  The machines of a cluster need torch, numpy, tqdm, PyYAML and distributed, and no common file system.  Workers
with a GPU say how many trainings share it, `--nthreads 12 --resources GPU=12`: no other worker then trains networks.
"""

import subprocess
import sys
from argparse import ArgumentParser
from contextlib import nullcontext

from pipeline.io import read_json
from pipeline.models.authors import unpublished
from pipeline.training.fit.run import FITTERS
from stages.common import setup
from stages.common.shell import axes, run
from stages.common.workers import at_once


def main():
    try:
        from distributed import Client, LocalCluster

        from stages.common import cluster
    except ImportError as error:
        raise RuntimeError(f"{error.name} is not installed: pip install -r requirements-cluster.txt") from error
    parser = ArgumentParser(usage=__doc__)
    parser.add_argument("--scheduler")
    parser.add_argument("--every", type=float, default=120.0)
    given = parser.parse_args()
    stage("check")
    home, weights, minutes = axes()
    if not (home / "train.npz").exists():
        raise ValueError(f"{home / 'train.npz'}: not there; make it with dvc repro pack")
    variants = read_json(home / "variants.json")
    scales = {name: wanted for name, v in variants.items() if (wanted := to_train(name, v, weights))}
    cores = {"n_workers": at_once(False), "threads_per_worker": 1, "memory_limit": None}
    with (nullcontext(given.scheduler) if given.scheduler else LocalCluster(**cores)) as at, Client(at) as client:
        print(f"dashboard: {client.dashboard_link}", flush=True)
        failed = cluster.each(client, home, variants, scales, given.every, 60 * minutes)
    if failed:
        raise RuntimeError("; ".join(f"{name}: {why}" for name, why in failed.items()))
    stage("train")  # takes the weights out of the states
    stage("evaluate")
    return f"{len(scales)} trainings and fits in {home.parent / 'states'}"


def to_train(name, variant, weights):
    """Scales that are trained or fitted: none of what is published or has nothing to learn."""
    if weights == "published":
        return unpublished(name, variant["scales"]) if variant["network"] in FITTERS else []
    return variant["scales"] if setup.learns(setup.fresh(variant)) else []


def stage(name):
    if subprocess.run([sys.executable, "-m", f"stages.{name}"]).returncode:
        raise RuntimeError(f"stages.{name} failed, see above")


if __name__ == "__main__":
    run(main)
