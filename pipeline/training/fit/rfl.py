"""Grows RFL's trees level by level, all nodes of a level at once, and fits their leaves.

As the release of RFL (Schulter et al., CVPR 2015), without alternating regression.
"""

from dataclasses import dataclass

import torch

from pipeline.training.fit.samples import collect, gradient_patches, principal_components
from pipeline.models.rfl import NEVER, descend

PAIRS, THRESHOLDS = 5, 5  # random ones that a node chooses from; the median is one more threshold
REACH = 0.95  # of the range of a difference that random thresholds cover
NODES = 64  # that look for their split at a time: bounds the memory


@dataclass(frozen=True)
class Recipe:
    """How to fit; the fields are those of params.yaml."""

    sets: list  # of training images
    levels: int  # sizes of each training image
    samples: int  # at most
    subsample: int  # samples that a node chooses its split by
    least: int  # samples of the subsample on each side of a split
    ridge: float


def fit(table, scale, images, recipe, generator, progress):
    """Fill one scale's table of `pipeline.models.rfl.RFL`; arguments as `pipeline.training.fit.aplus.fit`."""
    components = principal_components(gradient_patches(images, scale), scale)
    table["components"].copy_(components)
    x, y = collect(images, scale, components, recipe.levels, recipe.samples,
                   lambda share: progress(0.1 * share))
    trees, leaves = table["maps"].shape[:2]
    depth = (table["pairs"].shape[1] + 1).bit_length() - 1
    for k in range(trees):
        pairs, thresholds = grow(x, y, depth, leaves, recipe, generator)
        leaf, maps = fit_leaves(x, y, descend(x, pairs, thresholds, depth), depth, recipe.ridge)
        table["pairs"][k], table["thresholds"][k], table["leaves"][k] = pairs, thresholds, leaf
        table["maps"][k].zero_()[:len(maps)] = maps
        progress(0.1 + 0.9 * (k + 1) / trees)


def grow(x, y, depth, leaves, recipe, generator):
    """Splits of one tree with at most so many leaves; the fullest nodes are split first.

    Parameters
    ----------
    x : Tensor, shape (n, d), features
    y : Tensor, shape (n, m), residuals

    Returns
    -------
    pairs : Tensor, shape (2^depth - 1, 2), uint8
    thresholds : Tensor, shape (2^depth - 1,)
    """
    pairs = torch.zeros(2**depth - 1, 2, dtype=torch.uint8)
    thresholds = torch.full((2**depth - 1,), NEVER)
    energy = torch.stack([y.square().mean(1), x.square().mean(1)], 1)  # both kinds, a sample
    where, found = torch.arange(len(x)), 1  # samples that may go on, leaves so far
    node = torch.zeros(len(x), dtype=torch.int64)
    for _ in range(depth):
        shuffle = torch.randperm(len(where), generator=generator)
        where, node = where[shuffle], node[shuffle]
        node, order = node.sort(stable=True)
        where = where[order]
        names, counts = node.unique_consecutive(return_counts=True)
        first = counts.cumsum(0) - counts
        able = (counts >= 2 * recipe.least).nonzero()[:, 0]
        able = able[counts[able].argsort(descending=True, stable=True)][:leaves - found]
        for part in able.split(NODES):
            offset = torch.arange(recipe.subsample)
            inside = offset < counts[part, None]
            chosen = where[(first[part, None] + offset).clamp(max=len(where) - 1)]
            pair, threshold = best_splits(x[chosen], y[chosen], energy[chosen], inside, recipe.least,
                                          generator)
            pairs[names[part]], thresholds[names[part]] = pair.to(torch.uint8), threshold
        found += int((thresholds[names] < NEVER).sum())
        going = thresholds[node] < NEVER
        where, node = where[going], node[going]
        a, b = pairs[node].long().T
        node = 2 * node + 1 + (x[where, a] - x[where, b] > thresholds[node])
        if not len(where):
            break
    return pairs, thresholds


def best_splits(x, y, energy, inside, least, generator):
    """The split of each node that leaves the least variance, of residuals and features alike.

    Parameters
    ----------
    x : Tensor, shape (nodes, k, d)
    y : Tensor, shape (nodes, k, m)
    energy : Tensor, shape (nodes, k, 2): mean squares of each row of y and x
    inside : Tensor, shape (nodes, k), bool: rows that count
    least : int
        Rows on each side.

    Returns
    -------
    pairs : Tensor, shape (nodes, 2)
    thresholds : Tensor, shape (nodes,)
        `NEVER` where no candidate leaves enough rows on both sides.
    """
    nodes, k, d = x.shape
    a, b = torch.randint(d, (2, nodes, 1, PAIRS), generator=generator).expand(-1, -1, k, -1)
    value = x.gather(2, a) - x.gather(2, b)  # (nodes, k, PAIRS)
    value = torch.where(inside[..., None], value, torch.nan)
    low = value.nan_to_num(torch.inf).amin(1, keepdim=True)
    high = value.nan_to_num(-torch.inf).amax(1, keepdim=True)
    share = REACH * torch.rand(nodes, THRESHOLDS, PAIRS, generator=generator)
    bars = torch.cat([low + share * (high - low), value.nanmedian(1, keepdim=True).values], 1)
    right = (value[:, None] > bars[:, :, None]).movedim(3, 1).flatten(1, 2)  # (nodes, candidates, k)
    sides = torch.stack([right, ~right & inside[:, None]]).float()
    count = sides.sum(-1)
    mass = count.clamp(min=1)[..., None]
    spread = sides @ energy / mass - torch.stack(
        [(sides @ v / mass).square().mean(-1) for v in (y, x)], -1)  # (2, nodes, candidates, 2)
    loss = (count * spread.sum(-1)).sum(0)
    loss[(count < least).any(0)] = torch.inf
    best = loss.argmin(1)
    row = torch.arange(nodes)
    pair = best // (THRESHOLDS + 1)
    bar = bars.movedim(2, 1).flatten(1)[row, best]
    bar = torch.where(loss[row, best].isfinite(), bar, NEVER)
    return torch.stack([a[row, 0, pair], b[row, 0, pair]], 1), bar


def fit_leaves(x, y, bottom, depth, weight):
    """One ridge regression with an offset a leaf.

    Parameters
    ----------
    bottom : Tensor, shape (n,)
        Where `descend` puts each sample.

    Returns
    -------
    leaf : Tensor, shape (2^depth,), int16: the row of `maps` of each position
    maps : Tensor, shape (leaves, d + 1, m)
    """
    bottom, order = bottom.sort(stable=True)
    names, counts = bottom.unique_consecutive(return_counts=True)
    leaf = torch.zeros(2**depth, dtype=torch.int16)
    leaf[names] = torch.arange(len(names), dtype=torch.int16)
    x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
    eye = weight * torch.eye(x.shape[1])
    gram, cross = zip(*((u.T @ u + eye, u.T @ y[rows]) for rows in order.split(counts.tolist())
                        for u in [x[rows]]))
    return leaf, torch.linalg.solve(torch.stack(gram), torch.stack(cross))
