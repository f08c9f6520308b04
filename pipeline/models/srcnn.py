"""SRCNN 9-5-5 (Dong et al., TPAMI 2016), the version in Table I."""

from torch import nn

from pipeline.degrade import upsample
from pipeline.prior import SEVERE


class SRCNN(nn.Module):
    """9x9x64, 5x5x32, 5x5x1 on the bicubic image, replicated borders; one network a scale."""

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
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return self.nets[f"x{scale}"](upsample(x, scale))
