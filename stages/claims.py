"""The ledger of claims, a verdict for each cell of the tables, and their counts."""

import json
from dataclasses import asdict

import pandas as pd

from pipeline.analysis import claims
from pipeline.config import params
from pipeline.analysis.table_verdicts import cells
from pipeline.analysis.results import Results, repeats
from stages.common.shell import folder, reports, run


def main():
    p = params.load()
    source, out, a = folder(p), reports(p), p.ablation
    tables = {name: pd.read_csv(out / f"{name}.csv")
              for name in ("table1", "table3", "table4", "routers", "quality")}
    raw = {name: pd.read_csv(source / f"{name}.csv")
           for name in ("ablation", "gains", "priors", "reconstruction", "responses")}
    here = p.present(p.variants)
    prn = {n: p.variants[n] for n in here if p.variants[n].network == "prn"}
    models = {n: json.loads((source / "models" / f"{n}.json").read_text()) for n in here}
    results = Results(
        **tables, **raw, routed_psnr=pd.read_csv(source / "classes.csv"),
        times=pd.read_csv(source / "timing.csv"),
        receptive=json.loads((source / "receptive.json").read_text()),
        models=models,
        options={n: v.options for n, v in prn.items()},
        repeats=repeats({n: asdict(v) for n, v in prn.items()}, models),
        dataset=p.images.ablation, scale=a.scale, gammas=(a.gamma_low, a.gamma_upper),
        routing=(p.gamma_low, p.gamma_upper),
        device=json.loads((source / "machine.json").read_text())["device"],
        tolerances=p.claims, seed=p.seed)
    verdicts = cells(results)
    ledger = claims.ledger(results, verdicts)
    for name, table in (("claims", ledger), ("cells", verdicts)):
        table.to_csv(out / f"{name}.csv", index=False, float_format="%.5f", lineterminator="\n")
    numbers = claims.counts(ledger, verdicts)
    (out / "verdicts.json").write_text(json.dumps(numbers, indent=1) + "\n")
    said = "; ".join(f"{n} {verdict}" for verdict, n in ledger.verdict.value_counts().items())
    return f"{len(ledger)} claims: {said}; {len(verdicts)} cells of tables"


run(main)
