"""Fonts, sizes and colours that all figures share, and how figures are written to files."""

import matplotlib.style
import pandas as pd

from pipeline import paper
from pipeline.io import atomic

COLUMN, PAGE = 3.5, 7.16  # inches: one column and the full width of an IEEE page
SMALL = 7  # points: the smallest text of any figure
DPI = 200

# Okabe and Ito's palette, without its yellow, which is too light for points on white paper
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#7F7F7F"
# for the values of a parameter; those that also stand for a route come last
PALETTE = (SKY, ORANGE, GREEN, PURPLE, BLUE, VERMILLION, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

DATASETS = {"set5": "Set5", "set14": "Set14", "bsds100": "BSDS100", "urban100": "Urban100",
            "embedded_test": "embedded images"}

# as in `pipeline.sr.prior`, restated because that module needs torch
ROUTES = ("mild", "moderate", "severe")
# close to the red, blue and black of the paper's Fig. 5 and 6
ROUTE_COLOURS = {"mild": VERMILLION, "moderate": BLUE, "severe": "#262626"}

_RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": SMALL,
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6,
    "axes.titlelocation": "left", "axes.axisbelow": True, "axes.grid": False,
    "grid.color": "0.9", "grid.linewidth": 0.5,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.minor.width": 0.4,
    "xtick.major.size": 3, "ytick.major.size": 3, "xtick.minor.size": 1.5,
    "lines.linewidth": 1.2, "lines.markersize": 5, "legend.frameon": False,
    "legend.handlelength": 1.6, "savefig.dpi": DPI, "savefig.bbox": None,
    "svg.hashsalt": "prn", "svg.fonttype": "path",
}


def rc():
    """The rc parameters of all figures: a context manager, and a decorator."""
    return matplotlib.style.context(["default", _RC])


def method(name):
    """Row of methods.csv: label, colour, marker; an unknown method keeps its own name and is grey."""
    known = paper.methods()
    return known.loc[name] if name in known.index else pd.Series(
        {"label": name, "colour": GREY, "marker": "o"})


def dataset(name):
    """Printed name of a data set; an unknown one keeps its own."""
    return DATASETS.get(name, name)


def plain(text):
    """A user's words as they are: matplotlib would read what is between two $ as a formula."""
    return text.replace("$", r"\$")


def bare(axes):
    """Remove ticks and keep a thin frame: for pictures."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, linewidth=0.4, color="0.4")


def widen(axes, least):
    """Let the y axis span at least that much, so that one value alone is no cliff."""
    low, high = axes.dataLim.intervaly
    if high - low < least:
        axes.set_ylim((low + high - 1.5 * least) / 2, (low + high + 1.5 * least) / 2)


def nothing(axes, text):
    """Say in an empty panel why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", wrap=True,
              color="0.3")


def save(figure, stem):
    """Write ``<stem>.png`` and ``<stem>.svg``; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
    stem : Path
        The files' common path, without a suffix.

    Returns
    -------
    tuple of Path
    """
    png, svg = (stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg"))
    with rc():
        for path, metadata in ((png, {"Software": None}), (svg, {"Date": None, "Creator": None})):
            with atomic(path) as partial:
                figure.savefig(partial, format=path.suffix[1:], metadata=metadata)
    return png, svg
