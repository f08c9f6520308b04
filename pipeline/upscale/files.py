"""Image files to arrays and back: PNG, TIFF, JPEG; grey or RGB, alpha, 8 or 16 bits, ICC profile.

Each format has the library that keeps all of it: PNG imagecodecs (Pillow drops the lower byte of 16-bit
colour), TIFF tifffile, JPEG Pillow.  What would not be kept is refused.
"""

import hashlib
import io
import os
import shutil
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

LIMIT = 1 << 29  # pixels that are decoded: about 23,000 x 23,000
Image.MAX_IMAGE_PIXELS = None  # `_check_size` has the limit
LARGEST_PROFILE = 1 << 26  # bytes; a few MB are usual for printers, more is a decompression bomb
JPEG_SIDE, JPEG_QUALITY = 65500, 95  # libjpeg's longest side
LEVEL = 4  # of zlib: a quarter of the default's time for 6 % more bytes (photographs at x4)
SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
ORIENTATION, ICC, TRANSFER = 0x0112, 0x8773, 0x012D  # tags of EXIF and TIFF

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
SRGB_GAMMA = 45455
SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
SRGB_CICP = b"\1\x0d\0\1"


class FileError(ValueError):
    """A file that is not read or written, why, and what to do."""


@dataclass(frozen=True)
class Picture:
    """An upright image.

    Attributes
    ----------
    pixels : ndarray, shape (h, w, channels), uint8 or uint16
        Grey, grey and alpha, RGB, or RGB and alpha (straight).
    profile : bytes or None
        ICC colour profile.
    """

    pixels: np.ndarray
    profile: bytes | None = None


def read(path):
    """Read an image file; a PNG's palette becomes RGB and 1 to 4 bits become 8, which is exact.

    Returns
    -------
    Picture

    Raises
    ------
    FileError
        Names the file, why it cannot be read, and what to do.
    """
    if path.exists() and not path.is_file():
        raise FileError(f"{path}: a {'folder' if path.is_dir() else 'pipe or a device'}; give an image file")
    try:
        data = path.read_bytes()
        decode = (_png if data.startswith(PNG) else _jpeg if data.startswith(JPEG) else
                  _tiff if data.startswith(TIFF) else None)
        if decode is None:
            raise FileError("not a PNG, TIFF or JPEG file; convert it to one of them")
        pixels, orientation, profile = decode(data)
    except FileError as error:
        raise FileError(f"{path}: {error}") from None
    except MemoryError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file; check the name") from error
    except Exception as error:  # decoders raise errors of many kinds at damaged files
        reason = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())
        raise FileError(f"{path}: not readable ({reason}); fetch or save it again") from error
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return Picture(np.ascontiguousarray(_upright(pixels, orientation)), profile or None)


def _png(data):
    """What decodes pixels goes to libpng, without the other chunks, at some of which it complains."""
    chunks, pixels, end = {}, [PNG], len(PNG)
    while b"IEND" not in chunks:
        start, (length, name) = end, struct.unpack_from(">I4s", data, end)
        end = start + 12 + length
        body = data[start + 8:end - 4]
        if struct.pack(">I", zlib.crc32(name + body)) != data[end - 4:end]:
            raise ValueError(f"check sum of {name.decode('latin-1')!a}")
        chunks.setdefault(name, body)
        if name[:1].isupper() or name == b"tRNS":  # capital: critical
            pixels.append(data[start:end])
    _check_size(*struct.unpack_from(">II", chunks[b"IHDR"]))
    _check_images(2 if b"acTL" in chunks else 1)
    _check_colours(chunks)
    legal = {0: [2], 2: [6], 3: range(1, len(chunks.get(b"PLTE", b"")) // 3 + 1)}  # bytes, by kind of colour
    if b"tRNS" in chunks and len(chunks[b"tRNS"]) not in legal.get(chunks[b"IHDR"][9], ()):
        raise ValueError("a transparent colour that does not fit")  # libpng would leave it out
    exif, profile = Image.Exif(), None
    if b"eXIf" in chunks:
        exif.load(chunks[b"eXIf"])
    if b"iCCP" in chunks:
        stream = zlib.decompressobj()
        profile = stream.decompress(chunks[b"iCCP"].split(b"\0", 1)[1][1:], LARGEST_PROFILE)
        if not stream.eof:
            raise FileError("a colour profile that is cut short or over 64 MB; save it with another")
    return imagecodecs.png_decode(b"".join(pixels)), exif.get(ORIENTATION, 1), profile


def _check_colours(chunks):
    """Refuse a PNG whose colours are neither sRGB nor described by an ICC profile, which is kept."""
    gamma = struct.unpack(">I", chunks.get(b"gAMA", struct.pack(">I", SRGB_GAMMA)))[0]
    found = struct.unpack(">8I", chunks.get(b"cHRM", struct.pack(">8I", *SRGB_CHROMATICITIES)))
    foreign = abs(gamma - SRGB_GAMMA) > 500 or np.abs(np.subtract(found, SRGB_CHROMATICITIES)).max() > 100
    if (chunks.get(b"cICP", SRGB_CICP) != SRGB_CICP
            or foreign and b"sRGB" not in chunks and b"iCCP" not in chunks):
        raise FileError("gamma or primaries that are not those of sRGB (gAMA, cHRM or cICP); convert it "
                        "to sRGB, or give it an ICC profile instead")


def _jpeg(data):
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        _check_size(*image.size)
        _check_images(2 if "mp" in image.info else 1)  # multi-picture: previews, gain maps, stereo
        if image.mode not in ("L", "RGB"):
            raise FileError(f"{image.mode}; convert it to RGB or grey with its colour profile")
        return np.asarray(image), image.getexif().get(ORIENTATION, 1), image.info.get("icc_profile")


def _tiff(data):
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page, kind = tiff.pages[0], tifffile.PHOTOMETRIC
        _check_size(page.imagewidth, page.imagelength)
        _check_images(max(len(tiff.pages), page.imagedepth, 2 if page.subifds else 1))
        if page.photometric not in (kind.MINISBLACK, kind.RGB):
            name = {kind.SEPARATED: "CMYK", kind.MINISWHITE: "grey where 0 is white"}
            raise FileError(f"{name.get(page.photometric, kind(page.photometric).name)}; "
                            "convert it to RGB or grey where 0 is black")
        if page.dtype not in (np.uint8, np.uint16) or page.bitspersample != page.dtype.itemsize * 8:
            raise FileError(f"{page.bitspersample}-bit {tifffile.SAMPLEFORMAT(page.sampleformat).name} "
                            "samples; convert it to 8 or 16 bits, whole numbers without sign")
        extra = page.samplesperpixel - (3 if page.photometric == kind.RGB else 1)
        if tuple(page.extrasamples) != (tifffile.EXTRASAMPLE.UNASSALPHA,) * extra or extra > 1:
            names = [tifffile.EXTRASAMPLE(sample).name for sample in page.extrasamples]
            raise FileError(f"extra channels ({', '.join(names) or extra}); save it with straight alpha "
                            "(UNASSALPHA) or none")
        orientation, profile, transfer = (tag and tag.value for tag in map(
            page.tags.get, (ORIENTATION, ICC, TRANSFER)))
        if transfer is not None and not profile:
            raise FileError("a transfer function of its own; give it an ICC profile instead")
        pixels = page.asarray()
        if pixels.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
            pixels = np.moveaxis(pixels, 0, -1)
        return pixels, orientation, profile


def _check_size(width, height):
    if not width * height:
        raise FileError(f"{width} x {height}, which is no pixel; fetch or save it again")
    if width * height > LIMIT:
        raise FileError(f"{width} x {height} is over {LIMIT:,} pixels; cut it into parts")


def _check_images(count):
    if count > 1:
        raise FileError("several images, frames or previews in one file; save one as a file of its own")


def _upright(pixels, orientation):
    """Undo an EXIF orientation, 1..8: the upper ones are mirrored at the diagonal."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def check_name(path):
    """Refuse an output that cannot be written whatever is in it (FileError)."""
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(f"{path}: unknown kind of file; end the name in {', '.join(SUFFIXES)}")
    if path.exists() and not path.is_file():
        raise FileError(f"{path}: a folder, pipe or device; give the name of a file")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileError(f"{path}: no folder {folder}; make it first")


def check_shape(path, shape, dtype):
    """Refuse what the format of a file cannot hold (FileError): JPEG alpha, 16 bits, long sides.

    Parameters
    ----------
    path : Path
    shape : (height, width, channels)
    dtype : numpy dtype, uint8 or uint16
    """
    if path.suffix.lower() not in (".jpg", ".jpeg"):
        return
    reasons = {"it has alpha": shape[2] in (2, 4), "it has 16 bits": dtype == np.uint16,
               f"{shape[1]} x {shape[0]} is over {JPEG_SIDE:,} a side": max(shape[:2]) > JPEG_SIDE}
    for reason, holds in reasons.items():
        if holds:
            raise FileError(f"{path}: JPEG cannot hold the result, {reason}; write .png or .tif")


@contextmanager
def replacing(path):
    """A binary file that becomes `path` in the end, and is removed after an error.

    A link stays, and what it points to is replaced; permissions of a replaced file are kept.

    Raises
    ------
    FileError
        It cannot be written: no room, no right.
    """
    target = path.resolve()
    name = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}"  # short: that of `path` may be the longest
    partial = target.with_name(f"{name}-{os.getpid()}.partial")
    try:
        for left in target.parent.glob(f"{name}-*.partial"):  # by a process that was killed
            if not _runs(int(left.stem.split("-")[1])):
                left.unlink()
        with open(partial, "xb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, partial)
        os.replace(partial, target)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error}); "
                        "make room, or choose another folder") from error
    finally:
        partial.unlink(missing_ok=True)


def _runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True


def write(file, suffix, picture):
    """Write a `Picture` to a binary file, in the format of the suffix, one of `SUFFIXES`."""
    pixels, profile, channels = picture.pixels, picture.profile, picture.pixels.shape[2]
    if channels == 1:
        pixels = pixels[..., 0]
    if suffix.lower() == ".png":
        data = memoryview(imagecodecs.png_encode(pixels, level=LEVEL, filter=imagecodecs.PNG.FILTER.UP))
        file.write(data[:33])  # signature and IHDR, after which the profile has its place
        if profile:
            chunk = b"iCCPICC profile\0\0" + zlib.compress(profile)
            file.write(struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)))
        file.write(data[33:])
    elif suffix.lower() in (".jpg", ".jpeg"):
        Image.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, icc_profile=profile)
    else:
        tifffile.imwrite(
            file, pixels, photometric="rgb" if channels > 2 else "minisblack", metadata=None,
            planarconfig="contig" if channels > 1 else None, iccprofile=profile,
            extrasamples=["unassalpha"] if channels in (2, 4) else None, bigtiff=pixels.nbytes > 4e9,
            compression="zlib", compressionargs={"level": LEVEL}, predictor=True)
