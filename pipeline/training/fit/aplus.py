"""Fits A+: components, anchors by spherical k-means, one ridge regression an anchor.

As the release of A+ (Timofte et al., ACCV 2014), with k-means in the place of K-SVD, which loses
nothing.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from pipeline.training.fit.samples import collect, gradient_patches, principal_components

FLAT = 0.1  # a patch whose features have a smaller norm keeps its residual as it is
CHUNK = 4096  # samples compared with the anchors at a time


@dataclass(frozen=True)
class Recipe:
    """How to fit; the fields are those of params.yaml."""

    sets: list  # of training images
    levels: int  # sizes of each training image
    samples: int  # at most
    neighbours: int  # samples of each regression
    ridge: float
    iterations: int  # of k-means


def fit(table, scale, images, recipe, generator, progress):
    """Fill one scale's table of `pipeline.models.aplus.APlus`.

    Parameters
    ----------
    table : ParameterDict: components, anchors, maps
    scale : int
    images : list of ndarray, shape (H, W), uint8: Y
    recipe : Recipe
    generator : torch.Generator
        Of the first anchors.
    progress : callable
        Called with the share that is done.
    """
    patches = gradient_patches(images, scale)
    components = principal_components(patches, scale)
    table["components"].copy_(components)
    flat = patches @ components.flatten(1).T
    anchors = spherical_kmeans(flat, len(table["anchors"]), recipe.iterations, generator)
    table["anchors"].copy_(anchors)
    progress(0.1)
    near, far = collect(images, scale, components, recipe.levels, recipe.samples,
                        lambda share: progress(0.1 + 0.4 * share))
    norm = near.norm(dim=1, keepdim=True)
    near /= norm.clamp(min=1e-9)
    far /= torch.where(norm < FLAT, 1.0, norm)
    chosen = nearest_samples(anchors, near, min(recipe.neighbours, len(near)),
                             lambda share: progress(0.5 + 0.4 * share))
    for first in range(0, len(anchors), 16):
        part = chosen[first:first + 16]
        table["maps"][first:first + 16] = ridge(near[part], far[part], recipe.ridge)
        progress(min(1.0, 0.9 + 0.1 * (first + 16) / len(anchors)))


def spherical_kmeans(x, count, iterations, generator):
    """Unit vectors that stand for directions of `x` whatever their sign: (count, d)."""
    x = F.normalize(x[x.norm(dim=1) > 1e-6])
    if len(x) < count:
        raise ValueError(f"aplus: {len(x)} training patches for {count} anchors; use more images")
    centres = x[torch.randperm(len(x), generator=generator)[:count]].clone()
    for _ in range(iterations):
        sums = torch.zeros_like(centres)
        for part in x.split(CHUNK):
            match = part @ centres.T
            best = match.abs().argmax(1)
            sign = match.gather(1, best[:, None]).sign()
            sums.index_add_(0, best, sign * part)
        alone = sums.norm(dim=1, keepdim=True) < 1e-6  # no patch is nearest: stays
        centres = torch.where(alone, centres, F.normalize(sums))
    return centres


def nearest_samples(anchors, x, count, progress=lambda share: None):
    """Rows of `x` with the `count` largest (signed) products with each anchor: (anchors, count).

    One row in sixteen says which product leaves half as many again as are wanted; only those are
    sorted.
    """
    part = x[::16]
    enough = min(count // 16 * 3 // 2 + 16, len(part))
    bar = torch.cat([(a @ part.T).topk(enough).values[:, -1:] for a in anchors.split(64)])
    found = []
    for first in range(0, len(x), CHUNK):
        match = anchors @ x[first:first + CHUNK].T
        above = torch.from_numpy(np.flatnonzero(match > bar))  # five times as fast as torch's
        found.append((match.flatten()[above], above // match.shape[1], above % match.shape[1] + first))
        progress(min(1.0, (first + CHUNK) / len(x)))
    value, anchor, sample = (torch.cat(columns) for columns in zip(*found))
    order = value.argsort(descending=True, stable=True)
    order = order[anchor[order].argsort(stable=True)]  # by anchor, the best first
    total = torch.bincount(anchor, minlength=len(anchors))
    first = total.cumsum(0) - total
    chosen = torch.empty(len(anchors), count, dtype=torch.int64)
    for i in range(len(anchors)):
        if total[i] < count:  # the sixteenth was no fair sample
            chosen[i] = (x @ anchors[i]).topk(count).indices
        else:
            chosen[i] = sample[order[first[i]:first[i] + count]]
    return chosen


def ridge(x, y, weight):
    """The maps M that minimise |x M - y|^2 + weight |M|^2: (k, n, d), (k, n, m) -> (k, d, m)."""
    gram = x.mT @ x + weight * torch.eye(x.shape[-1])
    return torch.linalg.solve(gram, x.mT @ y)
