"""report.md, report.html and provenance.json."""

import json
import subprocess
from dataclasses import asdict

import pandas as pd

from pipeline import evidence, params, report
from pipeline.fallbacks import fallbacks
from pipeline.figures.roc import roc
from pipeline.sources import sha256
from stages.shared import folder, reports, run


def revision():
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def data_hashes(source):
    """dict of data set to dict of file name to SHA-256."""
    return {role.name: {folder.name: {f.name: sha256(f) for f in sorted(folder.iterdir())}
                        for folder in sorted(role.iterdir())}
            for role in sorted((source / "datasets").iterdir()) if role.is_dir()}


def main():
    p = params.load()
    source, out = folder(p), reports(p)
    names = ("table1", "table2", "table3", "table4", "shares", "timing")
    results = {name: pd.read_csv(out / f"{name}.csv") for name in names}
    gains = pd.read_csv(source / "gains.csv")
    models = {n: json.loads((source / "models" / f"{n}.json").read_text()) for n in p.variants}
    machine = json.loads((source / "machine.json").read_text())
    sets, a = p.sets[p.profile], p.ablation
    rests_on = fallbacks(models, sets.test, p.training_sets(), machine, results["table1"])
    provenance = {
        "profile": p.profile, "fallbacks": rests_on, "revision": revision(),
        "weights": p.weights, "timed_on": machine,
        "trained": {n: {k: v for k, v in m.items() if k != "curve"} for n, m in models.items()},
        "parameters": asdict(p), "data": data_hashes(source)}
    (out / "provenance.json").write_text(json.dumps(provenance, indent=1, sort_keys=True) + "\n")
    facts = {**results, "ablation": pd.read_csv(source / "ablation.csv"), "models": models,
             "auc": roc(gains.prior, gains.kind == "severe")[2] if gains.kind.nunique() == 2 else None,
             "dataset": sets.ablation, "scale": a.scale, "gammas": (a.gamma_low, a.gamma_upper)}
    report.render({
        "profile": p.profile, "provenance": provenance, "fallbacks": rests_on,
        "headline": report.headline(p.profile, p.weights, models, sets.test, p.training_sets(),
                                    machine["device"]),
        "training": report.training_table(models),
        "pictures": {name: f"{picture.image} of {picture.dataset}, x{picture.scale}"
                     for name, picture in p.pictures[p.profile].items()},
        "tables": report.typeset(results, sets.test, sets.ablation, a.scale),
        "decisions": evidence.decisions(facts)}, out)


run(main)
