"""Learning curves of the trained variants."""

import re

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from pipeline.report.figures import style

_COLUMN = re.compile(r"psnr_db_x(\d+)")
_FAMILIES = ("PRN and its variants", "other networks")


def gather(records):
    """The learning curves of trained variants as one table.

    Parameters
    ----------
    records : dict of variant to dict
        Its ``curve``: list of dict of step, psnr_db_x<scale>...

    Returns
    -------
    DataFrame, the argument of `learning_curves`
    """
    parts = [pd.DataFrame(record["curve"]).assign(variant=variant)
             for variant, record in records.items() if record.get("curve")]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["variant", "step"])


@style.rc()
def learning_curves(curves):
    """PSNR on held-out training images against the training step: a row a family, a column a scale.

    Parameters
    ----------
    curves : DataFrame
        Columns variant, step and psnr_db_x<scale> (dB) for any scales; nan or no column where a
        variant was not trained for a scale.

    Returns
    -------
    Figure
    """
    scales = sorted(int(match[1]) for match in map(_COLUMN.fullmatch, curves.columns)
                    if match and curves[match[0]].notna().any())
    is_prn = curves.variant.astype(str).str.startswith("prn")
    families = [(name, rows) for name, rows in zip(_FAMILIES, (curves[is_prn], curves[~is_prn])) if len(rows)]
    if not scales:
        figure = Figure(figsize=(style.COLUMN, 2.5), layout="constrained")
        style.nothing(figure.subplots(), "no training in this run")
        return figure
    figure = Figure(figsize=(style.PAGE, 2.3 * len(families)), layout="constrained")
    for part, (name, rows) in zip(figure.subfigures(len(families), 1, squeeze=False)[:, 0], families):
        panels = part.subplots(1, len(scales), squeeze=False)[0]
        for axes, scale in zip(panels, scales):
            handles = _panel(axes, rows, f"psnr_db_x{scale}")
            axes.set(title=f"{name}, ×{scale}", xlabel="training step")
        panels[0].set_ylabel("PSNR on held-out\ntraining images (dB)")
        part.legend(handles=handles, loc="outside right center")
    return figure


def _panel(axes, rows, column):
    """Draw one scale of one family; handles of all its variants, whether trained for the scale or not."""
    handles = []
    for i, (variant, part) in enumerate(rows.groupby("variant", sort=False)):
        part = part.dropna(subset=[column] if column in part else []).sort_values("step")
        drawn = style.method(variant)
        colour = style.PALETTE[i % len(style.PALETTE)]  # told apart within the panel
        line, = axes.plot(part.step, part[column], color=colour, marker=drawn.marker, label=drawn.label,
                          markersize=6 if drawn.marker == "*" else 3.5, linewidth=0.9,
                          markevery=max(1, len(part) // 6))
        handles.append(line)
    axes.set_xscale("log")  # budgets differ by a factor of ten and more
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter("")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(True)
    return handles
