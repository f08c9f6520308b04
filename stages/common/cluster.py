"""Many trainings on a Dask cluster, in parts of minutes, each from the states that the last one sent home."""

import logging
import math
import signal
import time
import uuid
from importlib import import_module

from dask import config
from distributed import LocalCluster
from tqdm import tqdm

from pipeline.io import read_json
from pipeline.models.authors import unpublished
from pipeline.training.fit.run import FITTERS
from stages.common import cluster_worker, setup
from stages.common.workers import at_once


def local():
    """A cluster of this machine's cores.  Ctrl-C reaches its processes too: they leave it to this one."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return LocalCluster(n_workers=at_once(False), threads_per_worker=1, memory_limit=None,
                            silence_logs=logging.ERROR)
    finally:
        signal.signal(signal.SIGINT, before)


def each(client, home, weights, every, limit):
    """Train and fit, the most expensive first, as many at once as the cluster has GPUs, or else threads.

    A part that is lost with its worker is done again by another one, from the states that came home before.

    Parameters
    ----------
    client : `distributed.Client`
    home : Path, the profile's folder
    weights : str, of params.yaml
    every, limit : float, seconds of a part, and of a training in all (0: no limit)

    Returns
    -------
    dict of str to str : what did not come to its end, and why
    """
    variants = read_json(home / "variants.json")
    scales = {name: wanted for name, v in variants.items() if (wanted := _to_train(v, name, weights))}
    costs = {name: setup.expense(variants[name]) for name in scales}
    config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})  # states travel in graphs
    bundle = cluster_worker.bundle(home)
    client.register_plugin(bundle)
    waiting, running, failed = sorted(costs, key=costs.get, reverse=True), {}, {}
    states = {name: home.parent / "states" / f"{home.name}-{v['budget']}-{name}"
              for name, v in variants.items()}
    left, done = dict.fromkeys(costs, limit or math.inf), dict.fromkeys(costs, 0.0)
    with tqdm(total=sum(costs.values()), mininterval=1, miniters=0,
              bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left") as bar:
        while waiting or running:
            threads, gpus = _size(client)
            while waiting and len(running) < (gpus or threads):
                name = waiting.pop(0)
                future = client.submit(  # a lambda travels as code: the scheduler has no `stages`
                    lambda *given: import_module("stages.common.cluster_worker").work(*given),
                    bundle.name, home, name, states[name], cluster_worker.read(states[name]),
                    min(every, left[name]), scales[name], key=f"{name}-{uuid.uuid4().hex}",
                    resources={"GPU": 1} if gpus and variants[name]["network"] not in FITTERS else None)
                running[future] = name
            time.sleep(0.5)
            for future in [future for future in running if future.done()]:
                name = running.pop(future)
                try:
                    files, done[name], words = future.result()
                except Exception as error:  # of any kind, there; the others go on
                    failed[name] = str(error).removeprefix(f"{name}: ") or type(error).__name__
                    continue
                cluster_worker.write(states[name], files)
                for line in words:
                    bar.write(line)
                left[name] -= every
                if done[name] < 1 and left[name] > 0:
                    waiting.insert(0, name)
                elif done[name] < 1:
                    failed[name] = f"stopped at the limit of {limit / 60:g} minutes; run this again"
            bar.set_description_str(f"{sum(share == 1 for share in done.values())} of {len(costs)} done, "
                                    f"{gpus or threads} at once", refresh=False)
            bar.update(sum(done[n] * costs[n] for n in costs) - bar.n)
    client.unregister_worker_plugin(bundle.name)
    return failed


def _to_train(variant, name, weights):
    """Scales that are trained or fitted: none of what is published or has nothing to learn."""
    if weights == "published":
        return unpublished(name, variant["scales"]) if variant["network"] in FITTERS else []
    return variant["scales"] if setup.learns(setup.fresh(variant)) else []


def _size(client):
    """Threads of the workers that are there now, and how many trainings their GPUs take."""
    try:
        workers = client.sync(client.scheduler.identity, n_workers=-1)["workers"].values()
    except Exception as error:  # Dask has many kinds
        raise RuntimeError(f"the scheduler does not answer ({error}); when one does, run this again") from error
    return sum(w["nthreads"] for w in workers), int(sum(w["resources"].get("GPU", 0) for w in workers))
