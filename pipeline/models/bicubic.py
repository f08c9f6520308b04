"""Bicubic interpolation as a network without parameters."""

from pipeline.models.protocol import Network
from pipeline.sr.degrade import upsample
from pipeline.sr.prior import SEVERE


class Bicubic(Network):
    """Bicubic interpolation, MATLAB's ``imresize`` (Table I, row "Bicubic")."""

    version = 1
    uses_bicubic = True

    def __init__(self, scales):
        super().__init__()  # no scale is trained

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return upsample(x, scale)
