"""Routing against narrower networks without it: PSNR against time and against products."""

from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from pipeline.report.figures import style
from pipeline.report.front import CONTROL, otherwise, routed

_LOOKS = {"context": ("o", "-", "routed, real context"), "grouped": ("s", ":", "routed, the paper's borders")}


@style.rc()
def front(table):
    """Two panels: static networks as a line, and the settings of each routed network in the colour of its width.

    Parameters
    ----------
    table : DataFrame, front.csv

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(style.PAGE, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    if routed(table)[0].empty:
        for axes in (left, right):
            style.nothing(axes, "no routed network for this scale alone")
        return figure
    _draw(left, table, "ratio")
    _draw(right, table.assign(products=table.macs / 1e9), "products")
    left.set(xlabel="time, of FSRCNN's", ylabel="PSNR (dB)", title="(a) at equal time")
    right.set(xlabel="products an image (G)", title="(b) at equal products")
    marks = [Line2D([], [], color="k", marker=".", label="without routing, by channels")]
    marks += [Line2D([], [], color="0.4", linestyle=line, marker=marker, markersize=3.5, label=name,
                     markerfacecolor="0.4" if line == "-" else "white") for marker, line, name in _LOOKS.values()]
    left.legend(handles=marks + left.get_legend_handles_labels()[0], loc="lower right")
    return figure


def _draw(axes, table, x):
    some, static = routed(table)
    control, static = static[static.method == CONTROL], static[static.method != CONTROL].sort_values(x)
    axes.plot(static[x], static.psnr_db, "k.-", zorder=4)
    for row in static.itertuples():
        axes.annotate(f"{row.width:g}", (getattr(row, x), row.psnr_db), (-2, 4), textcoords="offset points",
                      fontsize=style.SMALL, ha="right", zorder=5)
    axes.plot(control[x], control.psnr_db, "D", color=style.GREEN)
    for row in control.itertuples():
        axes.annotate("FSRCNN", (getattr(row, x), row.psnr_db), (0, -12), textcoords="offset points",
                      fontsize=style.SMALL, color=style.GREEN, ha="center")
    widths = sorted(some.width.unique())
    first = some.patch.min()
    for k, width in enumerate(widths):
        colour = colormaps["plasma"](0.85 * (len(widths) - 1 - k) / max(1, len(widths) - 1))
        for mode, (marker, line, _) in _LOOKS.items():
            part = some[(some.width == width) & (some["mode"] == mode)]
            filled = colour if line == "-" else "white"
            own = part[part.patch == first].sort_values(x)
            axes.plot(own[x], own.psnr_db, marker + line, color=colour, markersize=3.5, markerfacecolor=filled,
                      linewidth=0.9)
            if len(own):
                last = own.iloc[-1]
                axes.annotate(f"{width:g}", (last[x], last.psnr_db), (3, -6), textcoords="offset points",
                              fontsize=style.SMALL, color=colour)
            larger = part[part.patch > first]
            axes.plot(larger[x], larger.psnr_db, "^", color=colour, markersize=3.5, markerfacecolor=filled)
    others = otherwise(table)
    for method, part in others[others["mode"] == "grouped"].sort_values(x).groupby("method"):
        look = style.method(method)
        axes.plot(part[x], part.psnr_db, look.marker + ":", color=look.colour, markersize=4, linewidth=0.9,
                  label=look.label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.12g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(True)
    axes.margins(0.08, 0.1)
