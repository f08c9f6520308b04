"""Fig. 2: patches that a CNN improves much, and patches that it hardly improves."""

import numpy as np
from matplotlib.figure import Figure

from pipeline.report.figures import style

_ACROSS = 2  # examples beside each other in a block
_NAMES = ("HR", "bicubic", "CNN")


@style.rc()
def examples(severe, mild):
    """Example patches: on the left those of a large gain, on the right those of a little one.

    Parameters
    ----------
    severe, mild : dict
        ``hr``, ``bicubic``, ``cnn``: ndarray, shape (n, P, P), uint8; ``psnr``: ndarray, shape
        (n, 2), dB, of bicubic and of the CNN.

    Returns
    -------
    Figure
    """
    rows = max(1, *(-(-len(block["hr"]) // _ACROSS) for block in (severe, mild)))
    figure = Figure(figsize=(style.PAGE, 0.4 + 0.735 * rows), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.05, h_pad=0.03, wspace=0, hspace=0)
    titles = ("(a) large gain over bicubic", "(b) little gain over bicubic")
    for part, block, title in zip(figure.subfigures(1, 2), (severe, mild), titles):
        part.suptitle(title, fontsize=8)
        panels = part.subplots(rows, _ACROSS, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        if len(block["hr"]) == 0:
            style.nothing(panels[0], "no such patch")
        for i, axes in enumerate(panels[: len(block["hr"])]):
            _example(axes, *(block[key][i] for key in ("hr", "bicubic", "cnn", "psnr")),
                     named=i < _ACROSS)
    return figure


def _example(axes, hr, bicubic, cnn, psnr_db, named):
    """HR, bicubic and CNN beside each other, with the PSNR in dB below."""
    side = hr.shape[0]
    gap = max(1, side // 18)
    strip = np.full((side, 3 * side + 2 * gap), 255, np.uint8)
    for k, patch in enumerate((hr, bicubic, cnn)):
        left = k * (side + gap)
        strip[:, left : left + side] = patch
        if named:
            axes.annotate(_NAMES[k], (left + side / 2, -0.5), (0, 1.5), ha="center", va="bottom",
                          textcoords="offset points", fontsize=style.SMALL)
    axes.imshow(strip, cmap="gray", vmin=0, vmax=255, interpolation="none")
    before, after = psnr_db
    gain = f"{after - before:+.2f}".replace("-", "\N{MINUS SIGN}")
    axes.annotate(f"{before:.2f} → {after:.2f} dB, gain {gain}", (0.5, 0), (0, -2), ha="center",
                  xycoords="axes fraction", textcoords="offset points", va="top",
                  fontsize=style.SMALL)
