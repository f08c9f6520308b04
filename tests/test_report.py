"""The report says what its numbers rest on; the campaign keeps its limit."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline import evidence, report, schedule, training
from pipeline.fallbacks import fallbacks
from pipeline.gradients import examples, gains
from pipeline.models import build
from pipeline.speed import training_speed
from stages.networks import conditions
from tests.test_training import LABEL, RECIPE, make_images

MODEL = {"steps": 800, "device": "CPU, 2 threads", "recipe": {"batch": 16, "learning_rate": 1e-3,
         "decay": "step"}, "seconds": 60.0, "parameters": 5,
         "macs_per_lr_pixel": {"x2": {"mild": 1, "severe": 3}}, "phases": {"finetune": [800, 190]}}


def test_first_line_of_the_embedded_profile_forbids_comparison():
    line = report.headline("embedded", "trained", {"prn": MODEL}, ["embedded_test"],
                           ["embedded_train"], "CPU")
    assert "no figure here can be compared with the paper" in line and "800 steps" in line


def test_first_line_of_the_paper_profile_names_budget_stand_ins_and_origin():
    line = report.headline("paper", "trained", {"prn": MODEL, "bicubic": {**MODEL, "steps": 0}},
                           ["set5"], ["bsds200", "t91"], "GPU")
    assert "Bicubic row can be compared" in line and "800 steps (CPU, 2 threads)" in line
    assert "VOC2012 is stood in for by t91" in line and "ratios" in line
    real = report.headline("paper", "published", {"prn": MODEL}, ["set5"], ["bsds200", "voc2012"], "GPU")
    assert "stood in" not in real and "published weights" in real


GPU = {**MODEL, "device": "NVIDIA H100, torch 2.13.0", "precision": "float32"}
H100 = {"device": "NVIDIA H100", "kind": "cuda", "precision": "float32"}
MEASURED = pd.DataFrame({"method": ["prn"], "source": ["measured"]})
PAPER_SETS = (["set5", "set14", "bsds100", "urban100"], ["bsds200", "voc2012"])


@pytest.mark.parametrize("change, what, words", [
    ({"machine": {"device": "AMD EPYC, 2 threads"}}, "No GPU", "times are of a CPU, AMD EPYC"),
    ({"models": {"prn": MODEL, "fsrcnn": GPU}}, "No GPU", "1 of 2 networks were trained on one"),
    ({"models": {"prn": {**GPU, "precision": "error 3e-04"}}}, "Precision", "error 3e-04, not in float32"),
    ({"machine": {**H100, "precision": "error 3e-04"}}, "Precision", "not in float32"),
    ({"training_sets": ["bsds200", "t91"]}, "Stand-in training images", "t91; the paper: VOC2012"),
    ({"test_sets": ["set5"]}, "Other test images", "without set14, bsds100, urban100"),
    ({"test_sets": [*PAPER_SETS[0][1:], "mine"]}, "Other test images", "mine in place of set5"),
    ({"models": {"prn": {**GPU, "published": True}}}, "Published weights", "prn: not trained in this run"),
    ({"table": pd.DataFrame({"method": ["prn", "aplus"], "source": ["measured", "cited"]})},
     "Cited figures", "aplus: the paper's figures, not measured here"),
])
def test_every_fallback_is_named_and_nothing_else(change, what, words):
    usual = {"models": {"prn": GPU, "bicubic": {**MODEL, "steps": 0}}, "test_sets": PAPER_SETS[0],
             "training_sets": PAPER_SETS[1], "machine": H100, "table": MEASURED}
    assert fallbacks(**usual) == {}
    found = fallbacks(**{**usual, **change})
    assert list(found) == [what] and words in found[what]


@pytest.mark.parametrize("end", ["md", "html"])
def test_fallbacks_stand_above_the_title(tmp_path, end):
    words = {"No GPU": "times are of a CPU", "Cited figures": "aplus"}
    nothing = {"title": "t", "file": "f", "header": ["a"], "rows": [], "note": ""}
    report.render({"headline": "line", "fallbacks": words, "profile": "paper", "tables": [nothing],
                   "training": nothing, "decisions": [], "pictures": {},
                   "provenance": {"revision": "r"}}, tmp_path)
    top = (tmp_path / f"report.{end}").read_text().split("\n# " if end == "md" else "<h1>")[0]
    assert all(what in top and text in top for what, text in words.items())


@pytest.mark.parametrize("precision, expected", [(None, "float32"), (torch.float16, "error"),
                                                 (torch.bfloat16, "error")])
def test_precision_is_measured_and_not_declared(monkeypatch, precision, expected):
    """As TF32 does it: operands are rounded on their way into a convolution of float32."""
    exact = torch.nn.functional.conv2d

    def rounding(x, w):
        if precision is not None and x.dtype == torch.float32:
            x, w = x.to(precision).float(), w.to(precision).float()
        return exact(x, w)

    monkeypatch.setattr("torch.nn.functional.conv2d", rounding)
    found = conditions(torch.device("cpu"))
    assert found["precision"].startswith(expected) and found["kind"] == "cpu"


def test_training_table_leaves_out_what_was_not_trained():
    table = report.training_table({"prn": MODEL, "bicubic": {**MODEL, "steps": 0}})
    assert [row[0] for row in table["rows"]] == ["PRN"] and table["rows"][0][1] == "800"
    assert report.training_table({"prn": {**MODEL, "published": True}})["rows"][0][-1] == "published"


def test_every_decision_of_the_design_is_there_and_says_when_it_was_not_measured():
    pairs = pd.DataFrame({"label": ["a", "b"], "gamma_low": [10.0, 20], "gamma_upper": [50.0, 50],
                          "psnr_db": [27.0, 26.9], "ms_per_image": [9.0, 7]})
    ablation = pd.DataFrame({"method": ["prn"], "gamma_low": [20.0], "gamma_upper": [50.0],
                             "psnr_db": [26.9]})
    shares = pd.DataFrame({"dataset": ["d"], "scale": [4], "gamma_low": [20.0], "gamma_upper": [50.0],
                           "share_mild": [0.2], "share_moderate": [0.3], "share_severe": [0.5]})
    timing = pd.DataFrame({"method": "prn", "scale": 4, "mode": ["paper", "grouped", "whole"],
                           "ms_median": [3.0, 2, 1], "device": "CPU"})
    rows = evidence.decisions({"ablation": ablation, "table2": pairs, "shares": shares,
                               "timing": timing, "models": {"prn": MODEL}, "auc": None,
                               "dataset": "d", "scale": 4, "gammas": (20.0, 50.0)})
    assert [row["id"] for row in rows] == [f"D{i}" for i in range(1, 15)]
    found = {row["id"]: row["evidence"] for row in rows}
    assert "10/50 27.000 dB, 9.0 ms; 20/50 26.900 dB, 7.0 ms" in found["D1"]
    assert found["D12"] == evidence.NOT_MEASURED and "no AUC" in found["D3"]


def test_schedule_runs_in_order_together_and_stops_at_the_limit(tmp_path):
    def command(name, left):
        code = f"import sys, time; time.sleep(0.1); print({name!r}); sys.exit({name == 'bad'})"
        return [sys.executable, "-c", code]

    outcome = schedule.run(["a", "bad", "b"], command, 2, 5, tmp_path)
    assert outcome == {"a": "finished", "bad": "stopped", "b": "finished"}
    assert (tmp_path / "b.log").read_text() == "b\n"
    assert schedule.run(["a"], command, 1, 0, tmp_path) == {"a": "not started"}


def test_speed_is_of_real_steps_and_counted_from_shapes():
    run = training.Run(build("prn", (2, 3), width=8), RECIPE, (2, 3), LABEL, 0, torch.device("cpu"))
    phase = training.Phase("p", make_images(), 10, True)
    speed = training_speed(run, phase, {"gflops": 100.0}, steps=3)
    assert int(run.step) == 6  # three to warm up
    assert speed["single_scale_steps_per_s"] == pytest.approx(2 * speed["steps_per_s"], abs=0.02)
    assert speed["share_of_peak"] == pytest.approx(speed["gflops"] / 100, abs=0.002)


def test_gains_and_examples_on_images(tmp_path):
    """Fig. 2 and 4: a network that equals bicubic gains nothing; no severe patch is no error."""
    from PIL import Image

    path = tmp_path / "x.png"
    Image.fromarray(next(iter(make_images().values()))).save(path)
    bicubic, device = build("bicubic", (3,)), torch.device("cpu")
    rows = pd.DataFrame(gains(bicubic, bicubic, [path], 3, 18, norm="l1", domain="bicubic",
                              device=device))
    assert len(rows) and (rows.gain_db == 0).all() and (rows.prior >= 0).all()
    found = examples(bicubic, bicubic, rows, [path], 3, 4, device)
    assert found["severe"]["hr"].shape == (0, 54, 54) and found["severe"]["psnr"].shape == (0, 2)
    assert found["mild"]["hr"].shape[1:] == (54, 54)
    np.testing.assert_array_equal(found["mild"]["bicubic"], found["mild"]["cnn"])
