"""Bicubic interpolation as a network without parameters."""

from torch import nn

from pipeline.sr.degrade import upsample
from pipeline.sr.prior import SEVERE


class Bicubic(nn.Module):
    """Bicubic interpolation, MATLAB's ``imresize`` (Table I, row "Bicubic")."""

    uses_bicubic = True

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return upsample(x, scale)
