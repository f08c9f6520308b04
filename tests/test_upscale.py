"""The tool: an image keeps its kind, bands do not show, an error is one line and leaves nothing."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.upscale import bands as enlarge, cli, files
from pipeline.models import weights
from pipeline.evaluation.protocol import Pair, compose
from pipeline.report.figures import style
from pipeline.engine.fused import Fused
from pipeline.sr.colour import rgb_to_ycbcr
from pipeline.sr.routing import Routing, grouped
from pipeline.models import build
from pipeline.sr.patches import patch_size
from pipeline.upscale.bands import ROUTE_COLOURS, bands
from tests.test_routing import trained_like
from tests.test_upscale_files import KINDS, pixels, store

ROUTING = Routing(10, 30)
ROOT = Path(__file__).parents[1]


def enlarged(net, image, borders="context", **sizes):
    rows, routes = zip(*bands(net, image, ROUTING, borders, **sizes))
    return np.concatenate(rows), np.concatenate(routes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Weights of the published shape whose three routes differ."""
    torch.manual_seed(0)
    model = build("prn", (2, 3, 4))
    with torch.no_grad():
        for deconv in model.upsample.values():
            deconv.weight.normal_(std=0.01)
    path = tmp_path_factory.mktemp("weights") / "prn.safetensors"
    weights.save(path, model.state_dict())
    return path


@pytest.fixture
def run(trained, capsys):
    """Run the tool; exit code and stderr."""
    def call(*words, scale=2, own=True):
        try:
            cli.main(["upscale", *map(str, words), "--scale", str(scale),
                       *(["--weights", str(trained)] if own else [])])
        except SystemExit as end:
            return end.code, capsys.readouterr().err
        return 0, capsys.readouterr().err
    return call


@pytest.mark.parametrize("channels, scale", [(3, 2), (3, 3), (3, 4), (1, 3)])
def test_the_result_is_that_of_the_evaluation(channels, scale):
    """Paper's borders, 8 bits, to one level at one sample in ten thousand."""
    model, image = trained_like(), pixels(70, 120, channels)
    lr = rgb_to_ycbcr(image) if channels == 3 else image[..., 0].astype(float)
    pair = Pair(None, lr, scale)
    with torch.inference_mode():
        sr, routes = grouped(model, pair.lr_y, scale, ROUTING)
    expected = compose(sr, pair)
    found, chart = enlarged(Fused(model, scale), image, "paper")
    distance = np.abs(found.reshape(expected.shape).astype(int) - expected)
    assert distance.max() <= 1 and distance.astype(bool).mean() < 1e-4
    assert chart.flatten().tolist() == routes.tolist() and set(routes.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("borders, options", [("paper", {}), ("context", {}), ("paper", {"border": "real"})])
@pytest.mark.parametrize("h, w, channels, scale", [(70, 120, 4, 3), (55, 54, 3, 2), (41, 40, 2, 4),
                                                   (9, 100, 3, 2), (37, 37, 3, 4)])
def test_bands_and_tiles_equal_the_whole(borders, options, h, w, channels, scale):
    """A patch a tile, two by two, and a side that is one pixel over a whole number of patches."""
    net, image = Fused(trained_like(**options), scale), pixels(h, w, channels, np.uint16)
    expected, routes = enlarged(net, image, borders)
    size = patch_size(scale)
    for tile, band in ((1, 1), (4 * size * size, 2 * size * w)):
        found, chart = enlarged(net, image, borders, tile=tile, band=band)
        assert np.abs(found.astype(int) - expected).max() <= 1
        np.testing.assert_array_equal(chart, routes)


def test_context_is_the_network_on_the_whole_image():
    """Severe everywhere: no patch, no band, no tile to be seen."""
    model, image = trained_like(), pixels(60, 90, 1)
    with torch.inference_mode():
        expected = model(torch.from_numpy(image[None, None, ..., 0] / 255).float(), 3)[0, 0] * 255
    parts = bands(Fused(model, 3), image, Routing(-2, -1), tile=1, band=1)
    found = np.concatenate([rows for rows, _ in parts])
    assert np.abs(found[..., 0] - expected.clamp(0, 255).numpy()).max() < 0.51


def test_weights_are_those_of_the_network_that_the_json_beside_them_names(tmp_path, run):
    image, path = tmp_path / "in.png", tmp_path / "own.safetensors"
    store(image, pixels(20, 30, 1, np.uint8))
    weights.save(path, build("prn", (2, 3, 4), rolling=False, border="real").state_dict())
    for told, expected in (('{"options": {"rolling": false, "border": "real"}}', (0, "")),
                           ('{"options": {"release": true}}', "own.json: not of a PRN"), ("{", "own.json: not of a PRN")):
        path.with_suffix(".json").write_text(told)
        found = run(image, tmp_path / "out.png", "--weights", path, own=False)
        assert found == expected if expected == (0, "") else found[0] == 1 and expected in found[1]


@pytest.mark.parametrize("suffix, channels, dtype", KINDS)
def test_the_tool_keeps_mode_depth_and_size(suffix, channels, dtype, tmp_path, run):
    store(tmp_path / f"in{suffix}", pixels(20, 30, channels, dtype), b"profile")
    assert run(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}") == (0, "")
    picture = files.read(tmp_path / f"out{suffix}")
    assert picture.pixels.shape == (40, 60, channels) and picture.pixels.dtype == dtype
    assert picture.profile == b"profile"
    assert np.abs(picture.pixels[:, :20].mean((0, 1)) / np.iinfo(dtype).max - 0.5).max() < 0.05
    assert sorted(f.name for f in tmp_path.iterdir()) == [f"in{suffix}", f"out{suffix}"]


@pytest.mark.parametrize("words, chosen", [
    ((), Routing(15.3, 45.6, "squared_both")), (("--norm", "l1"), Routing(10, 30)),
    (("--norm", "l1", "--gamma-low", 20), Routing(20.0, 30)), (("--gamma-upper", 99), Routing(15.3, 99.0, "squared_both"))])
def test_thresholds_are_those_of_the_norm_unless_given(tmp_path, run, monkeypatch, words, chosen):
    def bands(net, pixels, routing, borders):
        raise ValueError(repr(routing))
    store(tmp_path / "in.png", pixels(20, 30, 3))
    monkeypatch.setattr(enlarge, "bands", bands)
    assert repr(chosen) in run(tmp_path / "in.png", tmp_path / "out.png", *words)[1]


def test_what_cannot_be_written_is_refused_before_work(tmp_path, run, monkeypatch):
    store(tmp_path / "in.png", pixels(20, 30, 4))
    store(tmp_path / "deep.png", pixels(20, 30, 3, np.uint16))
    store(tmp_path / "long.png", pixels(3, 33000, 1))
    store(tmp_path / "rgb.png", pixels(20, 30, 3))
    monkeypatch.setattr(enlarge, "bands", lambda *_: pytest.fail("work began"))
    for source, result, reason in [
            ("in.png", "out.bmp", "unknown kind of file"), ("in.png", "out.jpg", "alpha"),
            ("deep.png", "out.jpg", "16 bits"), ("long.png", "out.jpg", "66000 x 6 is over"),
            ("rgb.png", "none/out.png", "make it first"), ("rgb.png", "rgb.png", "different"),
            ("gone.png", "out.png", "no such file")]:
        code, said = run(tmp_path / source, tmp_path / result)
        assert code == 1 and reason in said and said.count("\n") == 1
    assert "must be below" in run(tmp_path / "rgb.png", tmp_path / "out.png", "--gamma-low", 50)[1]
    monkeypatch.setattr(files, "LIMIT", 500)
    assert "cut it into parts" in run(tmp_path / "rgb.png", tmp_path / "out.png")[1]


@pytest.mark.parametrize("error, code", [
    (OSError(28, "No space left on device"), 1), (MemoryError(), 1), (KeyboardInterrupt(), 130),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you "
                  "tried to allocate 9 bytes.\nframe #0"), 1),
    (torch.OutOfMemoryError("CUDA out of memory."), 1)])
def test_nothing_is_left_after_a_failure(error, code, tmp_path, run, monkeypatch):
    """The old result stays as it was."""
    store(tmp_path / "in.png", pixels(70, 30, 1))
    (tmp_path / "out.png").write_bytes(b"old")

    def failing(*args):
        yield from itertools.islice(bands(*args, tile=1, band=1), 1)
        raise error
    monkeypatch.setattr(enlarge, "bands", failing)
    found, said = run(tmp_path / "in.png", tmp_path / "out.png", "--routes", tmp_path / "map.png")
    assert found == code and said.count("\n") == 1
    assert ("not enough memory; cut" in said) == isinstance(error, (MemoryError, RuntimeError))
    assert sorted(f.name for f in tmp_path.iterdir()) == ["in.png", "out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="POSIX")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_in_one_line_and_leaves_nothing(number, tmp_path):
    store(tmp_path / "in.png", pixels(1500, 1500, 3))
    process = command(tmp_path / "in.png", tmp_path / "out.png", start=True)
    while not list(tmp_path.glob(".*.partial")):  # made when the work begins
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number := getattr(signal, number))
    assert process.communicate()[1] == "upscale: stopped; no unfinished file is left\n"
    assert process.returncode == 128 + number and [f.name for f in tmp_path.iterdir()] == ["in.png"]


def test_what_a_killed_one_left_is_removed_by_the_next_and_what_another_writes_is_kept(tmp_path):
    store(tmp_path / "in.png", pixels(1500, 1500, 3))
    process = command(tmp_path / "in.png", tmp_path / "out.png", start=True)
    while not (left := list(tmp_path.glob(".*.partial"))):
        assert process.poll() is None
        time.sleep(0.01)
    store(tmp_path / "out.png", pixels(9, 9, 3))
    assert left[0].exists()  # its process runs
    process.kill()
    process.communicate()
    assert left[0].exists()
    store(tmp_path / "out.png", pixels(9, 9, 3))
    assert sorted(f.name for f in tmp_path.iterdir()) == ["in.png", "out.png"]


def command(*words, start=False, **more):
    """The tool as a user runs it, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "pipeline", "upscale", *words], text=True, cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    return process if start else (*process.communicate(), process.returncode)


def test_help_and_wrong_arguments_do_not_wait_for_torch():
    code = ("import sys; from pipeline.upscale import cli\ntry: cli.main(['upscale', *sys.argv[1:]])\n"
            "except SystemExit: sys.exit('torch' in sys.modules or 'numpy' in sys.modules)")
    for words in (["--help"], ["--no-such-flag"], ["a.png", "b.png", "--gamma-low", "50"]):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True)
        assert not done.returncode, done.stderr


def test_a_pipe_is_refused_and_a_home_is_found(tmp_path, monkeypatch, run, capsys):
    out, said, code = command("/dev/stdin", str(tmp_path / "out.png"), stdin=subprocess.PIPE)
    assert code == 1 and said == "upscale: /dev/stdin: a pipe or a device; give an image file\n"
    monkeypatch.setenv("HOME", str(tmp_path))
    store(tmp_path / "in.png", pixels(20, 30, 3))
    assert run("~/in.png", "~/out.png") == (0, "")
    assert files.read(tmp_path / "out.png").pixels.shape == (40, 60, 3)
    code, said = run("~nobody_of_this_name/in.png", "~/out.png")
    assert code == 2 and "write the folder out" in said


def test_a_name_that_is_not_utf8(tmp_path):
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9.png")
    try:
        store(Path(os.fsdecode(name)), pixels(20, 30, 3))
    except OSError:
        pytest.skip("the file system has UTF-8 names only")
    result = os.path.join(os.fsencode(tmp_path), b"gro\xdf.png")
    out, said, code = command(name, result, "--scale", "2")
    assert (code, said) == (0, "") and os.path.exists(result) and "gro\\udcdf.png: 60 x 40" in out
    out, said, code = command(name + b"x", result)
    assert code == 1 and said.count("\n") == 1 and "no such file" in said


def test_a_folder_is_enlarged_image_by_image(tmp_path, run, capsys):
    """What cannot be enlarged is named; the others are."""
    for name, channels in (("a.png", 3), ("b.tif", 4), ("c.jpg", 1)):
        (tmp_path / "in").mkdir(exist_ok=True)
        store(tmp_path / "in" / name, pixels(20, 30, channels))
    assert run(tmp_path / "in", tmp_path / "out")[0] == 0
    assert {f.name: files.read(f).pixels.shape for f in (tmp_path / "out").iterdir()} == {
        "a.png": (40, 60, 3), "b.tif": (40, 60, 4), "c.jpg": (40, 60, 1)}
    (tmp_path / "in" / "bad.png").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_bytes(b"")
    code, said = run(tmp_path / "in", tmp_path / "out2")
    assert code == 1 and len(list((tmp_path / "out2").iterdir())) == 3
    assert [line.split(": ", 2)[1:] for line in said.splitlines()] == [
        [f"{tmp_path}/in/bad.png", "not a PNG, TIFF or JPEG file; convert it to one of them"],
        [f"{tmp_path}/in/notes.txt", f"not one of {', '.join(files.SUFFIXES)}; left out"],
        ["2 not enlarged"]]
    for words, reason in [((tmp_path / "in",) * 2, "different folders"),
                          ((tmp_path / "out", tmp_path / "x", "--routes", "m.png"), "for one image"),
                          ((tmp_path, tmp_path / "x"), "no image there"),
                          ((tmp_path / "out", tmp_path / "in" / "a.png"), "File exists")]:
        code, said = run(*words)
        assert code == 1 and reason in said and said.count("\n") == 1


def test_it_says_what_it_wrote_and_enlarges_fourfold_unless_told(tmp_path, trained, capsys):
    store(tmp_path / "in.png", pixels(20, 30, 3))
    cli.main(["upscale", f"{tmp_path}/in.png", f"{tmp_path}/out.png", "--weights", str(trained)])
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path}/out.png: 120 x 80 pixels, x4; patches ") and said.count("\n") == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colour", [(1, 1, 1), (1, 0, 0), (0.5,), (0,)])
def test_colours_hidden_by_alpha_do_not_show(colour, dtype):
    """A disc of one colour, transparent around it: of this colour wherever it can be seen."""
    y, x = np.mgrid[:48, :48]
    alpha = np.clip(18.5 - np.hypot(x - 23.5, y - 23.5), 0, 1)[..., None]
    top = np.iinfo(dtype).max
    shown = np.rint(np.array(colour) * top)
    for hidden in (0, top):
        disc = np.dstack([np.where(alpha > 0, shown, hidden), np.rint(alpha * top)]).astype(dtype)
        large = enlarged(cli.network(None, 3, "cpu"), disc)[0].astype(float)
        weight = large[..., -1:] / top
        assert np.abs((large[..., :-1] - shown) * weight).max() < 0.006 * top
        assert weight.min() == 0 and weight.max() == 1


@pytest.mark.parametrize("channels", [2, 4])
def test_even_alpha_changes_no_colour(channels):
    """Opaque or half transparent: to a level, the image without alpha."""
    net, image = Fused(trained_like(), 2), pixels(50, 70, channels)
    expected = enlarged(net, image[..., :-1].copy())[0].astype(int)
    for alpha in (255, 128):
        image[..., -1] = alpha
        large = enlarged(net, image)[0]
        assert np.abs(large[..., :-1] - expected).max() <= 1 and (large[..., -1] == alpha).all()


def test_the_map_of_routes_has_three_colours(tmp_path, run):
    """Flat, soft noise, hard noise, side by side, in whole patches of x2."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(-0.5, 0.5, (27, 81)) * np.repeat([0, 0.04, 1], 27)
    store(tmp_path / "in.png", np.rint((0.5 + noise) * 255).astype(np.uint8)[..., None])
    assert run(tmp_path / "in.png", tmp_path / "out.png", "--routes", tmp_path / "map.png") == (0, "")
    chart = files.read(tmp_path / "map.png").pixels
    assert chart.shape == (27, 81, 3)
    for route, colour in enumerate(ROUTE_COLOURS):
        patch = chart[:, 27 * route:27 * route + 27].reshape(-1, 3).astype(float)
        hue = patch.mean(0) - patch.mean()
        np.testing.assert_allclose(hue, 0.6 * (colour - colour.mean()), atol=1)


def test_published_weights_are_checked(tmp_path, run, trained, monkeypatch):
    monkeypatch.setattr(cli, "PUBLISHED", tmp_path)
    store(tmp_path / "in.png", pixels(20, 30, 1))
    words = tmp_path / "in.png", tmp_path / "out.png"
    code, said = run(*words, own=False)
    assert code == 1 and "no weights are published" in said
    data = trained.read_bytes()
    (tmp_path / f"{cli.VARIANT}.safetensors").write_bytes(data)
    (tmp_path / "published.json").write_text(
        json.dumps({cli.VARIANT: hashlib.sha256(data).hexdigest()}))
    assert run(*words, own=False) == (0, "")
    (tmp_path / f"{cli.VARIANT}.safetensors").write_bytes(data[:-1] + b"x")
    assert "not the published file" in run(*words, own=False)[1]


def test_route_colours_are_those_of_the_figures():
    expected = [colour.upper() for colour in style.ROUTE_COLOURS.values()]
    assert ["#%02X%02X%02X" % tuple(colour) for colour in ROUTE_COLOURS] == expected
