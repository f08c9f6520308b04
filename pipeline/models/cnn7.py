"""The 7-layer CNN of section III, by whose gain over bicubic Fig. 2 and Fig. 4 sort patches."""

from torch import nn

from pipeline.models.protocol import Network
from pipeline.sr.degrade import upsample
from pipeline.sr.prior import SEVERE


class CNN7(Network):
    """Six 3x3x32 convolutions and one 3x3x1, on the bicubic image, with a residual to it.

    The paper gives the sizes alone; bicubic input, ReLU and the residual are ours (design, D7).
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales):
        super().__init__(scales)
        channels = [1, 32, 32, 32, 32, 32, 32, 1]
        self.nets = nn.ModuleDict({
            f"x{scale}": nn.Sequential(*[
                nn.Conv2d(a, b, 3, padding=1) for a, b in zip(channels, channels[1:])
            ]) for scale in scales
        })
        for net in self.nets.values():
            for conv in net:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
                nn.init.zeros_(conv.bias)
            nn.init.normal_(net[-1].weight, std=1e-3)  # starts next to bicubic

    def features(self, x, scale, depth=4):
        """Responses after `depth` layers, (N, 32, scale * h, scale * w), for Fig. 3."""
        x = upsample(x, scale)
        for conv in self.nets[f"x{scale}"][:depth]:
            x = conv(x).relu()
        return x

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        last = self.nets[f"x{scale}"][-1]
        return upsample(x, scale) + last(self.features(x, scale, depth=6))
