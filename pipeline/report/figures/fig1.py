"""Fig. 1: quality against time."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from pipeline.report.figures import style
from pipeline.report.figures.labels import annotate

_ASIDE = ("prn_no_rolling", "fsrcnn_ours")  # at the places of PRN and FSRCNN: Table I has them
_MODES = {"grouped": "", "paper": ", patch by patch", "whole": "", "context": ""}


@style.rc()
def efficiency(table, timing, dataset, scale):
    """PSNR against time of each method that has both.

    Those `_ASIDE` are left out.  PRN and its variants are scored patch by patch and stand at the times of the modes ``grouped`` and
    ``paper``, PRN with real context at that of ``context``; all others at that of ``whole``.
    A hollow marker has a cited quality: alone where the time alone is measured, else beside ours, at our
    time, where the paper's figure differs by 0.01 dB or more.

    Parameters
    ----------
    table : DataFrame
        Columns of table1.csv: method, dataset, scale, psnr_db, paper_psnr_db (dB), source.
    timing : DataFrame
        Columns of timing.csv: method, dataset, scale, device, mode, ms_median, ms_p10, ms_p90
        (ms per image). One panel a device.
    dataset : str
    scale : int

    Returns
    -------
    Figure
    """
    rows = _points(table, timing, dataset, scale)
    devices = list(dict.fromkeys(rows.device))
    figure = Figure(figsize=(style.COLUMN if len(devices) < 2 else style.PAGE, 3.0),
                    layout="constrained")
    panels = figure.subplots(1, max(1, len(devices)), squeeze=False, sharey=True)[0]
    if not devices:
        style.nothing(panels[0], f"no time on {style.dataset(dataset)}, ×{scale}")
    else:
        panels[0].set_ylabel(f"PSNR (dB) on {style.dataset(dataset)}, ×{scale}")
    for axes, device in zip(panels, devices):
        _draw(axes, rows[rows.device == device])
        axes.set_title(textwrap.fill(device, 60), fontsize=style.SMALL, loc="left")
    for axes, device in zip(panels, devices):  # after all limits are known
        _label(axes, rows[rows.device == device])
    return figure


def _points(table, timing, dataset, scale):
    """The rows of `timing` to draw, with psnr_db and whether it is cited."""
    table, timing = (rows[(rows.dataset == dataset) & (rows.scale == scale)] for rows in (table, timing))
    quality = table.assign(cited=table.source == "cited", psnr_db=table.psnr_db.fillna(table.paper_psnr_db))
    context = timing[(timing.method == "prn") & (timing["mode"] == "context")].assign(method="prn_context")
    columns = ["method", "psnr_db", "paper_psnr_db", "cited"]
    rows = pd.concat([timing, context]).merge(quality[columns], on="method")
    rows = rows[~rows.method.isin(_ASIDE)]
    context = rows.method == "prn_context"
    routed = rows.method.str.startswith("prn") & ~context  # without routing too: each patch by the severe path
    return rows[routed & rows["mode"].isin(["grouped", "paper"]) | context
                | ~routed & ~context & (rows["mode"] == "whole")]


def _draw(axes, rows):
    axes.set_xscale("log")
    front = _front(rows)
    axes.plot(front.ms_median, front.psnr_db, color="0.8", linewidth=1.5, zorder=0)
    for row in rows.itertuples():
        drawn = style.method(row.method)
        reach = [[max(0, row.ms_median - row.ms_p10)], [max(0, row.ms_p90 - row.ms_median)]]
        axes.errorbar(row.ms_median, row.psnr_db, xerr=reach, fmt=drawn.marker, color=drawn.colour,
                      markersize=9 if drawn.marker == "*" else 5.5, elinewidth=0.8, capsize=1.5,
                      markerfacecolor="white" if row.cited else drawn.colour)
        if not row.cited and abs(row.psnr_db - row.paper_psnr_db) >= 0.01:  # False for NaN
            axes.plot([row.ms_median] * 2, [row.psnr_db, row.paper_psnr_db], color=drawn.colour, linewidth=0.6,
                      alpha=0.6, zorder=1)
            axes.plot(row.ms_median, row.paper_psnr_db, drawn.marker, color=drawn.colour, zorder=1,
                      markersize=7 if drawn.marker == "*" else 4.5, markerfacecolor="white", markeredgewidth=0.7)
    axes.margins(0.12)
    style.widen(axes, 0.1)
    first, last = axes.get_xlim()
    if last < 6 * first:  # too short for powers of ten
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if last < 100 * first else (1,)))
    axes.xaxis.set_major_formatter("{x:,.12g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(True)
    axes.set_xlabel("time (ms per image)")


def _front(rows):
    """The rows that no other one surpasses in both time and PSNR, by time."""
    rows = rows.sort_values(["ms_median", "psnr_db"], ascending=[True, False])
    return rows[rows.psnr_db > rows.psnr_db.cummax().shift(fill_value=-float("inf"))]


def _label(axes, rows):
    texts = [style.method(row.method).label + _MODES[row.mode] for row in rows.itertuples()]
    bars = [((row.ms_p10, row.psnr_db), (row.ms_p90, row.psnr_db)) for row in rows.itertuples()]
    own = {style.method("prn").label + suffix for suffix in _MODES.values()}
    annotate(axes, rows[["ms_median", "psnr_db"]], texts, lines=bars, bold=own)
