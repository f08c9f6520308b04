"""Times on a GPU beside those of the run: one row a method and scale, one column a mode."""

from pipeline.report.figures import style

MODES = ["whole", "grouped", "context", "paper"]


def by_mode(times):
    """The table of the report.

    Parameters
    ----------
    times : DataFrame
        gpu.csv: method, dataset, scale, device, mode, images, repeats, ms_median..., at one pair of thresholds.

    Returns
    -------
    DataFrame of method, scale, dataset, device, images, repeats, the `MODES` in ms per image, and fsrcnn_ratio
    (FSRCNN's time over that of the fastest mode)
    """
    keys = ["method", "scale", "dataset", "device", "images", "repeats"]
    first = times.drop_duplicates(["method", "scale"])[keys].reset_index(drop=True)
    wide = times.pivot(index=["method", "scale"], columns="mode", values="ms_median").reindex(columns=MODES)
    table = first.join(wide, on=["method", "scale"]).sort_values("scale", kind="stable")
    best = table[MODES].min(axis=1)
    return table.assign(fsrcnn_ratio=best.where(table.method == "fsrcnn").groupby(table.scale).transform("max") / best)


def words(table, scale):
    """What was measured how, and what routing does there, in sentences."""
    at, first = table.set_index(["method", "scale"]), table.iloc[0]
    prn, fsrcnn = at.loc[("prn", scale)], at.loc[("fsrcnn", scale)]
    ratio = prn.grouped / prn.whole
    routed = f"{ratio:.1f} times the time of" if ratio >= 1 else f"{1 / ratio:.1f} times as fast as"
    measured = (f"{first.device}, {style.dataset(first.dataset)}, medians of up to {table.repeats.max()} repeats over "
            f"{first.images} images one by one, between CUDA events; measured by python -m stages.gpu before this run.")
    if prn.grouped != prn.grouped:  # not at the thresholds of this run
        return measured
    return (f"{measured} At ×{scale} PRN routed by the engine takes {prn.grouped:.2f} ms, {routed} the whole image "
            f"({prn.whole:.2f} ms); patch by patch, as the paper describes it, {prn.paper:.1f} ms; FSRCNN "
            f"{fsrcnn.whole:.2f} ms.")
