"""The ledger on made-up results: what earns which verdict, and what withholds one."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import paper
from pipeline.analysis import claims, statistics, tables, time_tables, verdicts
from pipeline.analysis.table_verdicts import cells
from pipeline.analysis.outcome import signed
from pipeline.analysis.results import Results, repeats, shortfall
from pipeline.config.params import Claims, ParameterError, load
from pipeline.config.validation import read
from pipeline.analysis.statistics import Interval

IMAGES = [f"i{k:02}" for k in range(20)]
PAIRS = [(low, up) for up in (30, 50) for low in (10, 20)]
VARIANTS = ["prn", "prn_seed1", "prn_seed2", "prn_no_rolling", "prn_no_rolling_seed1",
            "prn_no_rolling_seed2", "prn_no_routing", "prn_early2", "prn_early3", "prn_middle1",
            "prn_middle3"]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 500)


def noisy(values, spread=0.002, seed=0):
    return np.asarray(values) + np.random.default_rng(seed).normal(0, spread, len(values))


def made_routers():
    """routers.csv in which the paper's router is the second of two."""
    return pd.DataFrame([
        {"experts": "prn", "router": name, "macs": 0, "cost": 0.5, "images": 20, "psnr_db": psnr,
         "above_paper_db": psnr - 26.9, "ci_low": psnr - 26.91, "ci_high": psnr - 26.89,
         "gap_share": (psnr - 26.8) / 0.25}
        for name, psnr in (("oracle", 27.05), ("random", 26.8), ("vertical gradient", 26.9), ("variance", 26.95))])


def made_up(steps=400_000, datasets=("bsds100",), lead=0.19, rolling=0.09, seeds=0.002):
    """A run in which all that the paper says holds, but for what the arguments change."""
    hard = np.random.default_rng(1).normal(0, 3, len(IMAGES))
    hard -= hard.mean()
    paper = tables.paper_table1()
    quality = []
    for dataset in datasets:
        for scale in (2, 3, 4):
            known = paper[(paper.dataset == dataset) & (paper.scale == scale)].set_index("method")
            for method in ("bicubic", "fsrcnn", "prn"):
                base = known.paper_psnr_db.get(method, 26) if method != "prn" else \
                    known.paper_psnr_db.get("fsrcnn", 26) + lead
                psnr = base + hard
                psnr = psnr if method == "bicubic" else noisy(psnr, seed=scale)
                quality += [{"method": method, "dataset": dataset, "scale": scale, "image": i,
                             "psnr_db": p, "ssim": known.paper_ssim.get(method, 0.7)}
                            for i, p in zip(IMAGES, psnr)]
    quality = pd.DataFrame(quality)
    params = load("params.yaml")
    prn = {n: v for n, v in params.variants.items() if n in VARIANTS}
    level = {"prn_no_rolling": -rolling, "prn_early2": 0.01, "prn_early3": 0.03, "prn_middle1": -0.07,
             "prn_middle3": 0.03}
    ablation, routed_psnr = [], []
    for k, name in enumerate(VARIANTS):
        base = 27.12 + level.get(name.split("_seed")[0], 0) + seeds * (k % 3 - 1)
        for low, up in PAIRS if name == "prn" else [(20, 50)]:
            psnr = noisy(base - (low - 20) / 100 - (up - 50) / 100 + hard, seed=k)
            ablation += [{"method": name, "gamma_low": low, "gamma_upper": up, "image": i, "psnr_db": p,
                          "share_mild": 0.2, "share_moderate": 0.4, "share_severe": 0.4}
                         for i, p in zip(IMAGES, psnr)]
        routed_psnr += [{"method": name, "image": i, "kind": "severe", "psnr_db": p}
                    for i, p in zip(IMAGES, noisy(base + hard, seed=k))]
    ablation = pd.DataFrame(ablation)
    times = [(m, "whole", None, None, ms)
             for m, ms in (("fsrcnn", 20), ("prn", 12), ("prn_no_routing", 12))]
    times += [("prn", "grouped", low, up, 10 - low / 20 - up / 50) for low, up in PAIRS]
    times += [("prn", "paper", 10, 30, 40), ("prn_no_routing", "grouped", 10, 30, 20)]
    times += [(n, "grouped", 20, 50, ms) for n, ms in (("prn_no_rolling", 8), ("prn_early2", 9),
                                                       ("prn_early3", 11), ("prn_middle1", 6),
                                                       ("prn_middle3", 9.5))]
    raw = pd.DataFrame([{"method": m, "dataset": "bsds100", "scale": 4, "mode": mode, "gamma_low": low,
                         "gamma_upper": up, "images": 1, "macs": 1e6 * ms, "bytes": 1, "repeat": k,
                         "ms": x, "host_ms": x} for seed, (m, mode, low, up, ms) in enumerate(times)
                        for k, x in enumerate(noisy([ms] * 8, ms / 200, seed))])
    timing = time_tables.timing(raw, {"device": "made up", "gflops": 1, "gbytes_s": 1})
    options = {n: v.options for n, v in prn.items()}
    rng = np.random.default_rng(3)
    gain = rng.normal(1, 0.5, 400)
    gains = pd.DataFrame({"image": np.resize(IMAGES, 400), "gain_db": gain,
                          "prior": 20 * gain + rng.normal(0, 1, 400), "prior_hr": gain,
                          "psnr_cnn_db": 30 - 2 * gain, "kind": np.where(gain > 1, "severe", "mild")})
    priors = pd.DataFrame([{"dataset": d, "scale": 4, "image": i, "patch": k, "prior": p}
                           for d in datasets for i in IMAGES for k, p in enumerate((5, 15, 25, 60))])
    recipe = {"batch": 64, "crop": 54}
    models = {n: {"steps": steps, "recipe": recipe} for n in (*VARIANTS, "fsrcnn", "cnn7")}
    models["bicubic"] = {"steps": 0, "recipe": recipe}
    models["prn"]["macs_per_lr_pixel"] = {"x4": {"mild": 10, "moderate": 80, "severe": 160}}
    sides = {"mild": {"side": 9, "side_95": 9}, "moderate": {"side": 17, "side_95": 13},
             "severe": {"side": 13, "side_95": 9}}
    plain = {k: {name: n // 2 for name, n in v.items()} for k, v in sides.items()}
    responses = pd.DataFrame({"image": np.resize(IMAGES, 200), "prior": np.arange(200),
                              "response": noisy(np.arange(200), 30)})
    parts = pd.DataFrame([{"part": p, "repeat": k, "ms": ms + k / 100} for k in range(5)
                          for p, ms in (("job", 11), ("network", 10), ("reconstruction", 0.2))])
    return Results(
        table1=tables.table1(quality, list(datasets), {}),
        table3=tables.table3(ablation, timing, options, (20, 50), 4),
        table4=tables.table4(ablation, (20, 50)), routers=made_routers(),
        quality=quality, ablation=ablation, one_scale=ablation.assign(scale=4).head(0), times=raw, gains=gains, priors=priors,
        routed_psnr=pd.DataFrame(routed_psnr), reconstruction=parts, responses=responses,
        receptive={"prn": sides, "prn_no_rolling": plain}, models=models, options=options,
        repeats=repeats({n: asdict(v) for n, v in prn.items()}, models), dataset=datasets[0], scale=4,
        gammas=(20, 50), routing=(10, 30),
        tolerances=params.claims, seed=0)


def on_other_images(results):
    renamed = {n: getattr(results, n).replace("bsds100", "embedded_test") for n in ("priors", "quality")}
    return replace(results, dataset="embedded_test", **renamed)


def judge(results):
    return claims.ledger(results, cells(results)).set_index("id")


def interval(low, high, n=100):
    return Interval((low + high) / 2, low, high, n)


def test_the_paper_s_router_has_its_place_among_others():
    because = judge(made_up()).because["prior-separates"]
    assert "number 2 of 2 and closes 40% of the gap between random choice and an oracle" in because
    assert "the best (variance) +0.050 dB [+0.040, +0.060]" in because


@pytest.mark.parametrize("low, high, claimed, verdict", [
    (0.05, 0.2, 0.13, "supported"), (0.2, 0.3, 0.13, "supported"),
    (0.02, 0.05, 0.13, "partly supported"), (-0.02, 0.2, 0.13, "inconclusive"),
    (-0.2, -0.1, 0.13, "contradicted")])
def test_a_gain_is_judged_by_its_interval(low, high, claimed, verdict):
    assert verdicts.gain(interval(low, high), claimed) == verdict
    assert verdicts.gain(interval(low, high, n=5), claimed) == "inconclusive"  # Set5


@pytest.mark.parametrize("low, high, verdict", [
    (1.7, 2.2, "supported"), (1.2, 1.9, "partly supported"), (0.9, 1.9, "inconclusive"),
    (0.3, 0.4, "contradicted")])
def test_a_size_is_judged_by_its_interval(low, high, verdict):
    assert verdicts.reaches(interval(low, high), 1.6, 1) == verdict


def test_a_trend_bears_noise_but_no_step_back():
    rise, level, fall = interval(0.1, 0.2), interval(-0.1, 0.2), interval(-0.2, -0.1)
    assert verdicts.monotone([[rise, level, rise]]) == "supported"
    assert verdicts.monotone([[rise, fall, rise]]) == "partly supported"
    assert verdicts.monotone([[rise, rise], [level, level]]) == "partly supported"
    assert verdicts.monotone([[level, level]]) == "inconclusive"
    assert verdicts.monotone([[fall, fall], [rise, fall]]) == "contradicted"


def test_a_trend_that_is_mostly_level_is_no_part_of_a_claim():
    rise, level = interval(0.1, 0.2), interval(-0.1, 0.2)
    assert verdicts.monotone([[rise, level, rise], [level, level, level]]) == "inconclusive"
    assert verdicts.monotone([[level, level, rise], [rise, level, rise]]) == "supported"  # both ends rise
    assert verdicts.monotone([[rise, rise, rise], [rise, level, level]]) == "partly supported"


def test_a_claim_with_and_is_as_good_as_its_weakest_half():
    for weakest, parts in (("contradicted", ["supported", "inconclusive", "contradicted"]),
                           ("not testable", ["supported", "not testable"]),
                           ("inconclusive", ["partly supported", "inconclusive"]),
                           ("partly supported", ["partly supported", "supported"]),
                           ("supported", ["supported", "supported"])):
        assert verdicts.every(parts) == weakest


def test_many_cells_make_one_verdict():
    assert verdicts.together(["supported"] * 3) == "supported"
    assert verdicts.together(["supported", "contradicted"]) == "partly supported"
    assert verdicts.together(["contradicted", "inconclusive"]) == "contradicted"
    assert verdicts.together(["inconclusive"]) == "inconclusive"
    assert verdicts.together([]) == "not testable"


@pytest.mark.parametrize("ours, verdict", [
    (27.174, "matches"), (27.26, "replicated"), (27.07, "replicated"), (27.28, "above paper"),
    (27.05, "not replicated")])
def test_a_cell_is_judged_by_its_tolerance(ours, verdict):
    assert verdicts.cell(ours, 27.17, 0.10, 0.005) == verdict


def test_where_all_holds_all_is_supported():
    found = judge(made_up(datasets=("bsds100", "set14", "urban100")))
    assert set(found.index[found.verdict == "supported"]) == {
        "protocol", "fsrcnn-x2", "fsrcnn-x3", "order", "twice-as-fast", "prior-separates",
        "severe-gains-more", "little-gain-high-psnr", "gamma-low-psnr", "gamma-upper-psnr", "gamma-low-speed",
        "gamma-upper-speed", "early-depth-psnr", "early-depth-time", "middle-depth-psnr",
        "middle-depth-time", "rolling-psnr", "rolling-time", "frequency-conflict", "receptive-field",
        "reconstruction", "saving-bsds100", "natural-images"}
    assert not found.verdict.eq("contradicted").any()


def test_what_layers_see_needs_no_images_and_no_variant_that_one_profile_lacks():
    """Decision D5: without a hole the copies see as far as the shared layers; the other reading is said."""
    results = made_up()
    wide, plain = results.receptive["prn"], results.receptive["prn_no_rolling"]
    half = {**plain, "mild": wide["mild"]}
    for ours, verdict in ((wide, "supported"), (half, "partly supported"), (plain, "contradicted")):
        for more in ({}, {"prn_dilation2": wide}):
            for run in (results, on_other_images(results)):
                found = judge(replace(run, receptive={"prn": ours, "prn_no_rolling": plain, **more}))
                found = found.loc["receptive-field"]
                assert found.verdict == verdict and ("the other reading" in found.because) == bool(more)
    assert found.our_value == "4 / 8 LR pixels with rolling, 4 / 8 without"
    assert "one hole between taps, the other reading of “1 dilation”, mild 9 (9)" in found.because


def test_the_ledger_keeps_its_columns_order_and_closed_words():
    results = made_up()
    table = claims.ledger(results, cells(results))
    assert list(table) == ["id", "claim", "where", "criterion", "paper_value", "our_value", "ci_low",
                           "ci_high", "verdict", "because"]
    assert table.id.is_unique and table.id[0] == "protocol"
    assert set(table.verdict) <= set(verdicts.CLAIMS)
    assert table.because.str.len().gt(10).all() and table.criterion.str.len().gt(3).all()
    assert table.equals(claims.ledger(results, cells(results)))  # seeded
    counts = claims.counts(table, cells(results))
    assert sum(v for k, v in counts.items() if "claims" in k) == len(table)
    named = {kind: [name for names in counts[kind].values() for name in names] for kind in ("claim", "timed")}
    assert set(table.id) == {name for names in named.values() for name in names if "Table" not in name}
    assert {"twice-as-fast", "gamma-low-speed", "Table III, early 2, time"} <= set(named["timed"])
    assert {"protocol", "rolling-psnr", "saving-general100"} <= set(named["claim"])


def test_another_network_than_the_papers_shows_a_part_at_most_and_contradicts_nothing():
    results = made_up()
    turned = results.responses.assign(response=-results.responses.response)
    assert judge(results).verdict["response"] == "partly supported"
    found = judge(replace(results, responses=turned))
    assert found.verdict["response"] == "inconclusive" and found.ci_high["response"] < 0


def test_each_claim_of_the_opposite_is_contradicted():
    found = judge(made_up(lead=-0.2, rolling=-0.17))
    for claim in ("fsrcnn-x2", "fsrcnn-x3", "rolling-psnr", "frequency-conflict"):
        assert found.verdict[claim] == "contradicted"
    assert found.ci_high["rolling-psnr"] < 0 and "3 and 3 seeds" in found.because["rolling-psnr"]


def test_twice_as_fast_and_better_fails_if_one_half_fails_and_says_which():
    results = made_up()
    slow = results.times.copy()
    slow.loc[slow.method == "fsrcnn", "ms"] /= 10
    for changed, verdict, said in (
            (results, "supported", "time: supported; performance: supported. "),
            (replace(results, times=slow), "contradicted", "time: contradicted; performance: supported. "),
            (made_up(lead=-0.2), "contradicted", "time: supported; performance: contradicted. "),
            (made_up(steps=800), "inconclusive", "time: supported; performance: inconclusive. ")):
        row = judge(changed).loc["twice-as-fast"]
        assert row.verdict == verdict and row.because.startswith(said)
    assert judge(replace(results, times=slow)).our_value["twice-as-fast"].endswith("times PRN's time, FSRCNN")
    assert judge(made_up(lead=-0.2)).because["twice-as-fast"].endswith("SCN (as printed), FSRCNN")


def test_values_carry_a_sign_and_say_which_way():
    above, below = judge(made_up()).our_value, judge(made_up(lead=-0.2, rolling=-0.17)).our_value
    assert above["fsrcnn-x3"] == "+0.19 dB, PRN above FSRCNN"
    assert below["fsrcnn-x3"] == "-0.20 dB, PRN below FSRCNN"
    assert below["rolling-psnr"].endswith("dB, with rolling below without")
    assert above["twice-as-fast"] == "2.26 times PRN's time, FSRCNN"
    assert above["early-depth-time"].endswith("%, deeper is slower")
    assert signed("-0.000 dB", "up", "down") == "-0.000 dB, no difference"
    assert above["gamma-low-speed"].startswith("+") and above["gamma-low-speed"].endswith("%, faster")


def test_criteria_that_came_after_the_first_scores_say_so():
    criteria = judge(made_up()).criterion
    late = criteria[criteria.str.contains("after the first scores")]
    assert late["order"].endswith("(set after the first scores)")
    for claim in ("twice-as-fast", "several-times-faster", "gamma-upper-speed", "receptive-field", "response"):
        assert late[claim].endswith("(changed after the first scores)")
    assert "fsrcnn-x2" not in late


def test_every_claim_has_one_measure_or_a_reason_why_there_is_none():
    known = paper.read("claims").fillna("")
    assert set(known.id[known.not_testable == ""]) == set(claims.MEASURES)
    assert set(known.after_first_scores) == {"", "set", "changed"}
    for claim in known.itertuples():
        assert set(claims.trained(claim)) <= set(paper.methods().index), claim.id


def test_a_small_budget_contradicts_nothing_about_trained_networks():
    found = judge(made_up(steps=800, lead=-0.2, rolling=-0.17))
    for claim in ("light-weight-measured", "fsrcnn-x2", "gamma-low-psnr", "early-depth-psnr",
                  "rolling-psnr", "frequency-conflict"):
        assert found.verdict[claim] == "inconclusive"
        assert "51,200 patches a scale" in found.because[claim] and "would settle it" in found.because[claim]
    assert found.verdict["early-depth-time"] == "supported" == found.verdict["receptive-field"]
    assert not found.verdict.eq("contradicted").any()


def test_the_budget_counts_patches_of_54_pixels():
    results = made_up()
    need = results.tolerances.budget * results.tolerances.paper_patches["prn"] / 64
    for crop, steps, short in ((54, need + 1, False), (54, need - 1, True), (108, need / 4 + 1, False)):
        model = {"steps": int(steps), "recipe": {"batch": 64, "crop": crop}}
        assert bool(shortfall(replace(results, models={"prn": model}), ["prn"])) == short
    assert shortfall(results, ["bicubic", "unknown"]) == ""


def test_other_images_give_no_verdict_on_bsds100():
    found = judge(on_other_images(made_up()))
    assert found.verdict["prior-separates"] == found.verdict["rolling-psnr"] == "inconclusive"
    assert "not on BSDS100" in found.because["prior-separates"]
    assert found.verdict["early-depth-time"] == "supported"


def test_where_bicubic_is_off_every_verdict_says_so():
    results = made_up()
    off = results.table1.copy()
    off.loc[(off.method == "bicubic") & (off.scale == 2), "psnr_db"] += 0.011
    found = judge(replace(results, table1=off))
    assert found.verdict["protocol"] == "contradicted" and "bsds100 x2" in found.because["protocol"]
    assert found.because.drop("protocol").str.startswith("The protocol is off (5 of 6 cells").all()
    assert not judge(results).because.str.startswith("The protocol").any()


def test_a_lead_over_a_method_below_its_own_figure_shows_nothing():
    results = made_up()
    low = results.quality.copy()
    low.loc[low.method == "fsrcnn", "psnr_db"] -= 0.5
    found = judge(replace(results, quality=low, table1=tables.table1(low, ["bsds100"], {})))
    assert found.verdict["fsrcnn-x3"] == "inconclusive"
    assert "lead shows nothing" in found.because["fsrcnn-x3"]


def test_methods_that_were_not_run_count_by_their_printed_figures():
    found = judge(made_up(lead=-1.0))  # below what A+ and the others print
    assert "A+ (as printed) on bsds100 x2 psnr_db" in found.because["light-weight-measured"]
    assert found.our_value["light-weight-measured"] == "PRN first in 3 of 6 cells"  # those of SSIM


def test_the_order_of_figure_1_is_counted_by_pairs():
    row = judge(made_up()).loc["order"]
    assert row.our_value == "3 of 3 pairs lie as printed" and "as printed: PRN 27.17, FSRCNN 26.98, Bicubic" in row.because
    row = judge(made_up(lead=-0.2)).loc["order"]
    assert row.our_value == "2 of 3 pairs lie as printed" and row.verdict == "partly supported"
    assert "1 lie the other way by their intervals, 0 hold zero" in row.because and "here: FSRCNN 26.98, PRN 26.78" in row.because
    assert judge(made_up(steps=800)).verdict["order"] == "inconclusive"
    results = made_up()
    level = results.quality.copy()  # PRN half a dB above on some images, below on the others
    rows = (level.method == "prn") & (level.scale == 4)
    level.loc[rows, "psnr_db"] += np.resize([0.31, -0.69], rows.sum())
    found = judge(replace(results, quality=level)).loc["order"]
    assert found.our_value == "2 of 3 pairs lie as printed" and "0 lie the other way by their intervals, 1 hold zero" in found.because


def test_seeds_that_differ_by_more_than_rolling_gains_settle_nothing():
    found = judge(made_up(seeds=0.2))
    assert found.verdict["rolling-psnr"] == "inconclusive"
    assert found.ci_low["rolling-psnr"] < 0 < found.ci_high["rolling-psnr"]


def test_one_training_of_each_settles_nothing():
    results = made_up()
    alone = replace(results, repeats={n: [n] for n in VARIANTS})
    found = judge(alone).verdict[["rolling-psnr", "fsrcnn-x3", "frequency-conflict"]]
    assert found.eq("inconclusive").all()


def test_data_sets_of_the_user_are_judged_once_they_are_there():
    absent = judge(made_up()).loc["fsrcnn-manga109"]
    assert absent.verdict == "not testable" and "manga109 is no test set" in absent.because
    found = judge(made_up(datasets=("bsds100", "manga109", "general100"), lead=0.7))
    assert found.verdict["fsrcnn-manga109"] == "supported"
    assert found.verdict["saving-general100"] == "inconclusive"  # as many mild patches as BSDS100
    assert "General-100 48.4%" in found.because["saving-general100"]


def test_networks_for_one_scale_and_of_mild_patches_alone_are_judged_once_they_are_there():
    results = made_up()
    assert judge(results).verdict[["multi-scale", "mild-and-moderate"]].eq("not testable").all()
    prn = results.ablation[(results.ablation.method == "prn") & (results.ablation.gamma_low == 20)
                           & (results.ablation.gamma_upper == 50)]
    alone = pd.concat([prn, prn.assign(method="prn_mild_alone", psnr_db=prn.psnr_db - 0.05)])
    rows = [prn.assign(method=name, scale=scale, psnr_db=prn.psnr_db + gain) for scale, gain in ((2, -0.1), (4, 0.1))
            for name, gain in ((f"prn_x{scale}", gain), ("prn", 0))]
    rest = results.ablation[results.ablation.gamma_low.ne(20) | results.ablation.gamma_upper.ne(50)
                            | results.ablation.method.ne("prn")]
    models = results.models | {f"prn_x{scale}": results.models["prn"] for scale in (2, 4)}
    more = replace(results, ablation=pd.concat([rest, alone]), one_scale=pd.concat(rows), models=models)
    found = judge(more)
    assert found.verdict["mild-and-moderate"] == "supported"
    assert found.our_value["mild-and-moderate"].startswith("+0.05")
    assert found.verdict["multi-scale"] == "partly supported"  # above at one scale, below at the other
    assert "x2 +0.100 dB, x4 -0.100 dB" in found.because["multi-scale"]
    uneven = replace(more, models=models | {"prn_x4": results.models["prn"] | {"patches": 10**8}})
    assert judge(uneven).because["multi-scale"].startswith("x2 +0.100 dB; ")


def test_the_papers_own_table_contradicts_best_everywhere():
    row = judge(made_up()).loc["light-weight-printed"]
    assert row.verdict == "partly supported" and row.our_value == "PRN first in 23 of 24 cells"
    assert "SelfEx has 0.74 on urban100 x4 (ssim), PRN 0.733" in row.because


def test_a_run_of_few_variants_has_a_full_ledger():
    results, few = made_up(), ["prn", "prn_no_rolling"]
    ablation = results.ablation[results.ablation.method.isin(few)]
    times = results.times[results.times.method.isin([*few, "fsrcnn"])]
    found = judge(replace(
        results, ablation=ablation, times=times,
        routed_psnr=results.routed_psnr[results.routed_psnr.method.isin(few)],
        options={n: results.options[n] for n in few}, repeats={n: [n] for n in few},
        models={n: results.models[n] for n in (*few, "fsrcnn", "cnn7", "bicubic")}))
    lost = found.verdict[["early-depth-psnr", "early-depth-time", "saving-bsds100"]]
    assert lost.eq("not testable").all()


def test_cells_of_all_tables_have_a_verdict():
    table = cells(made_up()).set_index(["table", "row", "column"])
    assert set(table.verdict) <= set(verdicts.CELLS)
    assert table.verdict["I", "bicubic", "bsds100 x2 psnr_db"] == "matches"
    assert table.verdict["I", "aplus", "bsds100 x2 psnr_db"] == "not run"
    assert table.verdict["III", "early 1", "psnr_db"] in ("matches", "replicated")
    assert table.verdict["III", "early 3", "time, of the default's"] == "replicated"
    assert table.verdict["IV", "with rolling", "psnr_db"] in ("matches", "replicated")
    assert table.tolerance["III", "middle 1", "psnr_db"] == 0.10
    assert cells(made_up(seeds=0.2)).tolerance.max() > 0.3  # two standard deviations over seeds
    small = cells(made_up(steps=800)).set_index(["table", "row", "column"]).verdict
    assert small["IV", "with rolling", "psnr_db"] == "not comparable"
    assert small["I", "prn", "bsds100 x4 ssim"] == "not comparable"
    assert small["III", "early 3", "time, of the default's"] == "replicated"


@pytest.mark.parametrize("changed, message", [
    ({"budget": -1.0}, "claims.budget: -1.0 is too small"),
    ({"paper_patches": {"prn": 1.0, "cnn7": -2.0}}, "claims.paper_patches.cnn7: -2.0 is too small"),
    ({"paper_patches": {"cnn7": 1.0}}, "claims: paper_patches: prn: missing")])
def test_a_bad_tolerance_is_refused(changed, message):
    with pytest.raises(ParameterError, match=message):
        read(Claims, asdict(load("params.yaml").claims) | changed, "claims")


def test_repeats_are_variants_that_differ_in_their_seed_alone():
    variants = {n: asdict(v) for n, v in load("params.yaml").variants.items()}
    groups = repeats(variants, {n: {"steps": 800} for n in variants})
    assert groups["prn"] == ["prn", "prn_seed1", "prn_seed2"]
    assert groups["prn_no_rolling"][1:] == ["prn_no_rolling_seed1", "prn_no_rolling_seed2"]
    assert groups["prn_modern"] == ["prn_modern"]
    uneven = repeats(variants, {n: {"steps": 800 if "seed" in n else 400_000} for n in variants})
    assert uneven["prn"] == ["prn"] and uneven["prn_seed0"] == ["prn_seed0", "prn_seed1", "prn_seed2"]


def test_what_went_further_than_its_seeds_is_not_compared_with_them():
    r, own = made_up(), ["prn", "prn_no_rolling"]
    groups = {f"{n}_seed0": [f"{n}_seed0", *r.repeats[n][1:]] for n in own} | {n: [n] for n in own}

    def grown(table):
        seed0 = table[table.method.isin(own)]
        return pd.concat([table.assign(psnr_db=table.psnr_db + 0.3 * table.method.isin(own)),
                          seed0.assign(method=seed0.method + "_seed0")])

    went = {**r.models["prn"], "steps": 800_000, "patches": 3_200_000}
    models = r.models | {f"{n}_seed0": r.models[n] for n in own} | {n: went for n in own}
    further = replace(r, ablation=grown(r.ablation), routed_psnr=grown(r.routed_psnr), models=models,
                      repeats=r.repeats | groups)
    before, after = (claims.ledger(x, cells(x)).set_index("id") for x in (r, further))
    equal = ["rolling-psnr", "early-depth-psnr", "middle-depth-psnr", "frequency-conflict"]
    assert (before.loc[equal].our_value == after.loc[equal].our_value).all()
    assert (before.loc[equal].ci_low == after.loc[equal].ci_low).all()
    assert "after 3,200,000 patches a scale, one seed, +0.09" in after.because["rolling-psnr"]
    assert further.noise() == r.noise() and further.trainings("prn") == 3
    short = replace(further, models=models | {"prn_seed0": r.models["prn"] | {"steps": 800}})
    late = claims.ledger(short, cells(short)).set_index("id")
    assert late.because["early-depth-psnr"].startswith("trained too little: PRN, seed 0")
    assert late.verdict["fsrcnn-x2"] == after.verdict["fsrcnn-x2"] != "inconclusive"


def test_contradictions_name_two_places_and_decisions_that_exist():
    templates = Path(claims.__file__).parents[1] / "paper"
    rows = pd.read_csv(templates / "contradictions.csv", keep_default_na=False)
    assert list(rows) == ["point", "first", "second", "our_reading", "decision"] and rows.point.is_unique
    assert rows[["point", "first", "second", "our_reading"]].ne("").all().all()
    assert set(rows.decision) - {""} <= set(pd.read_csv(templates / "decisions.csv").id)
