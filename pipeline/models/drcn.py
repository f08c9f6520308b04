"""DRCN (Kim et al., CVPR 2016)."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.models.protocol import Network
from pipeline.sr.degrade import upsample
from pipeline.sr.prior import SEVERE
from pipeline.sr.strips import strips

RECURSIONS, WIDTH = 16, 256


class DRCN(Network):
    """One 3x3x256 convolution sixteen times, an image after each, and their weighted sum.

    Input is the bicubic image; one network a scale, trained as if it were alone.
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales):
        super().__init__(scales)
        start = Recursive()  # of each, so that one scale ends the same with others beside it
        self.nets = nn.ModuleDict({f"x{scale}": copy.deepcopy(start) for scale in scales})

    @property
    def apart(self):
        """Modules that share nothing: the gradient of each is clipped by its own norm."""
        return self.nets.values()

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        net = self.nets[f"x{scale}"]
        return strips(net, upsample(x, scale), reach=RECURSIONS + 4, width=WIDTH)

    def loss(self, lr, hr, scale, done):
        """Recursive supervision: every recursion's image is held to the truth, and their sum.

        Parameters
        ----------
        lr, hr : Tensor, shapes (N, 1, p, p) and (N, 1, P, P)
        scale : int
        done : Tensor, shape ()
            Share of the training that is done. The weight of the recursions falls from one to zero
            over the first half; the paper lets it fall, and does not say how.
        """
        net = self.nets[f"x{scale}"]
        images = net.images(upsample(lr, scale))  # (recursions, N, 1, P, P)
        alpha = (1 - 2 * done).clamp(min=0)
        return (alpha * F.mse_loss(images, hr.expand_as(images))
                + (1 - alpha) * F.mse_loss(net.mix(images), hr))


class Recursive(nn.Module):
    """Embedding, recursion and reconstruction of one scale.

    An image is a convolution of its reconstruction plus the skip, a convolution of the input that starts
    as the input itself: every recursion starts next to bicubic.  The recursion starts as the identity, the
    other convolutions as He's.
    """

    def __init__(self):
        super().__init__()
        self.first = _started(nn.Conv2d(1, WIDTH, 3, padding=1))
        self.embed = _started(nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        self.recur = _started(nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        self.rebuild = _started(nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        self.last = _started(nn.Conv2d(WIDTH, 1, 3, padding=1), std=1e-3)
        self.skip = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.weights = nn.Parameter(torch.full((RECURSIONS,), 1 / RECURSIONS))
        nn.init.dirac_(self.recur.weight)
        nn.init.dirac_(self.skip.weight)

    def images(self, x):
        """The image of each recursion: (N, 1, H, W) to (recursions, N, 1, H, W)."""
        images, hidden = [], self.embed(self.first(x).relu_()).relu_()
        for _ in range(RECURSIONS):
            hidden = self.recur(hidden).relu_()
            images.append(self.last(self.rebuild(hidden).relu_()) + self.skip(x))
        return torch.stack(images)

    def mix(self, images):
        """Their weighted sum, (N, 1, H, W)."""
        return torch.einsum("d,dnchw->nchw", self.weights, images)

    def forward(self, x):
        return self.mix(self.images(x))


def _started(conv, std=None):
    if std is None:
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    else:
        nn.init.normal_(conv.weight, std=std)
    nn.init.zeros_(conv.bias)
    return conv
