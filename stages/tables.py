"""Tables I-IV, quality, timing and route shares as CSV; the summary that DVC compares."""

import json

import pandas as pd

from pipeline.analysis import routers, tables, time_tables
from pipeline.config import params
from stages.common.shell import folder, reports, run


def main():
    p = params.load()
    source, out = folder(p), reports(p)
    out.mkdir(parents=True, exist_ok=True)
    dataset = p.images.ablation
    gammas, scale = (p.ablation.gamma_low, p.ablation.gamma_upper), p.ablation.scale
    ablation, priors = pd.read_csv(source / "ablation.csv"), pd.read_csv(source / "priors.csv")
    scored = [path for name in p.present([*p.methods, *p.routed])  # the quality of others is cited
              if (path := source / "quality" / f"{name}.csv").exists()]
    quality = tables.quality([  # an image's name is text, 001 and NA as well
        pd.read_csv(path, dtype={"image": str}, keep_default_na=False, na_values=[""]) for path in scored])
    times = time_tables.timing(pd.read_csv(source / "timing.csv"),
                          json.loads((source / "machine.json").read_text()))
    models = {name: json.loads((source / "models" / f"{name}.json").read_text())
              for name in p.present([*p.methods, *p.routed])}
    weights = {name: tables.origin(model) for name, model in models.items()}
    options = {n: v.options for n, v in p.variants.items() if v.network == "prn"}
    current = ("current", p.gamma_low, p.gamma_upper)
    results = {
        "quality": quality, "timing": times,
        "table1": tables.table1(quality, p.images.test, weights),
        "published": tables.published(quality),
        "table2": tables.table2(ablation, times, p.ablation.pairs(), scale),
        "table3": tables.table3(ablation, times, options, gammas, scale),
        "table4": tables.table4(ablation, gammas),
        "shares": tables.shares(priors, [current, *p.ablation.pairs()]),
        "engine": time_tables.engine(pd.read_csv(source / "engine_times.csv"),
                                json.loads((source / "engine.json").read_text()),
                                pd.read_csv(source / "borders.csv"), dataset, scale),
        "routers": routers.routers(pd.read_csv(source / "routers.csv", dtype={"image": str}), seed=p.seed),
        "thresholds": pd.read_csv(source / "thresholds.csv"),
    }
    point, routes = tables.current(results["table1"], results["shares"], times, dataset, scale)
    for name, table in {**results, "current": point, "routes": routes}.items():
        table.to_csv(out / f"{name}.csv", index=False, float_format="%.5f", lineterminator="\n")
    numbers = tables.summary(results["table1"], results["table4"], point, routes, times, dataset, scale)
    (out / "metrics.json").write_text(json.dumps(numbers, indent=1) + "\n")
    sources = results["table1"].source.value_counts()
    return f"Table I: {sources.get('measured', 0)} cells measured, {sources.get('cited', 0)} cited; all in {out}"


run(main)
