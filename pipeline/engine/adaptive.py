"""The adaptive engine: a batch of LR images of any sizes to SR images, each patch by its route.

Patches of all images are sorted by route, and each route is a few batched passes of `pipeline.engine.fused`
convolutions.  Everything stays in the phases of the LR grid, (N, p, q, s^2), until one permutation
makes HR images of it: bicubic phases give the prior (Eq. 1), and the network adds to them.

With ``paper`` borders each patch is computed alone (decision D10), with zero padding or what else the
network was trained for: the result of `pipeline.sr.routing.patchwise`.  With ``context`` borders each
patch is cut from what its route gives on the whole image (`pipeline.engine.borders`): no seams.
"""

from dataclasses import dataclass
from math import isqrt

import torch

from pipeline.engine import borders as real_borders
from pipeline.engine.fused import passes, shuffle
from pipeline.sr.cost import Cost
from pipeline.sr.degrade import cached, mirror
from pipeline.sr.patches import PATCH, cut, grid, patch_size
from pipeline.sr.prior import REFERENCE_AREA, classify

PIXELS = {"cpu": 5500, "cuda": 1 << 19}  # of one pass: a CPU keeps its features in the cache
STEP = {"cpu": 4, "cuda": 64}  # a pass has a multiple of so many patches: few shapes, prepared once


@dataclass(frozen=True)
class Layout:
    """The patches of one image; sizes in LR pixels.

    Attributes
    ----------
    ys, xs : tuple of int, first line of each row and column of patches
    height, width : int, of a patch
    """

    ys: tuple
    xs: tuple
    height: int
    width: int

    @classmethod
    def of(cls, image, size):
        h, w = image.shape[-2:]
        return cls(tuple(grid(h, size)), tuple(grid(w, size)), min(h, size), min(w, size))

    def __len__(self):
        return len(self.ys) * len(self.xs)


def whole(net, lr):
    """The severe path over a whole image or a batch of one size: (N, 1, h, w) to (N, 1, H, W)."""
    phases = net.paths[max(net.paths)](mirror(lr, net.halo) if net.halo else lr).float()
    if net.bicubic:
        phases = phases + net.enlarge(mirror(lr))
    return shuffle(phases, net.scale)


def context_cost(net, lr, routes, patch=PATCH):
    """MACs and bytes of one image with real context: of the pixels that each layer needs, and of bicubic."""
    h, w = lr.shape[-2:]
    layers = real_borders.work(net, [lr], [Layout.of(lr, patch_size(net.scale, patch))], [0], routes)
    hr = h * w * net.scale**2 if net.bicubic else 0
    return Cost(sum(conv.macs * n for conv, n in layers) + 16 * hr,
                4 * (hr + sum((conv.inputs + conv.outputs) * n + conv.macs for conv, n in layers)))


def super_resolve(net, images, routing, borders="paper", *, margins=None, routes=None):
    """SR images, and the routes of their patches.

    Parameters
    ----------
    net : `pipeline.engine.fused.Fused`
    images : sequence of Tensor, shape (1, 1, h, w), Y in [0, 1], float32, on the device of the net
        Sizes may differ.
    routing : `pipeline.sr.routing.Routing`
        With the domain ``bicubic`` or ``lr``: the oracle is not for users.
    borders : {"paper", "context"}
    margins : sequence of (top, bottom), optional
        LR rows of each image that are context only: parts of a large image (`pipeline.upscale.bands`).
    routes : sequence of Tensor, shape (patches,), int64, optional
        Instead of those by the prior (measurements).

    Returns
    -------
    list of Tensor, shape (1, 1, H, W), float32
    list of Tensor, shape (patches,), int64
    """
    if routing.domain == "hr":
        raise ValueError("prior.domain: hr is an oracle that needs the HR image; the engine knows "
                         "bicubic and lr")
    if borders not in ("paper", "context"):
        raise ValueError(f"borders: {borders}; there are paper and context")
    if borders == "context" and any(path.margin for path in net.paths.values()):
        raise ValueError("borders: context is for networks that pad with zeros; this one repeats the border, "
                         "use paper, or whole images")
    jobs = [_Image(x, *margin, Layout.of(x[..., margin[0]:x.shape[-2] - margin[1], :],
                                         patch_size(net.scale, routing.patch)), chosen)
            for x, margin, chosen in zip(images, margins or [(0, 0)] * len(images),
                                         routes or [None] * len(images))]
    results = {}
    shapes = [(job.layout.height, job.layout.width) for job in jobs]
    for shape in dict.fromkeys(shapes):  # images smaller than a patch have patches of their own shape
        chosen = [i for i, other in enumerate(shapes) if other == shape]
        results |= zip(chosen, _batch(net, [jobs[i] for i in chosen], routing, borders))
    return tuple([results[i][part] for i in range(len(images))] for part in (0, 1))


@dataclass(frozen=True)
class _Image:
    lr: torch.Tensor
    top: int
    bottom: int
    layout: Layout  # of the image without its margins
    routes: torch.Tensor | None

    @property
    def inner(self):
        return self.lr[..., self.top:self.lr.shape[-2] - self.bottom, :]


def _batch(net, jobs, routing, borders):
    """(SR image, routes) of images with patches of one shape."""
    counts = [len(job.layout) for job in jobs]
    patches, bicubic, routes = prepare(net, [job.inner for job in jobs], routing)
    if len(net.paths) == 1:
        routes.fill_(max(net.paths))
    if jobs[0].routes is not None:
        routes = torch.cat([job.routes for job in jobs])
    if borders == "paper":
        if net.halo:
            patches, bicubic = surrounded(net, jobs)
        phases = run(net, patches, routes, bicubic)
    else:
        phases = real_borders.run(net, [job.lr for job in jobs], [job.layout for job in jobs],
                             [job.top for job in jobs], routes)
    sr = [unfold(p, job.layout, net.scale) for p, job in zip(phases.split(counts), jobs)]
    if borders == "context" and net.bicubic:
        sr = [y + enlarge(net, job) for job, y in zip(jobs, sr)]
    return zip(sr, routes.split(counts))


def prepare(net, images, routing):
    """All before the passes: patches, their bicubic phases, and their routes by Eq. (1) and (2).

    Parameters
    ----------
    images : sequence of Tensor, shape (1, 1, h, w), with patches of one shape

    Returns
    -------
    patches, shape (N, 1, p, q); bicubic phases, shape (N, p, q, s^2); routes, shape (N,)
    """
    size = patch_size(net.scale, routing.patch)
    mirrored = torch.cat([x.take(_mirrored(*x.shape[-2:], size, x.device)) for x in images])
    patches = mirrored[..., 2:-2, 2:-2]
    several = 4 * most(patches)  # one channel in, few out: more patches fit the cache than in a pass
    if len(patches) <= several:
        bicubic = net.enlarge(mirrored).permute(0, 2, 3, 1)
        return patches, bicubic, classify(prior_of(patches, bicubic, routing), routing.gamma_low, routing.gamma_upper)
    bicubic = mirrored.new_empty(len(patches), *patches.shape[-2:], net.scale**2)
    prior = mirrored.new_empty(len(patches))
    for some in zip(*(x.split(several) for x in (mirrored, patches, bicubic, prior))):
        some[2].copy_(net.enlarge(some[0]).permute(0, 2, 3, 1))
        some[3].copy_(prior_of(some[1], some[2], routing))
    return patches, bicubic, classify(prior, routing.gamma_low, routing.gamma_upper)


def surrounded(net, jobs):
    """Patches with the halo of the network, (N, 1, p + 2 halo, q + 2 halo), and bicubic phases of their inner part."""
    around = [mirror(job.lr, net.halo)[..., job.top:job.lr.shape[-2] - job.bottom + 2 * net.halo, :] for job in jobs]
    patches = torch.cat([x.take(_surrounded(job.inner.shape[-1], job.layout, net.halo, x.device))
                         for job, x in zip(jobs, around)])
    return patches, torch.cat([net.enlarge(some).permute(0, 2, 3, 1) for some in patches.split(4 * most(patches))])


def enlarge(net, job):
    """Bicubic enlargement of an image without its margins, (1, 1, H, W)."""
    y = shuffle(net.enlarge(mirror(job.lr)), net.scale)
    return y[..., job.top * net.scale:(job.lr.shape[-2] - job.bottom) * net.scale, :]


@cached(maxsize=64)
def _mirrored(height, width, size, device):
    """Flat indices of the patches of an image, each with a mirrored border: (N, 1, p + 4, q + 4)."""
    pixels = torch.arange(height * width, device=device).view(1, 1, height, width)
    return mirror(cut(pixels, size))


@cached(maxsize=64)
def _surrounded(width, layout, halo, device):
    """Flat indices of the patches of an image with its own surroundings, in the image with a border of `halo`."""
    y, x = (torch.tensor(starts, device=device)[:, None] + torch.arange(side + 2 * halo, device=device)
            for starts, side in ((layout.ys, layout.height), (layout.xs, layout.width)))
    flat = y[:, None, :, None] * (width + 2 * halo) + x[None, :, None, :]
    return flat.reshape(-1, 1, *flat.shape[-2:])


def most(patches):
    """How many patches to pass at a time."""
    return max(1, PIXELS[patches.device.type] // (patches.shape[-2] * patches.shape[-1]))


def prior_of(patches, bicubic, routing):
    """P of each patch, Eq. (1), from its bicubic phases; equals `pipeline.sr.prior.gradient_prior`."""
    x = patches[:, 0, ..., None] if routing.domain == "lr" else bicubic
    n, h, w, s2 = x.shape
    x = x.reshape(n, h, w, isqrt(s2), -1)  # phase y, phase x
    steps = [x[..., 1:, :] - x[..., :-1, :], x[:, 1:, :, :1] - x[:, :-1, :, -1:]]
    if routing.norm == "squared_both":
        steps += [x[..., 1:] - x[..., :-1], x[:, :, 1:, :, :1] - x[:, :, :-1, :, -1:]]
    size = torch.Tensor.abs_ if routing.norm == "l1" else torch.Tensor.square_  # vector_norm takes twice as long
    p = sum(size(step).sum((1, 2, 3, 4)) for step in steps) * (REFERENCE_AREA / (h * w * s2))
    if routing.norm == "squared_both":
        p = p * (REFERENCE_AREA / 2)
    return p if routing.norm == "l1" else p.sqrt()


def run(net, patches, routes, bicubic):
    """Phases of every patch, computed alone by its route."""
    phases = torch.empty_like(bicubic)
    groups = by_route(routes, net.paths)
    for route, path in net.paths.items():
        some = most(bicubic[..., 0])
        for part in passes(groups[route], some, min(some, STEP[patches.device.type])):
            y = path(patches[part]).permute(0, 2, 3, 1)
            phases.index_copy_(0, part, bicubic[part] + y if net.bicubic else y.float())
    return phases


def by_route(routes, paths):
    """dict of route to the indices of its patches; waits for the device once."""
    known = sorted(paths)
    counts = torch.stack([(routes == route).sum() for route in known]).tolist()
    return dict(zip(known, routes.argsort(stable=True).split(counts)))


def unfold(phases, layout, scale):
    """Phases (N, p, q, s^2) of an image's patches to the image, (1, 1, H, W).

    Where two patches overlap, the later one owns the pixels, as in `pipeline.sr.patches.assemble`.
    """
    s, (p, q) = scale, phases.shape[1:3]
    ny, nx = len(layout.ys), len(layout.xs)
    image = phases.reshape(ny, nx, p, q, s, s).permute(0, 2, 4, 1, 3, 5).reshape(ny * p * s, nx * q * s)
    image = torch.cat([image[:layout.ys[-1] * s], image[-p * s:]])
    return torch.cat([image[:, :layout.xs[-1] * s], image[:, -q * s:]], 1)[None, None]
