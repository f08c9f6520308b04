"""The 9x9 deconvolution of PRN and FSRCNN, and weights with which a network starts at bicubic (D7)."""

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.sr.degrade import cubic

SIDE = 9  # as FSRCNN's; the paper of PRN gives none (decision D6)


def deconvolution(scale, width):
    """9x9 with stride `scale`, its kernel centred on the LR pixel as far as whole pixels allow."""
    return nn.ConvTranspose2d(width, 1, SIDE, **_placed(scale, SIDE // 2 - (scale - 1) // 2))


class ReplicatingDeconvolution(nn.ConvTranspose2d):
    """The same, but the border of its input is repeated.

    Parameters
    ----------
    released : bool
        As the authors of FSRCNN place it: at x4 the kernel lies one HR pixel further up and left.
    """

    def __init__(self, scale, width, released=False):
        padding = 4 if released and scale == 4 else SIDE // 2 - (scale - 1) // 2
        super().__init__(width, 1, SIDE, **_placed(scale, padding))
        self.padding_mode = "replicate"

    def forward(self, x):
        by, (scale, _) = 2, self.stride  # LR pixels: the kernel reaches no further
        y = F.conv_transpose2d(F.pad(x, [by] * 4, mode="replicate"), self.weight, self.bias, self.stride,
                               self.padding, self.output_padding)
        return y[..., by * scale:-by * scale, by * scale:-by * scale]


def _placed(scale, padding):
    return {"stride": scale, "padding": padding, "output_padding": scale + 2 * padding - SIDE}


def bicubic_kernel(deconv):
    """Bicubic as a deconvolution, (9, 9) float64, cut off where it is wider (12 taps at x3, 16 at x4).

    Normalised within each phase, so that a constant image stays constant.
    """
    scale = deconv.stride[0]
    tap = torch.arange(SIDE, dtype=torch.float64)
    line = cubic((tap - deconv.padding[0] - (scale - 1) / 2) / scale)
    for phase in range(scale):
        line[phase::scale] /= line[phase::scale].sum()
    return torch.outer(line, line)


@torch.no_grad()
def end_on_bicubic(deconv):
    """Let a deconvolution enlarge its first channel by bicubic, and start without the others."""
    nn.init.zeros_(deconv.bias)
    nn.init.zeros_(deconv.weight)
    deconv.weight[0] = bicubic_kernel(deconv)


@torch.no_grad()
def pass_on(conv):
    """Let the first channel of a convolution hand on the first channel of its input.

    A grey image has no negative pixel, so that it passes ReLU, leaky or not, as it is.
    """
    conv.weight[0] = 0
    conv.weight[0, 0, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = 1
