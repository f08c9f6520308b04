"""timing.csv and engine.csv from raw repeats."""

import numpy as np


def timing(raw, machine, more=()):
    """timing.csv: median, p10 and p90 over repeats, with the limit of the device beside them.

    Parameters
    ----------
    raw : DataFrame
        Raw repeats of `pipeline.timing.clocks.measure`, with columns macs and bytes per image.
    machine : dict
        `pipeline.timing.clocks.peaks`.
    more : sequence of str
        Further columns that tell rows apart.

    Returns
    -------
    DataFrame
        ms are per image; ``limit_ms`` is the time that the counted MACs and bytes take at the
        measured peak of the device.
    """
    keys = ["method", "dataset", "scale", "mode", "images", "gamma_low", "gamma_upper", "macs",
            "bytes", *more]
    rows = raw.groupby(keys, dropna=False, sort=False).agg(
        repeats=("repeat", "nunique"), ms_median=("ms", "median"),
        ms_p10=("ms", lambda x: x.quantile(0.1)), ms_p90=("ms", lambda x: x.quantile(0.9)),
        host_ms_median=("host_ms", "median")).reset_index()
    compute = 2 * rows.macs / machine["gflops"] / 1e6
    traffic = rows.bytes / machine["gbytes_s"] / 1e6
    rows = rows.assign(device=machine["device"], limit_ms=np.maximum(compute, traffic))
    first = ["method", "dataset", "scale", "device", "mode", "images", "repeats", "ms_median",
             "ms_p10", "ms_p90"]
    return rows[first + [c for c in rows if c not in first]]


def engine(raw, machine, borders, dataset, scale):
    """The engine against the whole image and FSRCNN; ``speedup`` is over PRN's whole image.

    Parameters
    ----------
    raw : DataFrame
        Raw repeats of `pipeline.timing.engine_jobs.against`.
    machine : dict, `pipeline.timing.clocks.peaks`
    borders : DataFrame: policy, image, psnr_db, of `pipeline.experiments.seams`
    dataset, scale : of `borders`

    Returns
    -------
    DataFrame, the columns of timing.csv, and precision, batch, peak_mb, speedup (against the same
    precision and kind of batch), fsrcnn_ratio (FSRCNN's time over this one's, likewise), routing_share
    (of the engine's time before its passes: cutting, bicubic, prior, classes), psnr_db
    """
    rows = timing(raw, machine, ["precision", "batch", "peak_bytes"])
    rows["peak_mb"] = rows.pop("peak_bytes") / 1e6
    alike = ["dataset", "scale", "precision", rows.batch > 1]
    for column, name in (("speedup", "prn"), ("fsrcnn_ratio", "fsrcnn")):
        base = rows.ms_median.where((rows.method == name) & (rows["mode"] == "whole"))
        rows[column] = base.groupby([rows[k] if isinstance(k, str) else k for k in alike]).transform(
            "max") / rows.ms_median
    before = rows.ms_median.where(rows["mode"] == "routing").groupby(
        [rows[k] if isinstance(k, str) else k for k in alike]).transform("max")
    rows["routing_share"] = (before / rows.ms_median).where(rows["mode"].isin(["grouped", "context"]))
    rows = rows[rows["mode"] != "routing"].reset_index(drop=True)
    policy = {("grouped", "float32"): "paper", ("context", "float32"): "context",
              ("whole", "float32"): "whole", ("grouped", "bfloat16"): "paper bf16"}
    psnr = borders.groupby("policy").psnr_db.mean()
    here = (rows.method == "prn") & (rows.dataset == dataset) & (rows.scale == scale)
    keys = zip(rows["mode"].replace("paper", "grouped"), rows.precision)
    rows["psnr_db"] = [psnr.get(policy.get(key)) if ok else None for key, ok in zip(keys, here)]
    return rows
