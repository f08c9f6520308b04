"""What is timed again: what is new, and nothing else."""

import json

import pandas as pd
import pytest

from tests import workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A workspace that has been timed once."""
    folder = tmp_path_factory.mktemp("timed")
    (folder / "pipeline").symlink_to(workspace.ROOT / "pipeline")
    workspace.fill(folder, workspace.small_params())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert workspace.first_words(["check", "download train", "download test", "pack", "timing"], patch) is None
    return folder


def again(folder, monkeypatch, capsys, **changes):
    """Time anew with other parameters: the rows, and what the stage says."""
    raw = workspace.small_params()
    raw |= changes
    workspace.write(folder, raw)
    monkeypatch.chdir(folder)
    assert workspace.first_words(["check", "timing"], monkeypatch) is None
    return pd.read_csv("artifacts/embedded/timing.csv"), capsys.readouterr().out


def test_a_threshold_times_prn_alone_and_the_way_back_nothing(folder, monkeypatch, capsys):
    before = pd.read_csv(folder / "artifacts/embedded/timing.csv")
    after, said = again(folder, monkeypatch, capsys, gamma_low=15)
    ours = after[after.gamma_low == 15]
    assert set(ours["mode"]) == {"grouped", "context", "paper"} and ours.method.str.startswith("prn").all()
    kept = after[after["mode"] == "whole"].reset_index(drop=True)
    assert kept.equals(before[before["mode"] == "whole"].reset_index(drop=True))
    assert f"timing: {len(ours)} of {len(after)} jobs" in said and "x4 on the clock of then" in said
    back, said = again(folder, monkeypatch, capsys)
    assert back.equals(before) and f"timing: 0 of {len(back)} jobs" in said


def test_a_new_variant_is_timed_alone(folder, monkeypatch, capsys):
    raw = workspace.small_params()
    variants = raw["variants"] | {"prn_wide": {"options": {"width": 8}}}
    after, said = again(folder, monkeypatch, capsys, variants=variants, routed=[*raw["routed"], "prn_wide"])
    assert (after.method == "prn_wide").sum() == 9 and "timing: 9 of" in said


def test_other_repeats_or_another_program_time_everything(folder, monkeypatch, capsys):
    raw = workspace.small_params()
    raw["budgets"]["smoke"]["timing"]["repeats"] = 2
    after, said = again(folder, monkeypatch, capsys, budgets=raw["budgets"])
    assert after.repeat.max() == 1 and f"{after.repeat.eq(0).sum()} of {after.repeat.eq(0).sum()} jobs" in said
    path = folder / "artifacts/states/embedded-smoke.times.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tag": {}}))
    again(folder, monkeypatch, capsys, budgets=raw["budgets"])
    assert json.loads(path.read_text())["tag"]["amounts"]["repeats"] == 2
