"""Weights, provenance and learning curve of a variant, as the later stages read them."""

import json
from pathlib import Path

from dvclive import Live

from pipeline.models import weights as store
from pipeline.io import sha256
from pipeline.sr import cost
from stages.common import authors
from stages.common.networks import fresh
from stages.common.shell import folder

PUBLISHED = Path("weights")


def write(params, name, weights, curve, provenance):
    """Write models/NAME.safetensors, its provenance, and the curve through dvclive."""
    models = folder(params) / "models"
    store.save(models / f"{name}.safetensors", weights)
    text = json.dumps({**provenance, "curve": curve}, indent=1, sort_keys=True)
    (models / f"{name}.json").write_text(text + "\n")
    with Live(str(folder(params) / "curves" / name), save_dvc_exp=False, dvcyaml=None,
              report=None) as live:
        for row in curve:
            live.step = row["step"]
            for key in sorted(row.keys() - {"step"}):
                live.log_metric(key, row[key])


def leave_out(params, name):
    """Empty outputs of a variant that the profile leaves out: DVC's matrix knows no profiles."""
    write(params, name, {}, [], {"variant": name, "steps": 0})


def take(params, name):
    """Write the published weights of a variant, its authors' or ours: hash, shapes, dtype, values checked.

    Raises
    ------
    ValueError
        There are none, the file is not the one that was published, or it fits another network.
    """
    if authors.published(name):
        return write(params, name, *authors.take(name, params.scales_of(name)))
    index = json.loads((PUBLISHED / "published.json").read_text())
    if name not in index:
        raise ValueError(f"weights: published: none for {name}; there are {', '.join(index)}. "
                         "Use weights: trained, or leave the variant out")
    path = PUBLISHED / f"{name}.safetensors"
    found = sha256(path)
    if found != index[name]:
        raise ValueError(f"{path}: sha256 expected {index[name]}, found {found}; "
                         "restore it with git checkout weights")
    provenance = json.loads(path.with_suffix(".json").read_text())
    model = store.load(fresh(params, name), path)
    write(params, name, model.state_dict(), provenance["curve"],
          {**provenance, **cost.summary(model, params.scales_of(name)), "published": True})
