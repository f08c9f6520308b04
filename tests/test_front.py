"""Routing against narrower networks: its PSNR is that of the engine, and the front is read as it says."""

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.analysis import front as analysis
from pipeline.engine import adaptive
from pipeline.engine.fused import Fused
from pipeline.evaluation.protocol import compose, degrade, score_psnr
from pipeline.experiments import front
from pipeline.report import front as report
from pipeline.report.figures import front as figure
from tests.test_routing import picture, trained_like

BORDERS = {"grouped": "paper", "context": "context"}


def photograph(h, w, seed=0):
    return (picture(h, w, seed)[0, 0].numpy() * 255).round().astype(np.uint8)


@pytest.fixture
def chosen(monkeypatch):
    """Thresholds of a network that has learnt nothing, for which no cost is worth another."""
    monkeypatch.setattr(front, "thresholds", lambda known, domain, costs, norms: [
        {"norm": norms[0], "cost": costs[0], "gamma_low": 4 * costs[0], "gamma_upper": 14 * costs[0]}])


@pytest.mark.parametrize("patch", [54, 108])
def test_routed_psnr_is_that_of_the_engine(patch, chosen):
    model, scale = trained_like(), 4
    known = [("a", degrade(photograph(240, 400), scale))]
    pairs = [(str(seed), degrade(photograph(220, 320, seed), scale)) for seed in (1, 2)]
    found = front.routed("prn", model, known, pairs, scale, patch=patch, costs=(0.5, 0.8))
    assert {(s.mode, s.cost) for s in found} == {(mode, cost) for mode in BORDERS for cost in (0.5, 0.8)}
    for setting, values in found.items():
        images, routes = adaptive.super_resolve(Fused(model, scale), [pair.lr_y for _, pair in pairs], setting.routing,
                                           BORDERS[setting.mode])
        assert set(torch.cat(routes).tolist()) == {0, 1, 2}
        assert values == pytest.approx([score_psnr(compose(sr, pair), pair) for sr, (_, pair) in zip(images, pairs)],
                                       abs=2e-3)  # a float's noise may round to another grey level


def test_the_widest_routed_network_has_patches_of_all_sides(chosen):
    narrow, wide = trained_like(), trained_like(seed=1)
    wide.width = 16
    pairs = [("a", degrade(photograph(240, 400), 4))]
    found = front.compare({"narrow": narrow, "wide": wide, "static": trained_like(routing=False)}, pairs, pairs, 4)
    sides = {name: {s.routing.patch for s in found if s.method == name and s.routing} for name in ("narrow", "wide")}
    assert sides == {"narrow": {54}, "wide": set(front.SIDES)}
    assert [s.mode for s in found if s.method == "static"] == ["whole"]


def results(images=20, lift=0.0, control=True, only="", border=""):
    """Static networks of 10, 20 and 40 ms (27.0, 27.2, 27.4 dB), and one of three routes."""
    rng, rows, times = np.random.default_rng(0), [], []
    static = [("thin12", 12, 10, 27.0), ("thin24", 24, 20, 27.2), ("thin48", 48, 40, 27.4)]
    some = [(name, "whole", None, None, width, 1, ms, psnr) for name, width, ms, psnr in static]
    some += [("prn_x4_w24", "whole", None, None, 24, 3, 30, 27.25),
             ("prn_x4_w24", "context", 54, 0.5, 24, 3, 10 * 2**0.5, 27.1 + lift),
             ("prn_x4_w24", "grouped", 54, 0.5, 24, 3, 9, 26.9),
             ("prn_x4_w24", "context", 216, 0.5, 24, 3, 80, 27.3)]
    some += [(border, "whole", None, None, 24, 3, 30, 27.2),
             (border, "grouped", 54, 0.5, 24, 3, 9, 26.95)] if border else []
    some += [("fsrcnn", "whole", None, None, None, 1, 12, 26.95)] if control else []
    some = [x for x in some if x[0].startswith(only)]
    of_image = rng.normal(0, 1, images)
    for k, (name, mode, patch, cost, width, routes, ms, psnr) in enumerate(some):
        rows += [{"setting": k, "image": f"i{i}", "psnr_db": psnr + x} for i, x in enumerate(of_image)]
        times += [{"setting": k, "method": name, "mode": mode, "patch": patch, "cost": cost, "gamma_low": cost,
                   "gamma_upper": cost, "width": width, "routes": routes, "macs": 1e7 * ms, "repeat": repeat,
                   "ms": ms * (1 + 0.1 * repeat)} for repeat in range(3)]
    return analysis.front(pd.DataFrame(rows), pd.DataFrame(times), {"device": "a CPU, 1 thread"}, seed=0)


def test_the_front_is_read_at_equal_cost():
    found = results(lift=0.05).set_index(["method", "mode", "patch"])
    at = found.loc["prn_x4_w24", "context", 54]
    assert at.at_time_db == pytest.approx(0.05) and at.at_macs_db == pytest.approx(0.05)  # half way on the logarithm
    assert at.at_time_low == pytest.approx(0.05) == at.at_time_high  # the same for each image
    assert at.speedup == pytest.approx(30 / (10 * 2**0.5)) and at.loss_db == pytest.approx(0.1)
    assert at.ratio == pytest.approx(10 * 2**0.5 / 12)
    beyond = found.loc["prn_x4_w24", "context", 216]
    assert beyond.at_time_db == pytest.approx(27.3 - 27.4)  # level beyond the widest
    assert np.isnan(found.loc["prn_x4_w24", "grouped", 54].at_time_db)  # cheaper than the narrowest


def test_few_images_have_no_interval_and_the_control_may_be_missing():
    found = results(images=5, control=False)
    assert found.at_time_low.isna().all() and found.ratio.isna().all() and found.at_time_db.notna().any()


@pytest.mark.parametrize("lift, says", [(0.05, "routing beats narrower networks from 24 channels on"),
                                        (-0.05, "No routed network beats one without routing that")])
def test_words_tables_and_figure(lift, says):
    found = results(lift=lift)
    assert report.words(found).count(says) == 2
    assert "takes 0.83 of FSRCNN's time and is +0.050 dB above it" in report.words(found)
    shown = report.table(found)
    assert [*shown.network[:4]] == ["Without routing, 12 channels", "FSRCNN", "Without routing, 24 channels",
                                    "Without routing, 48 channels"]
    assert shown["at_time"].iloc[-1].startswith("+0.050" if lift > 0 else "−0.050")
    assert [*report.patches(found, 4).patch] == ["13", "54", "13"]
    axes = figure.front(found).axes
    assert [text.get_text() for text in axes[0].texts].count("24") == 3  # static, and both borders


def test_borders_are_compared_with_the_first_network_of_the_width():
    found = results(border="prn_x4_real")
    assert found.set_index(["method", "mode"]).over_first_db["prn_x4_real", "whole"] == pytest.approx(-0.05)
    first, real = report.borders(found).to_dict("records")
    assert (first["over"], real["over"]) == ("–", "+0.050 [+0.050, +0.050]")
    assert float(first["context"]) - float(first["alone"]) == pytest.approx(0.2) and real["context"] == "–"
    assert float(real["whole"]) - float(first["whole"]) == pytest.approx(-0.05)
    assert (real["network"], real["macs"], real["speedup"]) == ("PRN, ×4 alone, 2 real pixels", "0.090", "3.33")
    assert report.borders(results()).empty and report.around(results()) == "" == report.around(found)
    assert len(report.patches(found, 4)) == 3 and len(report.table(found)) == len(report.table(results()))
    assert "PRN, ×4 alone, 2 real pixels" in [text.get_text() for text in figure.front(found).axes[0].get_legend().texts]
    assert figure.front(results(border="mine")).axes  # a user's own, of which methods.csv knows nothing
    found = found.replace("prn_x4_w24", "prn_x4_w64")
    assert report.around(found).startswith("Of two networks for ×4 alone, of one recipe and the same patches, the one that is trained")
    assert "0.25 dB below its own whole image, with zeros 0.35" in report.around(found)
    assert "spend 0.50 of the severe path's products on training images, 0.30 on these" in report.around(found)
    assert report.spent(found) == {"cost": "0.50", "whole": "0.300", "larger": ""}


def test_what_is_nearly_free_is_said():
    found = results()
    assert "takes 2.67 times its time (PRN, ×4 alone, 24 channels, real context, +0.050 dB)" in report.words(found)
    found.loc[found["mode"] == "grouped", "loss_db"] = 0.002
    assert "takes 0.30 times its time (PRN, ×4 alone, 24 channels, the paper's, −0.002 dB)" in report.words(found)
    found["loss_db"] = 0.2
    assert "No setting of the widest networks is within 0.05 dB" in report.words(found)


@pytest.mark.parametrize("left", ["fsrcnn", "prn_x4_w24", "thin24"])
def test_the_networks_that_are_compared_may_be_missing(left):
    """A user who trains a few variants alone has a report all the same."""
    found = results(only=left)
    assert "No routed network here" in report.words(found)
    assert len(report.table(found)) == (left != "prn_x4_w24")
    assert len(report.patches(found, 4)) == 3 * (left == "prn_x4_w24")
    assert figure.front(found).axes
