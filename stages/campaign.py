"""Train all variants on Dask: python -m stages.campaign [--scheduler ADDRESS] [--every SECONDS].

After `dvc repro pack`: what params.yaml names is trained and fitted, the most expensive first, on this
machine's cores or on a Dask cluster; then it is scored here, where the test images are, and `dvc repro`
finds it all.  A training sends its states home every so many seconds (120); with its worker it loses what
came after, and another worker goes on.  The machines of a cluster need torch, numpy and distributed, and no
common file system.  Workers with a GPU say how many trainings share it, `--nthreads 12 --resources GPU=12`;
where one does, no other worker trains networks.  Four GPUs of Slurm, as long as this other program runs:

    from dask_jobqueue import SLURMCluster  # pip install dask-jobqueue
    cluster = SLURMCluster(cores=12, processes=1, memory="64GB", walltime="04:00:00",
                           job_extra_directives=["--gres=gpu:1"], worker_extra_args=["--resources", "GPU=12"])
    cluster.scale(jobs=4)
    input(cluster.scheduler_address)
"""

import subprocess
import sys
from argparse import ArgumentParser
from contextlib import nullcontext

from stages.common.shell import axes, run


def main():
    try:
        from distributed import Client

        from stages.common import cluster
    except ImportError as error:
        raise RuntimeError(f"{error.name} is not installed: pip install -r requirements-cluster.txt "
                           "-c requirements.lock") from error
    parser = ArgumentParser(usage=__doc__)
    parser.add_argument("--scheduler")
    parser.add_argument("--every", type=float, default=120.0)
    given = parser.parse_args()
    stage("check")
    home, weights, minutes = axes()
    if not (home / "train.npz").exists():
        raise ValueError(f"{home / 'train.npz'}: not there; make it with dvc repro pack")
    with (nullcontext(given.scheduler) if given.scheduler else cluster.local()) as at, Client(at) as client:
        print(f"dashboard: {client.dashboard_link}", flush=True)
        failed = cluster.each(client, home, weights, given.every, 60 * minutes)
    if failed:
        raise RuntimeError("; ".join(f"{name}: {why}" for name, why in failed.items()))
    stage("train")  # takes the weights out of the states
    stage("evaluate")
    return f"models in {home / 'models'}, scores in {home / 'quality'}"


def stage(name):
    if subprocess.run([sys.executable, "-m", f"stages.{name}"]).returncode:
        raise RuntimeError(f"stages.{name} failed, see above")


if __name__ == "__main__":
    run(main)
