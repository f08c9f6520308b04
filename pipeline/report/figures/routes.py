"""The route of each patch of the images of Fig. 8 to 11, over the image that PRN makes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from pipeline.report.figures import style

# severe is the bare picture, mild is hatched too: legible without colour
_FILL = {"mild": {"alpha": 0.4, "hatch": "////"}, "moderate": {"alpha": 0.4}, "severe": {"alpha": 0}}
_WIDTH, _GAP, _LINE = style.PAGE / 2 - 0.06, 0.08, 0.2  # inches


@style.rc()
def routes(maps):
    """Two pictures a row, each with its patches and the share of each route.

    Parameters
    ----------
    maps : list of (title, image, rows, columns, route)
        str; ndarray, shape (H, W[, 3]), uint8; ndarrays of shape (ny + 1,) and (nx + 1,), the HR
        pixels that bound the patches; ndarray, shape (ny, nx), of 0 (mild), 1, 2 (severe).

    Returns
    -------
    Figure
    """
    pairs = [maps[i:i + 2] for i in range(0, len(maps), 2)]
    heights = [_WIDTH * max(image.shape[0] / image.shape[1] for _, image, *_ in pair)
               for pair in pairs]
    total = sum(heights) + (_LINE + _GAP) * len(pairs) + _LINE
    figure = Figure(figsize=(style.PAGE, total), layout="none")
    top = _LINE
    for pair, height in zip(pairs, heights):
        top += _LINE
        for i, one in enumerate(pair):
            left, tall = i * (_WIDTH + 0.1), _WIDTH * one[1].shape[0] / one[1].shape[1]
            box = (left / style.PAGE, 1 - (top + tall) / total, _WIDTH / style.PAGE, tall / total)
            _draw(figure.add_axes(box), *one)
        top += height + _GAP
    figure.legend(handles=[Patch(facecolor=(*_rgb(name), fill["alpha"]), hatch=fill.get("hatch"),
                                 edgecolor=_rgb(name), label=name) for name, fill in _FILL.items()],
                  loc="upper left", ncols=3, borderaxespad=0, borderpad=0.2)
    return figure


def _draw(axes, title, image, rows, columns, route):
    grey = image if image.ndim == 2 else image @ np.array([0.299, 0.587, 0.114])
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto")
    style.bare(axes)
    for y, bottom, line in zip(rows, rows[1:], route):
        for x, right, one in zip(columns, columns[1:], line):
            name = style.ROUTES[one]
            fill, colour = _FILL[name], _rgb(name)
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), right - x, bottom - y, linewidth=0.3,
                                     facecolor=(*colour, fill["alpha"]), hatch=fill.get("hatch"),
                                     edgecolor=(*(colour if fill["alpha"] else (1, 1, 1)), 0.7)))
    shares = ", ".join(f"{(route == k).mean():.0%} {name}" for k, name in enumerate(style.ROUTES))
    axes.set_title(f"{style.plain(title)}: {shares}", pad=3)


def _rgb(name):
    return tuple(int(style.ROUTE_COLOURS[name][i:i + 2], 16) / 255 for i in (1, 3, 5))
