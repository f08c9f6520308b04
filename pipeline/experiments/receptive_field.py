"""How far each route of PRN sees, measured by gradients (section III-C: rolling and its dilation)."""

from dataclasses import dataclass

import torch

from pipeline.sr.prior import ROUTES

SIDE = 49  # LR pixels; wider than any route sees
ENERGY = 0.95  # of the absolute gradient


@dataclass(frozen=True)
class Field:
    """Side of a square in LR pixels: all that reaches the centre, and 95 % of what does."""

    side: int
    side_95: int


def receptive_field(model, route, *, inputs=8, seed=0):
    """What the features at one pixel, just before the deconvolution, depend on.

    The gradient of a random mixture of the features at the centre, towards the LR pixels, over random
    images; in double precision, in which a pixel that does not reach the centre has a gradient of zero.

    Parameters
    ----------
    model : PRN
    route : {MILD, MODERATE, SEVERE}
    inputs : int
        Random images.
    seed : int

    Returns
    -------
    Field
    """
    generator = torch.Generator().manual_seed(seed)
    model = model.cpu().double()
    x = torch.rand(inputs, 1, SIDE, SIDE, generator=generator, dtype=torch.float64, requires_grad=True)
    y, scale = x, int(next(iter(model.upsample))[1:])  # any: the layers before the last are shared
    for layer in model.path(scale, route)[:-1]:
        y = layer(y)
    centre = y[..., y.shape[-2] // 2, y.shape[-1] // 2]
    mixture = torch.randn(centre.shape, generator=generator, dtype=torch.float64)
    (centre * mixture).sum().backward()
    reach = x.grad.abs().sum((0, 1))
    sides = range(1, SIDE + 1, 2)
    inside = torch.stack([_square(reach, side).sum() for side in sides]) / reach.sum()
    seen = torch.stack([(reach - _square(reach, side, full=True) == 0).all() for side in sides])
    return Field(sides[int(seen.int().argmax())], sides[int((inside >= ENERGY).int().argmax())])


def receptive_fields(model):
    """dict of route name to Field, for the routes that a model has."""
    return {ROUTES[route]: receptive_field(model, route) for route in model.routes}


def _square(image, side, full=False):
    """The centred square of an image; with `full`, the image with zeros outside of it."""
    start = (SIDE - side) // 2
    box = (slice(start, start + side),) * 2
    if not full:
        return image[box]
    kept = torch.zeros_like(image)
    kept[box] = image[box]
    return kept
