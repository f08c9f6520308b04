"""Borders of patches: how far each pixel is from one, and that the tables of the engine hold together."""

import numpy as np
import pandas as pd
import pytest
import torch
from skimage import io

from pipeline.analysis import time_tables
from pipeline.engine import adaptive
from pipeline.timing.jobs import luma_pairs
from pipeline.timing.engine_jobs import SHARES, against, by_share
from pipeline.report.figures import engine as figure
from pipeline.engine.fused import Fused, precisions
from pipeline.sr.routing import Routing
from pipeline.models import build
from pipeline.experiments.seams import POLICIES, distances, measure
from pipeline.timing.clocks import measure as clock
from tests.test_routing import picture, trained_like


def test_distance_from_the_border_of_a_patch():
    d = distances(36, 40, 3)  # patches of 18: 2 x 3, the last column shifted back to 22..39
    assert d.shape == (108, 120)
    assert d[0].max() == 0 and d[53].max() == 0 and d[54].max() == 0 and d.max() == 26
    assert d[26, 26] == 26 and d[26, 54] == 0 and d[26, 107] == 12  # 66 is where the last begins
    assert d[26, 66] == 0 and d[26, 65] == 11


def test_the_paper_s_borders_differ_from_real_context_near_the_border_alone():
    """A route sees at most 10 LR pixels at x2: what is further from the border is the same."""
    net, x = Fused(trained_like(), 2), picture(80, 90, seed=4)
    with torch.inference_mode():
        alone, context = (adaptive.super_resolve(net, [x], Routing(2, 9), borders)[0][0][0, 0]
                          for borders in ("paper", "context"))
    difference, d = (alone - context).abs().numpy(), distances(80, 90, 2)
    assert difference[d >= 20].max() < 1e-5 < 1e-3 < difference[d == 0].mean()


def test_profile_and_quality_of_an_image(tmp_path):
    io.imsave(tmp_path / "a.png", (picture(160, 200, seed=4)[0, 0].numpy() * 255).astype(np.uint8))
    profile, quality = measure(trained_like(), [tmp_path / "a.png"], 2, Routing(2, 9))
    psnr = {row["policy"]: row["psnr_db"] for row in quality}
    assert set(psnr) == {name for name, dtype in POLICIES.items() if dtype in precisions(torch.device("cpu"))}
    assert psnr.get("paper bf16", psnr["paper"]) == pytest.approx(psnr["paper"], abs=0.1)
    rows = pd.DataFrame(profile)
    assert len(rows) == len(psnr) * 27 and rows.rmse.between(0, 255, inclusive="neither").all()


def test_a_cpu_without_bfloat16_has_no_rows_of_it(tmp_path, monkeypatch):
    """Its library refuses to lay such weights out, and would compute seven times slower than float32."""
    monkeypatch.setattr("torch.ops.mkldnn._is_mkldnn_bf16_supported", lambda: False)
    io.imsave(tmp_path / "a.png", (picture(60, 60, seed=4)[0, 0].numpy() * 255).astype(np.uint8))
    models = {"prn": trained_like(), "fsrcnn": build("fsrcnn", (2,)).eval()}
    jobs = against(models, luma_pairs([np.zeros((60, 60), np.uint8)], 2, torch.device("cpu")), 2,
                   Routing(2, 9), "d")
    assert {job.labels["precision"] for job in jobs} == {"float32"}
    _, quality = measure(models["prn"], [tmp_path / "a.png"], 2, Routing(2, 9))
    assert [row["policy"] for row in quality] == ["paper", "context", "whole"]


def test_table_and_figure_of_the_engine(monkeypatch):
    monkeypatch.setattr("pipeline.timing.engine_jobs.precisions", lambda device: (torch.float32, torch.bfloat16))
    torch.manual_seed(0)
    models = {"prn": trained_like(), "fsrcnn": build("fsrcnn", (2,)).eval()}
    ys = [(picture(108, 140, seed)[0, 0] * 255).byte().numpy() for seed in (0, 1)]
    pairs = luma_pairs(ys, 2, torch.device("cpu"))
    device = torch.device("cpu")
    raw = pd.DataFrame(clock(against(models, pairs, 2, Routing(10, 30), "d"), repeats=2, warmup=1,
                             device=device))
    borders = pd.DataFrame({"policy": [*POLICIES], "image": "a", "psnr_db": [30.0, 30.2, 30.1, 29.9]})
    table = time_tables.engine(raw, {"device": "x", "gflops": 100.0, "gbytes_s": 10.0}, borders, "d", 2)
    assert len(table) == 17 and not table.duplicated(["method", "mode", "precision", "batch"]).any()
    row = table.set_index(["method", "mode", "precision", "batch"])
    whole, grouped = (row.loc["prn", mode, "float32", 2] for mode in ("whole", "grouped"))
    assert whole.speedup == 1 and grouped.speedup == pytest.approx(whole.ms_median / grouped.ms_median)
    assert grouped.fsrcnn_ratio == pytest.approx(
        row.loc["fsrcnn", "whole", "float32", 2].ms_median / grouped.ms_median)
    assert (grouped.psnr_db, whole.psnr_db) == (30.0, 30.1)
    assert row.loc["prn", "grouped", "bfloat16", 1].psnr_db == 29.9
    assert np.isnan(row.loc["fsrcnn", "whole", "float32", 1].psnr_db)

    shares = pd.DataFrame(clock(by_share(models["prn"], pairs[0], 2), repeats=2, warmup=1, device=device))
    grouped = shares[(shares["mode"] == "grouped") & (shares.repeat == 0)]
    assert tuple(grouped.severe) == SHARES and grouped.macs.is_monotonic_increasing
    seams = pd.DataFrame({"policy": list(POLICIES) * 2, "distance": [0] * 4 + [1] * 4, "rmse": 3.0})
    assert len(figure.engine(shares, seams).axes) == 2
