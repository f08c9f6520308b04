"""Cut an image into patches and put it together again (section IV, decision D4, D10).

The grid is that of the paper's test: patches side by side, the last row and column shifted back so
that they fit.  Where two patches overlap, the later one owns the pixels.
"""

import torch

from pipeline.sr.degrade import mirror

PATCH = 54  # HR pixels a side (Implementation Details)


def patch_size(scale, patch=PATCH):
    """Side of an LR patch: the largest HR multiple of the scale up to `patch` (27, 18, 13)."""
    return patch // scale


def grid(length, size):
    """First indices of the patches along one side.

    >>> grid(10, 4)
    [0, 4, 6]
    """
    size = min(size, length)
    return [*range(0, length - size, size), length - size]


def cut(image, size, halo=0):
    """Cut one image into patches.

    Parameters
    ----------
    image : Tensor, shape (1, 1, h, w)
    size : int
        Side of a patch; an image that is smaller gives patches of its own height or width.
    halo : int
        Pixels of the image that come with each patch on every side, mirrored where it ends.

    Returns
    -------
    Tensor, shape (N, 1, min(size, h) + 2 halo, min(size, w) + 2 halo), rows first
    """
    h, w = image.shape[-2:]
    if halo:
        image = mirror(image, halo)
    rows = _span(grid(h, size), min(size, h) + 2 * halo, image.device)  # (ny, p)
    cols = _span(grid(w, size), min(size, w) + 2 * halo, image.device)  # (nx, p)
    patches = image[0, 0][rows[:, None, :, None], cols[None, :, None, :]]  # (ny, nx, p, p)
    return patches.reshape(-1, 1, *patches.shape[-2:])


def assemble(patches, height, width, size, scale=1):
    """Put super-resolved patches together: the inverse of `cut`.

    Parameters
    ----------
    patches : Tensor, shape (N, 1, scale * p, scale * p)
    height, width : int
        Of the LR image that was cut.
    size : int
        As given to `cut`.
    scale : int

    Returns
    -------
    Tensor, shape (1, 1, scale * height, scale * width)
    """
    row, dy = _owner(height, size, scale, patches.device)
    col, dx = _owner(width, size, scale, patches.device)
    ny, nx = len(grid(height, size)), len(grid(width, size))
    tiles = patches.reshape(ny, nx, *patches.shape[-2:])
    return tiles[row[:, None], col, dy[:, None], dx][None, None]


def _span(starts, size, device):
    return torch.tensor(starts, device=device)[:, None] + torch.arange(size, device=device)


def _owner(length, size, scale, device):
    """For each HR line: the patch that owns it, and the line inside that patch."""
    starts = torch.tensor(grid(length, size), device=device) * scale
    line = torch.arange(length * scale, device=device)
    patch = torch.searchsorted(starts, line, right=True) - 1
    return patch, line - starts[patch]
