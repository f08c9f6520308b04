"""Fits a method scale by scale, going on after the last finished scale."""

import time
from dataclasses import asdict

import torch

from pipeline.training import VERSION, checkpoints
from pipeline.training.algorithm1 import Rung
from pipeline.training.fit import aplus, rfl

FITTERS = {"aplus": aplus, "rfl": rfl}  # network to module with Recipe and fit


def fit(network, model, images, recipe, *, scales, seed, folder, identity, conditions, limit_s=0.0,
        progress=lambda step, steps: None, warn=lambda message: None):
    """Fit the tables of a model, going on from the state in `folder`.

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
    folder, identity, conditions, limit_s, progress, warn
        As `pipeline.training.algorithm1.train`; no further scale is begun after `limit_s`, and
        `progress` is called with (per cent done, 100).

    Returns
    -------
    list of Rung
        One, with no curve and no steps; or none if the limit stopped it.
    """
    started, path = time.monotonic(), folder / "fit.pt"
    identity = identity | {"code": VERSION, "scales": list(scales), "seed": seed, "recipe": asdict(recipe),
                           "images": checkpoints.digest_images(images)}
    state = (checkpoints.load(path, identity, warn)
             or {"identity": identity, "done": [], "seconds": 0.0, "conditions": []})
    if state["done"]:
        model.load_state_dict(state["model"])
    for k, scale in enumerate(scales):
        if scale in state["done"]:
            continue
        begun = time.monotonic()
        with torch.no_grad():
            FITTERS[network].fit(
                model.tables[f"x{scale}"], scale, list(images.values()), recipe,
                torch.Generator().manual_seed(1000 * seed + scale),
                lambda share: progress(round(100 * (k + share) / len(scales)), 100))
        where = state["conditions"]
        state |= {"done": [*state["done"], scale], "seconds": state["seconds"] + time.monotonic() - begun,
                  "model": model.state_dict(),
                  "conditions": where if conditions in where else [*where, conditions]}
        checkpoints.save(path, state)
        if limit_s and time.monotonic() - started > limit_s:  # after one scale at least
            break
    if not set(scales) <= set(state["done"]):
        return []
    return [Rung(0, 0, dict(model.state_dict()), [], state["seconds"], state["conditions"])]
