"""What the numbers of a report rest on: how it departs from the paper, and what was trained."""

from pipeline.figures.style import dataset as place, method as look
from pipeline.sources import sha256


def headline(profile):
    """The first line: what the numbers can and cannot be compared with."""
    if profile == "embedded":
        return ("Embedded profile: the numbers show that the pipeline works, on a few photographs of the "
                "repository; no figure here can be compared with the paper's.")
    return ("The paper's test sets and protocol, not its training: the Bicubic row can be compared with "
            "the paper's, and the other rows say how far this budget leads.")


def departures(profile, weights, models, test_sets, training_sets, device, table):
    """What separates this report from the paper, for the box at its top.

    Parameters
    ----------
    weights : str
        ``trained`` or ``published``.
    models : dict of str to dict
        The provenance of each variant's weights.
    table : DataFrame, as table1.csv

    Returns
    -------
    list of (what, words)
    """
    trained = [m for m in models.values() if m["steps"]]
    steps = sorted({m["steps"] for m in trained})
    budget = f"{steps[0]:,}" + (f" to {steps[-1]:,}" if len(steps) > 1 else "")
    where = "; ".join(sorted({d for m in trained for d in m["device"].split("; ") if d}))
    sets = ", ".join(place(name) for name in test_sets)
    cited = [look(name).label for name in dict.fromkeys(table[table.source == "cited"].method)]
    rows = [
        ("Test images", f"{sets}, the paper's own" if profile == "paper" else
         f"{sets}: photographs of the repository, not the paper's sets"),
        ("Weights", "published ones of this repository; nothing was trained in this run"
         if weights == "published" else "trained in this run"),
        ("Budget", f"{budget} steps ({where}); the paper: at least 300 epochs"),
        ("Recipe", _recipe(models.get("prn"))),
        ("Training images", "" if "voc2012" in training_sets else "VOC2012 is stood in for by " + ", ".join(
            place(n) for n in training_sets if n != "bsds200") if profile == "paper" else
            "photographs of the repository, not VOC2012 and BSDS200"),
        ("Times", f"of {device}, not the paper's GTX 980 Ti: compare ratios, not ms"),
        ("Cited rows", f"{', '.join(cited)}: not run here, their rows hold the paper's figures alone"
         if cited else ""),
    ]
    return [(what, words) for what, words in rows if words]


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
        rows.append([look(name).label, *how,
                     f"{m['seconds'] / 60:.1f}", m["device"], f"{m['parameters']:,}",
                     " / ".join(f"{v:,}" for v in macs.values()),
                     "published" if m.get("published") else "this run"])
    return {"title": "What was trained", "file": "provenance", "rows": rows, "header": [
        "variant", "steps", "batch per scale", "learning rate", "minutes", "device", "parameters",
        "MACs per LR pixel, smallest scale (mild / moderate / severe)", "weights from"],
        "note": "Batch: patches of each scale in a step.", "groups": (), "marks": {}, "best": ()}


def data_hashes(datasets):
    """dict of role to data set to file name to SHA-256, of a folder of such folders."""
    return {role.name: {folder.name: {f.name: sha256(f) for f in sorted(folder.iterdir())}
                        for folder in sorted(role.iterdir())}
            for role in sorted(datasets.iterdir()) if role.is_dir()}


def _recipe(prn):
    """Where PRN's recipe is not the paper's batch of 64 and rate of 1e-4 (Implementation Details)."""
    if prn is None or (prn["recipe"]["batch"], prn["recipe"]["learning_rate"]) == (64, 1e-4):
        return ""
    return (f"PRN was trained with batches of {prn['recipe']['batch']} and a learning rate of "
            f"{prn['recipe']['learning_rate']:g} (the paper: 64 and 0.0001)")
