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
from scipy.ndimage import gaussian_filter

from pipeline.sr.degrade import upsample
from pipeline.engine.adaptive import super_resolve
from pipeline.sr.colour import luma
from pipeline.sr.patches import grid, patch_size

TILE, BAND = 1 << 18, 1 << 20  # LR pixels at a time
BICUBIC = 2  # LR pixels that bicubic reads beyond its own
# vermillion, blue, black: ROUTE_COLOURS of `pipeline.report.figures.style`, which needs matplotlib
ROUTE_COLOURS = np.array([[0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2], [0x26, 0x26, 0x26]])
TINT = 0.6  # of the route's colour in the map of routes
RGB_OF_Y = 255 / 219  # what a step of BT.601's Y adds to R, G and B
BLUR = 16  # LR pixels from which hidden colours are filled in


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
    pixels : ndarray, shape (h, w, channels), uint8 or uint16, as of `pipeline.upscale.files.Picture`
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
    reach = max(BICUBIC, *(sum(conv.reach[0] for conv in path.convs) for path in net.paths.values()))
    beside = reach if borders == "context" or net.halo else BICUBIC
    columns = [Span.of(xs, i, i + across, size, w) for i in range(0, len(xs), across)]
    for i in range(0, len(ys), down):
        row = Span.of(ys, i, i + down, size, h)
        low, high = max(0, row.start - reach), min(h, row.end + reach)
        top, bottom = max(0, low - BLUR), min(h, high + BLUR)
        shown = visible(pixels[top:bottom])[low - top:high - top]
        parts = [_tile(net, pixels[low:high], shown, (row.start - low, high - row.end), row, column,
                       column.wider(xs, beside, size, w), routing, borders) for column in columns]
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
def _tile(net, pixels, shown, margin, row, column, wide, routing, borders):
    """HR pixels that a tile owns, (H, W, channels), and the routes of its patches.

    `pixels` and `shown` are the band's rows with `margin` (top, bottom) rows of context; `row` and `column`
    are what the tile owns, `wide` its columns with context.

    The paper enlarges Cb and Cr by bicubic, Y by the network.  That is every channel by bicubic, plus
    what the network adds to bicubic in Y: so alpha can be a channel, and the others premultiplied.
    """
    s, cut, maximum = net.scale, slice(wide.start, wide.end), np.iinfo(pixels.dtype).max
    device = net.paths[max(net.paths)].convs[0].bias.device
    y = torch.from_numpy(_luma(shown[:, cut], maximum)).float()[None, None].to(device) / 255
    (sr,), (routes,) = super_resolve(net, [y], routing, borders, margins=[margin])
    rows = slice(margin[0] * s, (margin[0] + row.stop - row.start) * s)
    own = slice((column.start - wide.start) * s, (column.stop - wide.start) * s)
    added = 255 * (sr[0, 0, :rows.stop - rows.start] - upsample(y, s)[0, 0, rows])
    planes = torch.from_numpy(pixels[:, cut] * np.float32(255 / maximum)).permute(2, 0, 1)[:, None].to(device)
    if transparent(pixels):
        planes[:-1] *= planes[-1:] / 255
    planes = upsample(planes, s)[:, 0, rows]
    if transparent(pixels):
        planes[:-1] /= planes[-1:].where(planes[-1:] > 0, 255) / 255
    colours = planes[:3] if len(planes) > 2 else planes[:1]
    colours += added * (RGB_OF_Y if len(colours) == 3 else 1)
    levels = (planes[..., own] * (maximum / 255)).round_().clamp_(0, maximum).permute(1, 2, 0)
    routes = routes.view(row.last - row.first, -1)[:, column.first - wide.first:column.last - wide.first]
    return levels.cpu().contiguous().numpy().astype(pixels.dtype), routes.cpu().numpy()


def transparent(pixels):
    """Whether the last channel is alpha."""
    return pixels.shape[2] in (2, 4)


def visible(pixels):
    """Pixels with the colours that alpha hides replaced by those around them, for the network.

    A transparent pixel may have any colour, and the network would sharpen the edge of it.  A pixel gets
    the more of the mean around it, weighted by alpha, the more transparent it is than its surroundings.

    Parameters
    ----------
    pixels : ndarray, shape (h, w, channels), uint8 or uint16

    Returns
    -------
    The same without alpha; float32, same shape, with it
    """
    if not transparent(pixels):
        return pixels
    colours, alpha = np.split(pixels.astype(np.float32), [-1], axis=2)
    around = _blurred(alpha)
    mean = _blurred(colours * alpha) / np.maximum(around, 1e-9)
    own = np.minimum(alpha / np.maximum(around, 1e-9), 1)
    return np.concatenate([mean + own * (colours - mean), alpha], axis=2)


def _blurred(planes):
    return gaussian_filter(planes, (BLUR / 4, BLUR / 4, 0), truncate=4)


def route_map(pixels, routes, scale):
    """The image in grey, its patches in the colours of their routes.

    Parameters
    ----------
    pixels : ndarray, shape (h, w, channels), uint8 or uint16
    routes : ndarray, shape (patch rows, patch columns)
    scale : int

    Returns
    -------
    ndarray, shape (h, w, 3), uint8
    """
    h, w = pixels.shape[:2]
    size = patch_size(scale)
    ys, xs = grid(h, size), grid(w, size)
    owner = np.searchsorted(xs, np.arange(w), side="right") - 1
    drawn = np.empty((h, w, 3), np.uint8)
    for i, line in enumerate(routes):
        row = Span.of(ys, i, i + 1, size, h)
        grey = _luma(pixels[row.start:row.stop], np.iinfo(pixels.dtype).max)
        drawn[row.start:row.stop] = np.rint(TINT * ROUTE_COLOURS[line[owner]] + (1 - TINT) * grey[..., None])
    return drawn


def _luma(pixels, maximum):
    """Y in 0..255, shape (h, w), of pixels with as many levels as `maximum`."""
    levels = pixels * (255 / maximum)
    return luma(levels[..., :3]) if pixels.shape[2] > 2 else levels[..., 0]
