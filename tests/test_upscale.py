"""The tool: an image keeps its kind, bands equal the whole, an error is one line and leaves nothing."""

import hashlib
import io
import itertools
import json

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageOps

from pipeline import __main__ as tool
from pipeline.upscale import bands as enlarge, reading, writing
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

ROUTING = Routing(10, 30)


def pixels(h, w, channels, dtype=np.uint8, seed=0):
    """Flat on the left, steeper to the right, in all channels: patches of all three classes."""
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    noise = rng.uniform(-0.15, 0.15, (h, w, channels)) * np.linspace(0, 1, w)[:, None] ** 2
    return np.rint((0.5 + noise) * top).astype(dtype)


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
    """Run the tool; exit code and the last line of stderr."""
    def call(*words, scale=2, own=True):
        try:
            tool.main(["upscale", *map(str, words), "--scale", str(scale),
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


@pytest.mark.parametrize("borders", ["paper", "context"])
@pytest.mark.parametrize("h, w, channels, scale", [(70, 120, 4, 3), (55, 54, 3, 2), (41, 40, 2, 4),
                                                   (9, 100, 3, 2)])
def test_bands_and_tiles_equal_the_whole(borders, h, w, channels, scale):
    """A patch a tile, two by two, and a side that is one pixel over a whole number of patches."""
    net, image = Fused(trained_like(), scale), pixels(h, w, channels, np.uint16)
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


KINDS = [*itertools.product([".png", ".tif"], [1, 2, 3, 4], [np.uint8, np.uint16]),
         (".jpg", 1, np.uint8), (".jpg", 3, np.uint8)]


def store(path, image, profile=None):
    with writing.whole(path) as file:
        writing.write(file, path.suffix, np.array_split(image, 3), image.shape, image.dtype, profile)


@pytest.mark.parametrize("suffix, channels, dtype", KINDS)
def test_files_keep_pixels_mode_depth_and_profile(suffix, channels, dtype, tmp_path):
    """Written by bands, read by us and by other libraries."""
    image, path = pixels(50, 37, channels, dtype), tmp_path / f"x{suffix}"
    store(path, image, b"profile" * 40)
    picture = reading.read(path)
    assert picture.pixels.dtype == dtype and picture.profile == b"profile" * 40
    if suffix == ".jpg":
        assert picture.pixels.shape == image.shape
        assert np.abs(picture.pixels.astype(int) - image).mean() < 3
        return
    np.testing.assert_array_equal(picture.pixels, image)
    other = imagecodecs.png_decode(path.read_bytes()) if suffix == ".png" else tifffile.imread(path)
    np.testing.assert_array_equal(other.reshape(image.shape), image)
    if dtype == np.uint8:
        with Image.open(path) as pillow:
            assert pillow.mode == ["L", "LA", "RGB", "RGBA"][channels - 1]
            np.testing.assert_array_equal(np.asarray(pillow).reshape(image.shape), image)


@pytest.mark.parametrize("suffix, channels, dtype", KINDS)
def test_the_tool_keeps_mode_depth_and_size(suffix, channels, dtype, tmp_path, run):
    store(tmp_path / f"in{suffix}", pixels(20, 30, channels, dtype), b"profile")
    assert run(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}") == (0, "")
    picture = reading.read(tmp_path / f"out{suffix}")
    assert picture.pixels.shape == (40, 60, channels) and picture.pixels.dtype == dtype
    assert picture.profile == b"profile"
    assert np.abs(picture.pixels[:, :20].mean((0, 1)) / np.iinfo(dtype).max - 0.5).max() < 0.05
    assert sorted(f.name for f in tmp_path.iterdir()) == [f"in{suffix}", f"out{suffix}"]


def test_palettes_bits_and_transparent_colours(tmp_path):
    rgb = Image.fromarray(pixels(20, 30, 3))
    palette = rgb.quantize(16)
    palette.save(tmp_path / "p.png")
    palette.save(tmp_path / "clear.png", transparency=3)
    rgb.convert("1").save(tmp_path / "bits.png")
    rgb.save(tmp_path / "key.png", transparency=rgb.getpixel((0, 0)))
    rgb.convert("1").save(tmp_path / "bits.tif", compression="group4")
    bits = rgb.convert("1")
    for name, mode, expected in [("p.png", "RGB", palette), ("bits.png", "L", bits),
                                 ("bits.tif", "L", bits), ("clear.png", "RGBA", None),
                                 ("key.png", "RGBA", None)]:
        found = reading.read(tmp_path / name).pixels
        assert found.shape == (20, 30, len(mode)) and found.dtype == np.uint8
        if expected:
            np.testing.assert_array_equal(found, np.asarray(expected.convert(mode)).reshape(found.shape))
        else:
            assert set(np.unique(found[..., 3])) == {0, 255}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_image_upright(orientation, tmp_path):
    image = pixels(20, 30, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in (".png", ".tif"):
        Image.fromarray(image).save(tmp_path / f"x{suffix}", exif=exif)
    tifffile.imwrite(tmp_path / "deep.tif", image.astype(np.uint16), photometric="rgb", metadata=None,
                     extratags=[(274, 3, 1, orientation, True)])
    with Image.open(tmp_path / "x.png") as pillow:
        expected = np.asarray(ImageOps.exif_transpose(pillow))
    for name in ("x.png", "x.tif", "deep.tif"):
        np.testing.assert_array_equal(reading.read(tmp_path / name).pixels, expected)


def test_sixteen_bit_tiff_of_others(tmp_path):
    """Planes apart, the other byte order, LZW."""
    image = pixels(20, 30, 3, np.uint16)
    tifffile.imwrite(tmp_path / "planes.tif", image.transpose(2, 0, 1), photometric="rgb",
                     planarconfig="separate")
    tifffile.imwrite(tmp_path / "big.tif", image, photometric="rgb", byteorder=">", compression="lzw")
    for name in ("planes.tif", "big.tif"):
        np.testing.assert_array_equal(reading.read(tmp_path / name).pixels, image)


def refused():
    """File name, its bytes, words of the message."""
    def saved(image, suffix, **more):
        file = io.BytesIO()
        image.save(file, suffix, **more)
        return file.getvalue()

    def tiff(array, **more):
        file = io.BytesIO()
        tifffile.imwrite(file, array, **more)
        return file.getvalue()

    rgb, deep = Image.fromarray(pixels(40, 60, 3)), pixels(40, 60, 3, np.uint16)
    yield "cmyk.jpg", saved(rgb.convert("CMYK"), "JPEG"), "CMYK; convert it to RGB"
    yield "cmyk.tif", saved(rgb.convert("CMYK"), "TIFF"), "CMYK; convert it to RGB"
    yield "float.tif", tiff(np.ones((20, 20), np.float32)), "floating point; scale it"
    yield "floats.tif", tiff(np.ones((20, 20, 3), np.float32), photometric="rgb"), "floating point"
    yield "int.tif", tiff(np.ones((20, 20), np.int32)), "32-bit whole numbers"
    yield "signed.tif", tiff(np.ones((20, 20), np.int16)), "without sign"
    yield "pages.tif", tiff(np.ones((3, 9, 9), np.uint8), photometric="minisblack"), "3 pages or frames"
    yield "film.gif", saved(rgb.quantize(8), "GIF", save_all=True,
                            append_images=[rgb.rotate(90).quantize(8)]), "2 pages or frames"
    yield "text.png", b"not an image", "no image of a known format"
    yield "empty.png", b"", "no image of a known format"
    for suffix, kind in ((".png", "PNG"), (".jpg", "JPEG")):
        whole = saved(rgb, kind)
        yield f"short{suffix}", whole[:len(whole) // 2], "not readable"
    file = io.BytesIO()
    writing.write(file, ".png", [deep], deep.shape, deep.dtype)
    yield "deep.png", file.getvalue()[:-2000], "not readable"
    whole = tiff(deep, photometric="rgb")
    yield "deep.tif", whole[:len(whole) // 2], "not readable"


@pytest.mark.parametrize("name, data, words", [pytest.param(*case, id=case[0]) for case in refused()])
def test_what_cannot_be_read_is_refused_in_one_line(name, data, words, tmp_path, run):
    (tmp_path / name).write_bytes(data)
    code, said = run(tmp_path / name, tmp_path / "out.png")
    assert code == 1 and said.startswith(f"upscale: {tmp_path / name}: ") and words in said
    assert said.count("\n") == 1 and "Traceback" not in said
    assert [f.name for f in tmp_path.iterdir()] == [name]


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
    assert "must be below" in run(tmp_path / "rgb.png", tmp_path / "out.png", "--gamma-low", 40)[1]
    monkeypatch.setattr(reading, "LIMIT", 500)
    assert "cut it into parts" in run(tmp_path / "rgb.png", tmp_path / "out.png")[1]


@pytest.mark.parametrize("error, code", [(OSError(28, "No space left on device"), 1), (MemoryError(), 1),
                                         (KeyboardInterrupt(), 130)])
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
    assert sorted(f.name for f in tmp_path.iterdir()) == ["in.png", "out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_the_map_of_routes_has_three_colours(tmp_path, run):
    """Flat, soft noise, hard noise, side by side, in whole patches of x2."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(-0.5, 0.5, (27, 81)) * np.repeat([0, 0.04, 1], 27)
    store(tmp_path / "in.png", np.rint((0.5 + noise) * 255).astype(np.uint8)[..., None])
    assert run(tmp_path / "in.png", tmp_path / "out.png", "--routes", tmp_path / "map.png") == (0, "")
    chart = reading.read(tmp_path / "map.png").pixels
    assert chart.shape == (27, 81, 3)
    for route, colour in enumerate(ROUTE_COLOURS):
        patch = chart[:, 27 * route:27 * route + 27].reshape(-1, 3).astype(float)
        hue = patch.mean(0) - patch.mean()
        np.testing.assert_allclose(hue, 0.6 * (colour - colour.mean()), atol=1)


def test_published_weights_are_checked(tmp_path, run, trained, monkeypatch):
    monkeypatch.setattr(tool, "PUBLISHED", tmp_path)
    store(tmp_path / "in.png", pixels(20, 30, 1))
    words = tmp_path / "in.png", tmp_path / "out.png"
    code, said = run(*words, own=False)
    assert code == 1 and "no weights are published" in said
    data = trained.read_bytes()
    (tmp_path / f"{tool.VARIANT}.safetensors").write_bytes(data)
    (tmp_path / "published.json").write_text(
        json.dumps({tool.VARIANT: hashlib.sha256(data).hexdigest()}))
    assert run(*words, own=False) == (0, "")
    (tmp_path / f"{tool.VARIANT}.safetensors").write_bytes(data[:-1] + b"x")
    assert "not the published file" in run(*words, own=False)[1]


def test_route_colours_are_those_of_the_figures():
    expected = [colour.upper() for colour in style.ROUTE_COLOURS.values()]
    assert ["#%02X%02X%02X" % tuple(colour) for colour in ROUTE_COLOURS] == expected
