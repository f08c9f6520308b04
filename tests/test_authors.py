"""Models of the compared methods by their authors: files, conversion, and the figures of Table I."""

import copy
import hashlib
import json
import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.io import savemat

from pipeline.config import params
from pipeline.config.params import by_authors
from pipeline.data import authors as releases
from pipeline.data import sources
from pipeline.evaluation.protocol import compose, load, score_psnr, super_resolve
from pipeline.models import authors, build
from pipeline.paper import label
from stages.common import outputs
from stages.common.trained import trained
from tests import workspace

SCALES = (2, 3, 4)
RNG = np.random.default_rng(0)
SET5 = {"fsrcnn": (37.052, 33.181, 30.724), "srcnn": (36.716, 32.780, 30.502),  # dB: Table I to its
        "aplus": (36.597,)}  # two decimals
# of the larger networks, whose means on Set5 are Table I's 36.58, 32.62, 30.41 (SCN), and 37.52, 33.81, 31.54
# (LapSRN) and 37.58, 33.68, 31.36 (VDSR), as others publish them
BUTTERFLY = {"scn": (32.565, 27.793, 25.262), "lapsrn": (34.226, 29.834, 27.201),
             "vdsr": (34.510, 29.965, 27.286)}


def cell(arrays):
    """A MATLAB cell column."""
    column = np.empty((len(arrays), 1), object)
    column[:, 0] = arrays
    return column


def srcnn_file():
    return {"weights_conv1": RNG.normal(size=(81, 64)), "biases_conv1": RNG.normal(size=(64, 1)),
            "weights_conv2": RNG.normal(size=(64, 25, 32)), "biases_conv2": RNG.normal(size=(32, 1)),
            "weights_conv3": RNG.normal(size=(32, 25)), "biases_conv3": RNG.normal(size=(1, 1))}


def fsrcnn_file():
    shapes = [(1, 25, 56), (56, 1, 12), *[(12, 9, 12)] * 4, (12, 1, 56), (1, 81, 56)]
    return {"weights_conv": cell([RNG.normal(size=s) for s in shapes]),
            "biases_conv": cell([RNG.normal(size=(s[2] if i < 7 else 1, 1)) for i, s in enumerate(shapes)]),
            "prelu_conv": cell([*RNG.normal(size=(7, 1, 1)), np.empty((1, 0))])}


def scn_file():
    return {"model": {"conv": RNG.normal(size=(81, 100)), "wd": RNG.normal(size=(100, 128)),
                      "usd1": RNG.normal(size=(128, 128)), "ud": RNG.normal(size=(128, 25)),
                      "diffms": RNG.normal(size=(81, 25)), "addp": RNG.normal(size=(25, 1)),
                      "mean2": RNG.normal(size=(169, 1))}}


def vdsr_file():
    channels = [1, *[64] * 19, 1]
    pairs = list(zip(channels, channels[1:]))
    return {"model": {"weight": cell([RNG.normal(size=(3, 3, a, b)) for a, b in pairs]).T,
                      "bias": cell([RNG.normal(size=(b, 1)) for _, b in pairs]).T}}


def lapsrn_file(levels):
    shapes = {"input_conv": (3, 3, 1, 64)}
    for level in (f"level{i + 1}" for i in range(levels)):
        shapes |= {f"{level}_conv{k + 1}": (3, 3, 64, 64) for k in range(10)}
        shapes |= {f"{level}_upconv": (3, 3, 64, 64), f"{level}_residual_conv": (3, 3, 64, 1),
                   f"{level}_img_up": (4, 4, 1, 1)}
    arrays = {f"{name}_f": RNG.normal(size=shape) for name, shape in shapes.items()}
    arrays |= {f"{name}_b": RNG.normal(size=(1, shape[3])) for name, shape in shapes.items()}
    dtype = [("name", object), ("value", object)]
    return {"net": {"params": np.array([tuple(item) for item in arrays.items()], dtype)[None]}}


def aplus_maps():
    return {"Aplus_PPs": cell([RNG.normal(size=(36, 28)).astype(np.float32) for _ in range(1024)]).T}


def aplus_components():
    return {"conf": {"V_pca": RNG.normal(size=(144, 28)), "dict_lores": RNG.normal(size=(28, 1024))}}


FILES = {"srcnn": dict.fromkeys(("x2", "x3", "x4"), srcnn_file),
         "fsrcnn": dict.fromkeys(("x2", "x3", "x4"), fsrcnn_file), "scn": {"x2": scn_file},
         "vdsr": {"all": vdsr_file}, "lapsrn": {"x2": partial(lapsrn_file, 1), "x4": partial(lapsrn_file, 2)},
         "aplus": {"maps_x2": aplus_maps, "components_x2": aplus_components}}


def made_up(name, folder):
    """A release of the right shapes: its contents, and its files."""
    contents = {part: make() for part, make in FILES[name].items()}
    for part, content in contents.items():
        savemat(folder / f"{part}.mat", content)
    return contents, {part: folder / f"{part}.mat" for part in contents}


@pytest.mark.parametrize("name", FILES)
def test_every_weight_comes_from_the_files(name, tmp_path):
    """Of as many scales as are asked for."""
    _, files = made_up(name, tmp_path)
    assert list(files) == [w.part for w in releases.registry()[name]]
    for scales in (SCALES, (2,), (3,), (2, 4)):
        begun = build(name, scales, **authors.OPTIONS.get(name, {}))
        fresh = copy.deepcopy(begun.state_dict())
        model = authors.load(name, scales, files, begun)
        kept = {n for n, value in model.state_dict().items() if torch.equal(value, fresh[n])}
        assert not model.training
        assert {n for n in kept if name != "aplus" or ".x2." in n} <= {"passes.0.places", "passes.1.places"}


def test_taps_lie_where_matlab_has_them(tmp_path):
    """Element [row + side * column] of a MATLAB filter is the tap of that row and column."""
    row, column, channel = 3, 1, 5
    for name, tensor, theirs in (
            ("srcnn", "nets.x2.0.weight", lambda c: c["x2"]["weights_conv1"][row + 9 * column, channel]),
            ("fsrcnn", "nets.x2.0.weight",
             lambda c: c["x2"]["weights_conv"][0, 0][0, row + 5 * column, channel]),
            ("scn", "passes.1.see.weight", lambda c: c["x2"]["model"]["conv"][row + 9 * column, channel]),
            ("lapsrn", "nets.x4.levels.1.enlarge.weight", lambda c: dict(
                c["x4"]["net"]["params"][0].tolist())["level1_img_up_f"][row, column])):
        contents, files = made_up(name, tmp_path)
        weight = authors.load(name, SCALES, files).state_dict()[tensor]
        found = weight[0 if name == "lapsrn" else channel, 0, row, column]
        assert found.item() == pytest.approx(np.float32(np.squeeze(theirs(contents))), abs=0), name
    contents, files = made_up("aplus", tmp_path)
    table = authors.load("aplus", (2,), files).tables["x2"]
    flat, second_along_x = row + 6 * column, 2 * 36
    assert table["maps"][7, 4, 6 * row + column].item() == contents["maps_x2"]["Aplus_PPs"][0, 7][flat, 4]
    assert table["components"][4, 1, row, column].item() == np.float32(
        contents["components_x2"]["conf"]["V_pca"][second_along_x + flat, 4])


@pytest.mark.parametrize("name, part, keys", [
    ("srcnn", "x3", ["weights_conv2"]), ("fsrcnn", "x4", ["weights_conv"]), ("scn", "x2", ["model", "ud"]),
    ("vdsr", "all", ["model", "bias"]), ("lapsrn", "x4", ["net"]), ("aplus", "maps_x2", ["Aplus_PPs"]),
])
def test_a_file_that_lacks_an_array_or_has_another_is_refused_by_name(name, part, keys, tmp_path):
    contents, files = made_up(name, tmp_path)
    *path, last = keys
    scales = (2,) if name == "aplus" else SCALES
    holder = contents[part]
    for key in path:
        holder = holder[key]
    for value in (np.ones((7, 5)), "text", np.full((3, 2), np.nan)):
        holder[last] = value
        savemat(files[part], contents[part])
        with pytest.raises(ValueError, match=rf"{part}\.mat: .*{last}"):
            authors.load(name, scales, files)
    del holder[last]
    holder["another"] = 1
    savemat(files[part], contents[part])
    with pytest.raises(ValueError, match=rf"{part}\.mat: lacks .*{last}"):
        authors.load(name, scales, files)


def test_a_network_that_was_built_otherwise_is_refused(tmp_path):
    _, files = made_up("fsrcnn", tmp_path)
    with pytest.raises(ValueError, match="fsrcnn: its authors' weights need options: {release: true}"):
        authors.load("fsrcnn", SCALES, files, build("fsrcnn", SCALES))


def test_what_the_authors_of_a_plus_did_not_publish_stays(tmp_path):
    _, files = made_up("aplus", tmp_path)
    fitted = build("aplus", (2, 4))
    own = fitted.tables["x4"]["maps"].normal_().clone()
    model = authors.load("aplus", (2, 4), files, fitted)
    assert torch.equal(model.tables["x4"]["maps"], own) and model.tables["x2"]["maps"].any()
    with pytest.raises(ValueError, match="aplus: its authors published x2 alone"):
        authors.load("aplus", (2, 4), files)


def test_values_that_are_not_finite_are_refused(tmp_path):
    contents, files = made_up("srcnn", tmp_path)
    contents["x2"]["biases_conv2"][3] = np.inf
    savemat(files["x2"], contents["x2"])
    with pytest.raises(ValueError, match=r"x2\.mat: biases_conv2 holds NaN or infinity"):
        authors.load("srcnn", SCALES, files)


@pytest.mark.parametrize("damage", [lambda b: b[:len(b) // 2], lambda b: b"<html>" + b, lambda b: b""])
def test_a_file_that_is_no_matlab_file_is_refused_by_name(damage, tmp_path):
    _, files = made_up("vdsr", tmp_path)
    files["all"].write_bytes(damage(files["all"].read_bytes()))
    with pytest.raises(ValueError, match=r"all\.mat: no readable MATLAB file"):
        authors.load("vdsr", SCALES, files)


@pytest.fixture
def registered(monkeypatch, tmp_path):
    """One file, at an address where nobody answers; its content in a mirror."""
    content = b"weights"
    path = tmp_path / "authors.csv"
    path.write_text("method,part,url,sha256,bytes,licence\nvdsr,all,http://127.0.0.1:9/v.mat,"
                    f"{hashlib.sha256(content).hexdigest()},7,academic use only\n")
    found = releases.registry(path)
    monkeypatch.setattr(releases, "registry", lambda: found)
    copy = tmp_path / "mirror" / found["vdsr"][0].host_path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content)
    return copy


def test_files_come_from_the_mirror_with_their_licence(registered, tmp_path):
    files, licence = releases.fetch("vdsr", cache=tmp_path / "cache", mirror=tmp_path / "mirror")
    assert files == {"all": registered} and licence == "academic use only"


def test_an_altered_file_is_refused_by_name(registered, tmp_path):
    registered.write_bytes(b"other")
    with pytest.raises(sources.SourceError, match=r"vdsr: .*v\.mat is altered: sha256 expected .*mirror"):
        releases.fetch("vdsr", cache=tmp_path / "cache", mirror=tmp_path / "mirror")


def test_offline_without_a_mirror_one_line_says_what_to_do(registered, tmp_path):
    message = r"vdsr: v\.mat: .*could not be fetched.*PRN_MIRROR=DIR"
    with pytest.raises(sources.SourceError, match=message) as error:
        releases.fetch("vdsr", cache=tmp_path / "cache")
    assert "\n" not in str(error.value)


def test_a_method_without_a_release_is_named(tmp_path):
    with pytest.raises(sources.SourceError, match="drcn: no model of its authors is known; there are srcnn"):
        releases.fetch("drcn", cache=tmp_path)


def test_the_registry_has_a_converter_for_each_method_and_one_licence():
    found = releases.registry()
    assert found.keys() == authors.CONVERTERS.keys()
    assert all(len({w.licence for w in files}) == 1 and files[0].licence for files in found.values())
    licences = Path("README.md").read_text(encoding="utf-8").split("authors' models")[-1]
    assert "data/authors.csv" in licences and all(label(method) in licences for method in found)


@pytest.mark.parametrize("name", ["fsrcnn", "vdsr"])
def test_published_weights_of_a_compared_method_are_its_authors(name, tmp_path, monkeypatch):
    """What the stages take, and the network that the later ones build for it."""
    _, files = made_up(name, tmp_path)
    monkeypatch.setattr(releases, "fetch", lambda method, **_: (files, "academic use only"))
    monkeypatch.chdir(tmp_path)
    options = by_authors()[name]
    said = outputs.take(Path("artifacts/embedded"), name, {"network": name, "scales": SCALES, "options": options})
    assert said == f"{name}: nothing trained; weights of its authors: academic use only"
    params = SimpleNamespace(profile="embedded", scales_of=lambda _: SCALES, variants={
        name: SimpleNamespace(network=name)})
    x = torch.rand(1, 1, 9, 8)
    with torch.inference_mode():
        found, expected = trained(params, name).cpu()(x, 3), authors.load(name, SCALES, files)(x, 3)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5 * expected.abs().max().item())
    record = json.loads(Path(f"artifacts/embedded/models/{name}.json").read_text())
    assert record["options"] == options and record["steps"] == 0
    assert record["weights"] == "authors" and record["licence"] == "academic use only"
    assert record["files"] == {w.url: w.sha256 for w in releases.registry()[name]}


def test_a_plus_is_fitted_at_the_scales_that_its_authors_left_out(tmp_path, monkeypatch, capsys):
    """python -m stages.train aplus, under weights: published."""
    contents, files = made_up("aplus", tmp_path)
    monkeypatch.setattr(releases, "fetch", lambda method, **_: (files, "study alone"))
    raw = workspace.small_params() | {"weights": "published"}
    raw["variants"]["aplus"] = workspace.raw_params()["variants"]["aplus"]
    workspace.fill(tmp_path, raw)
    monkeypatch.chdir(tmp_path)
    commands = ["check", "download train", "download test", "pack", "train aplus"]
    assert workspace.first_words(commands, monkeypatch) is None
    assert re.search("aplus: fitted, .*; weights of its authors at x2: study alone", capsys.readouterr().out)
    record = json.loads(Path("artifacts/embedded/models/aplus.json").read_text())
    assert record["weights"] == {"x2": "authors", "x3": "fitted", "x4": "fitted"} and not record.get("published")
    table = trained(params.load(), "aplus").tables
    theirs = authors.load("aplus", (2,), files).tables["x2"]
    assert torch.equal(table["x2"]["maps"].cpu(), theirs["maps"]) and table["x3"]["maps"].any()
    state = torch.load("artifacts/states/embedded-smoke-aplus/fit.pt", weights_only=True)
    assert state["done"] == [3, 4]


def test_what_a_run_with_published_weights_has():
    """DRCN has no public model: its time is measured with fresh weights, its quality is cited."""
    p = replace(params.load(), profile="paper", weights="published")
    assert {"drcn", *p.present(p.methods)} == set(p.methods) and "drcn" not in p.present(p.methods)
    assert "drcn" in p.of_profile(p.methods) and "fsrcnn_ours" in p.present(p.methods)
    assert by_authors().keys() == releases.registry().keys()
    assert {n: o for n, o in by_authors().items() if o} == authors.OPTIONS
    assert [p.options_of(n) for n in ("fsrcnn", "fsrcnn_ours", "vdsr")] == [{"release": True}, {}, {}]
    assert replace(p, weights="trained").options_of("fsrcnn") == {}


def released(name):
    """A method with its authors' weights."""
    if "PRN_MIRROR" not in os.environ:
        pytest.skip("PRN_MIRROR is not set: the authors' models are not here")
    files, _ = releases.fetch(name, cache=Path("unused"), mirror=Path(os.environ["PRN_MIRROR"]))
    return authors.load(name, (2,) if name == "aplus" else SCALES, files)


def scored(model, sources_of_images, scale):
    """Mean PSNR in dB."""
    values = []
    for source in sources_of_images:
        pair = load(Path(os.environ["PRN_MIRROR"]) / source.host_path, scale)
        values.append(score_psnr(compose(super_resolve(model, pair)[0], pair), pair))
    return np.mean(values)


@pytest.mark.mirror
@pytest.mark.parametrize("name", [*SET5, *BUTTERFLY])
def test_authors_models_give_their_figures(name):
    images = sources.registry()["set5"]
    expected, images = (SET5[name], images) if name in SET5 else (BUTTERFLY[name], images[2:3])
    model = released(name)
    found = [scored(model, images, scale) for scale in SCALES[:len(expected)]]
    assert found == pytest.approx(expected, abs=0.002)
