"""Write report.md, method.md, report.html and provenance.json."""

from dataclasses import asdict

import numpy as np

from pipeline.report import decisions, departures, embed, front, render, symbols, tables, times
from pipeline.config import params
from pipeline.report.figures import roc, style
from pipeline.io import read_json, unflatten, write_json
from stages.common import csv_files
from stages.common.revision import revision
from stages.common.shell import folder, reports, run


def main():
    p = params.load()
    source, out = folder(p), reports(p)
    results = {name: csv_files.read(out / f"{name}.csv") for name in (
        *"table1 table2 table3 table4 published shares timing gpu engine routers front claims cells".split(),)}
    for name in ("timing", "gpu"):
        results[name] = times.at_thresholds(results[name], p.gamma_low, p.gamma_upper)
    gains = csv_files.read(source / "gains.csv")
    models = {n: read_json(source / "models" / f"{n}.json")
              for n in p.present(p.variants)}
    machine = read_json(source / "machine.json")
    sets, a, at = p.images, p.ablation, revision()
    rests_on = departures.departures(
        models, sets.test, p.training_sets(), machine, results["table1"], results["published"], at,
        {f"{n}.csv": t for n, t in results.items() if n != "gpu"}, p.claims.paper_patches["prn"])
    provenance = {
        "profile": p.profile, "departures": dict(rests_on), "revision": at,
        "weights": p.weights, "timed_on": machine,
        "trained": {n: {k: v for k, v in m.items() if k != "curve"} for n, m in models.items()},
        "parameters": asdict(p), "data": departures.data_hashes(source / "datasets")}
    write_json(out / "provenance.json", provenance, sort_keys=True)
    facts = {**results, "ablation": csv_files.read(source / "ablation.csv"), "models": models,
             "auc": roc.roc(gains.prior, gains.kind == "severe")[2] if gains.kind.nunique() == 2 else None,
             "labels": {n: v.train_gammas or p.train_gammas for n, v in p.variants.items()},
             "dataset": sets.ablation, "scale": a.scale, "gammas": (a.gamma_low, a.gamma_upper)}
    pixels = unflatten(np.load(source / "pictures.npz"))
    scores = read_json(source / "pictures.json")
    shown = scores.pop("fig3")
    titles = {name: f"{x.called} of {style.dataset(x.dataset)}, ×{x.scale}"
              for name, x in p.images.pictures.items()}
    render.render({
        "profile": p.profile, "provenance": provenance, "headline": departures.headline(p.profile),
        "departures": rests_on, **symbols.summary(results["claims"], results["cells"]),
        "narrower": front.words(results["front"]), "around": front.around(results["front"]),
        "borders": tables.borders(*(results[n] for n in ("table1", "engine", "timing")), sets.ablation, a.scale),
        "training": departures.training_table(models), "pictures": titles | {
            "fig3": f"{render.RESPONSES[shown['method']]}, ×{shown['scale']}"},
        "comparisons": embed.comparisons(titles, pixels, scores),
        "tables": tables.typeset(results, sets.test, sets.ablation, a.scale, (p.gamma_low, p.gamma_upper)),
        "decisions": decisions.decisions(facts), "contradictions": decisions.contradictions()}, out)
    return f"open {out / 'report.html'}"


run(main)
