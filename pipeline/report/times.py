"""Times as the report shows them: one row a method, one column a mode, on a CPU and on a GPU."""

import numpy as np
import pandas as pd

from pipeline.report.figures import style

MODES = ["whole", "grouped", "context", "paper"]


def at_thresholds(times, gamma_low, gamma_upper):
    """Rows of timing.csv or gpu.csv without routes, or routed at these thresholds, as far as the CSV has digits."""
    near = [np.isclose(times[name], value, rtol=0, atol=1e-5)
            for name, value in (("gamma_low", gamma_low), ("gamma_upper", gamma_upper))]
    return times[times.gamma_low.isna() | near[0] & near[1]]


def by_mode(times):
    """One row a method and scale that was timed on the whole image.

    Parameters
    ----------
    times : DataFrame
        timing.csv or gpu.csv, at one pair of thresholds: method, scale, mode, ms_median, limit_ms, macs, ...

    Returns
    -------
    DataFrame of the other columns of the whole image, the `MODES` in ms per image, and
    over_fsrcnn (time of the fastest mode over FSRCNN's)
    """
    key = ["method", "scale"]
    first = times[times["mode"] == "whole"].sort_values("scale", kind="stable")
    wide = times.pivot(index=key, columns="mode", values="ms_median").reindex(columns=MODES)
    table = first.join(wide, on=key)
    best = table[MODES].min(axis=1)
    return table.assign(over_fsrcnn=best / best.where(table.method == "fsrcnn").groupby(table.scale).transform("max"))


def words(table, scale):
    """What was measured on a GPU and how, and what routing does there, in sentences."""
    at, first = table.set_index(["method", "scale"]), table.iloc[0]
    prn = at.loc[("prn", scale)]
    ratio = prn.grouped / prn.whole
    routed = f"{ratio:.1f} times the time of" if ratio >= 1 else f"{1 / ratio:.1f} times as fast as"
    measured = (f"{first.device}, {style.dataset(first.dataset)}, ms an image, medians of up to {table.repeats.max()} "
                f"repeats over {first.images} images one by one, between CUDA events; measured by python -m stages.gpu "
                "before this run. Of FSRCNN's: the fastest mode.")
    if prn.grouped != prn.grouped:  # not at the thresholds of this run
        return measured
    return f"{measured} PRN routed by the engine takes {prn.grouped:.2f} ms, {routed} the whole image."


def engine(table):
    """The engine's rows of one scale, image by image: float32, and what bfloat16 takes.

    Parameters
    ----------
    table : DataFrame, engine.csv

    Returns
    -------
    DataFrame: one row a method, data set and mode, with over_fsrcnn and, where it was timed, bfloat16_ms
    """
    key = ["method", "dataset", "mode"]
    one = table[table.batch == table.batch.min()].drop_duplicates([*key, "precision"])  # a batch may be of one image
    rows = one[one.precision == "float32"].reset_index(drop=True)
    other = one[one.precision == "bfloat16"].set_index(key).ms_median.rename("bfloat16_ms")
    rows = rows.join(other, on=key) if len(other) else rows
    return rows.assign(over_fsrcnn=1 / rows.fsrcnn_ratio)
