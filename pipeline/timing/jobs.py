"""The jobs that are timed: a method on images in one of four modes.

``paper``: patch by patch, batch 1, the plain network.  ``grouped`` and ``context``: the engine with
the paper's borders and with real context.  ``routing``: what the engine does before its passes.
``whole``: no routing, the severe path.  All but the first use fused convolutions where the network has
them, so that no mode is faster by better code; the others run channels last, as these do.
"""

from dataclasses import dataclass
from functools import partial

import torch

from pipeline.engine import adaptive
from pipeline.sr.cost import Cost
from pipeline.sr.degrade import imresize
from pipeline.engine.fused import Fused
from pipeline.sr.routing import Routing, cost_of, patchwise, route_patches
from pipeline.sr.patches import PATCH, patch_size
from pipeline.sr.prior import MILD, SEVERE
from pipeline.timing.clocks import Job

BORDERS = {"grouped": "paper", "context": "context"}  # of the engine


@dataclass(frozen=True)
class Network:
    """A network at one scale, plain and, if it has such a form, fused."""

    name: str
    plain: object
    scale: int
    fused: Fused | None

    @classmethod
    def of(cls, name, model, scale, dtype=torch.float32):
        fused = Fused(model, scale, dtype) if model.path is not None else None
        return cls(name, model, scale, fused)

    def whole(self, images):
        """No routing: list of (1, 1, h, w) to list of (1, 1, H, W)."""
        return [adaptive.whole(self.fused, lr) if self.fused else self.plain(lr, self.scale)
                for lr in images]


def luma_pairs(ys, scale, device):
    """(LR, HR) luma on the device, of HR lumas (H, W), uint8."""
    hrs = [torch.from_numpy(y[:y.shape[0] // scale * scale, :y.shape[1] // scale * scale] / 255)
           [None, None] for y in ys]
    return [(imresize(hr, 1 / scale).float().to(device), hr.float().to(device)) for hr in hrs]


@torch.inference_mode()
def make_job(net, mode, routing, pairs, batch=False):
    """A network in one mode, with what it costs.

    Parameters
    ----------
    net : Network
    mode : {"paper", "grouped", "context", "routing", "whole"}
    routing : `pipeline.sr.routing.Routing` or None
        None for the mode ``whole``.
    pairs : list of (LR, HR), as `luma_pairs`
    batch : bool
        All images in one call instead of one by one (not in the mode ``paper``).

    Returns
    -------
    Job
    """
    images = [lr for lr, _ in pairs]
    routes = [None if mode == "whole" else route_patches(net.plain, lr, net.scale, routing, hr)
              for lr, hr in pairs]
    patch = routing.patch if routing else PATCH
    costs = [cost(net, mode, lr, chosen, patch) for lr, chosen in zip(images, routes)]
    if mode == "paper":
        calls = [partial(patchwise, net.plain, lr, net.scale, routing, hr) for lr, hr in pairs]
    else:
        batches = [images] if batch else [[lr] for lr in images]
        calls = [partial(net.whole, some) if mode == "whole" else
                 partial(adaptive.prepare, net.fused, some, routing) if mode == "routing" else
                 partial(adaptive.super_resolve, net.fused, some, routing, BORDERS[mode]) for some in batches]
    if batch:
        costs = [Cost(sum(c.macs for c in costs), sum(c.bytes for c in costs))]
    return Job({"method": net.name, "scale": net.scale, "mode": mode,
                "gamma_low": routing.gamma_low if routing else "",
                "gamma_upper": routing.gamma_upper if routing else ""},
               calls, costs, len(images) if batch else 1)


@torch.inference_mode()
def share_job(net, mode, severe, lr, seed=0):
    """The engine on routes that no prior chose: a share of severe patches at random, the rest mild."""
    patches = len(adaptive.Layout.of(lr, patch_size(net.scale)))
    order = torch.randperm(patches, generator=torch.Generator().manual_seed(seed))
    routes = torch.full((patches,), MILD)
    routes[order[:round(severe * patches)]] = SEVERE
    routes = routes.to(lr.device)
    call = partial(adaptive.super_resolve, net.fused, [lr], Routing(10, 30), BORDERS[mode], routes=[routes])
    return Job({"method": net.name, "scale": net.scale, "mode": mode, "severe": severe},
               [call], [cost(net, mode, lr, routes)])


def cost(net, mode, lr, routes, patch=PATCH):
    """MACs and bytes of one image in a mode; with context, of the pixels that each layer needs."""
    h, w = lr.shape[-2:]
    if mode == "routing":  # bicubic alone
        return Cost(16 * h * w * net.scale**2, 4 * h * w * (1 + net.scale**2))
    if mode != "context":
        return cost_of(net.plain, h, w, net.scale, routes, patch)
    return adaptive.context_cost(net.fused, lr, routes, patch)
