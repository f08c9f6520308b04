"""Tables on made-up results; the paper's own tables against each other."""

import pandas as pd
import pytest

from pipeline.analysis import tables
from pipeline.experiments.gradient_gain import sample
from pipeline.config.params import load
from pipeline.paper import read

PAPER = tables.paper_table1()


def quality(method, dataset, scale, psnr):
    return [{"method": method, "dataset": dataset, "scale": scale, "image": str(i), "psnr_db": p,
             "ssim": 0.9} for i, p in enumerate(psnr)]


def test_table1_sets_the_paper_beside_and_cites_what_is_missing():
    rows = pd.DataFrame(quality("bicubic", "set5", 2, [30, 34]) + quality("prn", "set5", 2, [36, 38])
                        + quality("prn_x", "set5", 2, [36, 36]))
    table = tables.table1(rows, ["set5"], {"prn": "ours"}).set_index("method")
    assert table.psnr_db["prn"] == 37 and table.paper_psnr_db["prn"] == 37.09
    assert table.source["prn"] == "measured" and table.source["aplus"] == "cited"
    assert pd.isna(table.psnr_db["aplus"]) and table.paper_psnr_db["aplus"] == 36.60
    assert pd.isna(table.paper_psnr_db["prn_x"])
    assert set(table.scale) == {2} and len(table) == 12  # three networks by their own papers


def test_table1_cites_a_method_that_the_profile_leaves_out():
    """Its quality CSV is a header alone, and is not among the parts."""
    rows = pd.DataFrame(quality("bicubic", "bsds100", 4, [26]) + quality("prn", "bsds100", 4, [27]))
    fsrcnn = tables.table1(rows, ["bsds100"], {}).set_index("method").loc["fsrcnn"]
    assert fsrcnn.source == "cited" and pd.isna(fsrcnn.psnr_db) and fsrcnn.paper_psnr_db == 26.98


def test_table1_cites_a_method_on_the_sets_that_it_was_not_run_on():
    rows = pd.DataFrame([row for d in ("set5", "urban100") for m in ("bicubic", "prn") for row in quality(m, d, 2, [30])]
                        + quality("selfex", "set5", 2, [36]))
    table = tables.table1(rows, ["set5", "urban100"], {}).set_index(["method", "dataset"]).source
    assert (table["selfex", "set5"], table["selfex", "urban100"]) == ("measured", "cited")


def test_a_network_without_a_number_of_ours_is_cited_from_its_own_paper_and_no_other():
    rows = pd.DataFrame([row for m in ("bicubic", "prn", "vdsr") for row in quality(m, "bsds100", 4, [27])])
    table = tables.table1(rows, ["bsds100"], {"vdsr": "authors", "prn": "ours", "bicubic": ""})
    table = table.set_index("method")
    assert table.source["drcn"] == "cited" and table.paper_psnr_db["drcn"] == 27.23
    assert pd.isna(table.psnr_db["drcn"]) and table.weights["drcn"] == ""
    assert pd.isna(table.paper_psnr_db["vdsr"])  # measured: its own figure is in published.csv
    assert list(table.weights[["bicubic", "vdsr", "prn", "aplus"]]) == ["", "authors", "ours", ""]
    assert table.index.is_unique


def test_weights_may_come_from_their_authors_at_some_scales_alone():
    rows = pd.DataFrame([row for s in (2, 3) for m in ("bicubic", "aplus", "prn") for row in quality(m, "set5", s, [30])])
    by_scale = {"x2": "authors", "x3": "fitted"}
    table = tables.table1(rows, ["set5"], {"aplus": by_scale, "bicubic": "", "prn": "ours"})
    found = table.set_index(["method", "scale"]).weights
    assert (found["aplus", 2], found["aplus", 3], found["bicubic", 2]) == ("authors", "fitted", "")
    assert found["prn", 3] == "ours" and found["srcnn", 2] == ""  # cited


def test_published_figures_stand_beside_ours():
    rows = pd.DataFrame(quality("vdsr", "set5", 2, [37, 38]) + quality("prn", "set5", 2, [37])
                        + quality("vdsr", "embedded_test", 4, [30]))
    table = tables.published(rows)
    assert len(table) == 1 and table.method[0] == "vdsr" and table.published_psnr_db[0] == 37.53
    assert table.delta_db[0] == pytest.approx(-0.03) and table.protocol[0] == "8-bit Y"
    paper = read("published")
    assert len(paper) == 3 * 4 * 3 and paper.psnr_db.notna().all()


def test_a_published_figure_without_ours_leaves_a_gap():
    rows = pd.DataFrame([row for s in (2, 4) for row in quality("prn", "set5", s, [37])] + quality("drcn", "set5", 4, [31]))
    table = tables.published(rows).set_index("scale")
    assert table.psnr_db.isna()[2] and table.psnr_db[4] == 31
    assert table.published_psnr_db.to_dict() == {2: 37.63, 4: 31.53} and set(table.method) == {"drcn"}


def test_table1_of_other_images_has_no_figure_of_the_paper():
    table = tables.table1(pd.DataFrame(quality("prn", "embedded_test", 2, [30])), ["embedded_test"], {})
    assert len(table) == 1 and table.paper_psnr_db.isna().all()


def times(*rows):
    return pd.DataFrame([{"method": m, "scale": 4, "mode": mode, "gamma_low": low,
                          "gamma_upper": up, "ms_median": ms} for m, mode, low, up, ms in rows])


def ablation(*rows):
    return pd.DataFrame([{"method": m, "gamma_low": low, "gamma_upper": up, "psnr_db": p,
                          "share_mild": 0.5, "share_moderate": 0.3, "share_severe": 0.2}
                         for m, low, up, p in rows])


def test_table2_speedup_is_against_the_severe_path_on_the_whole_image():
    table = tables.table2(
        ablation(("prn", 20, 50, 27.0), ("prn", 20, 50, 28.0), ("prn", 10, 30, 30.0)),
        times(("prn", "whole", None, None, 12), ("prn", "grouped", 20, 50, 6),
              ("prn", "grouped", 10, 30, 8)), [("U2L2", 20, 50), ("U1L1", 10, 30)], 4)
    assert table.psnr_db.tolist() == [27.5, 30.0] and table.speedup.tolist() == [2.0, 1.5]


def test_table3_takes_depths_from_the_variants():
    p = load("params.yaml")
    options = {n: v.options for n, v in p.variants.items() if v.network == "prn" and not v.train_gammas}
    names = tables.depth_variants(options)
    assert names == {("early", 1): "prn", ("early", 2): "prn_early2", ("early", 3): "prn_early3",
                     ("middle", 1): "prn_middle1", ("middle", 2): "prn", ("middle", 3): "prn_middle3"}
    table = tables.table3(ablation(("prn", 20, 50, 27.0), ("prn_early2", 20, 50, 27.5)),
                          times(("prn", "grouped", 20, 50, 6)), options, (20, 50), 4)
    assert table.psnr_db.tolist()[:2] == [27.0, 27.5] and pd.isna(table.psnr_db[2])
    assert table.paper_psnr_db.tolist() == [27.12, 27.13, 27.15, 27.05, 27.12, 27.15]
    further = tables.table3(ablation(("prn", 20, 50, 27.0), ("prn_seed0", 20, 50, 26.9), ("prn_early2", 20, 50, 27.5)),
                            times(("prn", "grouped", 20, 50, 6)), options, (20, 50), 4)
    assert further.psnr_db.tolist()[:2] == [26.9, 27.5] and further.ms_per_image.equals(table.ms_per_image)


def test_table4():
    table = tables.table4(ablation(("prn", 20, 50, 27.1), ("prn_no_rolling", 20, 50, 27.0)), (20, 50))
    assert table.psnr_db.tolist() == [27.0, 27.1] and table.paper_psnr_db.tolist() == [27.03, 27.12]


def test_shares_follow_eq_2_with_its_ties():
    priors = pd.DataFrame({"dataset": "d", "scale": 2, "prior": [5.0, 10, 11, 30, 31]})
    row = tables.shares(priors, [("a", 10, 30)]).iloc[0]
    assert (row.share_mild, row.share_moderate, row.share_severe) == pytest.approx((0.4, 0.2, 0.4))


def test_sampling_of_patches_is_seeded_and_bounded():
    rows = pd.DataFrame({"gain_db": [0.5] * 20 + [1.5] * 5 + [1.0]})
    one, two = sample(rows, 10, 0), sample(rows, 10, 0)
    assert one.equals(two) and (one.kind == "mild").sum() == 10 and (one.kind == "severe").sum() == 5
    assert (one[one.kind == "severe"].gain_db > 1).all()


def test_the_papers_own_figures_agree_with_its_text():
    """+0.13 and +0.19 dB over FSRCNN on BSDS100 (section IV-A)."""
    psnr = PAPER.set_index(["method", "dataset", "scale"]).paper_psnr_db
    for scale, gain in ((2, 0.13), (3, 0.19)):
        assert psnr["prn", "bsds100", scale] - psnr["fsrcnn", "bsds100", scale] == pytest.approx(gain)
    assert len(PAPER) == 8 * 4 * 3 and PAPER.notna().all().all()


def test_thresholds_of_the_ablation_are_those_of_table_ii():
    paper = read("table2").set_index("symbol").value
    a = load("params.yaml").ablation
    assert a.lows == [paper[f"L{i}"] for i in range(1, 5)]
    assert a.uppers == [paper[f"U{i}"] for i in range(1, 5)]


def test_what_dvc_compares_is_prn_at_the_thresholds_of_the_run():
    first = pd.DataFrame([{"method": m, "dataset": d, "scale": 4, "psnr_db": p} for m, d, p in
                          (("prn", "set5", 31), ("bicubic", "set5", 28), ("prn", "set14", 9))])
    shares = pd.DataFrame([{"label": label, "dataset": "set5", "scale": 4, "gamma_low": low, "gamma_upper": 30.0,
                            "share_mild": 0.5, "share_moderate": 0.3, "share_severe": 0.2}
                           for label, low in (("current", 10.0), ("U1L2", 20.0))])
    found = times(("prn", "whole", None, None, 12), ("prn", "grouped", 20, 30, 3), ("prn", "grouped", 10, 30, 6))
    point, routes = tables.current(first, shares, found, "set5", 4)
    assert point.iloc[0].tolist() == ["10/30", 6, 31] and routes.percent.tolist() == [50, 30, 20]
    ablation = pd.DataFrame({"method": ["prn_early2"] * 2, "gamma_low": [20, 10], "gamma_upper": [50, 30],
                             "psnr_db": [30.123, 1]})
    numbers = tables.summary(first, ablation, pd.DataFrame({"psnr_db": [30, 30.5]}), routes, (20, 50), "set5", 4)
    assert numbers["psnr_db"] == {"prn": {"x4": 31}, "bicubic": {"x4": 28}}
    assert numbers["ablation_psnr_db"] == {"prn_early2": {"x4": 30.12}}  # at the ablation's thresholds
    assert numbers["gain_over_bicubic_db"] == {"x4": 3}
    assert numbers["rolling_gain_db"] == {"x4": 0.5} and numbers["mild_percent"] == {"x4": 50}


def test_times_that_dvc_compares_are_at_the_thresholds_of_the_run_with_their_spread():
    found = times(("prn", "whole", None, None, 12), ("prn", "grouped", 20, 30, 3), ("prn", "grouped", 10, 30, 6),
                  ("fsrcnn", "whole", None, None, 4.5678))
    found = found.assign(device="a CPU", ms_p10=found.ms_median * 0.9, ms_p90=found.ms_median * 1.2)
    numbers = tables.time_summary(found, (10, 30), 4)
    assert numbers["ms_per_image"] == {"prn": {"x4": 6}, "fsrcnn": {"x4": 4.57}, "prn_whole": {"x4": 12}}
    assert numbers["spread_percent"]["fsrcnn"] == {"x4": 30} and numbers["device"] == "a CPU"
    assert numbers["speedup_over_whole"] == {"x4": 2}
