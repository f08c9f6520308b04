"""PatchMatch over affine source patches (Barnes et al., 2009; Huang et al., CVPR 2015), vectorised.

Every pixel of the target has a patch of 5x5 pixels and one source patch: its centre, in pixels of the
target's frame, and the matrix that takes steps in the target to steps in that frame.  The larger the
patch, the coarser the pyramid level that it is read from, so that it is sampled about one to one.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

SIDE = 5  # of a patch
CHUNK = 4096  # patches compared at a time: what they need stays in the cache
BIAS = 0.25  # largest difference of brightness that is made good
GOOD = 1e-6  # a patch that differs by less (mean square, [0, 1]) is not searched further
STEPS = [(x, y) for y in range(-2, 3) for x in range(-2, 3)]


@dataclass
class Field:
    """The source patch of each of n target pixels.

    Attributes
    ----------
    centre : Tensor, shape (n, 2): x, y in the target's frame
    matrix : Tensor, shape (n, 4): xx, xy, yx, yy
    cost : Tensor, shape (n,)
    """

    centre: torch.Tensor
    matrix: torch.Tensor
    cost: torch.Tensor


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
        sizes = torch.tensor([i.shape[:1:-1] for i in images], dtype=torch.float32)  # w, h
        rows = int(sizes[:, 1].sum())
        self.image = torch.cat([F.pad(i, (0, images[0].shape[3] - i.shape[3])) for i in images], 2)
        target = torch.tensor([width, height], dtype=torch.float32)
        top = torch.stack([torch.zeros(len(images)), sizes[:, 1].cumsum(0) - sizes[:, 1]], 1)
        unit = 2 / torch.tensor([self.image.shape[3] - 1, rows - 1])  # grid_sample's units per pixel
        levels = torch.cat([sizes / target, sizes - 1, top, unit.expand_as(top)], 1)
        self.levels = levels.to(images[0].device)  # (levels, 8)
        steps = torch.tensor(STEPS, dtype=torch.float32).T  # (2, 25)
        basis = torch.zeros(6, len(STEPS), 2)
        basis[0, :, 0], basis[1:3, :, 0] = 1, steps
        basis[3, :, 1], basis[4:6, :, 1] = 1, steps
        self.basis = basis.flatten(1).to(images[0].device)  # (6, 50)

    def place(self, centre, matrix):
        """Grid coordinates of the patches' pixels, (n, 25, 2), and which lie inside their level."""
        scale = (matrix[:, 0] * matrix[:, 3] - matrix[:, 1] * matrix[:, 2]).abs().sqrt()
        level = (scale.log() / self.log_step).round().clamp(1, len(self.levels)).nan_to_num(1).long() - 1
        ratio, last, top, unit = self.levels[level].view(-1, 4, 2).unbind(1)  # each (n, 2)
        at = (centre + 0.5) * ratio - 0.5
        step = matrix.view(-1, 2, 2) * ratio[:, :, None]
        reach = 2 * step.abs().sum(2)
        inside = ((at >= reach) & (at + reach <= last)).all(1)
        inside &= (scale >= self.smallest) & (scale <= self.largest)
        offset = ((at + top) * unit - 1)[:, :, None]
        grid = torch.cat([offset, step * unit[:, :, None]], 2).flatten(1) @ self.basis
        return grid.view(-1, len(STEPS), 2), inside

    def read(self, grid, image=None):
        """Pixels of the patches, (n, 25), of the own image or another one of the same shape."""
        image = self.image if image is None else image
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
        padded = F.pad(target, (2, 2, 2, 2), mode="replicate")
        self.patches = F.unfold(padded, SIDE)[0].T.contiguous()  # (n, 25)
        y, x = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
        self.pixels = torch.stack([x, y], 2).flatten(0, 1).to(target)  # (n, 2)

    def start(self, scale):
        """The field of patches in place, `scale` times as large."""
        n = len(self.pixels)
        margin = 2.0 * scale + 1
        limit = self.pixels.new_tensor([self.width, self.height]) - 1 - margin
        centre = torch.minimum(self.pixels.clamp(min=margin), limit.clamp(min=0)).clamp(min=0)
        matrix = self.pixels.new_tensor([scale, 0, 0, scale]).repeat(n, 1)
        field = Field(centre, matrix, self.pixels.new_full((n,), torch.inf))
        self.consider(field, torch.arange(n, device=self.pixels.device), centre, matrix)
        return field

    def compare(self, rows, centre, matrix):
        """Weighted mean square difference of target and source patches up to brightness."""
        grid, inside = self.sources.place(centre, matrix)
        difference = self.patches[rows] - self.sources.read(grid)
        mean = difference @ self.weights
        bias = mean.clamp(-BIAS, BIAS)
        cost = difference.square_() @ self.weights - 2 * bias * mean + bias * bias
        return torch.where(inside, cost, torch.inf)

    def consider(self, field, rows, centre, matrix):
        """Take the candidates that are better than what the pixels `rows` have."""
        for row, c, m in zip(rows.split(CHUNK), centre.split(CHUNK), matrix.split(CHUNK)):
            cost = self.compare(row, c, m)
            better = cost < field.cost[row]
            row = row[better]
            field.cost[row], field.centre[row], field.matrix[row] = cost[better], c[better], m[better]

    def improve(self, field, k):
        """One iteration, the k-th: random search in shrinking windows, then propagation."""
        radius = max(self.height, self.width) / 4
        while radius >= 1:
            rows = (field.cost > GOOD).nonzero()[:, 0]
            self.consider(field, rows, *self.jitter(field, rows, radius, k))
            radius /= 2
        for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            self.propagate(field, x, y)

    def jitter(self, field, rows, radius, k):
        """Random changes of centre, size, rotation and shear."""
        r = 2 * torch.rand(5, len(rows), generator=self.generator, device=rows.device) - 1
        centre = field.centre[rows] + radius * r[:2].T
        size, turn, shear = 1 + r[2] / (2 * k), r[3] * math.pi / (8 * k), 0.025 * r[4] / k
        cos, sin = size * turn.cos(), size * turn.sin()
        change = torch.stack([cos, cos * shear - sin, sin, sin * shear + cos], 1).view(-1, 2, 2)
        return centre, (field.matrix[rows].view(-1, 2, 2) @ change).flatten(1)

    def propagate(self, field, x, y):
        """Offer each pixel the source of its neighbour at (-x, -y), moved along."""
        inside = ((self.pixels[:, 0] - x >= 0) & (self.pixels[:, 0] - x < self.width)
                  & (self.pixels[:, 1] - y >= 0) & (self.pixels[:, 1] - y < self.height)
                  & (field.cost > GOOD))
        rows = inside.nonzero()[:, 0]
        other = rows - x - y * self.width
        matrix = field.matrix[other]
        centre = field.centre[other] + x * matrix[:, ::2] + y * matrix[:, 1::2]
        new = (centre - field.centre[rows]).abs().sum(1) + (
            matrix - field.matrix[rows]).abs().sum(1) > 0.01
        self.consider(field, rows[new], centre[new], matrix[new])

    def vote(self, field, fine):
        """The image that overlapping source patches make: of `fine`, the sharp pyramid, (1, 1, h, w)."""
        out = []
        for rows in torch.arange(len(self.pixels), device=fine.device).split(CHUNK):
            grid, _ = self.sources.place(field.centre[rows], field.matrix[rows])
            bias = ((self.patches[rows] - self.sources.read(grid)) @ self.weights).clamp(-BIAS, BIAS)
            out.append((self.sources.read(grid, fine) + bias[:, None]) * self.weights)
        size = self.height + 4, self.width + 4
        votes = F.fold(torch.cat(out).T[None], size, SIDE)[..., 2:-2, 2:-2]
        count = F.fold(self.weights[None, :, None].expand(1, -1, len(self.pixels)), size, SIDE)
        return votes / count[..., 2:-2, 2:-2]
