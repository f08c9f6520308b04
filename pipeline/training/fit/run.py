"""Fits a method scale by scale, going on after the last finished scale."""

import time

import torch

from pipeline.training import algorithm1, checkpoints
from pipeline.training.fit import aplus, rfl

FITTERS = {"aplus": aplus, "rfl": rfl}  # network to module with Recipe and fit


def fit(network, model, images, recipe, *, scales, seed, state_path, tag, limit_s=0.0,
        progress=lambda step, steps: None):
    """Fit the tables of a model, going on from `state_path` if that holds a state of the same `tag`.

    Parameters
    ----------
    network : str
        A key of `FITTERS`.
    model : Module of `pipeline.models` with ``tables``, one entry a scale
        Fitted in place, on the CPU.
    images : dict of str to ndarray, shape (H, W), uint8: Y
    recipe : Recipe of the fitter
    scales : sequence of int
    seed : int
    state_path : Path
    tag : str
    limit_s : float
        Begin no further scale after so many seconds; 0: no limit.
    progress : callable
        Called with (per cent done, 100).

    Returns
    -------
    `pipeline.training.algorithm1.Result`, with no curve and no steps
    """
    started = time.monotonic()
    state = checkpoints.load(state_path, tag) or {"tag": tag, "done": [], "seconds": 0.0, "where": []}
    if state["done"]:
        model.load_state_dict(state["model"])
    earlier, where = state["seconds"], state["where"]
    for k, scale in enumerate(scales):
        if scale in state["done"]:
            continue
        where = list(dict.fromkeys([*where, algorithm1.describe(torch.device("cpu"))]))
        with torch.no_grad():
            FITTERS[network].fit(
                model.tables[f"x{scale}"], scale, list(images.values()), recipe,
                torch.Generator().manual_seed(1000 * seed + scale),
                lambda share: progress(round(100 * (k + share) / len(scales)), 100))
        seconds = earlier + time.monotonic() - started
        state = {"tag": tag, "done": [*state["done"], scale], "seconds": seconds, "where": where,
                 "model": model.state_dict()}
        checkpoints.save(state_path, state)
        if limit_s and time.monotonic() - started > limit_s:
            break
    finished = set(scales) <= set(state["done"])
    return algorithm1.Result(finished, dict(model.state_dict()), [], 0, state["seconds"], where)
