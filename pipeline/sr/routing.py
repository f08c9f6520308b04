"""Adaptive inference: prior, routing, three passes, reassembly (Fig. 5; decision D10).

`patchwise` is the paper's way, one patch at a time; `grouped` gives the same image from three
batched passes; `whole` takes the severe path over the whole image.
"""

from dataclasses import dataclass

import torch

from pipeline.sr.cost import Cost, count
from pipeline.sr.patches import PATCH, assemble, cut, patch_size
from pipeline.sr.prior import SEVERE, classify, gradient_prior

BATCH = 128  # patches of one pass at a time: bounds the memory


@dataclass(frozen=True)
class Routing:
    """Thresholds and prior, as in params.yaml, and the side of a patch in HR pixels."""

    gamma_low: float
    gamma_upper: float
    norm: str = "l1"
    domain: str = "bicubic"
    patch: int = PATCH


def priors(lr, scale, routing, hr=None):
    """P of each patch of an image, shape (N,).

    Parameters
    ----------
    lr : Tensor, shape (1, 1, h, w), Y in [0, 1]
    scale : int
    routing : Routing
    hr : Tensor, shape (1, 1, H, W), optional
        The truth, for the oracle domain ``hr`` alone.

    Raises
    ------
    ValueError
        The oracle is asked for without the truth.
    """
    seen = _seen(lr, scale, routing, hr)
    return gradient_prior(seen, scale, norm=routing.norm, domain=routing.domain)


def _seen(lr, scale, routing, hr):
    """The patches that the prior looks at."""
    size = patch_size(scale, routing.patch)
    if routing.domain != "hr":
        return cut(lr, size)
    if hr is None:
        raise ValueError("prior.domain: hr is an oracle that needs the HR image; "
                         "use bicubic or lr where there is none")
    return cut(hr, size * scale)


def route_patches(model, lr, scale, routing, hr=None):
    """Route of each patch, shape (N,), Eq. (2); a model with one route sends all patches there."""
    p = priors(lr, scale, routing, hr)
    if len(model.routes) == 1:
        return torch.full_like(p, model.routes[0], dtype=torch.int64)
    return classify(p, routing.gamma_low, routing.gamma_upper)


def whole(model, lr, scale):
    """The severe path on the whole image: (1, 1, h, w) to (1, 1, H, W)."""
    return model(lr, scale, SEVERE)


def grouped(model, lr, scale, routing, hr=None):
    """Route the patches of an image and run each class as a batch.

    Every patch is computed alone, with zero padding, as in the paper; or with the halo of the model.

    Parameters
    ----------
    model : Module of `pipeline.models`
        One that knows a single route sends every patch along it.
    lr : Tensor, shape (1, 1, h, w), Y in [0, 1]
    scale : int
    routing : Routing
    hr : Tensor, shape (1, 1, H, W), optional
        For the oracle domain alone.

    Returns
    -------
    sr : Tensor, shape (1, 1, H, W)
    routes : Tensor, shape (N,), int64
    """
    size = patch_size(scale, routing.patch)
    patches = cut(lr, size, model.halo)
    routes = route_patches(model, lr, scale, routing, hr)
    out = patches.new_empty(len(patches), 1, *(scale * min(size, n) for n in lr.shape[-2:]))
    for route in model.routes:
        chosen = (routes == route).nonzero()[:, 0]
        for part in chosen.split(BATCH):
            out[part] = model.on_patches(patches[part], scale, route)
    return assemble(out, *lr.shape[-2:], size, scale), routes


def patchwise(model, lr, scale, routing, hr=None):
    """As `grouped`, one patch at a time with batch size 1: the paper's test (section IV)."""
    size = patch_size(scale, routing.patch)
    routes, out = [], []
    for patch, seen in zip(cut(lr, size, model.halo).split(1), _seen(lr, scale, routing, hr).split(1)):
        route = model.routes[0]
        if len(model.routes) > 1:
            p = gradient_prior(seen, scale, norm=routing.norm, domain=routing.domain)
            route = int(classify(p, routing.gamma_low, routing.gamma_upper))
        routes.append(route)
        out.append(model.on_patches(patch, scale, route))
    sr = assemble(torch.cat(out), *lr.shape[-2:], size, scale)
    return sr, torch.tensor(routes, device=lr.device)


def every_route(model, lr, scale, patch=PATCH):
    """Each route over all patches: what a sweep of thresholds chooses from.

    Returns
    -------
    dict of route to Tensor, shape (N, 1, P, P)
    """
    patches = cut(lr, patch_size(scale, patch), model.halo)
    return {route: torch.cat([model.on_patches(part, scale, route) for part in patches.split(BATCH)])
            for route in model.routes}


def choose(outputs, routes, lr, scale):
    """The image that `grouped` would give for these routes, from the outputs of `every_route`."""
    stack = torch.stack([outputs[route] for route in sorted(outputs)])  # (routes, N, 1, P, P)
    index = torch.searchsorted(torch.tensor(sorted(outputs), device=routes.device), routes)
    picked = stack[index, torch.arange(len(routes), device=routes.device)]
    return assemble(picked, *lr.shape[-2:], patch_size(scale), scale)


def cost_of(model, height, width, scale, routes=None, patch=PATCH):
    """MACs and bytes of one image: its patches by their routes, or the whole image without routes.

    Parameters
    ----------
    height, width : int, LR pixels
    routes : Tensor, shape (N,), or None
    patch : int, HR pixels

    Returns
    -------
    Cost
    """
    if routes is None:
        return count(model, height, width, scale)
    p, q = (min(patch_size(scale, patch), n) for n in (height, width))
    parts = [(int((routes == route).sum()), count(model, p, q, scale, route))
             for route in model.routes]
    return Cost(sum(n * c.macs for n, c in parts), sum(n * c.bytes for n, c in parts))
