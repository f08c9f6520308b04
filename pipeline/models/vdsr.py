"""VDSR (Kim et al., CVPR 2016)."""

from torch import nn

from pipeline.models.protocol import Network
from pipeline.sr.degrade import upsample
from pipeline.sr.prior import SEVERE
from pipeline.sr.strips import strips

DEPTH, WIDTH = 20, 64


class VDSR(Network):
    """Twenty 3x3 convolutions of 64 channels add a residual to bicubic; one network for all scales.

    ReLU between them, zero padding, He's start; but the last layer starts next to zero, so that the
    first steps need not find the way back to bicubic.  The high rate needs a recipe with a clip.
    The test code's bicubic clipped to 16..235 is left out: a grey image has all 256 levels here.
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales):
        super().__init__(scales)
        channels = [1, *[WIDTH] * (DEPTH - 1), 1]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1)
                                   for a, b in zip(channels, channels[1:]))
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        nn.init.normal_(self.convs[-1].weight, std=1e-3)

    def features(self, x, scale, depth=DEPTH // 2):
        """Responses after `depth` layers, (N, 64, scale * h, scale * w): the middle, for Fig. 3."""
        return self._responses(upsample(x, scale), depth)

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        x = upsample(x, scale)
        return x + strips(self._residual, x, reach=DEPTH, width=WIDTH)

    def _responses(self, x, depth):
        for conv in self.convs[:depth]:
            x = conv(x).relu_()
        return x

    def _residual(self, x):
        return self.convs[-1](self._responses(x, DEPTH - 1))


def from_release(scales, files):
    """State of a `VDSR` from the authors' file, for all scales: dict of "all" to `Mat`."""
    channels, state = [1, *[WIDTH] * (DEPTH - 1), 1], {}
    for i, (a, b) in enumerate(zip(channels, channels[1:])):
        state[f"convs.{i}.weight"] = files["all"].array(f"model.weight.{i}", 3, 3, a, b).permute(3, 2, 0, 1)
        state[f"convs.{i}.bias"] = files["all"].array(f"model.bias.{i}", b)
    return state
