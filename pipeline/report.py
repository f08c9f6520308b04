"""report.md and the self-contained report.html, from CSV, JSON and pictures; no torch."""

import base64
from pathlib import Path

import jinja2
import pandas as pd

from pipeline.figures.style import dataset as place, method as look

TEMPLATES = Path(__file__).with_name("templates")
SHORT = {"aplus": 0.1, "rfl": 0.1, "selfex": 0.2}  # dB that a classical method may miss unsaid
FIGURES = [  # file, caption
    ("fig1", "Fig. 1: PSNR against time per image; horizontal bars from the 10th to the 90th "
             "percentile of the repeats."),
    ("fig2", "Fig. 2: patches that the 7-layer CNN improves most and least over bicubic."),
    ("fig3", "Fig. 3: largest response over channels after the fourth layer of the 7-layer CNN "
             "(the paper shows VDSR)."),
    ("fig4", "Fig. 4: the prior P of patches with a gain above 1 dB (severe) and below (mild), their "
             "classes by Eq. 2, and how well P alone tells them apart."),
    ("fig7", "Fig. 7: PSNR and time of PRN at the thresholds of Table II."),
    ("fig8", "Fig. 8: {}. Best PSNR in red, second in blue."), ("fig9", "Fig. 9: {}, as Fig. 8."),
    ("fig10", "Fig. 10: {}, as Fig. 8."), ("fig11", "Fig. 11: {}, as Fig. 8."),
    ("curves", "Learning curves: PSNR of the severe path on held-out training patches. Each phase holds out "
               "images of its own, so that a curve jumps where a phase begins."),
]


def headline(profile, weights, models, test_sets, training_sets, device):
    """The first line: what the numbers can and cannot be compared with."""
    trained = [m for m in models.values() if m["steps"]]
    steps = sorted({m["steps"] for m in trained})
    budget = f"{steps[0]:,}" + (f" to {steps[-1]:,}" if len(steps) > 1 else "")
    origin = "published weights of" if weights == "published" else "networks trained here for"
    where = "; ".join(sorted({d for m in trained for d in m["device"].split("; ") if d}))
    if profile == "embedded":
        return (f"Embedded profile: {origin} {budget} steps ({where}), scored on a few photographs "
                "of the repository. The numbers show that the pipeline works; no figure here can "
                f"be compared with the paper's. Times are of {device}.")
    stand_in = ("" if "voc2012" in training_sets else
                " VOC2012 is stood in for by " + ", ".join(n for n in training_sets if n != "bsds200")
                + ".")
    return (f"The paper's test sets ({', '.join(test_sets)}) and protocol: the Bicubic row can be "
            f"compared with the paper's. The other rows are {origin} {budget} steps ({where}), "
            f"against at least 300 epochs in the paper, and say how far that budget leads."
            f"{_recipe(models.get('prn'))}{stand_in} "
            f"Times are of {device}: compare ratios, not ms.")


def _recipe(prn):
    """Where PRN's recipe is not the paper's batch of 64 and rate of 1e-4 (Implementation Details)."""
    if prn is None or (prn["recipe"]["batch"], prn["recipe"]["learning_rate"]) == (64, 1e-4):
        return ""
    return (f" PRN was trained with batches of {prn['recipe']['batch']} and a learning rate of "
            f"{prn['recipe']['learning_rate']:g} (the paper: 64 and 0.0001).")


def typeset(results, test_sets, dataset, scale):
    """The tables as the report shows them.

    Returns
    -------
    list of dict: title, file, header (list of str), rows (list of list of str), note
    """
    tables = [_table1(results["table1"], s, test_sets) for s in sorted(results["table1"].scale.unique())]
    where = f"{place(dataset)} x{scale}"
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
        f"The paper's time has no unit; compare ratios.{others}",
        {"stage": "stage", "depth": "depth", "psnr_db": "PSNR, dB", "ms_per_image": "ms per image",
         "paper_psnr_db": "paper, dB", "paper_time": "paper, time"}))
    tables.append(_plain(
        results["table4"], f"Table IV: rolling, {where}", "table4", others.strip(),
        {"rolling": "rolling", "psnr_db": "PSNR, dB", "paper_psnr_db": "paper, dB"}))
    current = results["shares"][results["shares"].label == "current"]
    tables.append(_plain(
        current, "Share of patches on each route", "shares",
        "At the current thresholds; the CSV has all pairs of Table II.",
        {"dataset": "data set", "scale": "scale", "gamma_low": "γ low", "gamma_upper": "γ upper",
         "patches": "patches", "share_mild": "mild", "share_moderate": "moderate",
         "share_severe": "severe"}))
    tables.append(_plain(
        results["timing"], "Time", "timing",
        "Median over repeats, ms per image. Limit: the time that the counted operations and bytes "
        "take at the measured peak of the device.",
        {"method": "method", "scale": "scale", "mode": "mode", "gamma_low": "γ low",
         "gamma_upper": "γ upper", "ms_median": "ms", "ms_p10": "p10", "ms_p90": "p90",
         "limit_ms": "limit, ms", "macs": "MACs"}))
    return tables


def training_table(models):
    """What was trained: one row a variant, from the provenance of its weights."""
    rows = []
    for name, m in models.items():
        recipe = m["recipe"]
        if m["steps"]:
            how = [f"{m['steps']:,}", f"{recipe['batch']}",
                   f"{recipe['learning_rate']:g}, {recipe['decay']}"]
        elif "sets" in recipe:
            how = [f"fitted to {', '.join(recipe['sets'])}", "–", "–"]
        else:
            continue
        macs = next(iter(m["macs_per_lr_pixel"].values()))
        rows.append([look(name).label, *how, f"{m['seconds'] / 60:.1f}", m["device"],
                     f"{m['parameters']:,}", " / ".join(f"{v:,}" for v in macs.values()),
                     "published" if m.get("published") else "this run"])
    return {"title": "What was trained", "file": "provenance", "rows": rows, "header": [
        "variant", "steps", "batch per scale", "learning rate", "minutes", "device", "parameters",
        "MACs per LR pixel, smallest scale (mild / moderate / severe)", "weights from"],
        "note": "Batch: patches of each scale in a step."}


def render(context, folder):
    """Write report.md and report.html into a folder that holds figures/*.png.

    Parameters
    ----------
    context : dict
        headline, tables, training, decisions, provenance, profile, and pictures: dict of figure to
        the words for its caption.
    folder : Path
    """
    figures = [{"file": f"figures/{name}.png", "caption": caption.format(context["pictures"].get(name, "")),
                "data": base64.b64encode((folder / "figures" / f"{name}.png").read_bytes()).decode()}
               for name, caption in FIGURES if (folder / "figures" / f"{name}.png").exists()]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=lambda name: name.endswith("html.j2"))
    for name in ("report.md", "report.html"):
        text = environment.get_template(f"{name}.j2").render(**context, figures=figures)
        (folder / name).write_text(text.rstrip() + "\n")


def _table1(table, scale, test_sets):
    table = table[table.scale == scale]
    columns = [("psnr_db", 2, "dB"), ("paper_psnr_db", 2, "paper, dB"), ("ssim", 3, "SSIM"),
               ("paper_ssim", 3, "paper, SSIM")]
    if table.paper_psnr_db.isna().all():  # images that the paper does not have
        columns = columns[::2]
    rows = []
    for name in dict.fromkeys(table.method):
        part = table[table.method == name].set_index("dataset")
        cells = [look(name).label, part.source.iloc[0]]
        for dataset in test_sets:
            row = part.loc[dataset]
            cells += [_number(row[column], digits) for column, digits, _ in columns]
        rows.append(cells)
    header = ["method", "source"] + [f"{place(name)} {what}" for name in test_sets
                                     for _, _, what in columns]
    return {"title": f"Table I, x{scale}", "file": "table1", "header": header, "rows": rows,
            "note": "Ours, then the paper's. “cited” rows are not implemented: the paper's figure "
                    "alone." + _short(table, test_sets)}


def _short(table, test_sets):
    """A sentence on each classical method that misses the paper's figure by more than its bound."""
    found = []
    for name, bound in SHORT.items():
        part = table[(table.method == name) & table.dataset.isin(test_sets)]
        missing = (part.paper_psnr_db - part.psnr_db).to_numpy()
        cells = [f"{place(d)} {x:.2f}" for d, x in zip(part.dataset, missing) if x > bound]
        if cells:
            found.append(f" {look(name).label} is short of the paper's figure, in dB: "
                         f"{', '.join(cells)}.")
    return "".join(found)


def _plain(table, title, file, note, columns):
    digits = {"psnr_db": 3, "ms_per_image": 2, "ms_median": 2, "ms_p10": 2, "ms_p90": 2, "speedup": 2,
              "limit_ms": 2, "paper_psnr_db": 2, "paper_time": 2}
    rows = [[_cell(row[c], c, digits) for c in columns] for _, row in table.iterrows()]
    return {"title": title, "file": file, "header": list(columns.values()), "rows": rows, "note": note}


def _cell(value, column, digits):
    if isinstance(value, str):
        return look(value).label if column == "method" else value
    if pd.isna(value):
        return "–"
    if column.startswith("share_"):
        return f"{value:.1%}"
    if column == "macs":
        return f"{value / 1e9:.2f} G"
    return f"{value:.{digits[column]}f}" if column in digits else f"{value:g}"


def _number(value, digits):
    return "–" if pd.isna(value) else f"{value:.{digits}f}"
