"""A small report from made-up results, for the tests of the page."""

import json

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.report import departures, embed, front as words, render, symbols, tables as shown
from pipeline.report.figures.style import save
from tests.test_front import results as front

MODEL = {"steps": 800, "device": "CPU, 2 threads", "recipe": {"batch": 16, "learning_rate": 1e-3,
         "decay": "step"}, "seconds": 60.0, "parameters": 5,
         "macs_per_lr_pixel": {"x2": {"mild": 1, "severe": 3}}}
METHODS = {"bicubic": (26.0, 26.0), "aplus": (np.nan, 26.8), "fsrcnn": (26.4, 26.98), "prn": (9.5, 27.17),
           "prn_no_rolling": (26.6, np.nan)}


def gpu_times():
    """As gpu.csv: both networks in their modes."""
    rows = [("prn", mode, ms) for mode, ms in (("whole", 0.5), ("grouped", 1.5), ("context", 3.5), ("paper", 50.0))]
    return pd.DataFrame([{"method": method, "scale": 4, "dataset": "bsds100", "device": "a GPU", "images": 10,
                          "repeats": 30, "mode": mode, "ms_median": ms} for method, mode, ms in
                         [*rows, ("fsrcnn", "whole", 0.25)]])


def results():
    """The tables that a report is made of; PRN's PSNR has one digit less, so that text would sort it last."""
    first = pd.DataFrame([
        {"method": name, "dataset": dataset, "scale": 4, "psnr_db": ours, "ssim": ours / 40,
         "paper_psnr_db": paper, "paper_ssim": paper / 40, "source": "cited" if np.isnan(ours) else "measured",
         "weights": "authors" if name == "fsrcnn" else ""}
        for name, (ours, paper) in METHODS.items() for dataset in ("set5", "set14", "bsds100", "urban100")])
    cells = pd.DataFrame([
        {"table": "I", "row": row.method, "column": f"{row.dataset} x4 psnr_db", "paper_value": row.paper_psnr_db,
         "our_value": row.psnr_db, "verdict": "matches" if row.method == "bicubic" else "not replicated"}
        for row in first.itertuples()])
    claims = pd.DataFrame([
        {"id": f"claim-{i}", "claim": f"PRN does “{verdict}” | {'a long word ' * 6}", "where": "IV",
         "criterion": "interval above zero", "paper_value": "+0.13 dB", "our_value": -0.1, "ci_low": -0.2,
         "ci_high": 0.1, "verdict": verdict, "because": "of 100 images"} for i, verdict in enumerate(symbols.CLAIMS)])
    pairs = pd.DataFrame({"label": ["current", "U1L1"], "dataset": "set5", "scale": 4, "patches": 9,
                          "gamma_low": [10.0, 20], "gamma_upper": [50.0, 50], "psnr_db": [27.0, 26.9],
                          "ms_per_image": [9.0, 71.5], "speedup": 1.0, "share_mild": 0.2, "share_moderate": 0.3,
                          "share_severe": 0.5})
    timing = pd.DataFrame({"method": "prn", "dataset": "set5", "scale": 4, "mode": ["paper", "whole"], "gamma_low": 10.0,
                           "gamma_upper": 30.0, "ms_median": [40.0, 2.0], "ms_p10": 1.0, "ms_p90": 3.0,
                           "limit_ms": 1.0, "macs": 1e9, "device": "a CPU"})
    published = pd.DataFrame({"method": ["vdsr"], "dataset": "set5", "scale": 4, "psnr_db": 31.2, "ssim": 0.88,
                              "published_psnr_db": 31.35, "published_ssim": 0.8838, "delta_db": -0.15})
    engine = timing.assign(device="a CPU, 1 threads", precision="float32", routing_share=0.02,
                                   batch=1, speedup=1.5, fsrcnn_ratio=0.1, psnr_db=27.0, peak_mb=40.0)
    names = {"all mild": 26.2, "oracle": 27.06, "random": 26.85, "vertical gradient": 26.94, "squared gradient": 26.98}
    routers = pd.DataFrame([
        {"experts": experts, "router": name, "macs": 0, "cost": 0.07 if name.startswith("all") else cost,
         "images": 100, "psnr_db": psnr, "above_paper_db": psnr - 26.94, "ci_low": psnr - 26.95,
         "ci_high": psnr - 26.93, "gap_share": (psnr - 26.85) / 0.21}
        for experts in ("prn", "cascade") for name, psnr in names.items() for cost in (0.36, 0.5)])
    return {"table1": first, "published": published, "engine": engine, "routers": routers, "front": front(),
            "table2": pairs, "shares": pairs, "timing": timing, "gpu": gpu_times(), "cells": cells,
            "claims": claims, "table3": pd.DataFrame({"stage": ["early"], "depth": [1], "psnr_db": [27.0],
            "ms_per_image": [9.0], "paper_psnr_db": [27.1], "paper_time": [1.8]}),
            "table4": pd.DataFrame({"rolling": ["with"], "psnr_db": [27.0], "paper_psnr_db": [27.1]})}


def make(folder):
    """Write report.md, method.md and report.html into a folder."""
    tables, random = results(), np.random.default_rng(0)
    for name in ("claims", "fig1", "fig8"):
        figure = Figure(figsize=(7, 3))
        figure.subplots().plot([1, 2])
        save(figure, folder / "figures" / name)
    image = random.integers(0, 256, (108, 104, 3), np.uint8)
    pixels = {"full": image, "whole/bicubic": image // 2, "whole/prn": 255 - image, "map/rows": np.array([0, 54, 108]),
              "map/columns": np.array([0, 54, 104]), "map/route": np.array([[0, 1], [2, 2]]),
              "map/prior": np.array([[5.0, 20], [40, 50]])}
    scores = {"bicubic": (22.1, 0.7), "prn": (24.6, 0.8)}
    render.render({
        "profile": "paper", "provenance": json.loads('{"revision": "0123456789abcdef"}'),
        "headline": departures.headline("paper"),
        "departures": departures.departures({"prn": MODEL}, ["set5"], ["t91"], {"device": "an EPYC"},
                                       tables["table1"], tables["published"]),
        **symbols.summary(tables["claims"], tables["cells"]), "training": departures.training_table({"prn": MODEL}),
        "narrower": words.words(tables["front"]), "borders": shown.borders(tables["table1"], tables["engine"], tables["timing"], "set5", 4),
        "pictures": {"fig8": "noise"}, "comparisons": [embed.comparison("noise", pixels, scores)],
        "tables": shown.typeset(tables, ["set5", "set14", "bsds100", "urban100"], "bsds100", 4, (10, 30)),
        "decisions": [{"id": "D1", "question": "q", "decision": "d", "measured": "e"}],
        "contradictions": [{"point": "p", "first": "1", "second": "2", "our_reading": "r", "decision": "D1"}]},
        folder)
    return folder
