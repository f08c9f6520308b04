"""SRCNN 9-5-5 (Dong et al., TPAMI 2016), the version in Table I."""

from torch import nn

from pipeline.sr.degrade import upsample
from pipeline.models.deconv import pass_on
from pipeline.sr.prior import SEVERE


class SRCNN(nn.Module):
    """9x9x64, 5x5x32, 5x5x1 on the bicubic image, replicated borders; one network a scale.

    The start is ours: the first channels hand bicubic on, so that a short training need not find it.
    """

    uses_bicubic = True

    def __init__(self, scales):
        super().__init__()
        same = {"padding": "same", "padding_mode": "replicate"}
        self.nets = nn.ModuleDict({
            f"x{scale}": nn.Sequential(
                nn.Conv2d(1, 64, 9, **same), nn.ReLU(),
                nn.Conv2d(64, 32, 5, **same), nn.ReLU(),
                nn.Conv2d(32, 1, 5, **same),
            ) for scale in scales
        })
        for net in self.nets.values():
            for conv in net[::2]:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
                nn.init.zeros_(conv.bias)
                pass_on(conv)

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return self.nets[f"x{scale}"](upsample(x, scale))
