"""Bicubic resampling as MATLAB's ``imresize``: the degradation of every compared paper.

The kernel is Keys' cubic with a = -0.5, widened by 1/scale when it shrinks (antialiasing), with
symmetric borders.  Both directions are products with one small matrix a side, in the dtype and on
the device of the image.
"""

import math
from functools import lru_cache, wraps

import torch
import torch.nn.functional as F


def cached(maxsize):
    """`functools.lru_cache` that keeps plain tensors only.

    Under torch.export or a device context new tensors are placeholders without values, which must not
    reach later callers: such a call computes its own.
    """
    def decorate(function):
        kept = lru_cache(maxsize)(function)

        @wraps(function)
        def call(*args):
            new = torch.empty(0)
            return (kept if type(new) is torch.Tensor and new.device.type == "cpu" else function)(*args)
        call.cache_clear = kept.cache_clear
        return call
    return decorate


def cubic(x):
    """Keys' cubic convolution kernel, a = -0.5 (support -2..2)."""
    x = x.abs()
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return near * (x <= 1) + far * ((x > 1) & (x <= 2))


@cached(maxsize=512)
def resize_matrix(n_in, n_out, scale):
    """Matrix of a 1-D bicubic resize.

    Parameters
    ----------
    n_in, n_out : int
        Lengths before and after.
    scale : float
        Output samples per input sample.

    Returns
    -------
    Tensor, shape (n_out, n_in), float64, rows sum to 1
    """
    shrink = min(scale, 1.0)  # antialiasing: the kernel covers 4 / scale input samples
    centre = (torch.arange(n_out, dtype=torch.float64) + 0.5) / scale - 0.5
    taps = math.ceil(4 / shrink) + 2
    first = torch.floor(centre - 2 / shrink)
    index = first[:, None] + torch.arange(taps, dtype=torch.float64)  # (n_out, taps)
    weight = cubic((centre[:, None] - index) * shrink)
    weight /= weight.sum(1, keepdim=True)
    index = index.long() % (2 * n_in)  # symmetric border: ..., 1, 0 | 0, 1, ..., n-1 | n-1, ...
    index = torch.minimum(index, 2 * n_in - 1 - index)
    return torch.zeros(n_out, n_in, dtype=torch.float64).scatter_add_(1, index, weight)


def imresize(image, scale):
    """Resize by a factor, as MATLAB's ``imresize(image, scale)``.

    Parameters
    ----------
    image : Tensor, shape (..., h, w), floating point, any range
    scale : float
        Above 1 enlarges.  The output has ``ceil(scale * h)`` rows and ``ceil(scale * w)`` columns.

    Returns
    -------
    Tensor, shape (..., ceil(scale * h), ceil(scale * w)), dtype and device of `image`; not clipped
    """
    h, w = image.shape[-2:]
    size = [math.ceil(n * scale - 1e-9) for n in (h, w)]  # 1e-9: 3 * (1 / 3) must stay 1
    rows, cols = (_placed(n, m, float(scale), image.dtype, image.device)
                  for n, m in zip((h, w), size))
    return rows @ image @ cols.T


@cached(maxsize=64)
def _placed(n_in, n_out, scale, dtype, device):
    """`resize_matrix` where the image is: a CUDA graph may not copy from the host."""
    with torch.inference_mode(False):  # the first caller decides nothing for the others
        return resize_matrix(n_in, n_out, scale).to(device, dtype)


@cached(maxsize=16)
def phase_kernels(scale):
    """Bicubic enlargement as a sub-pixel convolution: 5x5 kernels (s^2, 1, 5, 5), one a phase."""
    phase = (torch.arange(scale, dtype=torch.float64) + 0.5) / scale - 0.5  # HR centres in LR pixels
    taps = cubic(phase[:, None] - torch.arange(-2, 3))  # (s, 5)
    kernel = taps[:, None, :, None] * taps[None, :, None, :]  # (s, s, 5, 5)
    return kernel.reshape(scale * scale, 1, 5, 5)


def upsample(x, scale):
    """Bicubic enlargement of a batch by a whole factor; equals `imresize` up to rounding.

    Parameters
    ----------
    x : Tensor, shape (N, 1, h, w)
    scale : int

    Returns
    -------
    Tensor, shape (N, 1, scale * h, scale * w)
    """
    return upsample_inner(mirror(x), scale)


def upsample_inner(x, scale):
    """Bicubic enlargement of all but the 2 outermost pixels: (N, 1, h + 4, w + 4) to (N, 1, H, W)."""
    return F.pixel_shuffle(F.conv2d(x, _placed_kernels(scale, x.dtype, x.device)), scale)


def mirror(x, by=2):
    """Mirrored samples on each side, the edge first: (N, 1, h, w) to (N, 1, h + 2 by, w + 2 by)."""
    h, w = x.shape[-2:]
    return x[..., _mirrored(h, by, x.device), :][..., _mirrored(w, by, x.device)]


@cached(maxsize=64)
def _placed_kernels(scale, dtype, device):
    """`phase_kernels` where the image is, as `_placed`."""
    with torch.inference_mode(False):
        return phase_kernels(scale).to(device, dtype)


def _mirrored(n, by, device):
    """Indices of a line of n samples with `by` mirrored samples on each side."""
    index = torch.arange(-by, n + by, device=device) % (2 * n)
    return torch.minimum(index, 2 * n - 1 - index)
