"""Draw all figures: reports/<profile>/figures/*.png and *.svg."""

import numpy as np
import pandas as pd

from pipeline.config import params
from pipeline.report.figures import (curves, engine, fig1, fig2, fig3, fig4, fig7, fig8_11, front, intervals,
                                     ladder, routers, routes)
from pipeline.report.figures.style import save
from pipeline.io import read_json, unflatten
from pipeline.report.times import at_thresholds
from stages.common import csv_files
from stages.common.shell import folder, reports, run


def main():
    p = params.load()
    source, out, methods = folder(p), reports(p), p.present([*p.methods, *p.routed])
    first, times, table2 = (csv_files.read(out / f"{name}.csv") for name in ("table1", "timing", "table2"))
    there = csv_files.read(out / "gpu.csv")
    both = pd.concat([at_thresholds(some, p.gamma_low, p.gamma_upper) for some in (times, there)])
    examples = unflatten(np.load(source / "examples.npz"))
    pictures = unflatten(np.load(source / "pictures.npz"))
    scores = read_json(source / "pictures.json")
    records = {name: read_json(source / "models" / f"{name}.json") for name in methods}
    figures = {
        "claims": intervals.intervals(csv_files.read(out / "claims.csv")),
        "fig1": fig1.efficiency(first, both, p.images.ablation, p.ablation.scale),
        "fig2": fig2.examples(examples["severe"], examples["mild"]),
        "fig3": fig3.features([(p.images.pictures[n].called, *(pictures["fig3"][f"{n}/{key}"]
                                                               for key in ("image", "response")))
                               for n in ("fig8", "fig9")]),
        "fig4": fig4.histograms(csv_files.read(source / "gains.csv"), p.gamma_low, p.gamma_upper),
        "fig7": fig7.thresholds(table2),
        "engine": engine.engine(csv_files.read(source / "shares_times.csv"),
                                csv_files.read(source / "seams.csv")),
        "curves": curves.learning_curves(curves.gather(records)),
        "routers": routers.routers(csv_files.read(out / "routers.csv")),
        "front": front.front(csv_files.read(out / "front.csv")),
        "ladder": ladder.ladder(csv_files.read(out / "ladder.csv")),
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
