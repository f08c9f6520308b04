"""PatchMatch over affine source patches (Barnes et al., 2009; Huang et al., CVPR 2015), vectorised.

Every pixel of the target has a patch of 5x5 pixels and one source patch: an affine map that takes
(1, x, y), steps in the target, to a position in pixels of the target's frame.  The larger the patch,
the coarser the pyramid level that it is read from, so that it is sampled about one to one.
The many pixels are the last dimension throughout, which is several times as fast as the first.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

SIDE = 5  # of a patch
CHUNK = 16384  # patches compared at a time: what they need stays in the cache
BIAS = 0.25  # largest difference of brightness that is made good
GOOD = 1e-6  # a patch that differs by less (mean square, [0, 1]) is not searched further
STEPS = [(x, y) for y in range(-2, 3) for x in range(-2, 3)]
FEW = 4  # every 4th step: corners, middle and two more; a patch that is worse on these is worse
MOVES = [(1, 0), (0, 1), (-1, 0), (0, -1)]  # of propagation


@dataclass
class Field:
    """The source patch of each of n target pixels.

    Attributes
    ----------
    source : Tensor, shape (2, 3, n): [[x, xx, xy], [y, yx, yy]]
    cost : Tensor, shape (n,)
    fresh : Tensor, shape (4, n): not yet offered along each of `MOVES`
    """

    source: torch.Tensor
    cost: torch.Tensor
    fresh: torch.Tensor


class Sources:
    """A pyramid packed into one image, from which patches are sampled bilinearly.

    Parameters
    ----------
    images : list of Tensor, shape (1, 1, h, w)
        From fine to coarse; the size of the k-th is about that of the target times alpha^(k + 1).
    height, width : int, of the target
    alpha : float
    """

    def __init__(self, images, height, width, alpha):
        self.log_step, self.smallest = -math.log(alpha), 0.999 / alpha
        self.largest = min(8.0, 1.1 * alpha**-len(images))
        self.image = torch.cat([F.pad(i, (0, images[0].shape[3] - i.shape[3])) for i in images], 2)
        sizes = torch.tensor([i.shape[:1:-1] for i in images], dtype=torch.float32).T  # w, h
        last = torch.tensor(self.image.shape[:1:-1])[:, None] - 1
        top = torch.stack([torch.zeros(len(images)), sizes[1].cumsum(0) - sizes[1]])
        ratio = sizes / torch.tensor([[width], [height]])
        self.levels = torch.cat([ratio, (sizes - 1) / 2, top - last / 2]).to(self.image)  # (6, levels)
        steps = torch.tensor([(1, *step) for step in STEPS])  # (25, 3)
        self.basis = (2 / last[..., None] * steps).to(self.image)  # (2, 25, 3), in grid_sample's units

    def place(self, source):
        """Maps from steps to pixels off the packed image's middle, and which patches lie inside."""
        (_, a, b), (_, c, d) = source
        scale = (a * d - b * c).abs().sqrt()
        level = (scale.log() / self.log_step).round().clamp(1, self.levels.shape[1]).nan_to_num(1)
        ratio, half, shift = self.levels.index_select(1, level.long() - 1).view(3, 2, -1)
        maps = source * ratio[:, None]
        maps[:, 0] += ratio / 2 - 0.5 - half
        reach = 2 * maps[:, 1:].abs().sum(1)
        inside = (maps[:, 0].abs() + reach <= half).all(0)
        inside &= (scale >= self.smallest) & (scale <= self.largest)
        maps[:, 0] += half + shift
        return maps, inside

    def read(self, maps, image=None, every=1):
        """Pixels of the patches, (25, n), of the own image or another one of the same shape."""
        image = self.image if image is None else image
        grid = (self.basis[:, ::every] @ maps).permute(1, 2, 0)
        return F.grid_sample(image, grid[None], "bilinear", "border", align_corners=True)[0, 0]


class Search:
    """Finds the best source patch of each pixel.

    Parameters
    ----------
    target : Tensor, shape (1, 1, h, w)
    sources : Sources
    weights : Tensor, shape (25,), sum 1
    generator : torch.Generator
    """

    def __init__(self, target, sources, weights, generator):
        self.height, self.width = target.shape[2:]
        self.sources, self.weights, self.generator = sources, weights, generator
        patches = F.unfold(F.pad(target, (2, 2, 2, 2), mode="replicate"), SIDE)[0]  # (25, n)
        self.patches = {every: patches[::every].contiguous() for every in (FEW, 1)}
        y, x = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
        self.pixels = torch.stack([x, y]).flatten(1).to(target)  # (2, n)
        self.rows = torch.arange(self.pixels.shape[1], device=target.device)

    def start(self, scale):
        """The field of patches in place, `scale` times as large."""
        margin = 2.0 * scale + 1
        limit = self.pixels.new_tensor([[self.width], [self.height]]) - 1 - margin
        centre = torch.minimum(self.pixels.clamp(min=margin), limit.clamp(min=0)).clamp(min=0)
        matrix = scale * torch.eye(2).to(centre)[..., None].expand(-1, -1, len(self.rows))
        field = Field(torch.cat([centre[:, None], matrix], 1), torch.full_like(centre[0], torch.inf),
                      torch.ones(len(MOVES), len(self.rows), dtype=torch.bool, device=centre.device))
        self.consider(field, self.rows, field.source)
        return field

    def compare(self, rows, maps, every):
        """Weighted square difference of target and source patches up to brightness."""
        difference = _take(self.patches[every], rows) - self.sources.read(maps, every=every)
        weights = self.weights[::every]
        total, mean = weights.sum(), weights @ difference
        bias = (mean / total).clamp(-BIAS, BIAS)
        return weights @ difference.square_() - bias * (2 * mean - bias * total)

    def consider(self, field, rows, source):
        """Take the candidates that are better than what the pixels `rows` have."""
        for row, new in zip(rows.split(CHUNK), source.split(CHUNK, 2)):
            maps, better = self.sources.place(new)
            for every in (FEW, 1):
                row, new, maps = _where(better, row, new, maps)
                cost = self.compare(row, maps, every)
                better = cost < _take(field.cost, row)
            row, new, cost = _where(better, row, new, cost)
            for old, x in (field.source, new), (field.cost, cost):
                old.index_copy_(-1, row, x)
            field.fresh.index_fill_(1, row, True)

    def improve(self, field, k):
        """One iteration, the k-th: random search in shrinking windows, then propagation."""
        radius = max(self.height, self.width) / 4
        while radius >= 1:
            rows = (field.cost > GOOD).nonzero()[:, 0]
            self.consider(field, rows, self.jitter(_take(field.source, rows), radius, k))
            radius /= 2
        for move in range(len(MOVES)):
            self.propagate(field, move)

    def jitter(self, source, radius, k):
        """Random changes of centre, size, rotation and shear."""
        centre, x, y = source.unbind(1)
        r = 2 * torch.rand(5, len(x[0]), generator=self.generator, device=x.device) - 1
        size, turn, shear = 1 + r[2] / (2 * k), r[3] * math.pi / (8 * k), 0.025 * r[4] / k
        cos, sin = size * turn.cos(), size * turn.sin()
        x, y = cos * x + sin * y, cos * y - sin * x
        return torch.stack([centre + radius * r[:2], x, y + shear * x], 1)

    def propagate(self, field, move):
        """Offer each pixel the source of its neighbour at -MOVES[move], moved along."""
        x, y = MOVES[move]
        rows = self.rows.view(self.height, self.width)[
            max(y, 0):self.height + min(y, 0), max(x, 0):self.width + min(x, 0)].flatten()
        away = x + y * self.width
        rows = rows[(_take(field.cost, rows) > GOOD) & _take(field.fresh[move], rows - away)]
        field.fresh[move] = False
        source = _take(field.source, rows - away)
        source[:, 0] += x * source[:, 1] + y * source[:, 2]
        new = ((source - _take(field.source, rows)).abs().sum((0, 1)) > 0.01).nonzero()[:, 0]
        self.consider(field, rows[new], _take(source, new))

    def vote(self, field, fine):
        """The image that overlapping source patches make: of `fine`, the sharp pyramid, (1, 1, h, w)."""
        out = []
        for source, patches in zip(field.source.split(CHUNK, 2), self.patches[1].split(CHUNK, 1)):
            maps, _ = self.sources.place(source)
            bias = (self.weights @ (patches - self.sources.read(maps))).clamp(-BIAS, BIAS)
            out.append((self.sources.read(maps, fine) + bias) * self.weights[:, None])
        size = self.height + 4, self.width + 4
        votes = F.fold(torch.cat(out, 1)[None], size, SIDE)[..., 2:-2, 2:-2]
        count = F.fold(self.weights[None, :, None].expand(1, -1, len(self.rows)), size, SIDE)
        return votes / count[..., 2:-2, 2:-2]


def _take(x, rows):
    """`x[..., rows]`, but ten times as fast."""
    *others, n = x.shape
    return x.reshape(math.prod(others), n).index_select(1, rows).view(*others, len(rows))


def _where(mask, *xs):
    rows = mask.nonzero()[:, 0]
    return [_take(x, rows) for x in xs]
