"""SelfEx: super-resolution from transformed self-exemplars (Huang et al., CVPR 2015), affine part.

The perspective part needs planes that a closed program detects; here every patch lies on the image
plane.  On luma alone, as all methods here.
"""

import math

import torch
import torch.nn.functional as F

from pipeline.models.patchmatch import STEPS, Search, Sources
from pipeline.models.protocol import Network
from pipeline.sr.cost import Cost
from pipeline.sr.degrade import resize_matrix
from pipeline.sr.prior import SEVERE

COARSER = 10  # levels below the input
SMALLEST = 10  # pixels of the shorter side of a level
START = 2.0  # size of the first source patches, in place
BACK = 20  # back-projections a level


class SelfEx(Network):
    """Grows the image by a third of an octave at a time, each time from patches of its own pyramid.

    Parameters
    ----------
    scales : sequence of int
    iterations : sequence of int
        Of PatchMatch, from the coarsest of the new levels to the finest; the last one repeats.
    """

    version = 1

    def __init__(self, scales, iterations=(4, 3, 2, 2, 2, 2)):
        super().__init__(scales)
        self.iterations = tuple(iterations)

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        return torch.cat([self._grow(image[None], scale) for image in x])

    def _grow(self, lr, scale):
        generator = torch.Generator(lr.device).manual_seed(0)
        weights = _gaussian(3.0, lr)
        steps = _steps(scale)
        alpha = scale**(-1 / steps)
        sharp = [lr]  # from fine to coarse
        while len(sharp) <= COARSER and alpha * min(sharp[-1].shape[2:]) >= SMALLEST:
            sharp.append(_resize(lr, [max(1, round(n * alpha**len(sharp))) for n in lr.shape[2:]]))
        soft = [_resize(small, large.shape[2:]) for large, small in zip(sharp, sharp[1:])]
        if not soft:  # too small to have a pyramid
            return _resize(lr, [scale * n for n in lr.shape[2:]])
        field = None
        for k in range(1, steps + 1):
            height, width = (round(n * scale**(k / steps)) for n in lr.shape[2:])
            target = _resize(sharp[0], (height, width))
            sources = Sources(soft[:9], height, width, alpha)
            search = Search(target, sources, weights, generator)
            first = search.start(START)
            if field is not None:
                self._pass_on(field, search, first, sharp[0].shape[2:])
            field = first
            for i in range(self.iterations[min(k, len(self.iterations)) - 1]):
                search.improve(field, i + 2)
            packed = Sources(sharp[:len(soft[:9])], height, width, alpha).image
            image = _project_back(search.vote(field, packed), lr)
            soft.insert(0, _resize(_resize(image, sharp[0].shape[2:]), (height, width)))
            sharp.insert(0, image)
        return sharp[0]

    def _pass_on(self, field, search, first, size):
        """Offer the field of the level before, enlarged."""
        ratio = search.pixels.new_tensor([[search.width / size[1]], [search.height / size[0]]])
        x, y = ((search.pixels + 0.5) / ratio).long()
        x, y = x.clamp(max=size[1] - 1), y.clamp(max=size[0] - 1)
        source = field.source.index_select(2, y * size[1] + x)
        shift = search.pixels + 0.5 - (torch.stack([x, y]) + 0.5) * ratio  # in the enlarged old pixel
        source[:, 0] = (source[:, 0] + 0.5) * ratio - 0.5 + (source[:, 1:] * shift).sum(1)
        search.consider(first, search.rows, source)

    def cost(self, height, width, scale):
        """`pipeline.sr.cost.Cost` of one image at most: no patch is ever good enough to be left out.

        A comparison samples 25 pixels of 4 products each, weighs them twice and places them with 6.
        """
        macs = moved = 0
        steps = _steps(scale)
        for k in range(1, steps + 1):
            pixels = round(height * scale**(k / steps)) * round(width * scale**(k / steps))
            windows = math.ceil(math.log2(max(2, max(height, width) * scale**(k / steps) / 4)))
            tries = 2 + self.iterations[min(k, len(self.iterations)) - 1] * (windows + 4)
            macs += pixels * len(STEPS) * (tries + 2) * (4 + 2 + 6)
            moved += pixels * len(STEPS) * (tries + 2) * 4 * 6  # grid, patch, source
        return Cost(macs, moved)


def _steps(scale):
    return {2: 3, 3: 5, 4: 6}[scale]


def _resize(image, size):
    rows, cols = (resize_matrix(n, m, m / n).to(image) for n, m in zip(image.shape[2:], size))
    return rows @ image @ cols.T


def _project_back(image, lr):
    """Pull an image towards those that shrink to `lr`, range kept in [0, 1]."""
    down = [resize_matrix(n, m, m / n).to(lr) for n, m in zip(image.shape[2:], lr.shape[2:])]
    up = [resize_matrix(m, n, n / m).to(lr) for n, m in zip(image.shape[2:], lr.shape[2:])]
    kernel = _gaussian(1.0, lr).square()
    kernel = (kernel / kernel.sum()).view(1, 1, 5, 5)
    for _ in range(BACK):
        missing = lr - down[0] @ image @ down[1].T
        image = image + F.conv2d(
            F.pad(up[0] @ missing @ up[1].T, (2, 2, 2, 2), mode="replicate"), kernel)
        image = image.clamp(0, 1)
    return image


def _gaussian(sigma, like):
    """Weights of a 5x5 patch, sum 1, shape (25,)."""
    steps = torch.tensor(STEPS, dtype=torch.float32)
    weights = torch.exp(-steps.square().sum(1) / (2 * sigma**2))
    return (weights / weights.sum()).to(like)
