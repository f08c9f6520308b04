"""Routing against narrower networks: what both reach on the same images, and what has to be timed.

A narrower network is the plain way to a cheaper one.  Routing pays where it lies above the front of such
static networks, at the same time or with the same products.
"""

from dataclasses import dataclass

import numpy as np
import torch

from pipeline.evaluation.protocol import compose, score_psnr
from pipeline.experiments.routers import patches, settings
from pipeline.experiments.routers.compare import psnr
from pipeline.experiments.routers.thresholds import thresholds
from pipeline.sr.patches import PATCH
from pipeline.sr.prior import SEVERE, classify, gradient_prior
from pipeline.sr.routing import Routing

NORM = "squared_both"  # the best of the routers that need no training (routers.csv)
COSTS = (0.36, 0.5, 0.64)  # mean products of a patch, in those of the severe route
SIDES = (54, 72, 108, 216)  # HR pixels of a patch; those above the paper's at the middle cost alone


@dataclass(frozen=True)
class Setting:
    """A network and how it is used: on the whole image, or with routing.

    Attributes
    ----------
    method : str
    mode : {"whole", "grouped", "context"}
        As `pipeline.timing.jobs`.
    routing : `pipeline.sr.routing.Routing` or None
    cost : float or None
        Mean products of a training patch at most, in those of the severe route.
    """

    method: str
    mode: str
    routing: Routing | None = None
    cost: float | None = None

    @property
    def labels(self):
        """Columns that name it: method, mode, patch (HR pixels), cost, gamma_low, gamma_upper."""
        r = self.routing
        return {"method": self.method, "mode": self.mode, "patch": r.patch if r else "", "cost": self.cost,
                "gamma_low": r.gamma_low if r else "", "gamma_upper": r.gamma_upper if r else ""}


def compare(models, train, pairs, scale, *, domain="bicubic", progress=lambda items, total: items):
    """Every network on whole images; those with routes also by them, the first of the widest with patches of all `SIDES`.

    Parameters
    ----------
    models : dict of str to Module of `pipeline.models`
    train, pairs, scale, domain : as `routed`
    progress : callable
        Wraps an iterable of known length, such as ``tqdm``.

    Returns
    -------
    dict of Setting to list of float
        PSNR of each image, dB.
    """
    found, routes = {}, {name: model for name, model in models.items() if len(model.routes) > 1}
    widest = max(routes, key=lambda name: routes[name].width, default=None)
    for name, model in progress(models.items(), len(models)):
        found |= whole(name, model, pairs, scale)
        for patch in SIDES if name == widest else SIDES[:1] if name in routes else ():
            costs = COSTS if patch == SIDES[0] else COSTS[1:2]
            found |= routed(name, model, train, pairs, scale, patch=patch, domain=domain, costs=costs)
    return found


@torch.inference_mode()
def whole(name, model, pairs, scale):
    """A network on whole images, by its severe path.

    Parameters
    ----------
    name : str
    model : Module of `pipeline.models`
    pairs : list of (str, `pipeline.evaluation.protocol.Pair`)
    scale : int

    Returns
    -------
    dict of Setting to list of float
        One entry: PSNR of each image, dB.
    """
    device = next(model.parameters()).device
    return {Setting(name, "whole"): [score_psnr(compose(model(pair.lr_y.to(device), scale, SEVERE), pair), pair)
                                     for _, pair in pairs]}


def routed(name, model, train, pairs, scale, *, patch=PATCH, domain="bicubic", costs=COSTS):
    """A network by its routes, alone and with real context, at thresholds that training images chose.

    The engine has no real context for networks that repeat the border of each map.

    Parameters
    ----------
    name, model, pairs, scale : as `whole`
    train : list of (str, Pair), images that networks are trained on
    patch : int, HR pixels a side
    domain : {"bicubic", "lr"}
    costs : sequence of float

    Returns
    -------
    dict of Setting to list of float
        PSNR of each image, dB; a cost below that of mild patches is left out.
    """
    found, experts = {}, patches.routes_of(model)
    device = next(model.parameters()).device
    repeats = any(getattr(layer, "padding_mode", "") == "replicate" for layer in model.modules())
    for mode in ("grouped", "context")[:1 if repeats else 2]:
        known, seen = (patches.measure(experts, some, scale, patch=patch, alone=mode == "grouped", device=device)
                       for some in (train, pairs))
        prior = gradient_prior(seen.lr, scale, norm=NORM, domain=domain)
        every = np.arange(len(seen.image))
        for cost in costs:
            if cost < known.costs[0]:  # even mild patches cost more
                continue
            low, upper = _cuts(known, domain, cost)
            chosen = classify(prior, low, upper).numpy()
            setting = Setting(name, mode, Routing(low, upper, NORM, domain, patch), cost)
            found[setting] = psnr(seen, seen.per_image(seen.errors[every, chosen])).tolist()
    return found


def _cuts(known, domain, cost):
    """gamma_low and gamma_upper that training patches choose."""
    rows = thresholds(known, domain, (cost,), (NORM,))
    if rows:
        return rows[0]["gamma_low"], rows[0]["gamma_upper"]
    score = gradient_prior(known.lr, known.scale, norm=NORM, domain=domain).double().numpy()
    return tuple(settings.cuts_within(score, known, cost).tolist())
