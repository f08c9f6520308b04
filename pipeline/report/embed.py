"""Pictures inside report.html: data URIs of WebP, and the sliders and route maps made of them."""

import base64
import io

import numpy as np
from PIL import Image

from pipeline.paper import label
from pipeline.report.figures.style import COLUMN, DPI, ROUTES

QUALITY = 95  # of a photograph


def figure(path):
    """A figure: dict of width, height, broad, data.

    The data are lossless, or lossy where photographs make that the smaller one; a broad figure is one
    over both columns of the paper.
    """
    with Image.open(path) as image:
        image = image.convert("RGB")
        data = min(_webp(image, lossless=True), _webp(image, quality=85), key=len)
        return {"width": image.width, "height": image.height, "broad": image.width > DPI * 1.5 * COLUMN,
                "data": _uri(data)}


def comparison(title, pixels, scores):
    """One image by several methods, to lay over each other, with the route of each patch.

    Parameters
    ----------
    title : str
    pixels : dict of str to ndarray
        As `pipeline.experiments.pictures` writes them: ``full``, the truth; ``whole/<method>``; ``map/...``.
    scores : dict of str to (psnr_db, ssim), of the whole image

    Returns
    -------
    dict
        title, width, height (HR pixels); panes: list of dict of name, label, data, the truth last and
        PRN before it; patches: list of dict of x, y, width, height, route, prior.
    """
    names = [key.removeprefix("whole/") for key in pixels if key.startswith("whole/")]
    panes = [{"name": name, "label": f"{label(name)}, {scores[name][0]:.2f} dB",
              "data": photograph(pixels[f"whole/{name}"])} for name in names]
    panes.append({"name": "hr", "label": "HR, the truth", "data": photograph(pixels["full"])})
    height, width = pixels["full"].shape[:2]
    return {"title": title, "width": width, "height": height, "panes": panes,
            "patches": _patches(*(pixels[f"map/{key}"] for key in ("rows", "columns", "route", "prior")))}


def comparisons(titles, pixels, scores):
    """`comparison` of each figure, from dicts with the same keys."""
    return [comparison(title, pixels[name], scores[name]) for name, title in titles.items()]


def photograph(pixels):
    """An image, shape (H, W[, 3]), uint8, as a data URI."""
    return _uri(_webp(Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB"), quality=QUALITY))


def _patches(rows, columns, route, prior):
    return [{"x": int(x), "y": int(y), "width": int(right - x), "height": int(bottom - y),
             "route": ROUTES[route[i, j]], "prior": float(prior[i, j])}
            for i, (y, bottom) in enumerate(zip(rows, rows[1:]))
            for j, (x, right) in enumerate(zip(columns, columns[1:]))]


def _webp(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "webp", method=4, **options)
    return buffer.getvalue()


def _uri(data):
    return "data:image/webp;base64," + base64.b64encode(data).decode()
