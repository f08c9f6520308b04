"""Jobs of a stage side by side: each in a process of its own, or on a stream of one GPU."""

import os
import threading
from functools import partial
from multiprocessing import connection, get_context

from stages.common import job

STREAMS = 12  # trainings at once on a GPU: 2,980 steps of PRN a second on an H100, of one alone 820, of 20 3,350


def at_once(gpu):
    """How many jobs run side by side: one on a GPU, else as many as this process has cores; or PRN_JOBS."""
    return int(os.environ.get("PRN_JOBS") or (1 if gpu else len(os.sched_getaffinity(0))))


def each(module, costs, jobs, preload=(), streams=False):
    """Call ``module.one(name, share, say)`` for every name, the most expensive first.

    A job tells with ``share(0..1)`` how far it is, with ``say(words)`` what the user should know, and returns one line.

    Parameters
    ----------
    costs : dict of str to float
        Names, and what their jobs cost, in any unit.
    jobs : int, how many of them at once
    preload : sequence of str, modules that all jobs import: once, together
    streams : bool, jobs are threads with a CUDA stream each: they fill a GPU, processes would take turns

    Raises
    ------
    RuntimeError : names the job that failed; the others have been stopped
    """
    from tqdm import tqdm  # not on a machine that only trains

    os.environ.setdefault("OMP_NUM_THREADS", "1" if jobs > 1 else str(len(os.sched_getaffinity(0))))
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")  # by default streams share eight queues
    context = get_context("forkserver")  # torch is imported once, and a GPU is free for the job
    context.set_forkserver_preload([] if streams else [*preload])
    waiting, running, done = sorted(costs, key=costs.get, reverse=True), {}, dict.fromkeys(costs, 0.0)
    how = {"bar_format": "{desc} {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left", "mininterval": 1, "miniters": 0}
    with tqdm(total=sum(costs.values()), desc=f"0 of {len(costs)} done", **how) as bar:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    ours, theirs = context.Pipe(duplex=False)
                    name = waiting.pop(0)
                    kind = partial(threading.Thread, daemon=True) if streams else context.Process
                    target = job.on_stream if streams else job.in_process
                    process = kind(target=target, args=(module, name, theirs), name=name)
                    process.start()
                    if not streams:
                        theirs.close()
                    running[ours] = process
                for pipe in connection.wait(list(running)):
                    name = running[pipe].name
                    kind, value = _receive(pipe, running[pipe])
                    if kind == "failed":
                        raise RuntimeError(f"{name}: {value.removeprefix(f'{name}: ')}")
                    if kind == "share":
                        done[name] = max(done[name], min(1.0, value) * costs[name])  # never backwards
                    else:
                        bar.write(value)
                    if kind == "done":
                        done[name] = costs[name]
                        running.pop(pipe).join()
                        finished = len(costs) - len(waiting) - len(running)
                        bar.set_description_str(f"{finished} of {len(costs)} done", refresh=False)
                    bar.update(sum(done.values()) - bar.n)
        finally:  # what is on disk stays: states and rows are complete or absent
            processes = () if streams else running.values()
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(job.GRACE)
                process.kill()
                process.join()


def _receive(pipe, process):
    try:
        return pipe.recv()
    except EOFError:
        process.join()
        return "failed", (f"killed by signal {-process.exitcode} (9: most often out of memory)"
                          if process.exitcode < 0 else "see above" if process.exitcode else "stopped from outside")
