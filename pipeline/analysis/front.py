"""front.csv: routed networks against the front of narrower ones without routing, on the same images."""

import numpy as np
import pandas as pd

from pipeline.analysis import statistics
from pipeline.analysis.verdicts import LEAST_IMAGES

CONTROL = "fsrcnn"
FACTS = ["method", "mode", "patch", "cost", "gamma_low", "gamma_upper", "width", "routes", "macs"]
AGAINST = ["speedup", "loss_db", *(f"{cost}_{part}" for cost in ("at_time", "at_macs", "over_first")
                                  for part in ("db", "low", "high"))]


def front(psnr, times, machine, *, seed):
    """One row a network and way to use it.

    Parameters
    ----------
    psnr : DataFrame
        setting, image, psnr_db: of each of `pipeline.experiments.front`.
    times : DataFrame
        setting, its columns `FACTS` (width: channels; macs: of an image), repeat, ms (an image).
    machine : dict, `pipeline.timing.clocks.peaks`
    seed : int

    Returns
    -------
    DataFrame
        FACTS; device, images; psnr_db; ms (median); ratio (of the control's time, median over the repeats).
        With routes also speedup over the same network's severe path on whole images, loss_db against it, and
        at_time_db and at_macs_db: mean PSNR above the static front at equal time and equal products, with
        95 % intervals over images (none below ten images).  The front is linear in the logarithm of the cost
        between two static networks, and level beyond the widest; what is cheaper than the narrowest has no
        such figure.
        over_first_db: above the first network of that width and number of routes, used in the same way.
    """
    ms = times.pivot(index="repeat", columns="setting", values="ms")
    scores = psnr.pivot(index="image", columns="setting", values="psnr_db")
    facts = times.groupby("setting")[FACTS].first()
    whole = {facts.method[k]: k for k in facts.index[facts["mode"] == "whole"]}
    static = facts.index[(facts.routes == 1) & (facts.method != CONTROL)]
    macs, first = facts.macs.to_frame().T, {}
    rows = []
    for k, fact in facts.iterrows():
        own = whole[fact.method]
        row = fact.to_dict() | {
            "device": machine["device"], "images": len(scores), "psnr_db": scores[k].mean(), "ms": ms[k].median(),
            "ratio": (ms[k] / ms[whole[CONTROL]]).median() if CONTROL in whole else np.nan}
        alike = first.setdefault(tuple(fact[["width", "routes", "mode", "patch", "cost"]].fillna(0)), k)
        if alike != k:
            row |= _interval("over_first", scores[k] - scores[alike], seed)
        if k != own:
            row |= {"speedup": (ms[own] / ms[k]).median(), "loss_db": (scores[own] - scores[k]).mean()}
            for name, costs in (("at_time", ms), ("at_macs", macs)):
                row |= _above(name, costs[k], costs[static], scores[k], scores[static], seed)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=[*FACTS, "device", "images", "psnr_db", "ms", "ratio", *AGAINST])


def _above(name, cost, costs, psnr, front, seed):
    """Mean of PSNR above the front at equal cost, and its interval.

    Parameters
    ----------
    cost : Series, shape (repeats,)
    costs : DataFrame, shape (repeats, static networks)
    psnr : Series, shape (images,)
    front : DataFrame, shape (images, static networks), the columns of `costs`
    """
    if costs.empty or (cost < costs.min(axis=1)).any():
        return {}
    found = []
    for at, known in zip(cost, costs.to_numpy()):
        order = np.argsort(known)
        scores = front.to_numpy()[:, order]
        found.append([value - np.interp(np.log(at), np.log(known[order]), image)
                      for value, image in zip(psnr, scores)])
    return _interval(name, np.mean(found, 0), seed)  # of each image, over the repeats


def _interval(name, differences, seed):
    """Mean of one difference an image, and its interval."""
    if len(differences) < LEAST_IMAGES:
        return {f"{name}_db": differences.mean()}
    interval = statistics.mean(np.asarray(differences), seed=seed)
    return {f"{name}_db": interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
