"""All claims with a number: our interval, and the paper's value where it names one."""

import re

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from pipeline.report.figures import style

_UNITS = {"dB": "difference of PSNR (dB)", "%": "difference or share (%)", "times": "ratio of times"}
_VERDICTS = {"supported": style.GREEN, "partly supported": style.BLUE, "contradicted": style.VERMILLION,
             "inconclusive": style.GREY}
_VALUE = re.compile(r"([+-]?[\d.]+) ?(dB|%|points|times)")
_FULL = {"points": "%"}


@style.rc()
def intervals(claims):
    """One panel a unit, one line a claim.

    Parameters
    ----------
    claims : DataFrame
        Columns of claims.csv: id, paper_value, our_value, ci_low, ci_high, verdict. Claims without an
        interval, or without a unit, are left out.

    Returns
    -------
    Figure
    """
    rows = _rows(claims)
    units = [unit for unit in _UNITS if (rows.unit == unit).any()]
    counts = [(rows.unit == unit).sum() for unit in units]
    height = 0.9 + 0.19 * sum(counts) + 0.45 * len(units)
    figure = Figure(figsize=(style.PAGE, height), layout="constrained")
    panels = figure.subplots(max(1, len(units)), 1, squeeze=False,
                             height_ratios=[n + 1 for n in counts] or None)
    if not units:
        style.nothing(panels[0, 0], "no claim of this run has an interval")
    for axes, unit in zip(panels[:, 0], units):
        _panel(axes, rows[rows.unit == unit], unit)
    handles = [Line2D([], [], color=colour, marker="o", label=verdict)
               for verdict, colour in _VERDICTS.items()]
    handles.append(Line2D([], [], color=style.BLACK, marker="D", markerfacecolor="white", linestyle="",
                          label="the paper's value"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.2)
    return figure


def _rows(claims):
    """Claims with an interval: id, verdict, unit, value, low, high, paper; numbers in that unit."""
    found = []
    for row in claims[claims.ci_low.notna()].itertuples():
        if ours := _VALUE.match(str(row.our_value)):
            unit = _FULL.get(ours[2], ours[2])
            theirs = _VALUE.match(str(row.paper_value))
            found.append((row.id, row.verdict, unit, float(ours[1]), row.ci_low, row.ci_high,
                          float(theirs[1]) if theirs else float("nan")))
    return pd.DataFrame(found, columns=["id", "verdict", "unit", "value", "low", "high", "paper"])


def _panel(axes, rows, unit):
    for y, row in enumerate(rows.itertuples()):
        colour = _VERDICTS.get(row.verdict, style.GREY)
        axes.plot([row.low, row.high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot(row.value, y, "o", color=colour)
        axes.plot(row.paper, y, "D", color=style.BLACK, markerfacecolor="white", zorder=3)
    axes.axvline(1 if unit == "times" else 0, color="0.5", linewidth=0.8, zorder=0)
    axes.set(xlabel=_UNITS[unit], ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(range(len(rows)), rows.id)
    if unit == "times":  # from far below one to far above it
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
