"""What the repository ships: weights and unfinished trainings, and the budgets that they are of."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from pipeline.config import params
from pipeline.config.resolved import training
from pipeline.models import weights
from pipeline.training.algorithm1 import steps_of
from stages.common.networks import fresh
from tests import workspace
from tests.workspace import stage


@pytest.mark.parametrize("name", sorted(params.published()))
def test_shipped_weights_are_of_the_budget_that_they_name(name):
    record = json.loads(Path(f"weights/{name}.json").read_text())
    p = replace(params.load(), profile="paper", budget=record["budget"])
    wanted, scales = training(p, name), fresh(p, name).learns
    assert record["recipe"] == asdict(p.recipe_of(name))  # rate and batch among it
    assert [rung["patches"] for rung in record["rungs"]] == wanted["rungs"]
    assert record["patches"] == wanted["rungs"][-1]
    assert [rung["steps"] for rung in record["rungs"]] == [
        steps_of(n, scales, record["recipe"]["batch"]) for n in wanted["rungs"]]
    assert record["steps"] == record["rungs"][-1]["steps"] == record["curve"][-1]["step"]


def test_no_method_has_weights_of_ours_and_of_its_authors():
    assert not params.by_authors().keys() & params.published().keys()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run stages in a repository with images, params.yaml and no published weights."""
    raw = workspace.small_params()
    raw["variants"]["prn"] = {"recipe": "modern"}  # which averages
    raw["budgets"]["smoke"]["rungs"] = [48]
    workspace.fill(tmp_path, raw)
    monkeypatch.chdir(tmp_path)
    Path("weights").mkdir()
    Path("weights/published.json").write_text("{}\n")

    def each(*commands):
        return workspace.first_words(commands, monkeypatch)

    def change(**values):
        workspace.write(tmp_path, raw | values)

    assert each("check", "download train", "download test", "pack") is None
    each.change = change
    return each


def record_of(path):
    return json.loads(Path(path).read_text())


def test_published_weights_are_taken_with_what_is_known_of_them(run):
    assert run("train prn", "publish prn") is None
    shipped = record_of("weights/prn.json")
    assert shipped["patches"] == 48 and shipped["steps"] == 18 and shipped["curve"][-1]["step"] == 18
    assert [rung["patches"] for rung in shipped["rungs"]] == [48] and shipped["budget"] == "smoke"
    run.change(weights="published")
    assert run("check", "train prn") is None
    taken = record_of("artifacts/embedded/models/prn.json")
    assert taken == shipped | {"published": True} and taken["weights"] == "ours"
    paths = Path("weights/prn.safetensors"), Path("artifacts/embedded/models/prn.safetensors")
    p = params.load()
    first, second = (weights.load(fresh(p, "prn"), path).state_dict() for path in paths)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_what_others_made_or_published_is_not_published(run):
    assert run("train bicubic", "train prn", "publish prn") is None
    assert run("publish bicubic").startswith("publish: bicubic: not trained by this run")
    assert run("publish fsrcnn").startswith("publish: fsrcnn: the model of its authors stands for it")
    run.change(weights="published")
    assert run("check", "train prn") is None
    assert "prn: not trained by this run" in run("publish prn")
    path = Path("artifacts/embedded/models/prn.json")
    path.write_text(json.dumps(record_of(path) | {"weights": "authors"}))
    assert "not ours to publish" in run("publish prn")
    assert list(record_of("weights/published.json")) == ["prn"]


def test_a_published_trunk_is_small_and_the_next_training_goes_on_from_it(run):
    assert run("train prn", "publish --trunk prn") is None
    state = torch.load("artifacts/states/embedded-smoke-prn/trunk.pt", weights_only=True)
    path = Path("weights/trunks/prn/trunk.pt")
    shipped = torch.load(path, weights_only=True)
    assert shipped.keys() == state.keys() - {"adam", "average", "counters"} and path.stat().st_size < 1.5e6
    names = [name for name, _ in fresh(params.load(), "prn").named_parameters()]
    assert all(torch.equal(shipped["model"][n], mean) for n, mean in zip(names, state["average"], strict=True))
    assert any(not torch.equal(shipped["model"][n], state["model"][n]) for n in names)
    assert {value.dtype for value in shipped["model"].values()} == {torch.float32}
    Path("artifacts/states/embedded-smoke-prn").rename("elsewhere")
    weights = Path("artifacts/embedded/models/prn.safetensors").read_bytes()
    assert run("train prn") is None and Path("artifacts/embedded/models/prn.safetensors").read_bytes() == weights
    assert not Path("artifacts/states/embedded-smoke-prn").exists()  # its rung was published too
    for rung in path.parent.glob("rung-*.pt"):
        rung.unlink()
    shipped["seconds"] = 1000.0
    torch.save(shipped, path)
    assert run("train prn") is None
    assert record_of("artifacts/embedded/models/prn.json")["seconds"] >= 1000  # of the trunk and after
    assert "No such file" in run("publish --trunk prn_no_rolling")
