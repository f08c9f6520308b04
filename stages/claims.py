"""The ledger of claims, a verdict for each cell of the tables, and their counts."""

from dataclasses import asdict

from pipeline.analysis import claims
from pipeline.config import params
from pipeline.analysis.table_verdicts import cells
from pipeline.analysis.results import Results, repeats
from pipeline.io import read_json, write_json
from stages.common import csv_files
from stages.common.shell import folder, reports, run


def main():
    p = params.load()
    source, out, a = folder(p), reports(p), p.ablation
    tables = {name: csv_files.read(out / f"{name}.csv")
              for name in ("table1", "table3", "table4", "routers", "quality")}
    raw = {name: csv_files.read(source / f"{name}.csv")
           for name in ("ablation", "one_scale", "gains", "priors", "reconstruction", "responses")}
    here = p.present(p.variants)
    prn = {n: p.variants[n] for n in here if p.variants[n].network == "prn"}
    models = {n: read_json(source / "models" / f"{n}.json") for n in here}
    results = Results(
        **tables, **raw, routed_psnr=csv_files.read(source / "classes.csv"),
        times=csv_files.read(source / "timing.csv"),
        receptive=read_json(source / "receptive.json"),
        models=models,
        options={n: v.options for n, v in prn.items()},
        repeats=repeats({n: asdict(v) for n, v in prn.items()}, models),
        dataset=p.images.ablation, scale=a.scale, gammas=(a.gamma_low, a.gamma_upper),
        routing=(p.gamma_low, p.gamma_upper),
        tolerances=p.claims, seed=p.seed)
    verdicts = cells(results)
    ledger = claims.ledger(results, verdicts)
    for name, table in (("claims", ledger), ("cells", verdicts)):
        csv_files.write(out / f"{name}.csv", table)
    numbers = claims.counts(ledger, verdicts)
    write_json(out / "verdicts.json", numbers)
    said = "; ".join(f"{n} {verdict}" for verdict, n in ledger.verdict.value_counts().items())
    return f"{len(ledger)} claims: {said}; {len(verdicts)} cells of tables"


run(main)
