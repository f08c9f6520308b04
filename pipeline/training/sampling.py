"""Training patches on the device: cut, labelled (Algorithm 1, line 1), drawn and flipped there.

The batch t of a scale is a pure function of (seed, scale, t): no generator has a state, so that a training
that is stopped and started again sees the same patches, on any device.
"""

from dataclasses import dataclass

import torch

from pipeline.sr.degrade import imresize, mirror
from pipeline.sr.prior import ROUTES, classify, gradient_prior

FACTORS = (1.0, 0.9, 0.8, 0.7, 0.6)  # "augmented with scaling and rotation" (decision D14)


@dataclass(frozen=True)
class PatchTable:
    """All patches of one scale; a patch is a place in two flat buffers.

    Attributes
    ----------
    lr : Tensor, shape (sum of h * w,), float32 in [0, 1]
    hr : Tensor, shape (sum of H * W,), uint8
    lr_place, hr_place : Tensor, shape (n, 3), int64
        Index of the first pixel, then its step to the next row and to the next column; a transposed
        patch has these two exchanged.
    rows : Tensor, shape (n,), int64
        Patches, mild ones first, then moderate, then severe; or in any order.
    counts : tuple of int
        Patches of each class in a batch.
    first, number : Tensor, shape (sum of counts,), int64
        For each sample of a batch: where its class begins in `rows`, and how many patches it has.
    size : int
        p, LR pixels
    halo : int
        LR pixels around each patch that come with it.
    scale : int
    """

    lr: torch.Tensor
    hr: torch.Tensor
    lr_place: torch.Tensor
    hr_place: torch.Tensor
    rows: torch.Tensor
    counts: tuple
    first: torch.Tensor
    number: torch.Tensor
    size: int
    halo: int
    scale: int


def build_table(images, scale, crop, *, augment, label, counts, device, halo=0):
    """Cut images into half-overlapping patches.

    Parameters
    ----------
    images : iterable of ndarray, shape (H, W), uint8
        Y of HR images.
    scale : int
    crop : int
        Side of a patch in HR pixels; rounded down to a multiple of the scale.
    augment : bool
        Add the images at `FACTORS`, and transposed patches (with the flips of `draw`, all rotations).
    label : dict or None
        Keywords of `classify` and `gradient_prior`; None puts all patches in one class.
    counts : sequence of int
        Patches of each class in a batch.
    device : torch.device
    halo : int
        LR pixels of the image that come with each patch, mirrored where it ends.

    Raises
    ------
    ValueError
        No image is as large as a patch, or a class has no patch.
    """
    p, s = crop // scale, scale
    lrs, hrs, lr_places, hr_places = [], [], [], []
    lr_start = hr_start = 0
    for image in images:
        for factor in FACTORS if augment else (1.0,):
            y = torch.from_numpy(image).to(device, torch.float64)
            if factor != 1.0:
                y = imresize(y, factor).round().clamp(0, 255)
            h, w = y.shape[0] // s, y.shape[1] // s
            if min(h, w) < p:
                continue
            hr = y[: h * s, : w * s]
            lr = (imresize(hr, 1 / s) / 255).float()
            if halo:
                lr = mirror(lr[None, None], halo)[0, 0]
            rows = torch.arange(0, h - p + 1, max(p // 2, 1), device=device)
            cols = torch.arange(0, w - p + 1, max(p // 2, 1), device=device)
            top, left = (g.reshape(-1) for g in torch.meshgrid(rows, cols, indexing="ij"))
            one = torch.ones_like(top)
            lr_place = torch.stack([lr_start + top * lr.shape[1] + left, lr.shape[1] * one, one], 1)
            hr_place = torch.stack([hr_start + (top * w * s + left) * s, w * s * one, one], 1)
            for transpose in (False, True) if augment else (False,):
                order = [0, 2, 1] if transpose else [0, 1, 2]
                lr_places.append(lr_place[:, order])
                hr_places.append(hr_place[:, order])
            lrs.append(lr.reshape(-1))
            hrs.append(hr.to(torch.uint8).reshape(-1))
            lr_start += lr.numel()
            hr_start += hr.numel()
    if not lrs:
        raise ValueError(f"no training image is as large as a patch of {crop}x{crop}; "
                         "use a smaller crop in recipes, or other images")
    lr, hr, lr_place, hr_place = map(torch.cat, (lrs, hrs, lr_places, hr_places))
    rows, numbers = torch.arange(len(lr_place), device=device), [len(lr_place)]
    if label is not None:
        priors = [gradient_prior(_gather(lr, lr_place[part], p, halo), s, norm=label["norm"], domain=label["domain"])
                  for part in rows.split(4096)]
        route = classify(torch.cat(priors), label["gamma_low"], label["gamma_upper"])
        rows, numbers = route.argsort(stable=True), torch.bincount(route, minlength=3).tolist()
        empty = [name for name, n in zip(ROUTES, numbers) if not n]
        if empty:
            raise ValueError(f"no {' and no '.join(empty)} training patch at x{s}; change the training "
                             "thresholds or the training images")
    number = torch.tensor(numbers, device=device)
    each = torch.tensor(counts, device=device)
    return PatchTable(lr, hr, lr_place, hr_place, rows, tuple(counts),
                      (number.cumsum(0) - number).repeat_interleave(each), number.repeat_interleave(each), p, halo, s)


def draw(table, seed, turn, *, flip):
    """A batch: a pure function of the arguments.

    Parameters
    ----------
    table : PatchTable
    seed : int
        Differs between the scales of one training.
    turn : Tensor, shape (), int64
        How often the scale has been taken before.
    flip : bool
        Mirror half of the patches, on each axis.

    Returns
    -------
    lr : Tensor, shape (batch, 1, p + 2 halo, p + 2 halo), float32 in [0, 1]
        ``table.counts`` of each class, in order.
    hr : Tensor, shape (batch, 1, P, P), float32 in [0, 1]
    """
    bits = _hash(seed, turn, len(table.first), table.rows.device)
    row = table.rows[table.first + (bits >> 2) % table.number]
    flips = torch.stack([bits & 1, (bits >> 1) & 1], 1) * flip  # (batch, 2)
    size = table.size + 2 * table.halo
    lr = _gather(table.lr, _mirrored(table.lr_place[row], flips, size), size)
    size = table.size * table.scale
    hr = _gather(table.hr, _mirrored(table.hr_place[row], flips, size), size)
    return lr, hr.float() / 255


def _mirrored(place, flips, size):
    """Start at the other end and walk back, on the axes where `flips` is 1."""
    steps = place[:, 1:]
    start = place[:, :1] + (flips * steps * (size - 1)).sum(1, keepdim=True)
    return torch.cat([start, steps * (1 - 2 * flips)], 1)


def _gather(buffer, place, size, skip=0):
    """Squares of `size` pixels, so many rows and columns from their places; (n, 1, size, size)."""
    line = torch.arange(skip, skip + size, device=buffer.device)
    start, dy, dx = (place[:, k, None, None] for k in range(3))
    return buffer[start + line[:, None] * dy + line * dx][:, None]


def _hash(seed, turn, count, device):
    """62 random bits for each sample: SplitMix64 of (seed, turn, sample)."""
    x = (turn * count + torch.arange(count, device=device)) * -0x61C8864680B583EB
    x = x + seed * 0x2545F4914F6CDD1D % 2**63
    x = (x ^ _shift(x, 30)) * -0x40A7B892E31B1A47
    x = (x ^ _shift(x, 27)) * -0x6B2FB644ECCEEE15
    return (x ^ _shift(x, 31)) & (2**62 - 1)


def _shift(x, bits):
    """Logical shift to the right: torch's own keeps the sign."""
    return (x >> bits) & (2 ** (64 - bits) - 1)
