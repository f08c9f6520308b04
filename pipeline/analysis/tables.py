"""Tables I-IV from CSV, with the paper's figures beside ours (section IV).

Nothing here imports torch: a caption edit costs seconds.
"""

import numpy as np
import pandas as pd

from pipeline.paper import methods, read, table1 as paper_table1

SHARES = ["share_mild", "share_moderate", "share_severe"]


def quality(parts):
    """quality.csv: the rows of every method, one below the other.

    Raises
    ------
    ValueError
        A mean would hide something: a score that is not finite, or methods on different images.
    """
    rows = pd.concat(parts, ignore_index=True)
    for row in rows[~np.isfinite(rows[["psnr_db", "ssim"]]).all(axis=1)].itertuples():
        raise ValueError(f"{row.method} on {row.image} of {row.dataset}, x{row.scale}: PSNR "
                         f"{row.psnr_db} dB, SSIM {row.ssim} have no mean; leave a flat image out")
    for (dataset, scale), part in rows.groupby(["dataset", "scale"]):
        every = set(part.image)
        for method, images in part.groupby("method").image:
            if len(images) != len(every) or set(images) != every:
                raise ValueError(f"{method} on {dataset}, x{scale}: scored {len(images)} of "
                                 f"{len(every)} images; run dvc repro -f evaluate")
    return rows


def table1(rows, datasets, weights):
    """Table I: mean PSNR and SSIM, the paper's figure beside ours.

    Parameters
    ----------
    rows : DataFrame, as quality.csv
    datasets : list of str
        For each of these that the paper has, its methods without a number of ours have a row that is
        marked ``cited``; so have the networks that Table I lacks, with the figures of their own papers.
    weights : dict of method to where its weights come from, by their provenance
        "authors", "ours", "fitted", empty for one that has none; or a dict of "x2"... to one of these.

    Returns
    -------
    DataFrame: method, dataset, scale, psnr_db, ssim, paper_psnr_db, paper_ssim, source, weights
    """
    ours = rows.groupby(["method", "dataset", "scale"], sort=False)[["psnr_db", "ssim"]].mean()
    others = read("published").rename(columns={"psnr_db": "paper_psnr_db", "ssim": "paper_ssim"})
    others = others[~others.method.isin(rows.method)].drop(columns="protocol")
    paper = pd.concat([paper_table1(), others])
    paper = paper[paper.dataset.isin(datasets) & paper.scale.isin(rows.scale)]
    table = ours.reset_index().merge(paper, how="outer", on=["method", "dataset", "scale"])
    table["source"] = np.where(table.psnr_db.isna(), "cited", "measured")
    table["weights"] = ["" if row.source == "cited" else _at(weights.get(row.method, ""), row.scale)
                        for row in table.itertuples()]
    order = [*dict.fromkeys([*methods().index, *rows.method])]
    keys = {"method": order, "dataset": datasets}
    by = table.apply(lambda c: c.map(keys[c.name].index) if c.name in keys else c)
    index = by.sort_values(["scale", "dataset", "method"]).index
    return table.loc[index].reset_index(drop=True)


def published(rows):
    """Methods that Table I lacks, beside the figures of their own papers; ours may lack some of these.

    VDSR's and DRCN's are of another protocol (luma rounded to 8 bits), which reads 0.01 to 0.06 dB
    lower on Set5; LapSRN's of this one, x3 from its later paper.

    Parameters
    ----------
    rows : DataFrame, as quality.csv

    Returns
    -------
    DataFrame: method, dataset, scale, psnr_db, ssim, published_psnr_db, published_ssim, delta_db,
        protocol
    """
    ours = rows.groupby(["method", "dataset", "scale"], sort=False)[["psnr_db", "ssim"]].mean()
    theirs = read("published").rename(
        columns={"psnr_db": "published_psnr_db", "ssim": "published_ssim"})
    run = rows[["dataset", "scale"]].drop_duplicates()
    theirs = theirs[theirs.method.isin(rows.method)].merge(run)
    table = ours.reset_index().merge(theirs, how="right", on=["method", "dataset", "scale"])
    table.insert(7, "delta_db", table.psnr_db - table.published_psnr_db)
    return table


def table2(ablation, times, pairs, scale):
    """Table II's thresholds with Fig. 7's results, for PRN.

    ``speedup`` is against the severe path over the whole image, in the same run.

    Parameters
    ----------
    ablation : DataFrame, as ablation.csv
    times : DataFrame, as timing.csv
    pairs : list of (label, gamma_low, gamma_upper)
    scale : int
    """
    whole = _time(times, "prn", scale, "whole")
    rows = []
    for label, low, upper in pairs:
        part = ablation[(ablation.method == "prn") & (ablation.gamma_low == low)
                        & (ablation.gamma_upper == upper)]
        ms = _time(times, "prn", scale, "grouped", low, upper)
        rows.append({"label": label, "gamma_low": low, "gamma_upper": upper,
                     "psnr_db": part.psnr_db.mean(), "ms_per_image": ms, "speedup": whole / ms,
                     **part[SHARES].mean()})
    return pd.DataFrame(rows)


def depth_variants(variants):
    """Which variant has which depth: dict of (stage, depth) to name.

    Parameters
    ----------
    variants : dict of str to dict
        Options of the prn variants; one that changes anything but a depth is left out.
    """
    found = {}
    for name, options in variants.items():
        if name == "prn":
            found |= {("early", 1): name, ("middle", 2): name}
        elif len(options) == 1 and next(iter(options)) in ("early", "middle"):
            found.setdefault(next(iter(options.items())), name)
    return found


def table3(ablation, times, variants, gammas, scale):
    """Table III: depth of the early and of the middle stage.

    Time is ms per image, grouped mode; the paper's has no unit (decision D11).
    """
    paper = read("table3").set_index(["stage", "depth"])
    names, equal = depth_variants(variants), {"prn": "prn_seed0"} if "prn_seed0" in ablation.method.values else {}
    rows = []
    for stage, depth in paper.index:
        name = names.get((stage, depth))
        rows.append({"stage": stage, "depth": depth,
                     "psnr_db": _psnr(ablation, equal.get(name, name), gammas),  # after equal patches
                     "ms_per_image": _time(times, name, scale, "grouped", *gammas),
                     "paper_psnr_db": paper.psnr_db[stage, depth],
                     "paper_time": paper.time[stage, depth]})
    return pd.DataFrame(rows)


def table4(ablation, gammas):
    """Table IV: without and with rolling."""
    paper = read("table4").set_index("rolling").psnr_db
    names = {"without": "prn_no_rolling", "with": "prn"}
    return pd.DataFrame([{"rolling": rolling, "psnr_db": _psnr(ablation, name, gammas),
                          "paper_psnr_db": paper[rolling]} for rolling, name in names.items()])


def shares(priors, pairs):
    """Share of patches on each route, by data set, scale and thresholds.

    Parameters
    ----------
    priors : DataFrame: dataset, scale, image, patch, prior
    pairs : list of (label, gamma_low, gamma_upper)
    """
    rows = []
    for (dataset, scale), group in priors.groupby(["dataset", "scale"], sort=False):
        for label, low, upper in pairs:
            mild, severe = group.prior <= low, group.prior >= upper  # Eq. (2)
            rows.append({"dataset": dataset, "scale": scale, "label": label, "gamma_low": low,
                         "gamma_upper": upper, "patches": len(group), "share_mild": mild.mean(),
                         "share_moderate": (~mild & ~severe).mean(), "share_severe": severe.mean()})
    return pd.DataFrame(rows)


def current(first, route_shares, times, dataset, scale):
    """PRN at the thresholds of this run: what ``dvc plots diff`` draws for two of them.

    Returns
    -------
    point : DataFrame: thresholds, ms_per_image, psnr_db; one row
    routes : DataFrame: route, percent (of the patches); three rows
    """
    now = route_shares[(route_shares.label == "current") & (route_shares.dataset == dataset)
                       & (route_shares.scale == scale)].iloc[0]
    psnr = first[(first.method == "prn") & (first.dataset == dataset) & (first.scale == scale)].psnr_db
    ms = _time(times, "prn", scale, "grouped", now.gamma_low, now.gamma_upper)
    point = {"thresholds": f"{now.gamma_low:g}/{now.gamma_upper:g}", "ms_per_image": float(f"{ms:.3g}"),
             "psnr_db": round(psnr.iloc[0], 2)}
    routes = {"route": [name.removeprefix("share_") for name in SHARES],
              "percent": [round(100 * now[name], 1) for name in SHARES]}
    return pd.DataFrame([point]), pd.DataFrame(routes)


def summary(first, ablation, second, routes, gammas, dataset, scale):
    """metrics.json: what does not depend on the machine, in digits that another CPU gives as well.

    Parameters
    ----------
    first, second : DataFrame
        Tables I and IV.
    ablation : DataFrame, as ablation.csv
    routes : DataFrame, of `current`
    gammas : (gamma_low, gamma_upper) of the ablation
    dataset, scale : of the ablation

    Returns
    -------
    dict
        psnr_db of each measured method and scale; ablation_psnr_db of each PRN variant at the ablation's
        thresholds; PRN's gain over bicubic and of rolling (Table IV's), dB; per cent of the patches that are mild, severe.
    """
    rows = first[(first.dataset == dataset) & first.psnr_db.notna()]
    psnr = {name: {f"x{row.scale}": round(row.psnr_db, 2) for row in part.itertuples()}
            for name, part in rows.groupby("method", sort=False)}
    at = rows[rows.scale == scale].set_index("method").psnr_db
    names = ablation.method.unique()
    return {
        "psnr_db": psnr,
        "ablation_psnr_db": {name: {f"x{scale}": round(_psnr(ablation, name, gammas), 2)} for name in names},
        "gain_over_bicubic_db": {f"x{scale}": round(at["prn"] - at["bicubic"], 2)},
        "rolling_gain_db": {f"x{scale}": round(second.psnr_db[1] - second.psnr_db[0], 3)},
        "mild_percent": {f"x{scale}": round(routes.percent[0], 1)},
        "severe_percent": {f"x{scale}": round(routes.percent[2], 1)},
    }


def time_summary(times, gammas, scale):
    """times.json: each method's time at its fastest usual mode, with the spread of its repeats.

    Parameters
    ----------
    times : DataFrame, as timing.csv
    gammas : (gamma_low, gamma_upper) of this run
    scale : int

    Returns
    -------
    dict
        device; ms_per_image of each method (routed ones by the engine) and of ``prn_whole``, PRN's severe
        path on the whole image; per cent from p10 to p90, against the median; speedup of PRN over prn_whole.
    """
    at = times[times.scale == scale]
    here = at[(at["mode"] == "grouped") & (at.gamma_low == gammas[0]) & (at.gamma_upper == gammas[1])]
    whole = at[at["mode"] == "whole"]
    rows = {row.method: row for row in [*whole.itertuples(), *here.itertuples()]}
    rows["prn_whole"] = next(whole[whole.method == "prn"].itertuples())
    key = f"x{scale}"
    return {
        "device": rows["prn"].device,
        "ms_per_image": {name: {key: float(f"{row.ms_median:.3g}")} for name, row in rows.items()},
        "spread_percent": {name: {key: round(100 * (row.ms_p90 - row.ms_p10) / row.ms_median)}
                           for name, row in rows.items()},
        "speedup_over_whole": {key: round(rows["prn_whole"].ms_median / rows["prn"].ms_median, 2)},
    }


def _at(weights, scale):
    """Where weights come from at one scale."""
    return weights if isinstance(weights, str) else weights[f"x{scale}"]


def _psnr(ablation, name, gammas):
    rows = ablation[(ablation.method == name) & (ablation.gamma_low == gammas[0])
                    & (ablation.gamma_upper == gammas[1])]
    return rows.psnr_db.mean()


def _time(times, name, scale, mode, low=None, upper=None):
    """Median ms per image; NaN where it was not measured."""
    rows = times[(times.method == name) & (times.scale == scale) & (times["mode"] == mode)]
    if low is not None:
        rows = rows[(rows.gamma_low == low) & (rows.gamma_upper == upper)]
    return rows.ms_median.iloc[0] if len(rows) else float("nan")
