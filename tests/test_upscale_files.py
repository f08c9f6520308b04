"""Image files of the tool: what is read is kept, what would not be kept is refused by name."""

import io
import itertools
import os
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageOps, PngImagePlugin

from pipeline.upscale import files

KINDS = [*itertools.product([".png", ".tif"], [1, 2, 3, 4], [np.uint8, np.uint16]),
         (".jpg", 1, np.uint8), (".jpg", 3, np.uint8)]


def pixels(h, w, channels, dtype=np.uint8, seed=0):
    """Flat on the left, steeper to the right, in all channels: patches of all three routes."""
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    noise = rng.uniform(-0.15, 0.15, (h, w, channels)) * np.linspace(0, 1, w)[:, None] ** 2
    return np.rint((0.5 + noise) * top).astype(dtype)


def store(path, image, profile=None):
    with files.replacing(path) as file:
        files.write(file, path.suffix, files.Picture(image, profile))


WIDE = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)  # Adobe RGB's primaries
RGB, DEEP = Image.fromarray(pixels(40, 60, 3)), pixels(40, 60, 3, np.uint16)


def saved(image, kind, **more):
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def tiff(*arrays, **more):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for array in arrays:
            writer.write(array, metadata=None, **more)
    return file.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(image=DEEP, **chunks):
    """A PNG with chunks of one's own after its header."""
    data = imagecodecs.png_encode(image)
    return data[:33] + b"".join(chunk(name.encode(), body) for name, body in chunks.items()) + data[33:]


@pytest.mark.parametrize("suffix, channels, dtype", KINDS)
def test_files_keep_pixels_mode_depth_and_profile(suffix, channels, dtype, tmp_path):
    """Written, read by us and by other libraries."""
    image, path = pixels(50, 37, channels, dtype), tmp_path / f"x{suffix}"
    store(path, image, b"profile" * 40)
    picture = files.read(path)
    assert picture.pixels.dtype == dtype and picture.profile == b"profile" * 40
    if suffix == ".jpg":
        assert picture.pixels.shape == image.shape
        assert np.abs(picture.pixels.astype(int) - image).mean() < 3
        return
    np.testing.assert_array_equal(picture.pixels, image)
    other = imagecodecs.png_decode(path.read_bytes()) if suffix == ".png" else tifffile.imread(path)
    np.testing.assert_array_equal(other.reshape(image.shape), image)
    if dtype == np.uint8 or suffix == ".png":  # of 16-bit TIFF Pillow knows not all
        with Image.open(path) as pillow:
            assert pillow.info["icc_profile"] == b"profile" * 40
    if dtype == np.uint8:
        with Image.open(path) as pillow:
            assert pillow.mode == ["L", "LA", "RGB", "RGBA"][channels - 1]
            np.testing.assert_array_equal(np.asarray(pillow).reshape(image.shape), image)


def test_palettes_bits_and_transparent_colours(tmp_path):
    palette, bits = RGB.quantize(16), RGB.convert("1")
    palette.save(tmp_path / "p.png")
    palette.save(tmp_path / "clear.png", transparency=3)
    bits.save(tmp_path / "bits.png")
    RGB.save(tmp_path / "key.png", transparency=RGB.getpixel((0, 0)))
    for name, mode, expected in [("p.png", "RGB", palette), ("bits.png", "L", bits),
                                 ("clear.png", "RGBA", None), ("key.png", "RGBA", None)]:
        found = files.read(tmp_path / name).pixels
        assert found.shape == (40, 60, len(mode)) and found.dtype == np.uint8
        if expected:
            np.testing.assert_array_equal(found, np.asarray(expected.convert(mode)).reshape(found.shape))
        else:
            assert set(np.unique(found[..., 3])) == {0, 255}


@pytest.mark.parametrize("image", [DEEP, DEEP[..., :1]])
def test_a_transparent_colour_of_16_bits_is_compared_in_all_of_them(image, tmp_path):
    """A pixel with the same upper bytes stays opaque."""
    image = image.copy()
    image[:, ::2] = image[0, 0]
    image[1, 0] ^= 1
    key = image[0, 0].astype(">u2").tobytes()
    (tmp_path / "x.png").write_bytes(png(image.squeeze(), tRNS=key))
    found = files.read(tmp_path / "x.png").pixels
    np.testing.assert_array_equal(found[..., :-1], image)
    np.testing.assert_array_equal(found[..., -1] == 0, (image == image[0, 0]).all(-1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_image_upright(orientation, tmp_path):
    image = pixels(20, 30, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in (".png", ".tif"):
        Image.fromarray(image).save(tmp_path / f"x{suffix}", exif=exif)
    Image.fromarray(image).save(tmp_path / "x.jpg", exif=exif, quality=100, subsampling=0)
    (tmp_path / "deep.tif").write_bytes(tiff(image.astype(np.uint16), photometric="rgb",
                                             extratags=[(274, 3, 1, orientation, True)]))
    with Image.open(tmp_path / "x.png") as pillow:
        expected = np.asarray(ImageOps.exif_transpose(pillow))
    for name in ("x.png", "x.tif", "deep.tif"):
        np.testing.assert_array_equal(files.read(tmp_path / name).pixels, expected)
    assert np.abs(files.read(tmp_path / "x.jpg").pixels.astype(int) - expected).mean() < 3


def test_tiff_of_others(tmp_path):
    """Planes apart, the other byte order, LZW, tiles, BigTIFF."""
    cases = [tiff(DEEP.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
             tiff(DEEP, photometric="rgb", compression="lzw"),
             tiff(DEEP, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True)]
    for options in ({"byteorder": ">"}, {"bigtiff": True}):
        file = io.BytesIO()
        tifffile.imwrite(file, DEEP, photometric="rgb", **options)
        cases.append(file.getvalue())
    for data in cases:
        (tmp_path / "x.tif").write_bytes(data)
        np.testing.assert_array_equal(files.read(tmp_path / "x.tif").pixels, DEEP)


def test_much_text_and_a_large_profile_are_sound(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("story", "once " * 500_000, zip=True)
    profile = np.random.default_rng(0).bytes(3 << 20)
    RGB.save(tmp_path / "x.png", pnginfo=info, icc_profile=profile)
    picture = files.read(tmp_path / "x.png")
    assert picture.profile == profile
    np.testing.assert_array_equal(picture.pixels, np.asarray(RGB))


def test_colours_of_srgb_are_taken_in_every_spelling(tmp_path):
    gamma = struct.pack(">I", 45455)
    for chunks in ({"gAMA": gamma}, {"sRGB": b"\0", "gAMA": struct.pack(">I", 50000)},
                   {"gAMA": gamma, "cHRM": struct.pack(">8I", *files.SRGB_CHROMATICITIES)},
                   {"iCCP": b"p\0\0" + zlib.compress(b"profile"), "cHRM": WIDE}, {"cICP": files.SRGB_CICP}):
        (tmp_path / "x.png").write_bytes(png(**chunks))
        assert files.read(tmp_path / "x.png").profile == (b"profile" if "iCCP" in chunks else None)


def refused():
    """File name, its bytes, words of the message."""
    yield "cmyk.jpg", saved(RGB.convert("CMYK"), "JPEG"), "CMYK; convert it to RGB"
    yield "stereo.jpg", saved(RGB, "MPO", save_all=True, append_images=[RGB]), "several images"
    yield "cmyk.tif", saved(RGB.convert("CMYK"), "TIFF"), "CMYK; convert it to RGB"
    yield "palette.tif", saved(RGB.quantize(16), "TIFF"), "PALETTE; convert it to RGB"
    yield "lab.tif", saved(Image.new("LAB", (20, 20)), "TIFF"), "CIELAB; convert it to RGB"
    yield "inverted.tif", tiff(DEEP[..., 0], photometric="miniswhite"), "0 is white; convert it"
    yield "bits.tif", saved(RGB.convert("1"), "TIFF", compression="group4"), "1-bit"
    yield "twelve.tif", tiff(DEEP[..., 0] >> 4, photometric="minisblack", bitspersample=12), "12-bit"
    yield "float.tif", tiff(np.ones((20, 20), np.float32)), "32-bit IEEEFP samples; convert it to 8 or 16"
    yield "floats.tif", tiff(np.ones((20, 20, 3), np.float32), photometric="rgb"), "32-bit IEEEFP"
    yield "int.tif", tiff(np.ones((20, 20), np.int32)), "32-bit INT"
    yield "signed.tif", tiff(np.ones((20, 20), np.int16)), "16-bit INT samples; convert it"
    for extra in ("UNSPECIFIED", "ASSOCALPHA"):
        yield f"{extra}.tif", tiff(pixels(9, 9, 4), photometric="rgb", extrasamples=[extra.lower()]), extra
    yield "two.tif", tiff(pixels(9, 9, 3), photometric="minisblack", planarconfig="contig",
                          extrasamples=["unassalpha", "unspecified"]), "extra channels"
    transfer = (0x012D, 3, 256, tuple(range(256)), True)
    yield "gamma.tif", tiff(pixels(9, 9, 1)[..., 0], extratags=[transfer]), "a transfer function of its own"
    yield "pages.tif", tiff(*np.ones((3, 9, 9), np.uint8)), "several images, frames or previews"
    yield "preview.tif", with_preview(), "several images, frames or previews in one file; save one"
    yield "moving.png", saved(RGB, "PNG", save_all=True, append_images=[RGB.rotate(90)]), "several images"
    yield "gamma.png", png(gAMA=struct.pack(">I", 100000)), "gamma or primaries"
    yield "wide.png", png(cHRM=WIDE), "primaries"
    yield "hdr.png", png(cICP=b"\x09\x10\0\1", iCCP=b"p\0\0" + zlib.compress(b"profile")), "sRGB"
    yield "bomb.png", png(iCCP=b"p\0\0" + zlib.compress(bytes(65 << 20))), "over 64 MB"
    yield "short_profile.png", png(iCCP=b"p\0\0" + zlib.compress(bytes(99))[:-4]), "cut short"
    yield "no_profile.png", png(iCCP=b"p\0\0nothing"), "not readable"
    yield "key.png", png(tRNS=bytes(2)), "not readable (a transparent colour that does not fit)"
    yield "noend.png", png()[:-12], "not readable"
    altered = png(tEXt=b"story\0once").replace(b"once", b"ounce"[1:])
    yield "checksum.png", altered, "not readable (check sum of 'tEXt')"
    for kind in ("GIF", "BMP", "WEBP", "PPM", "ICO"):
        yield f"{kind}.png", saved(RGB, kind), "not a PNG, TIFF or JPEG file; convert it"
    yield "text.png", b"not an image", "not a PNG, TIFF or JPEG file"
    yield "empty.png", b"", "not a PNG, TIFF or JPEG file"
    yield "width.tif", tiff(DEEP, photometric="rgb").replace(b"\0\1", b"\1\1", 1), "which is no pixel"
    for name, data in (("short.png", saved(RGB, "PNG")), ("short.jpg", saved(RGB, "JPEG")),
                       ("short.tif", saved(RGB, "TIFF")), ("deep.png", png()),
                       ("deep.tif", tiff(DEEP, photometric="rgb"))):
        yield name, data[:len(data) // 2], "not readable"


def with_preview():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(DEEP, photometric="rgb", subifds=1)
        writer.write(DEEP[::2, ::2], photometric="rgb", subfiletype=1)
    return file.getvalue()


@pytest.mark.parametrize("name, data, words", [pytest.param(*case, id=case[0]) for case in refused()])
def test_what_would_not_be_kept_is_refused_by_name(name, data, words, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(files.FileError) as error:
        files.read(tmp_path / name)
    said = str(error.value)
    assert said.startswith(f"{tmp_path / name}: ") and words in said and "\n" not in said


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for name, words in (("gone.png", "no such file"), (".", "a folder"), ("pipe.png", "a pipe or a device")):
        with pytest.raises(files.FileError, match=f"{tmp_path / name}: {words}"):
            files.read(tmp_path / name)
    for name, words in (("x.bmp", "unknown kind of file"), ("pipe.png", "a folder, pipe or device"),
                        ("no/x.png", "make it first")):
        with pytest.raises(files.FileError, match=words):
            files.check_name(tmp_path / name)


@pytest.mark.filterwarnings("ignore")  # Pillow's, on broken EXIF
@given(suffix=st.sampled_from([".png", ".tif", ".jpg"]), at=st.floats(0, 1), cut=st.booleans(),
       noise=st.binary(min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_refused_by_name_or_read_as_an_image(tmp_path_factory, suffix, at, cut, noise):
    """And one that is cut short is never taken for complete."""
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    store(path, np.asarray(RGB))
    data, expected = path.read_bytes(), files.read(path).pixels
    at = int(at * len(data))
    path.write_bytes(data[:at] if cut else data[:at] + noise + data[at + len(noise):])
    try:
        found = files.read(path).pixels
    except files.FileError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        if cut or suffix == ".png":  # has check sums
            np.testing.assert_array_equal(found, expected)


def test_a_link_stays_and_permissions_too(tmp_path):
    """What the link names is replaced; a hard link to the old bytes keeps them."""
    (tmp_path / "there").mkdir()
    target, link, other = tmp_path / "there" / "real.png", tmp_path / "link.png", tmp_path / "other.png"
    target.write_bytes(b"old")
    target.chmod(0o640)
    os.link(target, other)
    link.symlink_to("there/real.png")
    store(link, np.asarray(RGB))
    np.testing.assert_array_equal(files.read(target).pixels, np.asarray(RGB))
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640 and other.read_bytes() == b"old"
    assert sorted(f.name for f in tmp_path.rglob("*")) == ["link.png", "other.png", "real.png", "there"]


def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path):
    path = tmp_path / ("あ" * 83 + ".png")  # 253 bytes
    store(path, np.asarray(RGB))
    assert files.read(path).pixels.shape == (40, 60, 3)
    with pytest.raises(files.FileError, match="cannot be written .File name too long"):
        store(tmp_path / ("x" * 300 + ".png"), np.asarray(RGB))
