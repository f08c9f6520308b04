"""What a network is: what the other packages call, and the defaults of what most networks do without."""

from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Tensor, nn

from pipeline.sr.prior import SEVERE


class Model(Protocol):
    """A super-resolution network, built from the scales that it is for and its options.

    Attributes
    ----------
    routes : tuple of route
        Those that it knows; (SEVERE,) of a network that treats all patches alike.
    uses_bicubic : bool
        Whether it computes the bicubic enlargement, which is not a layer and is counted apart.
    version : int
        Part of the tag of kept results: raise it when the outputs of the same weights can change.
    learns : tuple of int
        The scales that are trained: all, unless the image of one is made of another's.
    halo : int
        LR pixels of the image that come with a patch; with more than 0, `on_patches` says what becomes of them.
    apart : iterable of Module
        Parts that share nothing; the gradient of each is clipped by its own norm.
    cost : (height, width, scale) to `pipeline.sr.cost.Cost`, or None
        Of a network that is not made of layers; None: its layers are counted.
    path : (scale, route) to sequence of Module, or None
        The layers in order, of which `pipeline.engine.fused` makes convolutions; None: they do not
        follow one another, or do not start from the LR image.
    features : (x, scale, depth) to Tensor, or None
        Responses of an inner layer, for Fig. 3.
    loss : (lr, hr, scale, done) to Tensor, absent by default
        Instead of the mean squared error; `done` is the share of the training that is done.
    """

    routes: tuple[int, ...]
    uses_bicubic: bool
    version: int
    learns: tuple[int, ...]
    halo: int
    apart: Iterable[nn.Module]
    cost: Callable | None
    path: Callable | None
    features: Callable | None

    def forward(self, x: Tensor, scale: int, route: int = SEVERE) -> Tensor:
        """Map LR Y (N, 1, h, w), in [0, 1], to Y (N, 1, scale * h, scale * w)."""


class Network(nn.Module):
    """The defaults of `Model`."""

    routes = (SEVERE,)
    uses_bicubic = False
    halo = 0
    cost = path = features = None

    def __init__(self, scales=()):
        super().__init__()
        self.learns = tuple(scales)

    @property
    def apart(self):
        return (self,)

    def on_patches(self, x, scale, route=SEVERE):
        """As `forward`, of patches that come with `halo` pixels of the image around them."""
        return self(x, scale, route)


@torch.inference_mode()
def check(model, network, scales):
    """Refuse a network that lacks something of `Model`: called on a tiny image, before any training.

    Raises
    ------
    ValueError
        Names the module, what it lacks and how to write it.
    """
    where = f"pipeline/models/{network}.py"
    missing = [name for name in Model.__annotations__ if not hasattr(model, name)]
    if missing:
        raise ValueError(f"{where}: {', '.join(missing)}: missing, as version = 1 in the class; "
                         "pipeline/models/protocol.py says what each is and has defaults for most")
    x = torch.linspace(0, 1, 2 * 12 * 14).reshape(2, 1, 12, 14)
    for scale in scales:
        for route in model.routes:
            try:
                y = model.eval()(x, scale, route)
            except Exception as error:
                raise ValueError(f"{where}: forward(x, scale={scale}, route={route}) fails on an x of "
                                 f"{tuple(x.shape)}: {type(error).__name__}: {error}") from error
            expected = (2, 1, 12 * scale, 14 * scale)
            if getattr(y, "shape", None) != expected:
                raise ValueError(f"{where}: forward(x, scale={scale}, route={route}) of an x of {tuple(x.shape)} "
                                 f"gives {tuple(getattr(y, 'shape', ())) or type(y).__name__}; expected {expected}")
