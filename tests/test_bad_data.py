"""Bad images: a clear error that names the file, or the right result; never a silent skip."""

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
from hypothesis import given, settings, strategies as st
from PIL import Image, PngImagePlugin

from pipeline.analysis import tables
from pipeline.data import images, pack
from tests.workspace import stage, use_folders

PIXELS = np.random.default_rng(0).integers(0, 256, (72, 80, 3)).astype(np.uint8)
RGB = Image.fromarray(PIXELS)


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter to the right
    return {"exif": exif}


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric="rgb", **options)
    return file.getvalue()


def with_preview():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(PIXELS, photometric="rgb", subifds=1)
        writer.write(PIXELS[::2, ::2], photometric="rgb", subfiletype=1)
    return file.getvalue()


def with_text(size):
    info = PngImagePlugin.PngInfo()
    info.add_text("story", "once " * (size // 5), zip=True)
    return {"pnginfo": info}


def rgb_png_of_16_bits():
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in PIXELS.astype(np.uint16) * 257)
    head = struct.pack(">IIBBBBB", PIXELS.shape[1], PIXELS.shape[0], 16, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


GOOD = {  # file name and content -> what must be read
    "plain.png": (encoded(RGB, "PNG"), PIXELS),
    "plain.bmp": (encoded(RGB, "BMP"), PIXELS),
    "planar.tif": (tiff(PIXELS.transpose(2, 0, 1), planarconfig="separate"), PIXELS),
    "grey.png": (encoded(RGB.convert("L"), "PNG"), np.asarray(RGB.convert("L"))),
    "text.png": (encoded(RGB, "PNG", **with_text(3 << 20)), PIXELS),  # over Pillow's own limit of 1 MB
    "profile.png": (encoded(RGB, "PNG", icc_profile=bytes(3 << 20)), PIXELS),
    "turned.png": (encoded(RGB, "PNG", **rotated()), np.rot90(PIXELS, -1)),
    "turned.tif": (encoded(RGB, "TIFF", **rotated()), np.rot90(PIXELS, -1)),
}
BAD = {  # file name -> content, message
    "empty.png": (b"", "not a readable image"),
    "text.png": (b"no image at all", "not a readable image"),
    "page.png": (b"<html>404</html>", "not a readable image"),
    "cut.png": (encoded(RGB, "PNG")[:-600], "not a readable image"),
    "cut.jpg": (encoded(RGB, "JPEG")[:-600], "not a readable image"),
    "cut.tif": (encoded(RGB, "TIFF")[:-600], "not a readable image"),
    "altered.png": (encoded(RGB, "PNG")[:500] + b"xxxx" + encoded(RGB, "PNG")[504:],
                    "not a readable image"),
    "disguised.png": (encoded(RGB, "GIF"), "not a readable image"),
    "palette.png": (encoded(RGB.convert("P"), "PNG"), "mode P; convert it to 8-bit RGB or grey"),
    "bilevel.png": (encoded(RGB.convert("1"), "PNG"), "mode 1; convert"),
    "alpha.png": (encoded(RGB.convert("RGBA"), "PNG"), "mode RGBA; convert"),
    "greyalpha.png": (encoded(RGB.convert("LA"), "PNG"), "mode LA; convert"),
    "clear.png": (encoded(RGB, "PNG", transparency=(1, 2, 3)), "mode RGB, transparent; convert"),
    "cmyk.jpg": (encoded(RGB.convert("CMYK"), "JPEG"), "mode CMYK; convert"),
    "cmyk.tif": (encoded(RGB.convert("CMYK"), "TIFF"), "mode CMYK; convert"),
    "deepgrey.png": (encoded(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257), "PNG"),
                     "mode I;16, over 8 bits; convert"),
    "deep.png": (rgb_png_of_16_bits(), "mode RGB, over 8 bits; convert"),
    "deep.tif": (tiff(PIXELS.astype(np.uint16) * 257), "mode RGB, over 8 bits; convert"),
    "deepplanar.tif": (tiff(PIXELS.transpose(2, 0, 1).astype(np.uint16), planarconfig="separate"),
                       "mode RGB, over 8 bits; convert"),
    "pages.tif": (encoded(RGB, "TIFF", save_all=True, append_images=[RGB]), "2 pages; save one alone"),
    "preview.tif": (with_preview(), "2 pages; save one alone"),
    "stereo.jpg": (encoded(RGB, "MPO", save_all=True, append_images=[RGB]), "2 pages; save one alone"),
    "frames.png": (encoded(RGB, "PNG", save_all=True, append_images=[RGB.rotate(90)]), "2 pages"),
    "long.png": (encoded(Image.new("L", (9000, 1)), "PNG"), "9000x1 pixels; crop it to at most 8192"),
    "huge.png": (encoded(Image.new("1", (8000, 8000)), "PNG"), "8000x8000 pixels; crop it"),
    "bomb.png": (encoded(Image.new("1", (16000, 12000)), "PNG"),
                 "(not a readable image .*bomb|16000x12000 pixels)"),  # Pillow's limit, or ours
}
TOO_SMALL = {"pixel.png": (1, 1), "line.png": (300, 1), "under.png": (63, 64), "scale.png": (3, 3)}


@pytest.mark.parametrize("name", GOOD)
def test_good_images_are_read_exactly_and_upright(tmp_path, name):
    content, expected = GOOD[name]
    (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(images.read(tmp_path / name), expected)


@pytest.mark.parametrize("name", BAD)
def test_bad_images_are_refused_by_name(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: {message}"):
        images.read(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, on broken TIFF and EXIF
@given(kind=st.sampled_from(["PNG", "JPEG", "BMP", "TIFF"]), at=st.floats(0, 1), cut=st.booleans(),
       noise=st.binary(min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_refused_by_name_or_read_as_an_image(tmp_path_factory, kind, at, cut, noise):
    """And one that is cut short is never taken for whole."""
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind.lower()}"
    path.write_bytes(whole := encoded(RGB, kind))
    expected, place = images.read(path), int(at * len(whole))
    path.write_bytes(whole[:place] if cut else whole[:place] + noise + whole[place + len(noise):])
    try:
        found = images.read(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert found.dtype == np.uint8
        if cut or kind == "PNG":  # has check sums
            np.testing.assert_array_equal(found, expected)


def test_two_images_of_one_name_are_refused(tmp_path):
    """Results are filed under the name without its suffix: one of the two would be lost."""
    RGB.save(tmp_path / "a.png")
    RGB.save(tmp_path / "a.bmp")
    with pytest.raises(ValueError, match="a.png: has the name of a.bmp; rename one"):
        images.list_images(tmp_path)


@pytest.mark.parametrize("name", ["x.webp", "x.GIF", "x.heic", "x.ppm"])
def test_an_image_of_another_format_is_not_left_out_in_silence(tmp_path, name):
    RGB.save(tmp_path / "a.png")
    (tmp_path / "README.md").write_text("words are no images")
    assert [f.name for f in images.list_images(tmp_path)] == ["a.png"]
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=f"{name}: not one of .png"):
        images.list_images(tmp_path)


def test_a_packed_file_keeps_any_name_and_is_refused_when_damaged(tmp_path):
    path = tmp_path / "timing.npz"
    pack.pack(path, {"file": PIXELS[..., 0], "set/x": PIXELS[..., 1]})
    found = pack.unpack(path)
    assert list(found) == ["file", "set/x"] and np.array_equal(found["file"], PIXELS[..., 0])
    whole = path.read_bytes()
    for content in (whole[:-5], whole[:200], b"", whole[:300] + b"xxxx" + whole[304:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="timing.npz: damaged"):
            pack.unpack(path)
    with pytest.raises(ValueError):
        pack.pack(path, {"a": PIXELS[..., 0], "b": None})
    assert path.read_bytes() == content  # written whole or not at all


# the stages, as DVC calls them, in a workspace with images of the user's own

PIPELINE = ["check", "download train", "download test", "pack", "train bicubic",
            "evaluate bicubic"]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """params.yaml with two folders of the user in place of the embedded sets."""
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["local"] = {"mine": "train", "held": "test"}
    use_folders(raw)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    for folder in ("train", "test"):
        (tmp_path / folder).mkdir()
        RGB.save(tmp_path / folder / "good.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    return tmp_path


def first_words(monkeypatch, commands=PIPELINE):
    return next(filter(None, (stage(c, monkeypatch) for c in commands)), None)


def test_good_images_of_the_user_go_through(workspace, monkeypatch):
    for name, (content, _) in GOOD.items():
        (workspace / "test" / f"{name[:-4]}_{name[-3:]}{name[-4:]}").write_bytes(content)
    assert first_words(monkeypatch) is None
    parts = [*Path("artifacts/embedded/quality/bicubic").glob("held-x?.csv")]
    rows = pd.concat(map(pd.read_csv, parts))
    assert len(parts) == 3 and len(rows) == 3 * (len(GOOD) + 1)
    assert rows.notna().all(axis=0)[["psnr_db", "ssim"]].all()


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("role", ["train", "test"])
def test_a_bad_image_stops_the_download_and_is_named(workspace, monkeypatch, role, name):
    (workspace / role / name).write_bytes(BAD[name][0])
    words = first_words(monkeypatch, PIPELINE[1:3])
    assert words.startswith("download: local.") and f"{role}/{name}: " in words


@pytest.mark.parametrize("name", TOO_SMALL)
def test_a_test_image_that_is_too_small_is_named_at_download(workspace, monkeypatch, name):
    Image.new("RGB", TOO_SMALL[name]).save(workspace / "test" / name)
    words = first_words(monkeypatch, PIPELINE[:3])
    assert words.startswith("download: local.held: ")
    assert f"{name}: {'x'.join(map(str, TOO_SMALL[name]))} is too" in words


def test_a_flat_test_image_is_named_at_download(workspace, monkeypatch):
    """But for a frame that is not scored: there, too, bicubic interpolation makes no error."""
    flat = np.full((72, 80, 3), 9, np.uint8)
    flat[0] = 200
    Image.fromarray(flat).save(workspace / "train" / "flat.png")  # trains as well as another
    assert first_words(monkeypatch, PIPELINE[:3]) is None
    Image.fromarray(flat).save(workspace / "test" / "flat.png")
    words = first_words(monkeypatch, PIPELINE[:3])
    assert words.startswith("download: local.held: ") and "flat.png: all pixels are equal" in words


def test_a_set_without_images_is_named(workspace, monkeypatch):
    (workspace / "test" / "good.png").unlink()
    assert "local.held: test: no image there" in first_words(monkeypatch)
    shutil.rmtree(workspace / "test")
    assert "local.held: test: no image there" in first_words(monkeypatch)


def test_training_images_smaller_than_a_patch_are_recorded(workspace, monkeypatch, capsys):
    from pipeline.data.pack import pack

    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["budgets"]["smoke"]["rungs"] = [8]
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    assert stage("check", monkeypatch) is None
    pack(workspace / "artifacts/embedded/train.npz",
         {"mine/a": PIXELS[..., 0], "mine/big": PIXELS[..., 0], "mine/small": PIXELS[:53, :, 0],
          "mine/tiny": PIXELS[:1, :1, 0]})
    assert stage("train cnn7", monkeypatch) is None
    record = json.loads(Path("artifacts/embedded/models/cnn7.json").read_text())
    assert record["too_small"] == ["mine/small", "mine/tiny"]
    assert "2 images are smaller than a patch of 54" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["download", "download all", "train nothing", "evaluate",
                                     "evaluate prn_x", "publish", "train prn ten"])
def test_wrong_arguments_are_one_line(workspace, monkeypatch, command):
    words = stage(command, monkeypatch)
    assert words and "\n" not in words and words.startswith(f"{command.split()[0]}: ")


def test_an_interrupt_is_one_line(monkeypatch):
    from stages.common.shell import run

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["train.py"])
    with pytest.raises(SystemExit, match="train: interrupted; the same command goes on"):
        run(interrupted)


def rows(method, *scores, first=0):
    return pd.DataFrame([{"method": method, "dataset": "set5", "scale": 2, "image": str(i),
                          "psnr_db": p, "ssim": 0.9} for i, p in enumerate(scores, first)])


@pytest.mark.parametrize("parts, message", [
    ([rows("a", 30, 31), rows("b", 30)], "b on set5, x2: scored 1 of 2 images"),
    ([rows("a", 30, 31), rows("b", 30, 31, first=1)], "a on set5, x2: scored 2 of 3 images"),
    ([rows("a", 30, float("nan"))], "a on 1 of set5, x2: PSNR nan dB"),
    ([rows("a", 30, float("inf"))], "a on 1 of set5, x2: PSNR inf dB"),
    ([pd.concat([rows("a", 30), rows("a", 30)])], "a on set5, x2: scored 2 of 1 images"),
])
def test_a_mean_hides_no_missing_image(parts, message):
    with pytest.raises(ValueError, match=message):
        tables.quality(parts)
    assert len(tables.quality([rows("a", 30, 31), rows("b", 29, 30)])) == 4
