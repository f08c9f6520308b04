"""3x3 convolutions of many channels with a quarter of the products: Winograd's minimal filtering.

F(4x4, 3x3) of Lavin and Gray (CVPR 2016): 36 products for 16 pixels and a pair of channels instead
of 144, as products of matrices.  cuDNN does so by itself; on a CPU oneDNN no longer does, and DRCN,
whose 33 convolutions of 256 channels are all of its time, has most to gain there.
"""

from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

from pipeline import silent

WIDE = 128  # channels, in and out: with 64 the moving of tiles costs as much as the products save
TILES = 192  # in a block: 20 MiB of matrices with 256 channels, for a cache that one process has

INPUT = torch.tensor([[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
                      [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1.]])
FILTER = torch.tensor([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24.]]) / 24
OUTPUT = torch.tensor([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0],
                       [0, 1, -1, 8, -8, 1.]])
INPUT, FILTER, OUTPUT = (torch.kron(m, m) for m in (INPUT, FILTER, OUTPUT))  # both axes at once


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution with zeros around the image; its filters can be laid out for many calls."""

    skips = False  # silent channels: `without_silent`

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 3, padding=1)

    def lay_out(self):
        """Filters as 36 matrices, (36, C_out, C_in), or (C_in, 3, 3, C_out) to skip silent channels;
        None where the library does as well: on a GPU, for few channels, in other dtypes than float32.
        """
        wide = self.in_channels if self.skips else min(self.in_channels, self.out_channels)
        if wide < WIDE or self.weight.device.type != "cpu" or self.weight.dtype != torch.float32:
            return None
        if self.skips:
            return self.weight.permute(1, 2, 3, 0).contiguous()
        taps = self.weight.permute(2, 3, 0, 1)
        return (FILTER @ taps.reshape(9, -1)).view(36, *taps.shape[2:])

    def forward(self, x, laid=None, outputs=slice(None)):
        """(N, C_in, h, w) to (N, C_out, h, w), channels last, or to some `outputs` of these alone."""
        if laid is None or not x.numel():
            return self._conv_forward(x, self.weight[outputs], self.bias[outputs])
        if self.skips:
            return silent.conv3x3(x, laid[..., outputs], self.bias[outputs])
        h, w = x.shape[2:]  # a zero on each side, and up to a multiple of four
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1 + -w % 4, 1, 1 + -h % 4)).contiguous()
        out = Winograd.apply(padded, laid if outputs == slice(None) else laid[:, outputs],
                             self.bias[outputs])
        return out[:, :h, :w].permute(0, 3, 1, 2)


@contextmanager
def without_silent(model):
    """In the block, `model` leaves out the channels that are zero all over a part of an image.

    For scores; a timing must not, since it would be of these weights and of this image, nor a
    training, which asks for the gradient of a silent channel too.
    """
    convs = [m for m in model.modules() if isinstance(m, Conv3x3)]
    for conv in convs:
        conv.skips = True
    try:
        yield
    finally:
        for conv in convs:
            conv.skips = False


class Winograd(torch.autograd.Function):
    """Convolution of (N, H + 2, W + 2, C), H and W multiples of four, with laid out filters
    (36, K, C) and biases (K,): (N, H, W, K)."""

    @staticmethod
    def forward(ctx, padded, laid, bias):
        ctx.save_for_backward(padded, laid)
        (n, high, wide, c), k = padded.shape, laid.shape[1]
        out = padded.new_empty(n, high - 2, wide - 2, k)
        for top, rows in _blocks(n, high - 2, wide - 2):
            tiles = INPUT @ _tiles(padded, top, rows).reshape(36, -1)
            products = torch.bmm(tiles.view(36, -1, c), laid.transpose(1, 2))
            pixels = (OUTPUT @ products.view(36, -1)).view(4, 4, n, rows, -1, k)
            _cells(out, top, rows).copy_(pixels.permute(2, 3, 0, 4, 1, 5)).add_(bias)
        return out

    @staticmethod
    def backward(ctx, grad):
        padded, laid = ctx.saved_tensors
        (n, high, wide, c), k, grad = padded.shape, laid.shape[1], grad.contiguous()
        grad_laid, grad_padded = torch.zeros_like(laid), padded.new_zeros(n, high + 2, wide + 2, c)
        for top, rows in _blocks(n, high - 2, wide - 2):
            cells = _cells(grad, top, rows).permute(2, 4, 0, 1, 3, 5)
            errors = (OUTPUT.T @ cells.reshape(16, -1)).view(36, -1, k)
            tiles = INPUT @ _tiles(padded, top, rows).reshape(36, -1)
            grad_laid.baddbmm_(errors.transpose(1, 2), tiles.view(36, -1, c))
            tiles = INPUT.T @ torch.bmm(errors, laid).view(36, -1)
            tiles = tiles.view(6, 6, n, rows, -1, c).permute(2, 3, 0, 4, 1, 5)
            into = _cells(grad_padded, top, rows + 1)  # a tile covers its cell, and half of the next
            into[:, :-1, :, :-1] += tiles[:, :, :4, :, :4]
            into[:, 1:, :2, :-1] += tiles[:, :, 4:, :, :4]
            into[:, :-1, :, 1:, :2] += tiles[:, :, :4, :, 4:]
            into[:, 1:, :2, 1:, :2] += tiles[:, :, 4:, :, 4:]
        return grad_padded[:, :high, :wide], grad_laid, grad.sum((0, 1, 2))


def _blocks(n, high, wide):
    """First line, and rows of tiles, of each block of an image of n x high x wide pixels."""
    step = max(1, TILES // (n * wide // 4))
    for top in range(0, high // 4, step):
        yield 4 * top, min(step, high // 4 - top)


def _cells(x, top, rows):
    """Pixels of (N, H, W, C) in cells of 4x4: a view (N, rows, 4, columns, 4, C)."""
    n, _, wide, c = x.shape
    return x[:, top:top + 4 * rows].view(n, rows, 4, wide // 4, 4, c)


def _tiles(padded, top, rows):
    """Tiles of 6x6 pixels, four apart: a view (6, 6, N, rows, columns, C)."""
    part = padded[:, top:top + 4 * rows + 2]
    n, y, x, c = part.stride()
    shape = 6, 6, len(part), rows, (part.shape[2] - 2) // 4, part.shape[3]
    return part.as_strided(shape, (y, x, n, 4 * y, 4 * x, c), part.storage_offset())
