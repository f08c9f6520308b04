"""Weights and states from elsewhere: refused in words, never run, never half taken."""

import ast
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from safetensors.torch import save, save_file

from pipeline.io import sha256
from pipeline.training import checkpoints
from pipeline.models import weights
from pipeline.models import build

MODEL = build("prn", (2,), width=4)
GOOD = {name: value.clone() for name, value in MODEL.state_dict().items()}
NAME = "shrink.0.weight"


class Boom:
    def __reduce__(self):
        return (Path.touch, (Path("boom"),))


def with_value(value):
    return save({**GOOD, NAME: value})


def filled(number):
    value = GOOD[NAME].clone()
    value.view(-1)[-1] = number
    return with_value(value)


@pytest.mark.parametrize("content, message", [
    (with_value(GOOD[NAME].half()), f"{NAME} is torch.float16"),
    (with_value(GOOD[NAME].double()), f"{NAME} is torch.float64"),
    (with_value(GOOD[NAME].bfloat16()), f"{NAME} is torch.bfloat16"),
    (with_value(GOOD[NAME].int()), f"{NAME} is torch.int32"),
    (with_value(GOOD[NAME][:2]), rf"{NAME} is torch.float32 \(2, "),
    (with_value(GOOD[NAME].mT.contiguous()[None]), f"{NAME} is torch.float32"),
    (with_value(torch.zeros(0)), f"{NAME} is torch.float32 .0,."),
    (filled(float("nan")), f"{NAME} holds NaN or infinity"),
    (filled(float("-inf")), f"{NAME} holds NaN or infinity"),
    (save({k: v for k, v in GOOD.items() if k != NAME}), f"lacks {NAME}"),
    (save({**GOOD, "more": torch.zeros(1)}), "has an unknown more"),
    (save({}), "lacks early"), (b"", "no readable weights"), (b"\0" * 64, "no readable weights"),
    (b"\xff" * 64, "no readable weights"), (pickle.dumps(GOOD), "no readable weights"),
    (pickle.dumps(Boom()), "no readable weights"), (save(GOOD)[:-1], "no readable weights"),
    (save(GOOD) + b"\0", "no readable weights"),
])
def test_misfits_are_refused_by_file_and_tensor(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    model = build("prn", (2,), width=4)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(ValueError, match=f"w.safetensors: {message}"):
        weights.load(model, path)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())  # nothing half taken
    assert not Path("boom").exists()


@given(place=st.floats(0, 1), noise=st.binary(min_size=1, max_size=8), cut=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_refused_or_fits(tmp_path_factory, place, noise, cut):
    path = tmp_path_factory.getbasetemp() / "w.safetensors"
    whole = save(GOOD)
    at = int(place * len(whole))
    path.write_bytes(whole[:at] if cut and place < 1 else whole[:at] + noise + whole[at + len(noise):])
    model = build("prn", (2,), width=4)
    try:
        weights.load(model, path)
    except ValueError as error:
        assert "w.safetensors" in str(error)
    else:
        assert all(v.isfinite().all() for v in model.state_dict().values())
        assert not cut or place == 1


@pytest.mark.parametrize("network, options", [("prn", {"width": 4}), ("lapsrn", {}), ("srcnn", {})])
def test_a_model_for_fewer_scales_takes_its_part_and_a_scale_that_lacks_is_named(tmp_path, network, options):
    """-S scales=[4] -S weights=published"""
    path, x = tmp_path / "w.safetensors", torch.rand(1, 1, 16, 16)
    trained = build(network, (2, 4), **options).eval()
    weights.save(path, trained.state_dict())
    part = weights.load(build(network, (4,), **options), path)
    with torch.no_grad():
        assert torch.equal(part(x, 4), trained(x, 4))
    weights.save(path, part.state_dict())
    with pytest.raises(ValueError, match=r"lacks .*\.x2\."):
        weights.load(build(network, (2,), **options), path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="none.safetensors: no readable weights"):
        weights.load(build("prn", (2,), width=4), tmp_path / "none.safetensors")


def test_a_full_disk_leaves_the_old_weights(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    weights.save(path, GOOD)
    before = path.read_bytes()
    monkeypatch.setattr(weights, "save_file", lambda *_: (_ for _ in ()).throw(
        weights.SafetensorError("I/O error: No space left on device")))
    with pytest.raises(OSError, match="w.safetensors could not be written .*No space left"):
        weights.save(path, {})
    assert path.read_bytes() == before


def test_a_pickle_in_a_training_state_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content in (pickle.dumps(Boom()), pickle.dumps({"identity": {}, "model": Boom()})):
        Path("s.pt").write_bytes(content)
        assert checkpoints.load(Path("s.pt"), {}) is None
    torch.save({"identity": {}, "model": Boom()}, "s.pt")
    assert checkpoints.load(Path("s.pt"), {}) is None and not Path("boom").exists()


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_a_state_with_one_wrong_bit_is_ignored_or_whole(tmp_path_factory, place, bit):
    """Zip's check sums hold the tensors."""
    path = tmp_path_factory.getbasetemp() / "bit.pt"
    checkpoints.save(path, {"identity": {"a": 1}, "step": 3, "model": GOOD})
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    state = checkpoints.load(path, {"a": 1})
    if state is not None:
        assert state["step"] == 3 and state["model"].keys() == GOOD.keys()
        assert all(torch.equal(v, GOOD[k]) for k, v in state["model"].items())


def test_no_code_unpickles_what_it_was_given():
    for path in [*Path("pipeline").rglob("*.py"), *Path("stages").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] + [getattr(node, "module", "") or ""]
                assert not {"pickle", "joblib", "dill", "shelve"} & set(names), path
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "np.load"):
                given_ = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert given_.get("allow_pickle", "False") == "False", path
                if ast.unparse(node.func) == "torch.load":
                    assert given_["weights_only"] == "True", path


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A repository with published weights of one variant."""
    from pipeline.data import sources
    from pipeline.data.pack import pack
    from tests import workspace

    raw = workspace.small_params()
    raw["weights"] = "published"
    workspace.fill(tmp_path, raw)
    monkeypatch.chdir(tmp_path)
    Path("weights").mkdir()
    pack(Path("artifacts/embedded/train.npz"), {"mine/a": np.full((60, 60), 99, np.uint8)})

    def publish(content):
        Path("weights/prn.safetensors").write_bytes(content)
        Path("weights/prn.json").write_text('{"curve": [], "steps": 1}')
        index = {"prn": sha256("weights/prn.safetensors")}
        Path("weights/published.json").write_text(json.dumps(index))
        assert workspace.stage("check", monkeypatch) is None
    return publish


def test_published_weights_are_checked_when_they_are_taken(published, monkeypatch):
    from tests.workspace import stage

    model = build("prn", (2, 3, 4))
    published(save(dict(model.state_dict())))
    assert stage("train prn", monkeypatch) is None
    taken = weights.load(build("prn", (2, 3, 4)), Path("artifacts/embedded/models/prn.safetensors"))
    assert torch.equal(taken.shrink[0].weight, model.shrink[0].weight)
    assert stage("train bicubic", monkeypatch) is None  # nothing to learn, nothing published
    assert "prn_no_rolling: no variant of" in stage("train prn_no_rolling", monkeypatch)  # tables have gaps
    assert stage("train cnn7", monkeypatch).startswith(  # all figures need it
        "train: weights: published: none for cnn7; there are prn")
    Path("weights/prn.safetensors").write_bytes(b"other")
    assert "prn.safetensors: sha256 expected" in stage("train prn", monkeypatch)
    published(save(GOOD))
    assert "prn.safetensors: early.0.bias is torch.float32 (4,), expected" in stage("train prn", monkeypatch)


def test_every_published_file_is_the_one_that_was_and_fits_its_variant():
    from pipeline.config import params
    from pipeline.data import sources

    p = params.load()
    for name, digest in params.published().items():
        path = Path("weights") / f"{name}.safetensors"
        assert sha256(path) == digest, name
        variant = p.variants[name]
        weights.load(build(variant.network, p.scales_of(name), **variant.options), path)
        assert json.loads(path.with_suffix(".json").read_text())["variant"] == name
