"""FSRCNN(56, 12, 4) (Dong et al., ECCV 2016)."""

from torch import nn

from pipeline.models.deconv import ReplicatingDeconvolution, deconvolution, end_on_bicubic, pass_on
from pipeline.models.protocol import Network
from pipeline.models.release import unfold_taps
from pipeline.sr.prior import SEVERE


class FSRCNN(Network):
    """5x5x56, shrink to 12, four 3x3x12, expand to 56, 9x9 deconvolution; one network a scale.

    PReLU has one slope a layer, as in the released test code.
    The start is ours: the first channels hand the image on to a bicubic deconvolution.

    Parameters
    ----------
    scales : sequence of int
    width, shrunk, maps : int
        Channels outside and inside of the shrunk part, and its convolutions.
    release : bool
        As the authors' test code, for their weights: every layer repeats the border of its input, where
        ours add zeros, and the deconvolution of x4 lies one HR pixel further up and left.
    """

    version = 1

    def __init__(self, scales, width=56, shrunk=12, maps=4, release=False):
        super().__init__(scales)
        self.release = release
        self.nets = nn.ModuleDict({f"x{s}": _network(s, width, shrunk, maps, release)
                                   for s in scales})

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return self.nets[f"x{scale}"](x)

    def path(self, scale, route=SEVERE):
        """The layers at one scale, in order."""
        return self.nets[f"x{scale}"]


def _network(scale, width, shrunk, maps, release):
    sizes = [(1, width, 5), (width, shrunk, 1), *[(shrunk, shrunk, 3)] * maps, (shrunk, width, 1)]
    layers = []
    for a, b, k in sizes:
        mode = "replicate" if release and k > 1 else "zeros"
        layers += [nn.Conv2d(a, b, k, padding=k // 2, padding_mode=mode), nn.PReLU(init=0.25)]
        nn.init.kaiming_normal_(layers[-2].weight, a=0.25)
        nn.init.zeros_(layers[-2].bias)
        pass_on(layers[-2])
    deconv = ReplicatingDeconvolution(scale, width, released=True) if release else deconvolution(scale, width)
    end_on_bicubic(deconv)
    return nn.Sequential(*layers, deconv)


def from_release(scales, files):
    """State of an `FSRCNN` from the authors' files, one a scale: dict of "x2", "x3", "x4" to `Mat`."""
    sizes = [(1, 56, 5), (56, 12, 1), *[(12, 12, 3)] * 4, (12, 56, 1)]
    state = {}
    for scale in scales:
        mat, net = files[f"x{scale}"], f"nets.x{scale}"
        for i, (a, b, k) in enumerate(sizes):
            taps = mat.array(f"weights_conv.{i}", a, k * k, b).permute(2, 0, 1)
            state[f"{net}.{2 * i}.weight"] = unfold_taps(taps, k)
            state[f"{net}.{2 * i}.bias"] = mat.array(f"biases_conv.{i}", b)
            state[f"{net}.{2 * i + 1}.weight"] = mat.array(f"prelu_conv.{i}", 1)
        taps = mat.array("weights_conv.7", 1, 81, 56).permute(2, 0, 1)
        state[f"{net}.14.weight"] = unfold_taps(taps, 9)
        state[f"{net}.14.bias"] = mat.array("biases_conv.7", 1)
    return state
