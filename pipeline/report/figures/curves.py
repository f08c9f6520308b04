"""Learning curves of the trained variants."""

import re

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from pipeline.report.figures import style

_DEPTH = 4  # dB
_COLUMN = re.compile(r"psnr_db_x(\d+)")


def gather(records, phases):
    """The learning curves of trained variants as one table.

    Parameters
    ----------
    records : dict of variant to dict
        Its ``curve`` (list of dict: step, psnr_db_x<scale>...) and ``phases`` (name: [steps, images]).
    phases : sequence of str
        Names in the order of training.

    Returns
    -------
    DataFrame, the argument of `learning_curves`
    """
    parts = [pd.DataFrame(columns=["variant", "phase", "step"])]
    for variant, record in records.items():
        if record["curve"]:
            part = pd.DataFrame(record["curve"])
            ends = np.cumsum([record["phases"][key][0] for key in phases if key in record["phases"]])
            # the last point of a phase is measured on that phase's images
            parts.append(part.assign(variant=variant, phase=np.searchsorted(ends, part.step)))
    return pd.concat(parts[1:] or parts, ignore_index=True)


@style.rc()
def learning_curves(curves):
    """PSNR on held-out training patches against the training step, one panel a scale.

    A panel reaches at most 4 dB below its best value, or to the worst final one: of a network that
    starts far below, the first steps leave the frame, so that the rest stays legible.

    Parameters
    ----------
    curves : DataFrame
        Columns variant, phase (a number; a line breaks between phases, which hold out images of
        their own), step and psnr_db_x<scale> (dB) for any scales; nan or no column where a variant
        was not trained for a scale.

    Returns
    -------
    Figure
    """
    scales = sorted(int(match[1]) for match in map(_COLUMN.fullmatch, curves.columns)
                    if match and curves[match[0]].notna().any())
    across = 4 if len(scales) > 1 else 2  # columns of the key
    figure = Figure(figsize=(style.PAGE if len(scales) > 1 else style.COLUMN,
                             2.5 + 0.16 * -(-curves.variant.nunique() // across)),
                    layout="constrained")
    panels = figure.subplots(1, max(1, len(scales)), squeeze=False)[0]
    if not scales:
        style.nothing(panels[0], "no training in this run")
        return figure
    handles = {}
    for axes, scale in zip(panels, scales):
        handles |= _panel(axes, curves, f"psnr_db_x{scale}")
        axes.set(title=f"×{scale}", xlabel="training step")
    panels[0].set_ylabel("PSNR on held-out\ntraining patches (dB)")
    figure.legend(handles=list(handles.values()), loc="outside lower center",
                  ncols=across, columnspacing=1.2)
    return figure


def _panel(axes, curves, column):
    """Draw one scale; the handle of each variant by its name."""
    handles, finals = {}, []
    for variant, rows in curves.dropna(subset=[column]).groupby("variant", sort=False):
        rows = rows.sort_values("step")
        drawn = style.method(variant)
        for _, part in rows.groupby("phase"):
            handles[variant], = axes.plot(
                part.step, part[column], color=drawn.colour, marker=drawn.marker, label=drawn.label,
                markersize=6 if drawn.marker == "*" else 3.5, linewidth=0.9,
                markevery=max(1, len(rows) // 6))
        finals.append(rows[column].iloc[-1])
    lowest, best = curves[column].min(), curves[column].max()
    bottom = min(min(finals), max(lowest, best - _DEPTH))
    margin = 0.05 * max(best - bottom, 0.1)
    axes.set_ylim(bottom - margin, best + margin)
    axes.set_xscale("log")  # budgets differ by a factor of ten and more
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter("")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(True)
    return handles
