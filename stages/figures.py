"""Draw all figures: reports/<profile>/figures/*.png and *.svg."""

import json

import numpy as np
import pandas as pd

from pipeline.config import params
from pipeline.report.figures import curves, engine, intervals, fig1, fig2, fig3, fig4, fig7, fig8_11, routers, routes
from pipeline.report.figures.style import save
from pipeline.io import unflatten
from stages.common.shell import folder, reports, run


def main():
    p = params.load()
    source, out, methods = folder(p), reports(p), p.present([*p.methods, *p.routed])
    first, times, table2 = (pd.read_csv(out / f"{name}.csv") for name in ("table1", "timing", "table2"))
    current = times[times.gamma_low.isna() | times.gamma_low.eq(p.gamma_low)
                    & times.gamma_upper.eq(p.gamma_upper)]
    examples = unflatten(np.load(source / "examples.npz"))
    pictures = unflatten(np.load(source / "pictures.npz"))
    scores = json.loads((source / "pictures.json").read_text())
    records = {name: json.loads((source / "models" / f"{name}.json").read_text()) for name in methods}
    figures = {
        "claims": intervals.intervals(pd.read_csv(out / "claims.csv")),
        "fig1": fig1.efficiency(first, current, p.images.ablation, p.ablation.scale),
        "fig2": fig2.examples(examples["severe"], examples["mild"]),
        "fig3": fig3.features([(n, pictures["fig3"][f"{n}/image"], pictures["fig3"][f"{n}/response"])
                               for n in sorted({key.split("/")[0] for key in pictures["fig3"]})]),
        "fig4": fig4.histograms(pd.read_csv(source / "gains.csv"), p.gamma_low, p.gamma_upper),
        "fig7": fig7.thresholds(table2),
        "engine": engine.engine(pd.read_csv(source / "shares_times.csv"), pd.read_csv(source / "seams.csv")),
        "routers": routers.routers(pd.read_csv(out / "routers.csv")),
        "curves": curves.learning_curves(curves.gather(records)),
    }
    shown = fig8_11.chosen(set.intersection(*(set(scores[name]) for name in p.images.pictures)))
    for name, picture in p.images.pictures.items():
        found = pictures[name]
        figures[name] = fig8_11.comparison(
            found["full"], picture.box,
            [("HR", found["truth"], None, None),
             *((method, found[method], *scores[name][method]) for method in shown)])
    figures["routes"] = routes.routes([
        (f"{picture.called} ×{picture.scale}", pictures[name]["whole/prn"],
         *(pictures[name][f"map/{key}"] for key in ("rows", "columns", "route")))
        for name, picture in p.images.pictures.items()])
    for name, figure in figures.items():
        save(figure, out / "figures" / name)
    return f"{len(figures)} figures, as PNG and SVG, in {out / 'figures'}"


run(main)
