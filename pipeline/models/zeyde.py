"""Patches of 3x3 LR pixels on the bicubic image: what A+ and RFL see, and what they write.

Features as Zeyde et al. (2010): first and second differences of the bicubic image, projected on
principal components.  A patch lies around every LR pixel and patches overlap by two thirds.
"""

import torch
import torch.nn.functional as F

from pipeline.sr.degrade import upsample

COMPONENTS = {2: 28, 3: 30, 4: 30}  # of the features, as many as the release of A+ keeps
BLOCK = 16  # rows that share a table in one product


def gradients(mid, scale):
    """Differences across `scale` and twice `scale` pixels, horizontal and vertical.

    Parameters
    ----------
    mid : Tensor, shape (N, 1, H, W)
        The bicubic image.

    Returns
    -------
    Tensor, shape (N, 4, H + 2 scale, W + 2 scale)
        With the margin that the patches of the border need; pixels outside repeat the border.
    """
    wide = F.pad(mid, (2 * scale,) * 4, mode="replicate")
    maps = []
    for axis in (3, 2):
        ahead = wide.roll(-((scale + 1) // 2), axis)
        maps.append(ahead - ahead.roll(scale, axis))
        maps.append((wide.roll(scale, axis) - 2 * wide + wide.roll(-scale, axis)) / 2)
    return torch.cat(maps, 1)[..., scale:-scale, scale:-scale]


def features(x, scale, components):
    """Bicubic image, and the features of the patch around each LR pixel.

    Parameters
    ----------
    x : Tensor, shape (N, 1, h, w), LR Y in [0, 1]
    scale : int
    components : Tensor, shape (d, 4, 3 scale, 3 scale)

    Returns
    -------
    mid : Tensor, shape (N, 1, scale * h, scale * w)
    features : Tensor, shape (N * h * w, d)
    """
    mid = upsample(x, scale)
    found = F.conv2d(gradients(mid, scale), components, stride=scale)  # (N, d, h, w)
    return mid, found.permute(0, 2, 3, 1).flatten(0, 2)


def assemble(patches, n, height, width, scale):
    """Mean of the overlapping patches at each pixel.

    Parameters
    ----------
    patches : Tensor, shape (n * height * width, 9 scale^2), rows of pixels one after the other
    n, height, width : int
        Images, and LR pixels of each.

    Returns
    -------
    Tensor, shape (n, 1, scale * height, scale * width)
    """
    columns = patches.view(n, height * width, -1).transpose(1, 2)
    total = F.fold(columns, (scale * height, scale * width), 3 * scale, padding=scale, stride=scale)
    ones = torch.ones(1, 1, height, width, dtype=patches.dtype, device=patches.device)
    count = F.conv2d(ones, ones.new_ones(1, 1, 3, 3), padding=1)  # 9, less at the border
    return total / count.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


def grouped_product(x, index, tables):
    """``x[i] @ tables[index[i]]`` for all i, as batched products of rows with the same table.

    Parameters
    ----------
    x : Tensor, shape (n, d)
    index : Tensor, shape (n,), int64
    tables : Tensor, shape (k, d, m), any floating dtype

    Returns
    -------
    Tensor, shape (n, m), dtype of `x`
    """
    counts = torch.bincount(index, minlength=len(tables))
    blocks = (counts + BLOCK - 1) // BLOCK
    index, order = index.sort(stable=True)
    start = blocks.cumsum(0) - blocks  # first block of each table
    rank = torch.arange(len(x), device=x.device) - (counts.cumsum(0) - counts)[index]
    slot = start[index] * BLOCK + rank  # rows of x, every table's padded to whole blocks
    padded = x.new_zeros(int(blocks.sum()) * BLOCK, x.shape[1])
    padded[slot] = x[order]
    owner = torch.arange(len(tables), device=x.device).repeat_interleave(blocks)
    product = torch.bmm(padded.view(len(owner), BLOCK, -1), tables[owner].to(x.dtype))
    out = x.new_empty(len(x), tables.shape[2])
    out[order] = product.flatten(0, 1)[slot]
    return out
