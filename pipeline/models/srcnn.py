"""SRCNN 9-5-5 (Dong et al., TPAMI 2016), the version in Table I."""

from torch import nn

from pipeline.models.deconv import pass_on
from pipeline.models.protocol import Network
from pipeline.models.release import unfold_taps
from pipeline.sr.degrade import mirror, upsample
from pipeline.sr.prior import SEVERE


class SRCNN(Network):
    """9x9x64, 5x5x32, 5x5x1 on the bicubic image; one network a scale.

    The start is ours: the first channels hand bicubic on, so that a short training need not find it.

    Parameters
    ----------
    scales : sequence of int
    release : bool
        Borders as Table I has them with the authors' weights: the bicubic image is mirrored once, and
        the convolutions have no padding.  Ours repeat the border before each convolution.
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales, release=False):
        super().__init__(scales)
        self.release = release
        self.margin = 8 if release else 0  # as much as the three convolutions take away
        same = {} if release else {"padding": "same", "padding_mode": "replicate"}
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
        return self.nets[f"x{scale}"](mirror(upsample(x, scale), self.margin))


def from_release(scales, files):
    """State of an `SRCNN` from the authors' files, one a scale: dict of "x2", "x3", "x4" to `Mat`."""
    state = {}
    for scale in scales:
        mat = files[f"x{scale}"]
        filters = [mat.array("weights_conv1", 81, 64).T[:, None],  # (C_out, C_in, taps)
                   mat.array("weights_conv2", 64, 25, 32).permute(2, 0, 1),
                   mat.array("weights_conv3", 32, 25)[None]]
        for i, (taps, side) in enumerate(zip(filters, (9, 5, 5))):
            state[f"nets.x{scale}.{2 * i}.weight"] = unfold_taps(taps, side)
            state[f"nets.x{scale}.{2 * i}.bias"] = mat.array(f"biases_conv{i + 1}", len(taps))
    return state
