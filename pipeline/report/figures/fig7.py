"""Fig. 7: quality, time and routes for the thresholds of Table II."""

from itertools import zip_longest

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.report.figures import style
from pipeline.report.figures.labels import annotate

_DEFAULT = "U2L2"  # the pair that the paper settles on
_SHARES = [f"share_{route}" for route in style.ROUTES]


@style.rc()
def thresholds(table2):
    """PSNR against time for each pair of thresholds, and what share of patches goes where.

    Parameters
    ----------
    table2 : DataFrame
        Columns of table2.csv: label, gamma_low, gamma_upper (units of P), psnr_db (dB),
        ms_per_image (ms), share_mild, share_moderate, share_severe (0..1); a row a pair.

    Returns
    -------
    Figure
    """
    height = max(2.9, 0.75 + 0.17 * len(table2))
    figure = Figure(figsize=(style.PAGE, height), layout="constrained")
    figure.get_layout_engine().set(wspace=0.04)
    left, right = figure.subplots(1, 2, width_ratios=[1.55, 1])
    _routes(right, table2)
    _plane(left, table2)
    return figure


def _plane(axes, table2):
    uppers, lows = (sorted(set(table2[name])) for name in ("gamma_upper", "gamma_low"))
    colours = {upper: style.PALETTE[i % len(style.PALETTE)] for i, upper in enumerate(uppers)}
    markers = {low: style.MARKERS[i % len(style.MARKERS)] for i, low in enumerate(lows)}
    lines = []
    for upper, rows in table2.sort_values("gamma_low").groupby("gamma_upper"):
        xy = rows[["ms_per_image", "psnr_db"]].to_numpy()
        axes.plot(*xy.T, color=colours[upper], linewidth=0.9, alpha=0.7, zorder=2)
        lines.append(xy)
        for row in rows.itertuples():
            axes.plot(row.ms_per_image, row.psnr_db, markers[row.gamma_low], color=colours[upper],
                      markersize=5, zorder=3)
    chosen = table2[table2.label == _DEFAULT]
    axes.plot(chosen.ms_per_image, chosen.psnr_db, "o", color=style.BLACK, markersize=11,
              markerfacecolor="none", markeredgewidth=1.1, zorder=4)
    axes.margins(0.1, 0.12)
    style.widen(axes, 0.02)
    axes.ticklabel_format(useOffset=False)
    axes.grid(True)
    axes.set(title="(a)", xlabel="time (ms per image)", ylabel="PSNR (dB)")
    _key(axes, colours, markers)
    annotate(axes, table2[["ms_per_image", "psnr_db"]], list(table2.label), lines=lines,
             bold={_DEFAULT})


def _key(axes, colours, markers):
    """Two rows above the plot: a colour for each gamma_upper, a marker for each gamma_low."""
    rows = [[Line2D([], [], linestyle="", label=rf"$\gamma_\mathrm{{{name}}}$ =")]
            for name in ("upper", "low")]
    rows[0] += [Line2D([], [], color=colour, label=f"{value:g}")
                for value, colour in colours.items()]
    rows[1] += [Line2D([], [], color="0.25", marker=marker, linestyle="", label=f"{value:g}")
                for value, marker in markers.items()]
    blank = Line2D([], [], linestyle="", label=" ")
    columns = zip_longest(*rows, fillvalue=blank)  # a legend is filled column by column
    handles = [handle for column in columns for handle in column]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles) // 2,
                columnspacing=1.2, borderaxespad=0.2)


def _routes(axes, table2):
    left = np.zeros(len(table2))
    y = np.arange(len(table2))
    for route, name in zip(style.ROUTES, _SHARES):
        column = table2[name].to_numpy(dtype=float) * 100
        axes.barh(y, column, 0.72, left, label=route, color=style.ROUTE_COLOURS[route],
                  edgecolor="white", linewidth=0.6)
        left += column
    axes.set_yticks(y, table2.label)
    middle, half = (len(table2) - 1) / 2, max(len(table2), 6) / 2
    axes.set_ylim(middle + half, middle - half)  # the first row on top; few rows stay slim
    for tick, label in zip(axes.get_yticklabels(), table2.label):
        tick.set_fontweight("bold" if label == _DEFAULT else "normal")
    axes.set(xlim=(0, 100), xlabel="share of the patches (%)", title="(b)")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.55, 1), ncols=3, handlelength=1,
                columnspacing=1.2)
