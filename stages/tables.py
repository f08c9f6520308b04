"""Tables I-IV, quality, timing and route shares as CSV; the summary that DVC compares."""

from pipeline.analysis import front, ladder, routers, tables, time_tables
from pipeline.config import params
from pipeline.config.resolved import scored
from pipeline.io import read_json, write_json
from stages.common import csv_files
from stages.common.shell import GPU, folder, reports, run


def main():
    p = params.load()
    source, out = folder(p), reports(p)
    dataset = p.images.ablation
    gammas, scale = (p.ablation.gamma_low, p.ablation.gamma_upper), p.ablation.scale
    ablation, priors = csv_files.read(source / "ablation.csv"), csv_files.read(source / "priors.csv")
    parts = [source / "quality" / name / f"{dataset}-x{scale}.csv"  # the quality of others is cited
              for name, base in scored(p).items()
              for dataset in p.sets_of(base) for scale in p.scales_of(base)]
    quality = tables.quality([csv_files.read(path) for path in parts])
    times = time_tables.timing(csv_files.read(source / "timing.csv"), read_json(source / "machine.json"))
    gpu = time_tables.timing(csv_files.read(GPU / "timing.csv"), read_json(GPU / "machine.json"))
    models = {name: read_json(source / "models" / f"{name}.json")
              for name in p.present([*p.methods, *p.routed])}
    weights = {name: models[base]["weights"] for name, base in scored(p).items()}
    options = {n: v.options for n, v in p.variants.items() if v.network == "prn"}
    current = ("current", p.gamma_low, p.gamma_upper)
    results = {
        "quality": quality, "timing": times, "gpu": gpu,
        "table1": tables.table1(quality, p.images.test, weights),
        "published": tables.published(quality),
        "table2": tables.table2(ablation, times, p.ablation.pairs(), scale),
        "table3": tables.table3(ablation, times, options, gammas, scale),
        "table4": tables.table4(ablation, gammas), "ladder": ladder.table(models),
        "shares": tables.shares(priors, [current, *p.ablation.pairs()]),
        "engine": time_tables.engine(
            csv_files.read(source / "engine_times.csv"), read_json(source / "engine.json"),
            csv_files.read(source / "borders.csv"), dataset, scale),
        "routers": routers.routers(csv_files.read(source / "routers.csv"), seed=p.seed),
        "front": front.front(csv_files.read(source / "front.csv"), csv_files.read(source / "front_times.csv"),
                             read_json(source / "front.json"), seed=p.seed),
        "thresholds": csv_files.read(source / "thresholds.csv"),
    }
    point, routes = tables.current(results["table1"], results["shares"], times, dataset, scale)
    for name, table in {**results, "current": point, "routes": routes}.items():
        # those in git for every profile have no more digits than another CPU gives
        csv_files.write(out / f"{name}.csv", table, digits=2 if name in ("current", "routes") else 5)
    numbers = {
        "metrics": tables.summary(results["table1"], ablation, results["table4"], routes, gammas, dataset, scale),
        "times": tables.time_summary(times, (p.gamma_low, p.gamma_upper), scale)}
    for name, values in numbers.items():
        write_json(out / f"{name}.json", values)
    sources = results["table1"].source.value_counts()
    return f"Table I: {sources.get('measured', 0)} cells measured, {sources.get('cited', 0)} cited; all in {out}"


run(main)
