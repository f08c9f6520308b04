"""Times as the report shows them: one row a method, one column a mode, on a CPU and on a GPU."""

import pandas as pd

from pipeline.report.figures import style

MODES = ["whole", "grouped", "context", "paper"]


def by_mode(times):
    """One row a method and scale.

    Parameters
    ----------
    times : DataFrame
        timing.csv or gpu.csv, at one pair of thresholds: method, scale, mode, ms_median, limit_ms, macs, ...

    Returns
    -------
    DataFrame of the first row's other columns, the `MODES` in ms per image, limit_ms and macs of the whole image,
    and over_fsrcnn (time of the fastest mode over FSRCNN's)
    """
    key = ["method", "scale"]
    first = times.sort_values("mode", key=lambda mode: mode != "whole", kind="stable").drop_duplicates(key).set_index(key)
    order = pd.MultiIndex.from_frame(times[key].drop_duplicates())
    wide = times.pivot(index=key, columns="mode", values="ms_median").reindex(columns=MODES)
    table = first.loc[order].join(wide).reset_index().sort_values("scale", kind="stable")
    best = table[MODES].min(axis=1)
    return table.assign(over_fsrcnn=best / best.where(table.method == "fsrcnn").groupby(table.scale).transform("max"))


def words(table, scale):
    """What was measured on a GPU and how, and what routing does there, in sentences."""
    at, first = table.set_index(["method", "scale"]), table.iloc[0]
    prn = at.loc[("prn", scale)]
    ratio = prn.grouped / prn.whole
    routed = f"{ratio:.1f} times the time of" if ratio >= 1 else f"{1 / ratio:.1f} times as fast as"
    measured = (f"{first.device}, {style.dataset(first.dataset)}, medians of up to {table.repeats.max()} repeats over "
                f"{first.images} images one by one, between CUDA events; measured by python -m stages.gpu before this run.")
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
