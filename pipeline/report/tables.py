"""The tables of a report as text: what is shown of each CSV; titles and notes are in templates/tables.yaml."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pipeline import paper
from pipeline.report import front, routers, symbols, times
from pipeline.report.figures import style

SAID = yaml.safe_load(Path(__file__).with_name("templates").joinpath("tables.yaml").read_text(encoding="utf-8"))
SHORT = 0.1  # dB that an example-based method may miss unsaid
TIMES = ("ms_per_image", "ms_median", "limit_ms", "bfloat16_ms", "over_fsrcnn", *times.MODES)
DIGITS = {"psnr_db": 3, "speedup": 2, "paper_psnr_db": 2, "paper_time": 2, "ours": 2,
          "theirs": 2, **dict.fromkeys(TIMES, 2)}


def typeset(results, test_sets, dataset, scale, gammas):
    """The tables as the report shows them.

    Parameters
    ----------
    results : dict of str to DataFrame
        The CSV of these names: table1 to table4, published, shares, timing and gpu (at `gammas`), engine, routers,
        front, cells, claims.
    test_sets : list of str
    dataset, scale : str, int
        Of the ablation.
    gammas : (gamma_low, gamma_upper) of Table I

    Returns
    -------
    list of dict, as `table` makes them
    """
    r, cells = results, {name: symbols.cells(results["cells"], name) for name in ("I", "III", "IV")}
    said = {"where": f"{style.dataset(dataset)} ×{scale}", "scale": scale, "gammas": "{:g}/{:g}".format(*gammas),
            "others": "" if dataset == "bsds100" else SAID["others"]}
    made = [_table1(r["table1"], s, test_sets, cells["I"]) for s in sorted(r["table1"].scale.unique())]
    if len(r["published"]):
        made.append(_published(r["published"], test_sets))
    made += [_table2(r["table2"], said), _table3(r["table3"], cells["III"], said),
             _table4(r["table4"], cells["IV"], r["claims"], said), _shares(r["shares"], said)]
    made.append(_plain("timing", times.by_mode(r["timing"][r["timing"].scale == scale]),
                       said | {"device": r["timing"].device.iloc[0]}, {
        "method": "method", "whole": "whole", "grouped": "engine", "context": "real context", "paper": "by patch",
        "over_fsrcnn": "of FSRCNN's", "limit_ms": "limit", "macs": "GMACs"}))
    beside = times.by_mode(r["gpu"])
    if len(beside):
        made.append(_plain("gpu", beside[beside.scale == scale], said | {"words": times.words(beside, scale)}, {
            "method": "method", "whole": "whole", "grouped": "engine", "context": "real context",
            "paper": "by patch", "over_fsrcnn": "of FSRCNN's"}))
    made.append(_engine(r["engine"][r["engine"].scale == scale], said))
    choices = routers.table(r["routers"])
    columns = {**{c: c for c in choices if c[0].isdigit()}, "above": "above the paper's at 0.50", "gap": "gap closed at 0.50"}
    made.append(_wide("routers", choices, said, ["router"], "choice", columns, choices.choice.unique()))
    made.append(_plain("front", front.table(r["front"]), said | {"shares": front.shares(r["front"])}, {
        "network": "network", "borders": "borders", "psnr_db": "PSNR, dB", "ratio": "time, of FSRCNN's", "macs": "GMACs",
        "at_time": "above the front in equal time, dB", "at_macs": "with equal products, dB"}))
    if len(ways := front.borders(r["front"])):
        made.append(_plain("borders", ways, said | front.spent(r["front"]), {
            "network": "network", "alone": "by patches, dB", "over": "above the first row, dB", "context": "real context, dB",
            "whole": "whole image, dB", "macs": "GMACs", "speedup": "speed-up"}, "front"))
    if len(sides := front.patches(r["front"], scale)):
        made.append(_plain("patches", sides, said | front.spent(r["front"]), {
            "patch": "patch, LR pixels", "borders": "borders", "psnr_db": "PSNR, dB", "loss": "loss, dB",
            "macs": "GMACs", "ms": "ms per image", "speedup": "speed-up"}, "front"))
    return made


def table(key, file, header, rows, said, found=None, groups=(), best=()):
    """A table of text.

    Parameters
    ----------
    key : str, of templates/tables.yaml
    file : str, of the CSV or JSON without suffix
    header, rows : list of str, list of list of str
    said : dict of str to str, what the title and the note leave open
    found : dict of (row, column) to (mark, verdict) or None
    groups : list of (name, columns): a second line of headings, for HTML
    best : set of (row, column) to print bold

    Returns
    -------
    dict: title, note, file, header, rows, groups, best, verdicts (those of `found` that are some)
    """
    return {"title": SAID[key]["title"].format(**said), "note": SAID[key]["note"].format(**said).strip(), "file": file,
            "header": header, "rows": rows, "groups": groups, "best": best,
            "verdicts": {at: verdict for at, verdict in (found or {}).items() if verdict}}


def borders(table1, engine, timing, dataset, scale):
    """What patches alone cost PRN, as text; empty where it was not scored in both ways.

    Returns
    -------
    dict
        where; alone, context, whole, paper: PSNR with the paper's borders, with real context, of the severe path on the
        whole image, and the paper's; takes: time with real context over that of the whole image
    """
    at, psnr, ms = (rows[(rows.dataset == dataset) & (rows.scale == scale)] for rows in (table1, engine, timing))
    at, psnr = at.set_index("method"), psnr[psnr.method == "prn"].groupby("mode").psnr_db.first()
    if not {"prn", "prn_context"} <= {*at.index}:
        return {}
    ms = ms[ms.method == "prn"].groupby("mode").ms_median.first().reindex(times.MODES)
    return {"where": f"{style.dataset(dataset)} ×{scale}", "alone": _number(at.psnr_db["prn"], 2),
            "context": _number(at.psnr_db["prn_context"], 2), "whole": _number(psnr.get("whole", np.nan), 2),
            "paper": _number(at.paper_psnr_db["prn"], 2), "takes": _number(ms["context"] / ms["whole"], 2)}


def _table1(rows, scale, test_sets, cells):
    rows = rows[rows.scale == scale]
    rows = rows.assign(delta_db=rows.psnr_db - rows.paper_psnr_db)
    columns = [("psnr_db", 2, "PSNR"), ("paper_psnr_db", 2, "paper"), ("delta_db", 2, "Δ"),
               ("ssim", 3, "SSIM"), ("paper_ssim", 3, "paper")]
    beside = ", ours, the paper's and Δ, ours minus the paper's"
    if rows.paper_psnr_db.isna().all():  # images that the paper does not have
        columns, beside = [columns[0], columns[3]], ""
    fields = [(name, *column) for name in test_sets for column in columns]
    values, printed, found = [], [], {}
    for r, name in enumerate(dict.fromkeys(rows.method)):
        part = rows[rows.method == name].set_index("dataset")
        values.append([round(part[column].get(dataset, np.nan), digits) for dataset, column, digits, _ in fields])
        label = paper.label(name) + (" †" if part.source.eq("cited").any() else "")
        printed.append([label, *(_number(v, digits, "+" if what == "Δ" else "")
                                 for v, (_, _, digits, what) in zip(values[-1], fields))])
        for c, (dataset, column, *_) in enumerate(fields, 1):
            found[r, c] = cells.get((name, f"{dataset} x{scale} {column}"))
    grid = pd.DataFrame(values)
    best = {(r, c + 1) for c in grid if fields[c][1] != "delta_db" for r in grid.index[grid[c] == grid[c].max()]}
    said = {"scale": scale, "beside": beside, "short": _short(rows, test_sets),
            "modern": SAID["table1"]["modern"] if rows.psnr_db[rows.method == "prn_modern"].any() else "",
            "cited": SAID["table1"]["cited"] if rows.source.eq("cited").any() else ""}
    return table("table1", "table1", ["method", *(f"{style.dataset(name)} {what}" for name, _, _, what in fields)],
                 printed, said, found, _groups(["method"], test_sets, [what for *_, what in columns]), best)


def _short(rows, test_sets):
    """A sentence on each example-based method that misses the paper's figure by more than `SHORT`."""
    found = []
    for name in paper.of_kind("example"):
        part = rows[(rows.method == name) & rows.dataset.isin(test_sets)]
        missing = (part.paper_psnr_db - part.psnr_db).to_numpy()
        cells = [f"{style.dataset(d)} {x:.2f}" for d, x in zip(part.dataset, missing) if x > SHORT + 1e-9]
        if cells:
            found.append(f" {paper.label(name)} is short of the paper's figure, in dB: {', '.join(cells)}.")
    return "".join(found)


def _published(rows, test_sets):
    """A row a method and scale, a pair of columns a data set on which one was measured."""
    sets = [name for name in test_sets if rows.psnr_db[rows.dataset == name].notna().any()]
    rows = rows.rename(columns={"psnr_db": "ours", "published_psnr_db": "theirs"})
    return _wide("published", rows, {}, ["method", "scale"], "dataset", {"ours": "ours", "theirs": "theirs"}, sets)


def _engine(rows, said):
    """A row a mode, some columns a data set."""
    rows = times.engine(rows)
    rows = rows.assign(network=rows.method.map(paper.label) + ", " + rows["mode"])
    columns = {"ms_median": "ms", "speedup": "speed-up", "over_fsrcnn": "of FSRCNN's", "psnr_db": "PSNR, dB",
               **({"bfloat16_ms": "bf16, ms"} if "bfloat16_ms" in rows else {})}
    share = rows.routing_share
    said = said | {"device": rows.device.iloc[0], "routing": f"{share.min():.1%} to {share.max():.1%}",
                   "bfloat16": SAID["bfloat16"] if "bfloat16_ms" in rows else ""}
    return _wide("engine", rows, said, ["network"], "dataset", columns, rows.dataset.unique())


def _table2(rows, said):
    return _plain("table2", rows.assign(shares=rows.apply(_three, axis=1)), said, {
        "label": "", "gamma_low": "γ low", "gamma_upper": "γ upper", "psnr_db": "PSNR, dB",
        "ms_per_image": "ms per image", "speedup": "speed-up", "shares": "shares, %"})


def _table3(rows, cells, said):
    found = {(r, column): cells.get((f"{row.stage} {row.depth}", name)) for r, row in enumerate(rows.itertuples())
             for column, name in ((2, "psnr_db"), (3, "time, of the default's"))}
    return _plain("table3", rows, said, {
        "stage": "stage", "depth": "depth", "psnr_db": "PSNR, dB", "ms_per_image": "ms per image",
        "paper_psnr_db": "paper, dB", "paper_time": "paper, time"}, found=found)


def _table4(rows, cells, claims, said):
    found = {(r, 1): cells.get((f"{row.rolling} rolling", "psnr_db")) for r, row in enumerate(rows.itertuples())}
    made = _plain("table4", rows, said, {"rolling": "rolling", "psnr_db": "PSNR, dB", "paper_psnr_db": "paper, dB"},
                  found=found)
    for row in symbols.claim_rows(claims[claims.id == "rolling-psnr"]):
        if row["ours"]:
            made["rows"].append(["gain", row["ours"], row["paper"]])
    return made


def _shares(rows, said):
    """A row a data set, a column a scale: mild / moderate / severe at the current thresholds."""
    at = rows[rows.label == "current"].assign(shares=rows.apply(_three, axis=1))
    wide = at.pivot(index="dataset", columns="scale", values="shares").loc[at.dataset.unique()].fillna("–")
    return table("shares", "shares", ["data set", *(f"×{scale}, %" for scale in wide)],
                 [[style.dataset(row.Index), *row[1:]] for row in wide.itertuples()], said)


def _three(row):
    return " / ".join(f"{100 * row[f'share_{route}']:.0f}" for route in ("mild", "moderate", "severe"))


def _groups(first, sets, columns):
    return [("", first), *((style.dataset(name), columns) for name in sets)]


def _wide(key, rows, said, first, by, columns, names):
    """One row for each value of the columns `first`, and the same columns for each of `names` in the column `by`."""
    at, found = rows.set_index([*first, by])[[*columns]], rows[first].drop_duplicates().itertuples(index=False)
    printed = [[*map(_cell, row, first), *(_cell(value, column) for name in names for column, value in
                at.reindex([(*row, name)]).iloc[0].items())] for row in found]
    header = [f"{style.dataset(name)} {what}" for name in names for what in columns.values()]
    return table(key, key, [*first, *header], printed, said, None, _groups(first, names, [*columns.values()]))


def _plain(key, rows, said, columns, file=None, found=None):
    """Some columns of a frame, by their printed names."""
    printed = [[_cell(row[c], c) for c in columns] for _, row in rows.iterrows()]
    return table(key, file or key, list(columns.values()), printed, said, found)


def _cell(value, column):
    if isinstance(value, str):
        return {"method": paper.label, "dataset": style.dataset}.get(column, str)(value)
    if pd.isna(value):
        return "–"
    if column == "macs":
        return f"{value / 1e9:.2f}"
    digits = 0 if column in TIMES and value >= 100 else DIGITS.get(column)
    return f"{value:g}" if digits is None else f"{value:,.{digits}f}"


def _number(value, digits, sign=""):
    return "–" if pd.isna(value) else f"{value:{sign}z.{digits}f}".replace("-", "−")
