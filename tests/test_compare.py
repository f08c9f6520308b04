"""make compare: what an experiment changed, in lines that fit a terminal; and two timings on one clock."""

import pytest

from pipeline.analysis import compare
from pipeline.timing.reference import one_clock
from stages.common import progress


def run_of(gamma_low=10, device="a CPU", ms=8.0, spread=4, verdicts=3, **psnr):
    return {"params": {"gamma_low": gamma_low, "seed": 0},
            "metrics": {"psnr_db.prn.x4": 29.5, "mild_percent.x4": 14.0,
                        **{f"psnr_db.{name}.x4": value for name, value in psnr.items()}},
            "times": {"device": device, "ms_per_image.prn.x4": ms, "ms_per_image.prn_whole.x4": 10.0,
                      "spread_percent.prn.x4": spread, "spread_percent.prn_whole.x4": 1,
                      "speedup_over_whole.x4": round(10 / ms, 2)},
            "verdicts": {"claims_supported": verdicts}}


def test_each_number_that_differs_has_a_line_and_the_last_says_what_the_change_did():
    new = run_of(20, ms=7.0, prn=29.44)
    new["metrics"]["mild_percent.x4"] = 35.0
    found = compare.lines("HEAD", "low20", run_of(), new)
    assert [*found[:6], " ".join(found[6:])] == [
        "                                            HEAD        low20           change",
        "psnr_db.prn.x4                              29.5        29.44         -0.06 dB",
        "mild_percent.x4                               14           35       +21 points",
        "ms_per_image.prn.x4                            8            7            -12 %",
        "speedup_over_whole.x4                       1.25         1.43            +14 %",
        "", "gamma_low 10 -> 20: 0.06 dB less at x4, 14 % faster, 21 points more mild patches."]
    assert max(map(len, found)) <= 80


def test_a_time_within_the_spread_of_its_repeats_is_no_change():
    found = compare.lines("HEAD", "again", run_of(spread=30), run_of(ms=7.0, spread=2))
    assert found == ["No number differs.", "2 times differ by less than their spread over repeats.", "",
                     "same parameters: 14 % faster (within the spread of repeats)."]


def test_milliseconds_of_two_machines_are_not_compared():
    found = "\n".join(compare.lines("HEAD", "here", run_of(), run_of(device="another CPU", ms=4.0)))
    assert "ms_per_image" not in found and "speedup_over_whole.x4" in found and "Times of two machines" in found


def test_a_new_variant_is_a_new_line_and_counts_of_verdicts_are_shown():
    found = compare.lines("HEAD", "wide", run_of(), run_of(verdicts=4, prn_wide=29.7))
    assert "psnr_db.prn_wide.x4                            -         29.7              new" in found
    assert "claims_supported                               3            4               +1" in found
    assert found[-1] == "same parameters: prn_wide 29.70 dB at x4."


def test_a_claim_that_changed_its_verdict_is_named_and_one_on_times_is_marked():
    old, new = run_of(), run_of(verdicts=2)
    old["verdicts"] |= {"claim.supported": ["protocol", "response"], "timed.partly supported": ["twice-as-fast"]}
    new["verdicts"] |= {"claim.supported": ["protocol"], "claim.inconclusive": ["response"],
                        "timed.not testable": ["twice-as-fast"], "cells_matches": 9}
    assert compare.lines("HEAD", "again", old, new)[1:-2] == [
        "cells_matches                                  -            9              new",
        "response                                             supported -> inconclusive",
        "twice-as-fast                               partly supported -> not testable *",
        "*: rests on measured times, and may change when they are measured again."]
    assert compare.lines("HEAD", "again", old, old)[0] == "No number differs."


def test_parameters_are_named_by_their_paths():
    old, new = ({"prior": {"norm": norm}, "methods": ["bicubic"], "local": {}} for norm in ("l1", "l2"))
    assert compare.flat(old) == {"prior.norm": "l1", "methods": ["bicubic"], "local": {}}
    runs = [{**run_of(), "params": compare.flat(params)} for params in (old, new)]
    assert compare.lines("a", "b", *runs)[-1] == "prior.norm l1 -> l2: PRN as before."


def row(mode, ms, scale=4, low=""):
    return {"method": "prn", "scale": scale, "mode": mode, "gamma_low": low, "gamma_upper": low, "ms": ms,
            "host_ms": 2 * ms}


def test_a_second_timing_is_put_on_the_clock_of_the_first():
    """The second run was on a machine that was twice as slow for a while."""
    first = [row("whole", 10), row("whole", 10.5), row("whole", 9.5)]
    second = [row("whole", 21), row("whole", 20), row("whole", 19), row("grouped", 14, low=20)]
    rows, drift = one_clock(first, second)
    assert drift == {4: 0.5} and rows == [row("grouped", 7, low=20)]
    assert one_clock([], second) == (second, {})  # the first of all


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "KEPT", tmp_path / "artifacts" / "seconds.json")


def test_a_stage_says_its_number_and_the_time_left_once_all_have_run(kept):
    n = len(progress.STAGES)
    assert progress.heading("train") == f"stage 5 of {n}: train"
    for name in progress.STAGES:
        progress.keep(name, 10)
    assert progress.heading("claims") == f"stage {n - 2} of {n}, at most 30 s left: claims"
    assert progress.heading("check") == f"stage 1 of {n}, at most {n * 10 / 60:.0f} min left: check"
    assert progress.heading("train prn 10") == "train"  # by hand
