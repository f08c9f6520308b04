"""The figures: what they draw from small data, stable files, no torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.legend import Legend

from pipeline import paper
from pipeline.report.figures import style
from pipeline.report.figures.curves import gather, learning_curves
from pipeline.report.figures.fig1 import efficiency
from pipeline.report.figures.fig2 import examples
from pipeline.report.figures.fig3 import features
from pipeline.report.figures.fig4 import histograms, shares
from pipeline.report.figures.fig7 import thresholds
from pipeline.report.figures.fig8_11 import chosen, comparison
from pipeline.report.figures.intervals import intervals
from pipeline.report.figures.roc import roc

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)


def quality_and_timing(methods):
    quality = pd.DataFrame([{"method": m, "dataset": "set5", "scale": 4, "psnr_db": 26.5 + i / 5,
                             "paper_psnr_db": 26.5 + i / 5, "source": "measured"} for i, m in enumerate(methods)])
    modes = {"prn": ("grouped", "paper", "whole")}
    timing = pd.DataFrame([{"method": m, "dataset": "set5", "scale": 4, "device": "a CPU",
                            "mode": mode, "ms_median": 1.0 + i + 10 * k, "ms_p10": 0.9 + i + 10 * k,
                            "ms_p90": 1.5 + i + 10 * k} for i, m in enumerate(methods)
                           for k, mode in enumerate(modes.get(m, ("whole",)))])
    return quality, timing


def table2(pairs):
    return pd.DataFrame([{"label": label, "gamma_low": low, "gamma_upper": upper,
                          "psnr_db": 27.2 - low / 500 - upper / 1000,
                          "ms_per_image": 2 - low / 100 - upper / 200, "speedup": 1.5,
                          "share_mild": 0.2, "share_moderate": 0.5, "share_severe": 0.3}
                         for label, low, upper in pairs])


PAIRS = [(f"U{j}L{i}", low, upper) for i, low in enumerate((10, 20, 50, 70), 1)
         for j, upper in enumerate((30, 50, 80, 100), 1) if low < upper]


def gains(severe, mild):
    return pd.DataFrame({"gain_db": [2.0] * len(severe) + [0.5] * len(mild),
                         "prior": [*severe, *mild],
                         "kind": ["severe"] * len(severe) + ["mild"] * len(mild)})


def patches(n):
    return {"psnr": np.tile([24.0, 26.5], (n, 1)),
            **{key: RNG.integers(0, 256, (n, 54, 54), np.uint8) for key in
               ("hr", "bicubic", "cnn")}}


def crops(*scores):
    patch = RNG.integers(0, 256, (16, 16), np.uint8)
    return [("HR", patch, None, None)] + [(name, patch, psnr_db, ssim)
                                          for name, psnr_db, ssim in scores]


def texts(figure):
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_fontsize"))
            if t.get_text() and t.get_visible()]


def assert_readable(figure):
    """No text below 7 pt (but subscripts), and the figure is one column or one page wide."""
    for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize")):
        assert text.get_fontsize() >= style.SMALL
    assert figure.get_size_inches()[0] in (style.COLUMN, style.PAGE)


def assert_apart(notes):
    boxes = [note.get_window_extent() for note in notes]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_roc_by_hand():
    # 4 and the tied 3s come first: of positives 1/2, then 2/2; of negatives 0, then 1/2
    fpr, tpr, auc = roc([4, 3, 3, 1], [True, True, False, False])
    np.testing.assert_allclose(fpr, [0, 0, 0.5, 1])
    np.testing.assert_allclose(tpr, [0, 0.5, 1, 1])
    assert auc == pytest.approx(0.875)  # pairs: 1, 1, 1/2, 1 of four


def test_roc_of_ties_alone_is_chance():
    fpr, tpr, auc = roc(np.ones(5), np.array([True, False, True, False, False]))
    np.testing.assert_allclose([fpr, tpr], [[0, 1], [0, 1]])
    assert auc == 0.5


def test_roc_equals_the_count_of_pairs():
    prior, positive = RNG.integers(0, 6, 60), RNG.random(60) < 0.4
    difference = prior[positive][:, None] - prior[~positive]
    assert roc(prior, positive)[2] == pytest.approx(np.mean((np.sign(difference) + 1) / 2))


def test_roc_refuses_one_kind_and_nan():
    with pytest.raises(ValueError, match="one kind"):
        roc([1, 2], [True, True])
    with pytest.raises(ValueError, match="not a number"):
        roc([1, np.nan], [True, False])


def test_shares_hold_the_borders_of_equation_2():
    np.testing.assert_allclose(shares(np.array([10, 10.1, 29.9, 30]), 10, 30), [0.25, 0.5, 0.25])
    assert np.isnan(shares(np.array([]), 10, 30)).all()


def test_files_are_byte_stable(tmp_path):
    def draw(name):
        return [path.read_bytes() for path in style.save(thresholds(table2(PAIRS[:4])),
                                                         tmp_path / name / "fig7.x")]

    first, second = draw("a"), draw("b")
    assert first == second
    assert first[0].startswith(b"\x89PNG") and b"Software" not in first[0]
    assert b"<dc:date>" not in first[1]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["fig7.x.png", "fig7.x.svg"]


def test_efficiency_draws_each_method_at_its_modes():
    figure = efficiency(*quality_and_timing(["bicubic", "srcnn", "fsrcnn", "prn", "mine"]),
                        "set5", 4)
    axes, = figure.axes
    assert axes.get_xlabel() == "time (ms per image)" and axes.get_xscale() == "log"
    assert axes.get_ylabel() == "PSNR (dB) on Set5, ×4" and axes.get_title("left") == "a CPU"
    names = [note.get_text() for note in axes.texts]
    assert sorted(names) == sorted(["Bicubic", "SRCNN", "FSRCNN", "PRN", "PRN, patch by patch",
                                    "mine"])
    points = [(*line.get_xydata()[0],) for line in axes.lines if line.get_marker() == "*"]
    np.testing.assert_allclose(points, [(4, 27.1), (14, 27.1)])  # grouped and patch by patch, not whole
    front = next(line for line in axes.lines if line.get_zorder() == 0)
    assert len(front.get_xydata()) == 5  # each slower method of these is better, PRN patch by patch is not
    assert_apart(axes.texts)
    assert_readable(figure)


def test_a_method_whose_quality_is_cited_has_a_hollow_marker():
    quality, timing = quality_and_timing(["drcn", "srcnn", "prn"])
    quality.loc[0, ["psnr_db", "paper_psnr_db", "source"]] = [np.nan, 20.0, "cited"]
    axes, = efficiency(quality, timing, "set5", 4).axes
    points = [line for line in axes.lines if line.get_marker() not in ("|", "None", None)]
    hollow = {line.get_ydata()[0]: line.get_markerfacecolor() == "white" for line in points}
    assert hollow == {20.0: True, quality.psnr_db[1]: False, quality.psnr_db[2]: False}


def test_the_papers_quality_is_hollow_beside_ours_where_it_differs():
    quality, timing = quality_and_timing(["srcnn", "fsrcnn", "prn"])
    quality["paper_psnr_db"] = quality.psnr_db + [0.004, 0.1, np.nan]
    axes, = efficiency(quality, timing, "set5", 4).axes
    hollow = [line.get_ydata()[0] for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert hollow == [quality.paper_psnr_db[1]]


@pytest.mark.parametrize("factor", [0.02, 0.5, 4000])
def test_efficiency_has_ticks_at_any_span(factor):
    quality, timing = quality_and_timing(["srcnn", "vdsr"])
    timing.loc[1, ["ms_median", "ms_p10", "ms_p90"]] *= factor
    axes, = efficiency(quality, timing, "set5", 4).axes
    low, high = axes.get_xlim()
    assert sum(low <= tick <= high for tick in axes.get_xticks()) >= 2


def test_efficiency_of_nothing_says_so():
    assert "no time on Set14, ×4" in texts(
        efficiency(*quality_and_timing(["prn"]), "set14", 4))


@pytest.mark.parametrize("severe, mild", [(4, 3), (1, 0)])
def test_examples(severe, mild):
    figure = examples(patches(severe), patches(mild))
    assert texts(figure).count("24.00 → 26.50 dB, gain +2.50") == severe + mild
    assert ("no such patch" in texts(figure)) == (mild == 0)
    assert_readable(figure)


def test_features_have_a_colour_bar_each():
    image = RNG.integers(0, 256, (30, 40), np.uint8)
    figure = features([("bird", image, RNG.random((30, 40)))] * 2)
    assert [axes.get_ylabel() for axes in figure.axes].count("response (no unit)") == 2
    assert {"(a) bird", "(b) bird"} <= set(texts(figure))
    assert_readable(figure)


def test_histograms_share_axes_and_name_the_auc():
    figure = histograms(gains([40, 25, 60], [5, 12, 25]), 10, 30)
    a, c, b, d = (next(axes for axes in figure.axes if f"({letter})" in axes.get_title("left"))
                  for letter in "acbd")
    assert a.get_xlim() == b.get_xlim() and a.get_ylim() == b.get_ylim()
    assert b.get_xlabel() == "gradient prior P (54 × 54 patch, Y in [0, 1])"
    assert a.get_ylabel() == b.get_ylabel() == "patches (%)"
    assert c.get_xlabel() == "share of the patches (%)"
    assert d.get_xlabel() == "false positive rate (%)"
    assert "P, AUC = 0.944" in texts(figure)  # 8.5 of 9 pairs
    assert_readable(figure)


@pytest.mark.parametrize("severe, mild", [([], [1, 2]), ([3], []), ([], [])])
def test_histograms_without_one_kind(severe, mild):
    assert "needs patches of both kinds" in texts(histograms(gains(severe, mild), 10, 30))


@pytest.mark.parametrize("pairs", [PAIRS, [("U2L2", 20, 50)], PAIRS[:1]])
def test_thresholds(pairs, tmp_path):
    figure = thresholds(table2(pairs))
    plane, routes = sorted(figure.axes, key=lambda axes: axes.get_title("left"))
    assert plane.get_xlabel() == "time (ms per image)" and plane.get_ylabel() == "PSNR (dB)"
    assert routes.get_xlabel() == "share of the patches (%)"
    assert sorted(note.get_text() for note in plane.texts) == sorted(label for label, *_ in pairs)
    assert [n.get_text() for n in plane.texts if n.get_fontweight() == "bold"] == [
        label for label, *_ in pairs if label == "U2L2"]
    assert len(routes.patches) == 3 * len(pairs)
    assert_apart(plane.texts)
    assert_readable(figure)


def test_comparison_marks_the_best_and_the_second():
    figure = comparison(RNG.integers(0, 256, (40, 60, 3), np.uint8), (4, 8, 16), crops(
        ("bicubic", 25.1, 0.75), ("srcnn", 26.404, 0.8), ("fsrcnn", 26.401, 0.8),
        ("prn", 26.9, 0.83)))
    looks = {note.get_text(): (note.get_fontweight(), note.get_fontstyle())
             for axes in figure.axes for note in axes.texts}
    assert looks["26.90 / 0.830"] == ("bold", "normal")
    assert looks["26.40 / 0.800"] == ("normal", "italic")  # both that print so
    assert looks["25.10 / 0.750"] == ("normal", "normal")
    assert {"HR", "PSNR (dB) / SSIM", "Bicubic", "PRN"} <= looks.keys()
    assert_readable(figure)


def test_pictures_show_seven_methods_at_most_in_one_order():
    every = {*paper.methods().index, "mine"}
    assert chosen(every) == ["bicubic", "srcnn", "scn", "fsrcnn", "vdsr", "drcn", "prn"]
    assert chosen(every - {"drcn", "scn"}) == ["bicubic", "aplus", "srcnn", "fsrcnn", "vdsr", "lapsrn", "prn"]
    assert chosen({"prn", "prn_modern", "bicubic"}) == ["bicubic", "prn"]


@pytest.mark.parametrize("n", [1, 2, 9, 14])
def test_comparison_of_any_number_without_ssim(n):
    figure = comparison(np.zeros((60, 40), np.uint8), (0, 0, 16),
                        crops(*((f"method {i}", 20.0 + i, None) for i in range(n))))
    assert len(figure.axes) == n + 2
    assert "PSNR (dB)" in texts(figure) and "20.00" in texts(figure)
    for axes in figure.axes:
        box = axes.get_position()
        assert min(box.x0, box.y0) >= 0 and max(box.x1, box.y1) <= 1
    assert_readable(figure)


@pytest.mark.parametrize("ratio", [0.5, 1.6])
@pytest.mark.parametrize("n", [9, 15])
def test_comparison_of_many_methods_keeps_its_texts_apart(n, ratio):
    """All methods of the paper and their variants: values under neighbours do not touch."""
    names = [*paper.methods().index][:n]
    figure = comparison(np.zeros((int(60 * ratio), 60), np.uint8), (0, 0, 16),
                        crops(*((name, 20.0 + i, 0.8) for i, name in enumerate(names))))
    assert len(figure.axes) == n + 2
    for note in (notes := [t for axes in figure.axes for t in axes.texts]):
        box = note.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1, note.get_text()
    assert_apart(notes)
    assert_readable(figure)


def test_intervals_have_a_panel_a_unit_and_the_papers_value_where_it_is_a_number():
    claims = pd.DataFrame(
        [("a", "+0.13 dB", "-0.20 dB, PRN below FSRCNN", -0.3, -0.1, "contradicted"),
         ("b", "lower", "+0.30 dB, DRCN above PRN", 0.2, 0.4, "supported"),
         ("c", "2 times", "0.19 times PRN's time, FSRCNN", 0.1, 0.3, "contradicted"),
         ("d", "differs", "+4.5 points, more saved", 1.0, 8.0, "supported"),
         ("e", "24 of 24 cells", "PRN first in 1 of 24 cells", np.nan, np.nan, "inconclusive")],
        columns=["id", "paper_value", "our_value", "ci_low", "ci_high", "verdict"])
    figure = intervals(claims)
    decibel, percent, ratio = figure.axes
    assert [[t.get_text() for t in axes.get_yticklabels()] for axes in figure.axes] == [["a", "b"], ["d"], ["c"]]
    assert ratio.get_xscale() == "log" and percent.get_xlabel() == "difference or share (%)"
    bar, ours, paper = decibel.lines[:3]
    assert list(bar.get_xdata()) == [-0.3, -0.1] and bar.get_color() == style.VERMILLION
    assert ours.get_xdata() == [-0.2] and paper.get_xdata() == [0.13]
    assert np.isnan(decibel.lines[5].get_xdata()).all()  # "lower" is no number
    assert_readable(figure)
    assert "no claim of this run has an interval" in texts(intervals(claims[4:]))


def test_learning_curves_have_a_row_a_family_and_a_panel_a_scale():
    steps = np.arange(0, 100, 10)
    curves = pd.concat([pd.DataFrame({"variant": v, "step": steps, "loss": 0.1,
                                      "psnr_db_x2": 30 + steps / 50, "psnr_db_x3": last})
                        for v, last in (("prn", np.nan), ("prn_modern", 9), ("cnn7", 28 + steps / 50), ("mine", 9))])
    figure = learning_curves(curves)
    assert [axes.get_title("left") for axes in figure.axes] == [
        "PRN and its variants, ×2", "PRN and its variants, ×3", "other networks, ×2", "other networks, ×3"]
    assert figure.axes[0].get_ylabel() == "PSNR on held-out\ntraining images (dB)"
    assert figure.axes[0].get_xlabel() == "training step"
    for axes in figure.axes:
        assert len({line.get_color() for line in axes.lines}) == 2  # told apart
        low, high = axes.get_ylim()
        values = np.concatenate([line.get_ydata() for line in axes.lines])
        assert low <= values.min() and values.max() <= high  # nothing is cut off
    assert [len(line.get_xdata()) for line in figure.axes[1].lines] == [0, 10]
    assert [t.get_text() for legend in figure.findobj(Legend) for t in legend.get_texts()] == [
        "PRN", "PRN, 2 real pixels", "7-layer CNN", "mine"]
    assert_readable(figure)
    assert "no training in this run" in texts(learning_curves(curves[["variant", "step"]]))


def test_learning_curves_leave_out_what_was_not_trained():
    curve = [{"step": step, "psnr_db_x2": 30.0} for step in (100, 200)]
    table = gather({"prn": {"curve": curve}, "bicubic": {"curve": []}, "vdsr": {"weights": "authors"}})
    assert table.variant.tolist() == ["prn"] * 2 and table.step.tolist() == [100, 200]
    assert "no training in this run" in texts(learning_curves(gather({})))


def test_no_figure_imports_torch():
    modules = [f"pipeline.report.figures.{p.stem}" for p in (ROOT / "pipeline/report/figures").glob("[!_]*.py")]
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
