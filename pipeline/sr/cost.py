"""Parameters, multiply-accumulates and bytes, counted layer by layer from the shapes.

A deconvolution is counted at the resolution of its input, where its products are made; the field
counts it at its output, scale^2 times too much.  Biases and activations are left out of the MACs,
and bicubic counts 16 products a pixel.
"""

import threading
from dataclasses import dataclass

import torch
from torch import nn

from pipeline.sr.prior import ROUTES, SEVERE


@dataclass(frozen=True)
class Cost:
    """MACs, and bytes read and written by convolutions (float32: inputs, weights, outputs)."""

    macs: int
    bytes: int


def parameters(model):
    """Number of trained values, biases included."""
    return sum(p.numel() for p in model.parameters())


@torch.inference_mode()
def count(model, height, width, scale, route=SEVERE):
    """Cost of one forward pass over an LR image.

    Parameters
    ----------
    model : Module of `pipeline.models`
    height, width : int, LR pixels
    scale : int
    route : {MILD, MODERATE, SEVERE}

    Returns
    -------
    Cost
    """
    if model.cost is not None:  # not made of layers: states its own
        return model.cost(height, width, scale)
    macs, traffic, hooks, here = [], [], [], threading.get_ident()

    def record(layer, inputs, output):
        if threading.get_ident() != here:  # the model may be at work on another image
            return
        fan = layer.weight[0].numel()  # products at one output (conv) or input (deconv) pixel
        inside, outside = (x.shape[1:].numel() for x in (inputs[0], output))
        macs.append((inside if isinstance(layer, nn.ConvTranspose2d) else outside) * fan)
        traffic.append(4 * (inside + layer.weight.numel() + outside))

    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            hooks.append(layer.register_forward_hook(record))
    device = next(model.parameters(), torch.empty(0)).device
    # a batch of no image has the shapes, and costs nothing
    model(torch.zeros(0, 1, height, width, device=device), scale, route)
    for hook in hooks:
        hook.remove()
    if model.uses_bicubic:
        pixels = height * width * scale**2
        macs.append(16 * pixels)
        traffic.append(4 * pixels + 4 * height * width)
    return Cost(sum(macs), sum(traffic))


def summary(model, scales):
    """Parameters, and MACs per LR pixel of each scale and route, for the provenance of weights."""
    side = 24
    macs = {f"x{s}": {ROUTES[r]: count(model, side, side, s, r).macs // side**2 for r in model.routes}
            for s in scales}
    return {"parameters": parameters(model), "macs_per_lr_pixel": macs}
