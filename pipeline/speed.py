"""How fast training is, beside what its counted operations take at the device's peak."""

import time

import torch

from pipeline.cost import count


def training_speed(run, phase, peak, steps):
    """Measure the steps of a training; nothing is kept of them.

    Parameters
    ----------
    run : `pipeline.training.Run`
    phase : `pipeline.training.Phase`
    peak : dict, as `pipeline.timing.peaks`
    steps : int

    Returns
    -------
    dict
        ``steps_per_s`` (all scales at once), ``single_scale_steps_per_s``, ``gflops`` (counted: a
        backward pass is two forward ones), ``share_of_peak`` (of a float32 matrix product).
    """
    run.enter(phase, 0)
    run.advance(max(3, steps // 10))
    _finish(run.device)
    start = time.perf_counter()
    run.advance(steps)
    _finish(run.device)
    rate = steps / (time.perf_counter() - start)
    macs = 0
    for scale, table in run.tables.items():
        for route, patches in zip(run.routes, run.counts()):
            macs += patches * count(run.model, table.size, table.size, scale, route).macs
    gflops = 3 * 2 * macs * rate / 1e9
    return {"steps_per_s": round(rate, 2), "gflops": round(gflops, 1),
            "single_scale_steps_per_s": round(rate * len(run.tables), 2),
            "share_of_peak": round(gflops / peak["gflops"], 3)}


def _finish(device):
    if device.type == "cuda":
        torch.cuda.synchronize()
