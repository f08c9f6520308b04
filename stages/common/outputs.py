"""Weights, provenance and learning curve of a variant, as the later stages read them."""

from pathlib import Path

from dvclive import Live

from pipeline.data import pack
from pipeline.io import read_json, sha256, write_json
from pipeline.models import weights as store
from pipeline.sr import cost
from pipeline.training.algorithm1 import COOLDOWN
from stages.common import authors
from stages.common.setup import fresh, of_sets, too_small

PUBLISHED = Path("weights")


def write(home, name, variant, model, rungs, others=None):
    """Write what `stages.common.setup.train` gave, with its provenance; says in a line what it is.

    `others` is the provenance of those scales that the authors of a method published.
    """
    last = rungs[-1] if rungs else None
    images = pack.unpack(home / "train.npz")
    found = {key: of_sets(images, phase["sets"]) for key, phase in variant["phases"].items()}
    steps = last.steps if last else 0
    branch = round(COOLDOWN * steps)
    record = {
        "variant": name, "options": variant["options"], "budget": variant["budget"], "recipe": variant["recipe"], "steps": steps,
        "patches": last.patches if last else 0, "seconds": round(last.seconds, 1) if last else 0.0,
        **(last.conditions[-1] if last else {}),
        "device": "; ".join(dict.fromkeys(c["device"] for c in last.conditions)) if last else "",
        "phases": {"trunk": [steps - branch, len(found["trunk"])], "branch": [branch, len(found["branch"])]},
        "too_small": too_small({**found["trunk"], **found["branch"]}, variant["recipe"].get("crop", 0),
                               variant["scales"]),
        "rungs": [{"patches": r.patches, "steps": r.steps, "seconds": round(r.seconds, 1),
                   **{k: v for k, v in r.curve[-1].items() if k != "step"}} for r in rungs if r.curve],
        "weights": "ours" if steps else "fitted" if last else "",
        **(others or {}), **cost.summary(model, variant["scales"])}
    save(home, name, model.state_dict() if last else {}, last.curve if last else [], record)
    return line(name, variant, record, last.curve if last else [])


def line(name, variant, record, curve):
    """One line of what came out of a training or a fit."""
    if not record["seconds"]:
        return f"{name}: nothing to learn"
    took = f"{record['seconds']:.0f} s on {record['device']}"
    if not record["steps"]:
        return f"{name}: fitted, {took}{authors_part(record)}"
    scores = ", ".join(f"{key[8:]} {value:.2f}" for key, value in curve[-1].items() if key.startswith("psnr"))
    return (f"{name}: {record['patches']:,} patches of each scale in {record['steps']:,} steps, {took}; "
            f"held out: {scores} dB")


def authors_part(record):
    """What of a method is by its authors, and their licence; empty if nothing is."""
    if "licence" not in record:
        return ""
    scales = "" if record["weights"] == "authors" else " at " + ", ".join(
        scale for scale, origin in record["weights"].items() if origin == "authors")
    return f"; weights of its authors{scales}: {record['licence']}"


def save(home, name, weights, curve, record):
    """Write models/NAME.safetensors, its provenance, and the curve through dvclive."""
    models = home / "models"
    store.save(models / f"{name}.safetensors", weights)
    write_json(models / f"{name}.json", {**record, "curve": curve}, sort_keys=True)
    with Live(str(home / "curves" / name), save_dvc_exp=False, dvcyaml=None, report=None) as live:
        for row in curve:
            live.step = row["step"]
            for key in sorted(row.keys() - {"step"}):
                live.log_metric(key, row[key])


def take(home, name, variant):
    """Write the published weights of a variant, its authors' or ours: hash, shapes, dtype, values checked.

    Raises
    ------
    ValueError
        There are none, the file is not the one that was published, or it fits another network.
    """
    if authors.published(name):
        model, origin = authors.take(name, tuple(variant["scales"]))
        record = {"variant": name, "options": variant["options"], "steps": 0, "published": True, **origin,
                  **cost.summary(model, variant["scales"])}
        save(home, name, model.state_dict(), [], record)
        return f"{name}: nothing trained{authors_part(record)}"
    index = read_json(PUBLISHED / "published.json")
    if name not in index:
        raise ValueError(f"weights: published: none for {name}; there are {', '.join(index)}. "
                         "Use weights: trained, or leave the variant out")
    path = PUBLISHED / f"{name}.safetensors"
    found = sha256(path)
    if found != index[name]:
        raise ValueError(f"{path}: sha256 expected {index[name]}, found {found}; "
                         "restore it with git checkout weights")
    record = read_json(path.with_suffix(".json"))
    model = store.load(fresh(variant), path)
    save(home, name, model.state_dict(), record.pop("curve"),
         {**record, "options": variant["options"], "weights": "ours", "published": True,
          **cost.summary(model, variant["scales"])})
    return f"{name}: published weights, sha256 {found[:12]}"
