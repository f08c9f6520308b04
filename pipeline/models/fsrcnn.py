"""FSRCNN(56, 12, 4) (Dong et al., ECCV 2016)."""

from torch import nn

from pipeline.models.deconv import deconvolution, end_on_bicubic, pass_on
from pipeline.sr.prior import SEVERE


class FSRCNN(nn.Module):
    """5x5x56, shrink to 12, four 3x3x12, expand to 56, 9x9 deconvolution; one network a scale.

    PReLU has one slope a layer, as in the released test code; zero padding.
    The start is ours: the first channels hand the image on to a bicubic deconvolution.
    """

    uses_bicubic = False
    routes = (SEVERE,)

    def __init__(self, scales, width=56, shrunk=12, maps=4):
        super().__init__()
        self.nets = nn.ModuleDict({f"x{s}": _network(s, width, shrunk, maps) for s in scales})

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return self.nets[f"x{scale}"](x)

    def path(self, scale, route=SEVERE):
        """The layers at one scale, in order."""
        return self.nets[f"x{scale}"]


def _network(scale, width, shrunk, maps):
    sizes = [(1, width, 5), (width, shrunk, 1), *[(shrunk, shrunk, 3)] * maps, (shrunk, width, 1)]
    layers = []
    for a, b, k in sizes:
        layers += [nn.Conv2d(a, b, k, padding=k // 2), nn.PReLU(init=0.25)]
        nn.init.kaiming_normal_(layers[-2].weight, a=0.25)
        nn.init.zeros_(layers[-2].bias)
        pass_on(layers[-2])
    deconv = deconvolution(scale, width)
    end_on_bicubic(deconv)
    return nn.Sequential(*layers, deconv)
