"""What the numbers of a report rest on: how it departs from the paper, and what was trained."""

import re
from collections import Counter

from pipeline.io import sha256
from pipeline.paper import label
from pipeline.report import tables
from pipeline.report.figures import style

TESTS = ("set5", "set14", "bsds100", "urban100")  # of the paper
DISTURBED = 0.25  # cores: less than this is the system's own
TRAINING = {"voc2012": "VOC2012", "bsds200": "BSDS200"}  # of the paper


def headline(profile):
    """The first line: what the numbers can and cannot be compared with."""
    if profile == "embedded":
        return ("Embedded profile: the numbers show that the pipeline works, on a few photographs of the "
                "repository; no figure here can be compared with the paper's.")
    return ("The paper's test sets and protocol, not its training: Bicubic and the authors' own models can "
            "be compared with the paper's rows; the networks trained here say how far this budget leads.")


def departures(models, test_sets, training_sets, machine, table, published, revision="", parts=(), paper_patches=None):
    """What separates this report from the paper, for the box at its top and for provenance.json.

    Parameters
    ----------
    models : dict of str to dict
        The provenance of each variant's weights.
    test_sets, training_sets : list of str
    machine : dict, as machine.json
    table, published : DataFrame, as table1.csv and published.csv
    revision : str, of the code
    parts : dict of file name to DataFrame
        Tables whose columns ``device`` and ``revision`` have to be those of this run.
    paper_patches : int, optional
        That PRN of the paper saw at each scale.

    Returns
    -------
    list of (what, words)
    """
    trained = _trained(models)
    steps = sorted({m["steps"] for m in trained.values()})
    budget = f"{steps[0]:,}" + (f" to {steps[-1]:,}" if len(steps) > 1 else "")
    where = "; ".join(sorted({d for m in trained.values() for d in m["device"].split("; ") if d}))
    on_cpu = {name for name, m in trained.items() if all("CPU" in d for d in m["device"].split("; "))}
    reduced = sorted({m["precision"] for m in [*trained.values(), machine]
                      if m.get("precision", "float32") != "float32"})
    rough = {kind: _counted([label(name) for name, m in trained.items() if m["recipe"].get("precision") == kind
                             and not (kind == "tf32" and name in on_cpu)],  # a CPU has no TF32
                            len(trained)) for kind in ("tf32", "bfloat16")}
    cited = _cited(table)
    of = machine["device"] if machine.get("kind") == "cuda" else f"a CPU, {machine['device']}"
    others = machine.get("other_cores") or 0
    if machine.get("kind") == "cpu" and others >= DISTURBED:
        of += f" (other work kept {others:.1f} of its cores busy)"
    rows = [
        ("Test images", _test_images(test_sets)),
        ("Weights", _weights(trained)),
        ("Compared methods", _compared(models)),
        ("Not one run", not_one_run(machine["device"], revision, dict(parts))),
        ("Budget", f"{_seen(models, paper_patches)}{budget} steps ({where}); the paper: at least 300 epochs"),
        ("No GPU", f"{len(on_cpu)} of {len(trained)} networks were trained on a CPU" if on_cpu else ""),
        ("Precision", "; ".join(filter(None, [
            f"computed in {', '.join(reduced)}, not in float32" if reduced else "",
            f"multiplied in TF32 on a GPU, in training: {rough['tf32']}" if rough["tf32"] else "",
            f"wide convolutions trained in bfloat16: {rough['bfloat16']}" if rough["bfloat16"] else ""]))),
        ("Recipe", _recipe(models.get("prn"))),
        ("Training images", _training_images(training_sets)),
        ("Times", f"of {of}, not the paper's GTX 980 Ti: compare ratios, not ms"),
        ("Cited rows", f"{', '.join(cited)}: quality not measured here, printed figures stand there"
         if cited else ""),
        ("Not run", _not_run(published)),
    ]
    return [(what, words) for what, words in rows if words]


def training_table(models):
    """What was trained: one row a variant, from the provenance of its weights."""
    rows = []
    for name, m in models.items():
        recipe = m.get("recipe", {})
        if name in _trained(models):
            how = [f"{m['steps']:,} × {recipe['batch']}", f"{m['patches']:,}" if "patches" in m else "–",
                   f"{recipe['learning_rate']:g}, {recipe['decay']}"]
        elif "sets" in recipe:
            how = [f"fitted to {', '.join(recipe['sets'])}", "–", "–"]
        else:
            continue
        macs = next(iter(m["macs_per_lr_pixel"].values()))
        devices = dict.fromkeys(re.split(", (?=torch|\\d+ thread)", device)[0] for device in m["device"].split("; "))
        rows.append([label(name), *how, f"{m['seconds'] / 60:.1f}", ", ".join(devices), f"{m['parameters']:,}",
                     " / ".join(f"{v:,}" for v in macs.values()),
                     "published" if m.get("published") else "this run"])
    return tables.table("training", "provenance", [
        "variant", "steps × batch", "patches a scale", "learning rate", "minutes", "device", "parameters",
        "MACs per LR pixel", "weights from"], rows, {})


def not_one_run(device, revision, parts):
    """What was not measured on this device at this revision, by the tables' own rows; empty if all was.

    Parameters
    ----------
    device, revision : str, as in provenance.json
    parts : dict of file name to DataFrame
    """
    found = []
    for name, table in parts.items():
        for column, known in (("device", _machine(device)), ("revision", revision)):
            others = set(table[column].dropna().astype(str).map(_machine)) - {known} if column in table else ()
            if others:
                others = ", ".join(sorted(others))
                found.append(f"{name} has rows of {column} {others}, this report is of {known}")
    return "; ".join(found)


def _machine(device):
    """A device without its threads: the engine is timed on one, the methods on all."""
    return re.sub(r", \d+ threads?$", "", device)


def data_hashes(datasets):
    """dict of role to data set to file name to SHA-256, of a folder of such folders."""
    return {role.name: {folder.name: {f.name: sha256(f) for f in sorted(folder.iterdir())}
                        for folder in sorted(role.iterdir())}
            for role in sorted(datasets.iterdir()) if role.is_dir()}


def _test_images(names):
    own, other, missing = (", ".join(style.dataset(n) for n in some) for some in (
        [n for n in names if n in TESTS], [n for n in names if n not in TESTS],
        [n for n in TESTS if n not in names]))
    return "; ".join(filter(None, [own and f"{own}: the paper's own", other and f"{other}: not the paper's "
                                   "sets", missing and f"without the paper's {missing}"]))


def _cited(table):
    """Methods that were not run, or the sets on which one was not."""
    found = []
    for name, rows in table.groupby("method", sort=False):
        missing = dict.fromkeys(rows.dataset[rows.source == "cited"])
        sets = ", ".join(map(style.dataset, missing))
        some = f" on {sets}" if rows.source.eq("measured").any() else ""
        found += [label(name) + some] if missing else []
    return found


def _not_run(published):
    """Methods that Table I lacks and of which some cells were not measured."""
    rows = published.assign(missing=published.psnr_db.isna()).groupby("method", sort=False).missing
    return ", ".join(f"{label(name)} in {missing.sum()} of {len(missing)} cells"
                     for name, missing in rows if missing.any())


def _training_images(names):
    other = ", ".join(style.dataset(n) for n in names if n not in TRAINING)
    missing = ", ".join(words for n, words in TRAINING.items() if n not in names)
    if missing:
        return f"{other} in place of {missing}" if other else f"without the paper's {missing}"
    return f"{other}, besides the paper's {', '.join(TRAINING.values())}" if other else ""


def _trained(models):
    """The networks that we trained: not those of their authors, nor what has nothing to learn."""
    return {name: m for name, m in models.items() if m.get("steps") and m.get("weights") != "authors"}


def _counted(names, of):
    """A few names, or how many of all."""
    return ", ".join(names) if len(names) < 4 else f"{len(names)} of {of} networks"


def _compared(models):
    """Who made the models of the compared methods."""
    authors, fitted = [], []
    for name, m in models.items():
        by_scale = m.get("weights", "")
        if by_scale == "fitted":
            fitted.append(label(name))
        elif isinstance(by_scale, dict):
            at = {origin: "/".join(scale.replace("x", "×") for scale, o in by_scale.items() if o == origin)
                  for origin in by_scale.values()}
            fitted.append(f"{label(name)} at {at['fitted']}")
        if "licence" in m:
            some = f" at {at['authors']}" if isinstance(by_scale, dict) else ""
            authors.append(label(name) + some)
    if not authors:
        return ""
    words = f"the authors' own models, not redistributed: {', '.join(authors)} (licences: provenance.json)"
    return words + (f". Fitted here: {', '.join(fitted)}" if fitted else "")


def _weights(trained):
    published = [label(name) for name, m in trained.items() if m.get("published")]
    if not published:
        return "trained in this run"
    some = "all networks" if len(published) == len(trained) else ", ".join(published)
    return f"published ones of this repository, not trained in this run: {some}"


def _seen(models, paper):
    """Patches that PRN saw, in those of the paper, and how many networks saw another number."""
    seen = models.get("prn", {}).get("patches")
    if not paper or not seen:
        return ""
    others = Counter(n for m in models.values() if (n := m.get("patches")) and n != seen)
    beside = ", ".join(f"{count} others {n:,}" for n, count in sorted(others.items(), reverse=True))
    beside = f" ({beside}: method.md)" if beside else ""
    return f"PRN saw {seen:,} patches of each scale, {seen / paper:.1%} of the paper's{beside}; all networks "


def _recipe(prn):
    """Where PRN's recipe is not the paper's batch of 64 and rate of 1e-4 (Implementation Details)."""
    if prn is None or (prn["recipe"]["batch"], prn["recipe"]["learning_rate"]) == (64, 1e-4):
        return ""
    return (f"PRN was trained with a batch of {prn['recipe']['batch']} and a learning rate of "
            f"{prn['recipe']['learning_rate']:g} (the paper: 64, 0.0001)")
