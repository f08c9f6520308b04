"""Large images through the engine in bounded memory, colour by the paper's way.

An image is done in bands of patch rows, a band in tiles of patch columns.  A tile is cut with what
its borders need: rows that are context only above and below, whole patches that are thrown away at
its sides.  So the result is that of the whole image.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from math import isqrt

import numpy as np
import torch

from pipeline.sr.degrade import upsample
from pipeline.engine.adaptive import super_resolve
from pipeline.sr.colour import luma, rgb_to_ycbcr, ycbcr_to_rgb
from pipeline.sr.patches import grid, patch_size

TILE, BAND = 1 << 18, 1 << 20  # LR pixels at a time: 1.3 GB for 10,000 x 10,000 RGB at x4
BICUBIC = 2  # LR pixels that bicubic reads beyond its own
# vermillion, blue, black: ROUTE_COLOURS of `pipeline.report.figures.style`, which needs matplotlib
ROUTE_COLOURS = np.array([[0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2], [0x26, 0x26, 0x26]])
TINT = 0.6  # of the route's colour in the map of routes

_OFFSET = ycbcr_to_rgb(np.zeros(3))
_TO_RGB = ycbcr_to_rgb(np.eye(3)) - _OFFSET  # rows: what Y, Cb and Cr add to R, G and B


@dataclass(frozen=True)
class Span:
    """Some neighbouring patches along one side: indices of patches, LR pixels.

    Attributes
    ----------
    first, last : int, patches, the last one excluded
    start, stop : int, pixels that they own
    end : int, where the last patch ends
    """

    first: int
    last: int
    start: int
    stop: int
    end: int

    @classmethod
    def of(cls, starts, first, last, size, length):
        last = min(last, len(starts))
        end = min(starts[last - 1] + size, length)
        return cls(first, last, starts[first], starts[last] if last < len(starts) else length, end)

    def wider(self, starts, reach, size, length):
        """With the patches that hold at least `reach` pixels more on both sides."""
        first = max(0, bisect_right(starts, self.start - reach) - 1)
        last = bisect_left(starts, self.stop + reach - size) + 1
        return Span.of(starts, first, last, size, length)


def bands(net, pixels, routing, borders="context", *, tile=TILE, band=BAND):
    """The enlarged image from the top down.

    Parameters
    ----------
    net : `pipeline.engine.fused.Fused`
    pixels : ndarray, shape (h, w, channels), uint8 or uint16, as of `pipeline.upscale.reading.Picture`
    routing : `pipeline.sr.routing.Routing`
    borders : {"context", "paper"}
    tile, band : int
        LR pixels to compute and to hand out at a time, about; at least a patch and a row of them.

    Yields
    ------
    ndarray, shape (rows, scale * w, channels), dtype of `pixels`
    ndarray, shape (patch rows, patch columns), routes
    """
    h, w = pixels.shape[:2]
    size = patch_size(net.scale)
    ys, xs = grid(h, size), grid(w, size)
    down, across = tile_patches(w, size, tile, band)
    columns = [Span.of(xs, i, i + across, size, w) for i in range(0, len(xs), across)]
    for i in range(0, len(ys), down):
        row = Span.of(ys, i, i + down, size, h)
        parts = [_tile(net, pixels, row, column, xs, routing, borders) for column in columns]
        yield tuple(np.concatenate(part, axis=1) for part in zip(*parts))


def tile_patches(width, size, tile=TILE, band=BAND):
    """Rows of patches of a band, and columns of a tile."""
    down = min(max(1, band // (width * size)), max(1, isqrt(tile) // size))
    return down, max(1, tile // (down * size * size))


def count(shape, scale):
    """How many bands an image (h, w, channels) has."""
    size = patch_size(scale)
    return -(-len(grid(shape[0], size)) // tile_patches(shape[1], size)[0])


@torch.inference_mode()
def _tile(net, pixels, row, column, xs, routing, borders):
    """HR pixels that a tile owns, and the routes of its patches."""
    h, w = pixels.shape[:2]
    s, size = net.scale, patch_size(net.scale)
    reach = max(BICUBIC, *(sum(conv.reach[0] for conv in path.convs) for path in net.paths.values()))
    wide = column.wider(xs, reach if borders == "context" else BICUBIC, size, w)
    low, high = max(0, row.start - reach), min(h, row.end + reach)
    device = net.paths[max(net.paths)].convs[0].bias.device
    y, others = _split(pixels[low:high, wide.start:wide.end])
    (sr,), (routes,) = super_resolve(net, [y.to(device)], routing, borders,
                                     margins=[(row.start - low, high - row.end)])
    left, right = ((x - wide.start) * s for x in (column.start, column.stop))
    hr = sr[0, :, :(row.stop - row.start) * s, left:right] * 255
    if len(others):
        top = (row.start - low) * s
        more = upsample(others.to(device), s)[:, 0, top:top + hr.shape[1], left:right]
        hr = torch.cat([hr, more])
    first, last = column.first - wide.first, column.last - wide.first
    routes = routes.view(row.last - row.first, -1)[:, first:last]
    return _join(hr.cpu(), pixels.dtype), routes.cpu().numpy()


def _split(pixels):
    """Y (1, 1, h, w) in [0, 1], and Cb, Cr, alpha as far as there are, (N, 1, h, w) in 0..255."""
    levels = pixels * (255 / np.iinfo(pixels.dtype).max)
    if pixels.shape[-1] > 2:
        levels = np.concatenate([rgb_to_ycbcr(levels[..., :3]), levels[..., 3:]], axis=-1)
    planes = torch.from_numpy(levels.transpose(2, 0, 1)).float()[:, None]
    return planes[:1] / 255, planes[1:]


def _join(planes, dtype):
    """Planes (channels, H, W) in 0..255 to pixels (H, W, channels) of the dtype."""
    if len(planes) > 2:
        matrix, offset = (torch.from_numpy(x).float() for x in (_TO_RGB, _OFFSET))
        rgb = matrix.T @ planes[:3].flatten(1) + offset[:, None]
        planes = torch.cat([rgb.view_as(planes[:3]), planes[3:]])
    top = np.iinfo(dtype).max
    levels = (planes * (top / 255)).round_().clamp_(0, top)
    return levels.permute(1, 2, 0).contiguous().numpy().astype(dtype)


def route_map(pixels, routes, scale):
    """The image in grey, its patches in the colours of their routes.

    Parameters
    ----------
    pixels : ndarray, shape (h, w, channels)
    routes : ndarray, shape (patch rows, patch columns)
    scale : int

    Yields
    ------
    ndarray, shape (rows, w, 3), uint8: a row of patches
    """
    h, w = pixels.shape[:2]
    size = patch_size(scale)
    ys, xs = grid(h, size), grid(w, size)
    owner = np.searchsorted(xs, np.arange(w), side="right") - 1
    for i, line in enumerate(routes):
        row = Span.of(ys, i, i + 1, size, h)
        levels = pixels[row.start:row.stop] * (255 / np.iinfo(pixels.dtype).max)
        grey = luma(levels[..., :3]) if pixels.shape[-1] > 2 else levels[..., 0]
        tinted = TINT * ROUTE_COLOURS[line[owner]] + (1 - TINT) * grey[..., None]
        yield np.rint(tinted).astype(np.uint8)
