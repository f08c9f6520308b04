"""Patches with real context and no seams: every layer only where the routes need it.

A pixel of route r gets what the network on the whole image along r would give it.  Patches of 13 to
27 pixels with a halo of 7 to 9 each would cost 2 to 4 times the patch.  Here neighbours share: for
each route the pixels that a layer must give are those that the next one reads, counted back from the
patches, and each layer is one product of gathered pixels with its weights.  A layer that must give
most of the pixels gives all of them, by an ordinary convolution.

The images of a batch lie on one canvas with zeros between them, as wide as the widest layer reaches;
so the zero padding at the border of an image comes by itself.  A network with a halo has the image mirrored
there, for its first layer.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F

from pipeline.engine.fused import passes
from pipeline.sr.degrade import mirror

DENSE = {"cpu": 0.7, "cuda": 0.9}  # share of the pixels from which all of them cost less
CHUNK = {"cpu": 2048, "cuda": 1 << 20}  # pixels of one product
STEP = {"cpu": 256, "cuda": 4096}  # a product has a multiple of so many: few shapes
PATCH_PIXELS = {"cpu": 5500, "cuda": 1 << 20}  # of one pass of the last layer
PATCH_STEP = {"cpu": 4, "cuda": 64}


def run(net, images, layouts, tops, routes):
    """Phases of every patch by its route.

    Parameters
    ----------
    net : `pipeline.engine.fused.Fused`
    images : sequence of Tensor, shape (1, 1, h, w), Y in [0, 1]
    layouts : sequence of `pipeline.engine.adaptive.Layout`
    tops : sequence of int, rows of each image above its layout
    routes : Tensor, shape (patches of all images,)

    Returns
    -------
    Tensor, shape (patches, p, q, s^2), float32: without the bicubic part
    """
    canvas, inside, corners = _lay(net, images, layouts, tops)
    p, q = layouts[0].height, layouts[0].width
    width, pixels = canvas.shape[1], sum(x.numel() for x in images)
    where, patches = _positions(net, inside, corners, routes, (p, q), width)
    where = iter(where)
    phases = canvas.new_empty(len(corners), p, q, net.scale**2)
    first = {}  # routes that begin with the same convolution share it
    spare = [canvas.new_zeros(len(inside), net.width, dtype=net.dtype) for _ in range(2)]
    for route, path in net.paths.items():
        conv = path.convs[0]
        if conv.key not in first:
            first[conv.key] = _everywhere([conv], canvas.view(-1, 1), width, inside)
        x = first[conv.key]
        for link in path.links[1:-1]:
            positions = next(where)
            if len(positions) > DENSE[canvas.device.type] * pixels:
                x = _everywhere(link, x, width, inside)
            else:  # stale buffer values are never read, the zeros between images stay
                _at(link, x, positions, width, spare[0])
                x, spare = spare[0], spare[::-1]
        _last(path.convs[-1], x, patches[route], corners, (p, q), width, phases)
    return phases


def work(net, images, layouts, tops, routes):
    """Pixels at which each layer is computed: list of (Conv, int), for counting."""
    canvas, inside, corners = _lay(net, images, layouts, tops)
    p, q = layouts[0].height, layouts[0].width
    where, patches = _positions(net, inside, corners, routes, (p, q), canvas.shape[1])
    where = iter(where)
    found = {path.convs[0].key: (path.convs[0], int(inside.sum())) for path in net.paths.values()}
    layers = [*found.values()]
    for route, path in net.paths.items():
        for link in path.links[1:-1]:
            pixels = len(next(where))
            if pixels > DENSE[canvas.device.type] * inside.sum():
                pixels = int(inside.sum())
            layers += [(conv, pixels) for conv in link]
        layers.append((path.convs[-1], len(patches[route]) * p * q))
    return layers


def _positions(net, inside, corners, routes, size, width):
    """What each route computes; waits for the device twice.

    Returns
    -------
    list of Tensor
        Flat pixels of the canvas at which each inner link of each route is needed, in order.
    dict of route to Tensor
        Its patches.
    """
    pixels = (corners[:, None] + _offsets(*map(range, size), width, corners.device)).flatten()
    masks = []
    for route, path in net.paths.items():
        chosen = (routes == route).to(torch.int32).repeat_interleave(size[0] * size[1])
        mask = torch.zeros(len(inside), dtype=torch.int32, device=inside.device).index_add_(0, pixels, chosen) > 0
        masks += _needed(path.links, mask, inside, width)
    flat, known = torch.stack(masks), sorted(net.paths)
    counts = torch.cat([flat.sum(1), torch.stack([(routes == route).sum() for route in known])]).tolist()
    return ((flat.flatten().nonzero()[:, 0] % len(inside)).split(counts[:len(flat)]),
            dict(zip(known, routes.argsort(stable=True).split(counts[len(flat):]))))


@lru_cache(maxsize=64)
def _offsets(ys, xs, width, device):
    """Flat distances on a canvas of some width for all pairs of two ranges."""
    y, x = (torch.arange(side.start, side.stop, side.step, device=device) for side in (ys, xs))
    return (y[:, None] * width + x).flatten()


def _lay(net, images, layouts, tops):
    """Canvas (H, W), the flat mask of its image pixels, and the first pixel of each patch."""
    gap = max(max(conv.reach) for path in net.paths.values() for conv in path.convs)
    width, by = max(x.shape[-1] for x in images) + 2 * gap, net.halo
    rows = [F.pad((mirror(x, by) if by else x)[0, 0], (gap - by, width - gap - by - x.shape[-1], gap - by, gap - by)) for x in images]
    return torch.cat(rows), *_geometry(tuple(x.shape[-2:] for x in images), tuple(layouts), tuple(tops), gap,
                                       width, images[0].device)


@lru_cache(maxsize=64)
def _geometry(sizes, layouts, tops, gap, width, device):
    """What `_lay` says besides the canvas: of images of these sizes, made once."""
    first, corners, rows = gap, [], []
    for (h, w), layout, top in zip(sizes, layouts, tops):
        rows.append(F.pad(torch.ones(h, w, dtype=torch.bool), (gap, width - gap - w, gap, gap)))
        corners += [(first + top + y) * width + gap + x for y in layout.ys for x in layout.xs]
        first += h + 2 * gap
    return torch.cat(rows).flatten().to(device), torch.tensor(corners, device=device)


def _needed(links, mask, inside, width):
    """Flat masks of where each link is needed; not of the first, nor of the last."""
    found = []
    for link in links[:1:-1]:
        mask = _dilate(mask, link[0], width) & inside
        found.append(mask)
    return found[::-1]


def _dilate(mask, conv, width):
    """Pixels that a convolution reads for those of a flat mask."""
    for reach, stride in zip(conv.reach, (width, 1)):
        wider = mask.clone()
        for step in range(conv.dilation * stride, reach * stride + 1, conv.dilation * stride):
            wider[step:] |= mask[:-step]
            wider[:-step] |= mask[step:]
        mask = wider
    return mask


def _everywhere(link, source, width, inside):
    """A link at all pixels: (H * W, C) to (H * W, C')."""
    x = source.to(link[0].dtype).view(1, -1, width, source.shape[1]).permute(0, 3, 1, 2)
    for conv in link:
        x = conv(x)
    return x.permute(0, 2, 3, 1).flatten(0, 2).mul_(inside[:, None])


def _at(link, source, positions, width, out):
    """A link at some pixels: gather what each reads, multiply, put it into `out`."""
    device = source.device
    conv, *pointwise = link
    offsets = _offsets(*(range(-r, r + 1, conv.dilation) for r in conv.reach), width, device)
    for part in passes(positions, CHUNK[device.type], STEP[device.type]):
        y = conv.gathered(source.index_select(0, (part[:, None] + offsets).flatten()).view(len(part), -1))
        for layer in pointwise:
            y = layer.gathered(y)
        out.index_copy_(0, part, y)


def _last(conv, source, chosen, corners, size, width, phases):
    """The last layer, patch by patch with its border: nothing comes after it that could share."""
    device = source.device
    sides = [range(-r, n + r) for n, r in zip(size, conv.reach)]
    offsets = _offsets(*sides, width, device)
    most = max(1, PATCH_PIXELS[device.type] // (size[0] * size[1]))
    for part in passes(chosen, most, min(most, PATCH_STEP[device.type])):
        x = source.index_select(0, (corners[part][:, None] + offsets).flatten())
        x = x.view(len(part), len(sides[0]), len(sides[1]), -1).permute(0, 3, 1, 2)
        phases.index_copy_(0, part, conv(x, padding=(0, 0)).permute(0, 2, 3, 1).float())
