"""The report says what its numbers rest on."""

import html
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.report import decisions, departures, symbols, tables, times
from pipeline.training import algorithm1
from pipeline.experiments.gradient_gain import examples, gains
from pipeline.models import build
from stages.common.networks import conditions
from tests.made_report import MODEL, gpu_times, make, results
from tests.test_training import LABEL, RECIPE, make_images

ROOT = Path(__file__).parents[1]


def test_the_first_line_of_the_embedded_profile_forbids_comparison(tmp_path):
    assert "no figure here can be compared with the paper" in departures.headline("embedded")
    first = (make(tmp_path) / "report.md").read_text().splitlines()[:5]
    assert departures.headline("paper") in first[1] and "**Test images:**" in first[3]


def box_of(models=None, training=("t91", "bsds200")):
    return dict(departures.departures(models or {"prn": MODEL, "bicubic": {**MODEL, "steps": 0}}, ["set5"],
                                 training, {"device": "AMD EPYC, 2 threads"}, results()["table1"],
                                 results()["published"]))


def test_the_box_names_budget_recipe_stand_ins_device_and_cited_rows():
    box = box_of()
    assert "800 steps (CPU, 2 threads)" in box["Budget"] and "a batch of 16" in box["Recipe"]
    assert box["Training images"] == "t91 in place of VOC2012" and box["Weights"] == "trained in this run"
    assert "a CPU" in box["Times"] and "ratios" in box["Times"] and box["Cited rows"].startswith("A+:")


PAPERS = {"batch": 64, "learning_rate": 1e-4, "decay": "step"}
GPU = {**MODEL, "device": "NVIDIA H100, torch 2.13.0", "precision": "float32", "recipe": PAPERS}
H100 = {"device": "NVIDIA H100", "kind": "cuda", "precision": "float32"}
MEASURED = pd.DataFrame({"method": ["prn"], "dataset": "set5", "source": ["measured"]})
PAPER_SETS = (["set5", "set14", "bsds100", "urban100"], ["bsds200", "voc2012"])
USUAL = {"models": {"prn": GPU, "bicubic": {**MODEL, "steps": 0}}, "test_sets": PAPER_SETS[0],
         "training_sets": PAPER_SETS[1], "machine": H100, "table": MEASURED,
         "published": pd.DataFrame({"method": ["vdsr"], "psnr_db": [30.0]})}


def test_the_box_is_short_where_all_is_as_in_the_paper():
    box = dict(departures.departures(**USUAL))
    assert list(box) == ["Test images", "Weights", "Budget", "Times"] and "CPU" not in "".join(box.values())
    assert box["Test images"] == "Set5, Set14, BSDS100, Urban100: the paper's own"
    seen = departures.departures(**{**USUAL, "models": {"prn": {**GPU, "patches": 1_200_000}}}, paper_patches=30_000_000)
    assert dict(seen)["Budget"].startswith("PRN saw 1,200,000 patches of each scale, 4.0% of the paper's; all networks 800")


@pytest.mark.parametrize("change, what, words", [
    ({"machine": {"device": "AMD EPYC, 2 threads"}}, "Times", "of a CPU, AMD EPYC"),
    ({"machine": {"device": "AMD EPYC, 2 threads", "kind": "cpu", "other_cores": 1.04}}, "Times",
     "(other work kept 1.0 of its cores busy)"),
    ({"models": {"prn": {**GPU, "device": "CPU"}, "fsrcnn": GPU}}, "No GPU", "1 of 2 networks were trained"),
    ({"models": {"prn": {**GPU, "precision": "error 3e-04"}}}, "Precision", "error 3e-04, not in float32"),
    ({"models": {"prn": {**GPU, "recipe": {**PAPERS, "precision": "bfloat16"}}}}, "Precision",
     "wide convolutions trained in bfloat16: PRN"),
    ({"models": {"prn": {**GPU, "recipe": MODEL["recipe"]}}}, "Recipe", "a batch of 16"),
    ({"machine": {**H100, "precision": "error 3e-04"}}, "Precision", "not in float32"),
    ({"training_sets": ["bsds200", "t91"]}, "Training images", "t91 in place of VOC2012"),
    ({"training_sets": [*PAPER_SETS[1], "mine"]}, "Training images", "mine, besides the paper's"),
    ({"test_sets": ["set5"]}, "Test images", "without the paper's Set14, BSDS100, Urban100"),
    ({"test_sets": [*PAPER_SETS[0][1:], "mine"]}, "Test images", "mine: not the paper's sets; without"),
    ({"models": {"prn": {**GPU, "published": True}}}, "Weights", "not trained in this run: all"),
    ({"models": {"prn": {**GPU, "published": True}, "fsrcnn": GPU}}, "Weights", "in this run: PRN"),
    ({"table": pd.DataFrame({"method": ["prn", "aplus"], "dataset": "set5", "source": ["measured", "cited"]})},
     "Cited rows", "A+: quality not measured here"),
    ({"table": pd.DataFrame({"method": "selfex", "dataset": ["set5", "urban100"], "source": ["measured", "cited"]})},
     "Cited rows", "SelfEx on Urban100: quality not measured here"),
    ({"published": pd.DataFrame({"method": ["vdsr", "drcn", "drcn"], "psnr_db": [30.0, np.nan, 30.0]})},
     "Not run", "DRCN in 1 of 2 cells"),
    ({"models": {"prn": GPU, "vdsr": {"steps": 0, "weights": "authors", "licence": "MIT"}}}, "Compared methods",
     "the authors' own models, not redistributed: VDSR (licences: provenance.json)"),
    ({"models": {"prn": GPU, "rfl": {"steps": 0, "weights": "fitted"}, "aplus": {
        "steps": 0, "weights": {"x2": "authors", "x3": "fitted", "x4": "fitted"}, "licence": "study alone"}}},
     "Compared methods", "A+ at ×2 (licences: provenance.json). Fitted here: RFL, A+ at ×3/×4"),
    ({"parts": {"timing.csv": pd.DataFrame({"device": ["NVIDIA H100", "AMD EPYC"]})}}, "Not one run",
     "timing.csv has rows of device AMD EPYC, this report is of NVIDIA H100"),
    ({"revision": "b", "parts": {"quality.csv": pd.DataFrame({"revision": ["a", "b"]})}}, "Not one run",
     "quality.csv has rows of revision a, this report is of b"),
])
def test_every_fallback_is_named_and_nothing_else(change, what, words):
    usual = dict(departures.departures(**USUAL))
    found = dict(departures.departures(**{**USUAL, **change}))
    assert words in found[what] and words not in usual.get(what, "")
    assert {k for k in found if found[k] != usual.get(k)} - {"Budget"} == {what}  # a budget names devices


@pytest.mark.parametrize("name, end", [("report.md", "\n# "), ("report.html", "</header>")])
def test_fallbacks_stand_at_the_top(tmp_path, name, end):
    top = html.unescape((make(tmp_path) / name).read_text().split(end)[0])
    box = departures.departures({"prn": MODEL}, ["set5"], ["t91"], {"device": "an EPYC"}, results()["table1"],
                           results()["published"])
    assert {"No GPU", "Cited rows", "Recipe"} <= dict(box).keys()
    assert all(what in top and words in top for what, words in box)


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
    table = departures.training_table({"prn": MODEL, "bicubic": {**MODEL, "steps": 0}})
    assert [row[0] for row in table["rows"]] == ["PRN"] and table["rows"][0][1] == "800 × 16"
    assert departures.training_table({"prn": {**MODEL, "published": True}})["rows"][0][-1] == "published"


def test_tables_have_the_papers_number_beside_ours_the_best_and_the_verdict():
    table = tables.typeset(results(), ["set5"], "bsds100", 4, (10, 30))[0]
    assert table["header"] == ["method", "Set5 PSNR", "Set5 paper", "Set5 Δ", "Set5 SSIM", "Set5 paper"]
    assert table["rows"][0] == ["Bicubic", "26.00", "26.00", "+0.00", "0.650", "0.650"]
    assert table["rows"][1][:3] == ["A+ †", "–", "26.80"] and "† quality not measured here" in table["note"]
    assert table["verdicts"][0, 1] == ("=", "matches") and table["verdicts"][3, 1] == ("▼", "not replicated")
    assert (1, 1) not in table["verdicts"] and (4, 1) not in table["verdicts"]  # no number of ours, or of the paper
    assert {(4, 1), (3, 2)} <= table["best"] and (3, 1) not in table["best"]
    assert table["rows"][3][3] == "−17.67" and not any(column == 3 for _, column in table["best"])


def test_table4_has_the_gain_of_rolling_with_its_interval():
    found = results()
    found["claims"] = found["claims"].assign(id=["rolling-psnr", *"abcd"], our_value="+0.010 dB, with rolling above")
    table = next(t for t in tables.typeset(found, ["set5"], "set5", 4, (10, 30)) if t["title"].startswith("Table IV"))
    assert table["rows"][-1] == ["gain", "+0.010 dB [−0.2,\u00a00.1], with rolling above", "+0.13 dB"]


def test_tables_of_images_that_the_paper_does_not_have_show_ours_alone():
    found = results()
    found["table1"] = found["table1"].assign(paper_psnr_db=np.nan, paper_ssim=np.nan)
    assert tables.typeset(found, ["set5"], "set5", 4, (10, 30))[0]["header"] == ["method", "Set5 PSNR", "Set5 SSIM"]


def test_both_reports_say_the_same(tmp_path):
    folder, found = make(tmp_path), results()
    page, text, method = ((folder / name).read_text() for name in ("report.html", "report.md", "method.md"))
    for said in [*symbols.CLAIMS, "of 100 images", "−0.1", "[−0.2,\u00a00.1]", "+0.13 dB", "Cited rows", "800 steps",
                 "Table I, ×4", "Fig. 8: noise", "not replicated", "cells.csv"]:
        assert said in page and said in text, said
    for said in ["What was trained", "Decisions", "The paper against itself", "1 / 3"]:
        assert said in page and said in method and said not in text, said
    assert "26.00 = |" in text and "26.60**" in text
    widths = {line.count(" | ") for line in text.splitlines() if line.startswith("| PRN does")}
    assert widths == {4}, "a | in a claim must not make a column"


def test_training_table_names_the_images_that_a_method_is_fitted_to():
    fitted = {**MODEL, "steps": 0, "recipe": {"sets": ["t91"], "levels": 12}}
    assert departures.training_table({"aplus": fitted})["rows"][0][:3] == ["A+", "fitted to t91", "–"]


def test_what_patches_alone_cost_is_said_beside_the_whole_image():
    first = pd.DataFrame({"method": ["prn", "prn_context"], "dataset": "bsds100", "scale": 4, "psnr_db": [26.954, 27.156],
                          "paper_psnr_db": [27.17, np.nan]})
    rows = pd.DataFrame({"method": "prn", "dataset": "bsds100", "scale": 4, "mode": ["whole", "context", "grouped"],
                         "ms_median": [10.0, 17.6, 9.0], "psnr_db": [27.228, 27.1, 26.9]})
    assert tables.borders(first, rows, rows, "bsds100", 4) == {
        "where": "BSDS100 ×4", "alone": "26.95", "context": "27.16", "whole": "27.23", "paper": "27.17", "takes": "1.76"}
    untimed = tables.borders(first, rows[:0], rows[:0], "bsds100", 4)
    assert (untimed["whole"], untimed["takes"]) == ("–", "–")
    assert tables.borders(first[:1], rows, rows, "bsds100", 4) == {}


def test_table1_says_which_classical_method_falls_short():
    table = pd.DataFrame({"method": ["aplus", "rfl", "selfex", "srcnn"], "dataset": "set5", "scale": 2,
                          "psnr_db": [36.55, 36.4, 36.5, 30.0], "ssim": 0.9, "source": "measured",
                          "paper_psnr_db": [36.6, 36.59, 36.6, 36.7], "paper_ssim": 0.9})
    note = tables._table1(table, 2, ["set5"], {})["note"]
    assert note.endswith("RFL is short of the paper's figure, in dB: Set5 0.19.")
    assert not {"A+", "SelfEx", "SRCNN"} & set(note.replace(".", "").split())


def test_every_decision_is_there_and_says_when_it_was_not_measured():
    pairs = pd.DataFrame({"label": ["a", "b"], "gamma_low": [10.0, 20], "gamma_upper": [50.0, 50],
                          "psnr_db": [27.0, 26.9], "ms_per_image": [9.0, 7]})
    ablation = pd.DataFrame({"method": ["prn", "prn_short", "prn_identity"], "gamma_low": 20.0, "gamma_upper": 50.0,
                             "psnr_db": [26.9, 26.5, 26.4]})
    models = {"prn": {**MODEL, "patches": 12}, "prn_short": {"patches": 1000}, "prn_identity": {"patches": 1000}}
    shares = pd.DataFrame({"dataset": ["d"], "scale": [4], "gamma_low": [20.0], "gamma_upper": [50.0],
                           "share_mild": [0.2], "share_moderate": [0.3], "share_severe": [0.5]})
    timing = pd.DataFrame({"method": "prn", "scale": 4, "mode": ["paper", "grouped", "context", "whole"],
                           "ms_median": [3.0, 2, 1.5, 1], "device": "CPU"})
    facts = {"ablation": ablation, "table1": results()["table1"], "front": results()["front"], "table2": pairs, "shares": shares,
                               "timing": timing, "models": models, "auc": None,
                               "labels": {"prn": (10.0, 30.0)}, "dataset": "d", "scale": 4,
                               "gammas": (20.0, 50.0)}
    rows = decisions.decisions(facts)
    assert [row["id"] for row in rows] == [f"D{i}" for i in range(1, 18)]
    found = {row["id"]: row["measured"] for row in rows}
    assert "10/50 27.000 dB, 9.0 ms; 20/50 26.900 dB, 7.0 ms" in found["D1"]
    assert found["D15"].startswith("0 of 4 cells within 0.01 dB of Table I; farthest FSRCNN on set5 x4: 26.40")
    assert "no hole 26.900 dB, one hole not run" in found["D5"] and found["D16"] == "PRN 12"
    equal = "after 1,000 patches a scale, added to the output 26.500 dB, identity channel 26.400 dB"
    assert equal in found["D7"], "PRN of other patches is no comparison"
    assert found["D13"].endswith("labels at 10/30 26.900 dB, other labels not run")
    del models["prn_short"]
    assert "added to the output not run" in decisions.decisions(facts)[6]["measured"]
    assert found["D12"] == decisions.NOT_MEASURED and "no AUC" in found["D3"]


def test_times_are_found_at_thresholds_of_any_number_of_digits():
    rows = pd.DataFrame({"mode": ["whole", "grouped", "grouped"], "gamma_low": [np.nan, 13.33333, 10],
                         "gamma_upper": [np.nan, 30.0, 30]})
    assert list(times.at_thresholds(rows, 40 / 3, 30.0).index) == [0, 1]


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


def test_the_results_in_the_readme_are_those_of_the_committed_report():
    """After a new run of the paper profile, put the lines that this names into README.md."""
    claims = symbols.claim_rows(pd.read_csv(ROOT / "reports/paper/claims.csv"))
    lines = {row["claim"]: f"| {row['claim']} | {row['mark']} {row['verdict']} | {row['paper']} | {row['ours']} |"
             for row in claims}
    section = (ROOT / "README.md").read_text().split("## The result so far")[1].split("\n## ")[0]
    shown = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(shown) >= 5
    for line in shown:
        assert line == lines[line.split(" | ")[0].removeprefix("| ")]


@pytest.mark.parametrize("path", sorted((ROOT / "reports").glob("*/provenance.json")), ids=lambda p: p.parent.name)
def test_a_report_is_of_one_run_or_says_so_in_its_box(path):
    provenance, folder = json.loads(path.read_text()), path.parent
    tables = {path.name: pd.read_csv(path) for path in folder.glob("*.csv")}
    times = tables.pop("gpu.csv", None)  # of another machine by purpose: the words over its table name it
    assert times is None or all(device in (folder / "report.md").read_text() for device in times.device)
    assert any("device" in table for table in tables.values())
    others = departures.not_one_run(provenance["timed_on"]["device"], provenance["revision"], tables)
    assert others == provenance["departures"].get("Not one run", "")
    said = provenance["departures"].values()
    assert all(words in (folder / "report.md").read_text() for words in said)


def test_the_readme_names_files_that_exist():
    for link in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\"]+)\"", (ROOT / "README.md").read_text()):
        assert (ROOT / "".join(link)).exists(), link


def test_times_on_a_gpu_stand_in_one_row_a_method_and_say_what_routing_does():
    table = times.by_mode(gpu_times()).set_index("method")
    assert list(table.loc["prn", times.MODES]) == [0.5, 1.5, 3.5, 50.0] and table.over_fsrcnn["prn"] == 2
    said = times.words(table.reset_index(), 4)
    assert "routed by the engine takes 1.50 ms, 3.0 times the time of the whole image" in said and "a GPU" in said
    faster = gpu_times().replace({"ms_median": {1.5: 0.25}})
    assert "2.0 times as fast as the whole image" in times.words(times.by_mode(faster), 4)
    other = gpu_times()[lambda rows: rows["mode"] != "grouped"]  # timed at other thresholds than the run's
    assert "routed" not in times.words(times.by_mode(other), 4)


def test_tf32_is_said_of_networks_that_a_gpu_trained():
    tf32 = {**MODEL, "recipe": {**MODEL["recipe"], "precision": "tf32"}}
    models = {"prn": tf32, "prn_x4": {**tf32, "device": "NVIDIA H100, torch 2.11.0; CPU, 1 threads"}}
    tables = results()
    said = dict(departures.departures(models, ["set5"], ["t91"], {"device": "an EPYC"}, tables["table1"],
                                      tables["published"]))
    assert said["Precision"].endswith("in training: PRN, ×4 alone") and "1 of 2" in said["No GPU"]
