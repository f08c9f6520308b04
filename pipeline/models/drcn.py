"""DRCN (Kim et al., CVPR 2016)."""

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.degrade import upsample
from pipeline.prior import SEVERE
from pipeline.strips import strips

RECURSIONS, WIDTH = 16, 256


class DRCN(nn.Module):
    """One 3x3x256 convolution sixteen times, an image after each, and their weighted sum.

    Input is the bicubic image; one network a scale.
    """

    uses_bicubic = True

    def __init__(self, scales):
        super().__init__()
        self.nets = nn.ModuleDict({f"x{scale}": Recursive() for scale in scales})

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

    The last convolution sees the input as a channel of its own, the skip, and starts with it: every
    recursion starts next to bicubic.  The recursion starts as identity, the others as He's.
    """

    def __init__(self):
        super().__init__()
        self.embed = nn.ModuleList([_conv(1, WIDTH), _conv(WIDTH, WIDTH)])
        self.recur = _conv(WIDTH, WIDTH)
        self.reconstruct = _conv(WIDTH, WIDTH)
        self.last = _conv(WIDTH + 1, 1)
        self.weights = nn.Parameter(torch.full((RECURSIONS,), 1 / RECURSIONS))
        nn.init.dirac_(self.recur.weight)
        nn.init.normal_(self.last.weight, std=1e-3)
        with torch.no_grad():
            self.last.weight[0, -1] = torch.eye(3)[1] * torch.eye(3)[1][:, None]

    def images(self, x):
        """The image of each recursion: (N, 1, H, W) to (recursions, N, 1, H, W)."""
        hidden, images = x, []
        for conv in self.embed:
            hidden = conv(hidden).relu_()
        for _ in range(RECURSIONS):
            hidden = self.recur(hidden).relu_()
            images.append(self.last(torch.cat([self.reconstruct(hidden).relu_(), x], 1)))
        return torch.stack(images)

    def mix(self, images):
        """Their weighted sum, (N, 1, H, W)."""
        return torch.einsum("d,dnchw->nchw", self.weights, images)

    def forward(self, x):
        return self.mix(self.images(x))


def _conv(channels, out):
    conv = nn.Conv2d(channels, out, 3, padding=1)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv
