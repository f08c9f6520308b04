"""report.md and the self-contained report.html, from CSV, JSON and pictures; no torch."""

import re
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from pipeline import paper
from pipeline.io import write_text
from pipeline.report import embed, front, gpu, routers, symbols
from pipeline.report.figures import style

TEMPLATES = Path(__file__).with_name("templates")
SHORT = 0.1  # dB that an example-based method may miss unsaid
OVERVIEW = ("claims", "All claims with a number, by unit: our value and its 95 % interval, coloured by the "
            "verdict, and the paper's value where it names one.")
FIGURES = [  # file, caption
    ("fig1", "Fig. 1: PSNR against time per image; horizontal bars from the 10th to the 90th "
             "percentile of the repeats. The grey line: no other method is both faster and better. A "
             "hollow marker: the PSNR of the paper, or of the method's own, at the time measured here."),
    ("fig2", "Fig. 2: patches that the 7-layer CNN improves most and least over bicubic."),
    ("fig3", "Fig. 3: largest response over channels {}."),
    ("fig4", "Fig. 4: the prior P of patches with a gain above 1 dB (severe) and below (mild), their "
             "classes by Eq. 2, and how well P alone tells them apart."),
    ("fig7", "Fig. 7: PSNR and time of PRN at the thresholds of Table II."),
    ("fig8", "Fig. 8: {}. Best PSNR in red, second in blue. Seams in PRN's picture are borders of patches: "
             "as in the paper, each is computed alone."), ("fig9", "Fig. 9: {}, as Fig. 8."),
    ("fig10", "Fig. 10: {}, as Fig. 8."), ("fig11", "Fig. 11: {}, as Fig. 8."),
    ("routes", "Where PRN sends each patch of these images at the current thresholds: mild patches leave "
               "after the early stage, moderate after the middle one, severe take all stages."),
    ("engine", "The engine at the ablation's thresholds and scale. (a) Time by the share of severe patches, "
               "placed at random, and what it would be in proportion to the MACs; bands from the 10th to "
               "the 90th percentile. (b) Error by the distance from the border of a patch: patches "
               "computed alone have seams, patches with real context have none."),
    ("routers", "Routers on one ground: PSNR by the mean products of a patch, between an oracle that knows the "
                "error of each route and random choice, and how much of the gap between them each closes. The "
                "thick line is the paper's router; points: one route or network for all patches."),
    ("front", "Routing against narrower networks: PSNR by time (a) and by products (b). The black line has static "
              "networks, the severe path at these widths trained without routing; each colour is a routed network of "
              "the width written beside it, at three thresholds; triangles: larger patches."),
    ("curves", "Learning curves: PSNR of the severe path on training images that no step takes, the same "
               "ones throughout; the last fifth of a training lowers the rate."),
    ("ladder", "The ladder of trainings: the network of each budget, trained with a cooldown of its own, on the "
               "same held-out images. The number is what the last doubling of the patches gained, in dB; a "
               "network is trained enough for a verdict from 0.03 dB down (decision D16)."),
]


RESPONSES = {"vdsr": "after the tenth of the twenty layers of VDSR",
             "cnn7": "after the fourth layer of the 7-layer CNN (the paper shows VDSR)"}


def typeset(results, test_sets, dataset, scale):
    """The tables as the report shows them.

    Parameters
    ----------
    results : dict of str to DataFrame
        The CSV of these names: table1 to table4, shares, timing, engine, routers, front, cells, claims.
    test_sets : list of str
    dataset, scale : str, int
        Of the ablation.

    Returns
    -------
    list of dict, as `_table` makes them
    """
    first, cells = results["table1"], {t: symbols.cells(results["cells"], t) for t in ("I", "III", "IV")}
    tables = [_table1(first, s, test_sets, cells["I"]) for s in sorted(first.scale.unique())]
    if len(results["published"]):
        tables.append(_plain(
            results["published"], "Methods that Table I lacks, and the figures of their papers",
            "published", "VDSR and DRCN report luma rounded to 8 bits, which reads 0.01 to 0.06 dB "
            "lower on Set5. LapSRN's x3 is of its later paper, and its own weights give 32.99 and "
            "28.09 dB on Set14 at x2 and x4.",
            {"method": "method", "dataset": "data set", "scale": "scale", "psnr_db": "PSNR, dB",
             "published_psnr_db": "published, dB", "delta_db": "ours minus theirs", "ssim": "SSIM",
             "published_ssim": "published, SSIM"}))
    where = f"{style.dataset(dataset)} ×{scale}"
    others = "" if dataset == "bsds100" else " The paper's figures are of BSDS100."
    tables.append(_plain(
        results["table2"], f"Table II and Fig. 7: thresholds, PRN on {where}", "table2",
        "Speed-up against the severe path on the whole image, in the same run. PSNR is of the "
        "trained weights; time does not depend on their values and is of fresh ones.",
        {"label": "", "gamma_low": "γ low", "gamma_upper": "γ upper", "psnr_db": "PSNR, dB",
         "ms_per_image": "ms per image", "speedup": "speed-up", "share_mild": "mild",
         "share_moderate": "moderate", "share_severe": "severe"}))
    tables.append(_plain(
        results["table3"], f"Table III: depth of the early and the middle stage, {where}", "table3",
        f"The paper's time has no unit: what is compared is the ratio to the default depths.{others}",
        {"stage": "stage", "depth": "depth", "psnr_db": "PSNR, dB", "ms_per_image": "ms per image",
         "paper_psnr_db": "paper, dB", "paper_time": "paper, time"},
        {(r, column): cells["III"].get((f"{row.stage} {row.depth}", name))
         for r, row in enumerate(results["table3"].itertuples())
         for column, name in ((2, "psnr_db"), (3, "time, of the default's"))}))
    tables.append(_plain(
        results["table4"], f"Table IV: rolling, {where}", "table4", others.strip(),
        {"rolling": "rolling", "psnr_db": "PSNR, dB", "paper_psnr_db": "paper, dB"},
        {(r, 1): cells["IV"].get((f"{row.rolling} rolling", "psnr_db"))
         for r, row in enumerate(results["table4"].itertuples())}))
    for row in symbols.claim_rows(results["claims"]):
        if row["id"] == "rolling-psnr" and row["ours"]:
            tables[-1]["rows"].append(["gain", row["ours"], row["paper"]])
    current = results["shares"][results["shares"].label == "current"]
    tables.append(_plain(
        current, "Share of patches on each route", "shares",
        "At the current thresholds; the CSV has all pairs of Table II.",
        {"dataset": "data set", "scale": "scale", "gamma_low": "γ low", "gamma_upper": "γ upper",
         "patches": "patches", "share_mild": "mild", "share_moderate": "moderate",
         "share_severe": "severe"}))
    tables.append(_plain(
        results["timing"][results["timing"].scale == scale], f"Time, ×{scale}", "timing",
        "All scales are in the CSV. Median over repeats, ms per image. Limit: the time that the counted operations and bytes "
        "take at the measured peak of the device; DRCN can be below it on a CPU, since Winograd's "
        "convolutions make a quarter of the products that are counted.",
        {"method": "method", "scale": "scale", "mode": "mode", "gamma_low": "γ low",
         "gamma_upper": "γ upper", "ms_median": "ms", "ms_p10": "p10", "ms_p90": "p90",
         "limit_ms": "limit, ms", "macs": "MACs"}))
    beside = gpu.by_mode(results["gpu"])
    if len(beside):
        tables.append(_plain(
            beside, "Time on a GPU", "gpu", gpu.words(beside, scale),
            {"method": "method", "scale": "scale", "whole": "whole image, ms", "grouped": "engine, ms",
             "context": "with context, ms", "paper": "patch by patch, ms", "fsrcnn_ratio": "FSRCNN / this"}))
    engine = results["engine"][results["engine"].scale == scale]
    tables.append(_plain(
        engine, f"The engine, ×{scale}", "engine",
        f"All scales are in the CSV. On {engine.device.iloc[0]}"
        f"{'' if 'bfloat16' in set(engine.precision) else ', which does not compute in bfloat16'}. "
        "Median ms per image at the thresholds of the ablation, images one by one (batch 1) or all in a "
        "call. Mode: whole, the severe path without routing; grouped and context, the engine with the "
        "paper's borders and with real context; paper, patch by patch. Speed-up over PRN's whole image, "
        "and FSRCNN's time over this one, in the same precision and kind of batch. Routing: share of "
        "the time before the passes. Peak: memory of the first call.",
        {"method": "method", "dataset": "data set", "scale": "scale", "mode": "mode",
         "precision": "precision", "batch": "batch", "ms_median": "ms", "ms_p10": "p10",
         "ms_p90": "p90", "speedup": "speed-up", "fsrcnn_ratio": "FSRCNN / this",
         "routing_share": "routing", "psnr_db": "PSNR, dB", "limit_ms": "limit, ms", "macs": "MACs",
         "peak_mb": "peak, MB"}))
    choices = routers.table(results["routers"])
    tables.append(_plain(
        choices, f"Routers on one ground, {where}", "routers", routers.words(results["routers"]),
        {"choice": "choice", "router": "router", **{c: c for c in choices if c[0].isdigit()},
         "above": "above the paper's at 0.50, dB", "gap": "gap closed at 0.50"}))
    against = results["front"]
    tables.append(_plain(
        front.table(against), f"Routing or a narrower network, {where}", "front", front.NOTE,
        {"network": "network", "borders": "borders", "patch": "patch, HR pixels", "psnr_db": "PSNR, dB",
         "ratio": "time, of FSRCNN's", "macs": "MACs", "at_time": "above the front in equal time, dB",
         "at_macs": "with equal products, dB"}))
    if len(sides := front.patches(against, scale)):
        tables.append(_plain(
            sides, f"Size of the patches, {where}", "front", front.PATCHES,
            {"patch": "patch, LR pixels", "borders": "borders", "psnr_db": "PSNR, dB", "loss": "loss, dB",
             "macs": "MACs", "ms": "ms per image", "speedup": "speed-up"}))
    return tables


def render(context, folder):
    """Write report.md and report.html into a folder that holds figures/*.png.

    Parameters
    ----------
    context : dict
        headline, departures, those of `symbols.summary`, narrower, tables, training, comparisons, decisions,
        contradictions, provenance, profile, and pictures: dict of figure to the words for its caption.
    folder : Path
    """
    overview, figures = ([
        {"file": f"figures/{name}", "caption": caption.format(context["pictures"].get(name, "")),
         **embed.figure(folder / "figures" / f"{name}.png")}
        for name, caption in some if (folder / "figures" / f"{name}.png").exists()]
        for some in ([OVERVIEW], FIGURES))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=lambda name: name.endswith("html.j2"))
    environment.filters["slug"] = lambda title: re.sub(r"\W+", "-", title.lower()).strip("-")
    environment.filters["short"] = lambda text: re.sub(r"^([0-9a-f]{12})[0-9a-f]*", r"\1", text)
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|")  # of a table in Markdown
    for name in ("report.md", "report.html"):
        text = environment.get_template(f"{name}.j2").render(**context, overview=overview, figures=figures)
        write_text(folder / name, text.rstrip() + "\n")


def _table(title, file, header, rows, note, found=None, groups=(), best=()):
    """A table of text.

    ``found`` has the (mark, verdict) of a cell, or None, and ``best`` the cells to print bold, both by
    (row, column) number; ``groups`` is a list of (name, columns): a second line of headings, for HTML.
    """
    return {"title": title, "file": file, "header": header, "rows": rows, "note": note,
            "groups": groups, "best": best,
            "verdicts": {at: verdict for at, verdict in (found or {}).items() if verdict}}


def _table1(table, scale, test_sets, cells):
    table = table[table.scale == scale]
    table = table.assign(delta_db=table.psnr_db - table.paper_psnr_db)
    columns = [("psnr_db", 2, "PSNR"), ("paper_psnr_db", 2, "paper"), ("delta_db", 2, "Δ"),
               ("ssim", 3, "SSIM"), ("paper_ssim", 3, "paper")]
    beside = ", ours, the paper's and Δ, ours minus the paper's"
    if table.paper_psnr_db.isna().all():  # images that the paper does not have
        columns, beside = [columns[0], columns[3]], ""
    fields = [(name, *column) for name in test_sets for column in columns]
    values, rows, found = [], [], {}
    for r, name in enumerate(dict.fromkeys(table.method)):
        part = table[table.method == name].set_index("dataset")
        values.append([round(part[column].get(dataset, np.nan), digits)
                       for dataset, column, digits, _ in fields])
        printed = paper.label(name) + (" †" if part.source.eq("cited").any() else "")
        rows.append([printed, *(_number(v, digits, "+" if what == "Δ" else "")
                                for v, (_, _, digits, what) in zip(values[-1], fields))])
        for c, (dataset, column, *_) in enumerate(fields, 1):
            found[r, c] = cells.get((name, f"{dataset} x{scale} {column}"))
    grid = pd.DataFrame(values)
    best = {(r, c + 1) for c in grid if fields[c][1] != "delta_db"
            for r in grid.index[grid[c] == grid[c].max()]}
    cited = (" † quality not measured here, or not on all sets: there the figure of the paper stands "
             "alone, for networks that Table I lacks that of their own papers."
             if table.source.eq("cited").any() else "")
    return _table(
        f"Table I, ×{scale}", "table1",
        ["method", *(f"{style.dataset(dataset)} {what}" for dataset, _, _, what in fields)], rows,
        f"PSNR in dB{beside}; the best of a column is bold.{cited}"
        + _short(table, test_sets),
        found, [("", ["method"]), *((style.dataset(name), [what for *_, what in columns])
                                    for name in test_sets)],
        best)


def _short(table, test_sets):
    """A sentence on each example-based method that misses the paper's figure by more than `SHORT`."""
    found = []
    for name in paper.of_kind("example"):
        part = table[(table.method == name) & table.dataset.isin(test_sets)]
        missing = (part.paper_psnr_db - part.psnr_db).to_numpy()
        cells = [f"{style.dataset(d)} {x:.2f}" for d, x in zip(part.dataset, missing) if x > SHORT + 1e-9]
        if cells:
            found.append(f" {paper.label(name)} is short of the paper's figure, in dB: "
                         f"{', '.join(cells)}.")
    return "".join(found)


def _plain(table, title, file, note, columns, found=None):
    digits = {"psnr_db": 3, "ms_per_image": 2, "ms_median": 2, "ms_p10": 2, "ms_p90": 2, "speedup": 2,
              "limit_ms": 2, "whole": 2, "grouped": 2, "context": 2, "paper": 2, "paper_psnr_db": 2, "paper_time": 2, "published_psnr_db": 2, "delta_db": 2,
              "ssim": 3, "published_ssim": 3, "fsrcnn_ratio": 2, "peak_mb": 0}
    rows = [[_cell(row[c], c, digits) for c in columns] for _, row in table.iterrows()]
    return _table(title, file, list(columns.values()), rows, note, found)


def _cell(value, column, digits):
    if isinstance(value, str):
        printed = {"method": lambda v: paper.label(v), "dataset": style.dataset}
        return printed.get(column, str)(value)
    if pd.isna(value):
        return "–"
    if column.startswith("share_"):
        return f"{value:.1%}"
    if column == "macs":
        return f"{value / 1e9:.2f} G"
    return f"{value:.{digits[column]}f}" if column in digits else f"{value:g}"


def _number(value, digits, sign=""):
    return "–" if pd.isna(value) else f"{value:{sign}.{digits}f}".replace("-", "−")
