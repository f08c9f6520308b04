"""Fig. 8 to 11: a crop of one image by each method."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline import paper
from pipeline.report.figures import style

_BEST = {"color": "#C00000", "fontweight": "bold"}
_SECOND = {"color": style.BLUE, "fontstyle": "italic"}
_LINE, _PAD, _MARGIN, _LARGEST, _LEAST = 0.13, 0.07, 0.04, 1.6, 0.9  # inches
_CHARACTER = 0.056  # inches, on average, at the smallest size of text


def chosen(methods, count=7):
    """The methods to show, the same for every picture, in the order of methods.csv.

    PRN and interpolation come first, then light, heavy and example-based methods; of our variants PRN
    alone.  With the truth, seven make two even rows.
    """
    first = [*paper.of_kind("interpolation"), "prn", *paper.of_kind("light"), *paper.of_kind("heavy"),
             *paper.of_kind("example")]
    shown = [name for name in first if name in methods][:count]
    return [name for name in paper.methods().index if name in shown]


@style.rc()
def comparison(full, box, crops):
    """The whole image on the left, the crop by each method beside it, and below if there are many.

    Of three methods or more the best PSNR is red and bold, the second blue and italic; of two,
    the better one is marked. Values that print alike share their rank.

    Parameters
    ----------
    full : ndarray, shape (H, W, 3) or (H, W), uint8
    box : (y, x, side), HR pixels
        What the crops show.
    crops : list of (method, crop, psnr_db, ssim)
        str; ndarray, shape (side, side[, 3]), uint8; dB or None; SSIM or None. The first is the
        truth, with None for both.

    Returns
    -------
    Figure
    """
    ratio = full.shape[0] / full.shape[1]
    labels = [style.method(name).label for name, *_ in crops]
    for lines in (1, 2):  # of a name; the last line of a caption has the values
        caption = _LINE * (lines + 1) + 0.1
        side, beside, width, corners = _arrange(len(crops), ratio, caption)
        wrapped = [textwrap.wrap(label, int((side + _PAD) / _CHARACTER)) for label in labels]
        if max(map(len, wrapped)) <= lines:
            break
    height = beside * side + (beside - 1) * caption  # of the full image: flush with the crops
    bottom = max(height, max(top for _, top in corners) + side)
    figure = Figure(figsize=(style.PAGE, bottom + caption + _MARGIN), layout="none")
    right = max(width, max(left for left, _ in corners) + side)
    start = (style.PAGE - right) / 2
    overview = _panel(figure, full, start, 0, width, height)
    _frame(overview, box)
    fonts = _ranks([psnr_db for _, _, psnr_db, _ in crops])
    scored = any(ssim is not None for *_, ssim in crops)
    for i, ((_, crop, psnr_db, ssim), font, (left, top)) in enumerate(zip(crops, fonts, corners)):
        axes = _panel(figure, crop, start + left, top, side, side)
        values = [] if psnr_db is None else [f"{psnr_db:.2f}"]
        values += [] if ssim is None else [f"{ssim:.3f}"]
        key = "PSNR (dB) / SSIM" if scored else "PSNR (dB)"  # under the truth, which has no values
        for line, text in enumerate(wrapped[i]):
            _below(axes, text, line)
        _below(axes, " / ".join(values) or key, len(wrapped[i]), **font)
    return figure


def _arrange(count, ratio, caption):
    """Where the crops stand: beside the full image, and below it if they would be too small there.

    Parameters
    ----------
    count : int
    ratio : float, height to width of the full image
    caption : float, inches under each crop

    Returns
    -------
    side : float, of a crop in inches, the largest that fits
    beside : int, rows of crops that the full image is as high as
    width : float, of the full image in inches
    corners : list of (left, top), inches from the top left corner of the full image
    """
    room, step = style.PAGE - 2 * _MARGIN, 0.005
    for below in range(count + 1):  # rows
        options = [(side, beside) for beside in (1, 2, 3)
                   for side in (_LARGEST - step * i for i in range(int(_LARGEST / step)))
                   if _room_for(room, ratio, caption, side, beside, below) >= count]
        side, beside = max(options, key=lambda option: (option[0], -option[1]))
        if side >= _LEAST:
            break
    width = (beside * side + (beside - 1) * caption) / ratio
    across = int((room - width) / (side + _PAD))
    corners = [(width + _PAD + column * (side + _PAD), row * (side + caption))
              for row in range(beside) for column in range(across)]
    corners += [(column * (side + _PAD), (beside + row) * (side + caption))
               for row in range(below) for column in range(int((room + _PAD) / (side + _PAD)))]
    return side, beside, width, corners[:count]


def _room_for(room, ratio, caption, side, beside, below):
    """How many crops of a side fit, in rows beside and below the full image."""
    left = room - (beside * side + (beside - 1) * caption) / ratio
    if left < 0:  # the image alone is too wide
        return 0
    return beside * int(left / (side + _PAD)) + below * int((room + _PAD) / (side + _PAD))


def _panel(figure, image, left, top, width, height):
    """Axes with a picture, in inches from the top left corner of the figure."""
    w, h = figure.get_size_inches()
    axes = figure.add_axes((left / w, 1 - (top + _MARGIN + height) / h, width / w, height / h))
    # whole pixels, not blended: what a method made is what the reader sees
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto")
    style.bare(axes)
    return axes


def _frame(axes, box):
    """Draw the box of the crops, legible on bright and on dark corners."""
    y, x, side = box
    for colour, width in (("white", 2.6), (style.VERMILLION, 1.3)):
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), side, side, fill=False, linewidth=width,
                                 edgecolor=colour))


def _below(axes, text, line, **font):
    axes.annotate(text, (0.5, 0), (0, -2 - 72 * _LINE * line), ha="center", va="top",
                  xycoords="axes fraction", textcoords="offset points", fontsize=style.SMALL,
                  **font)


def _ranks(psnr_db):
    """The font of each value: of the best, of the second, of the others."""
    printed = [None if value is None else round(value, 2) for value in psnr_db]
    ranked = sorted({value for value in printed if value is not None}, reverse=True)
    styles = dict(zip(ranked, (_BEST, _SECOND))) if len(ranked) > 2 else {}
    if len(ranked) == 2:
        styles = {ranked[0]: _BEST}
    return [styles.get(value, {}) for value in printed]
