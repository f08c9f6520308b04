"""Bands of rows to PNG, TIFF or JPEG files, which appear whole or not at all.

Pillow writes neither 16-bit colour nor bands, and pypng, which does, neither colour profiles nor row
filters, without which a file is twice as large: PNG is written here, by its specification (W3C, 2003).
"""

import os
import struct
import zlib
from contextlib import contextmanager

import numpy as np
import tifffile
from PIL import Image

JPEG_SIDE = 65500  # of libjpeg; the format ends at 65,535
JPEG_QUALITY = 95
LEVEL = 4  # of zlib: a quarter of the default's time for 6 % more bytes (photographs at x4)
STRIP = 1 << 20  # bytes of a strip of TIFF, about
SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")


def check_name(path):
    """Refuse a file that cannot be written whatever is in it.

    Raises
    ------
    ValueError
        Unknown suffix, or no such folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: unknown kind of file; end the name in {', '.join(SUFFIXES)}")
    if path.is_dir():
        raise ValueError(f"{path}: a folder; give the name of a file")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: no folder {path.parent}; make it first")


def check_shape(path, shape, dtype):
    """Refuse what the format of a file cannot hold.

    Parameters
    ----------
    shape : (height, width, channels)
    dtype : numpy dtype, uint8 or uint16

    Raises
    ------
    ValueError
    """
    if path.suffix.lower() not in (".jpg", ".jpeg"):
        return
    reasons = {"it has alpha": shape[2] in (2, 4), "it has 16 bits": dtype == np.uint16,
               f"{shape[1]} x {shape[0]} is over {JPEG_SIDE:,} a side": max(shape[:2]) > JPEG_SIDE}
    for reason, holds in reasons.items():
        if holds:
            raise ValueError(f"{path}: JPEG cannot hold the result, {reason}; write .png or .tif")


@contextmanager
def whole(path):
    """A file to write to, renamed to `path` in the end and removed after an error.

    Raises
    ------
    ValueError
        It cannot be written: no room, no right.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error.strerror or error}); "
                         "make room, or choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


def write(file, suffix, bands, shape, dtype, profile=None):
    """Write an image from bands of rows.

    Parameters
    ----------
    file : binary file
    suffix : str, one of `SUFFIXES`
    bands : iterable of ndarray, shape (rows, width, channels)
        From the top; rows may differ.  Consumed one at a time.
    shape : (height, width, channels), 1 to 4 channels
    dtype : uint8 or uint16
    profile : bytes, optional
        ICC.
    """
    kind = {".png": _png, ".jpg": _jpeg, ".jpeg": _jpeg}.get(suffix.lower(), _tiff)
    kind(file, bands, shape, np.dtype(dtype), profile)


def _png(file, bands, shape, dtype, profile):
    """Chunks of length, name, data, CRC; rows with the filter "up", deflated as one stream."""
    def chunk(name, data):
        file.write(struct.pack(">I", len(data)) + name + data)
        file.write(struct.pack(">I", zlib.crc32(name + data)))

    height, width, channels = shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    file.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, dtype.itemsize * 8, colour, 0, 0, 0))
    if profile:
        chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    deflate = zlib.compressobj(LEVEL)
    above = np.zeros((1, width * channels * dtype.itemsize), np.uint8)
    for band in bands:
        rows = np.ascontiguousarray(band, dtype.newbyteorder(">")).view(np.uint8).reshape(len(band), -1)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        np.subtract(rows, np.concatenate([above, rows[:-1]]), out=filtered[:, 1:])
        above = rows[-1:].copy()
        data = deflate.compress(filtered)
        if data:
            chunk(b"IDAT", data)
    chunk(b"IDAT", deflate.flush())
    chunk(b"IEND", b"")


def _tiff(file, bands, shape, dtype, profile):
    """Deflated strips of horizontal differences; BigTIFF above 4 GB."""
    rows = max(1, STRIP // (shape[1] * shape[2] * dtype.itemsize))
    kind = "minisblack" if shape[2] < 3 else "rgb"
    alpha = {"extrasamples": ["unassalpha"]} if shape[2] in (2, 4) else {}
    planes = {"planarconfig": "contig"} if shape[2] > 1 else {}
    tifffile.imwrite(
        file, _deflated(bands, rows, dtype), shape=shape if shape[2] > 1 else shape[:2], dtype=dtype,
        byteorder="<", bigtiff=np.prod(shape, dtype=np.int64) * dtype.itemsize > 4e9, photometric=kind,
        compression="zlib", predictor=True, rowsperstrip=rows, iccprofile=profile, metadata=None,
        **alpha, **planes)


def _deflated(bands, rows, dtype):
    """Strips of so many rows, the last one shorter, as TIFF stores them."""
    for strip in _strips(bands, rows):
        strip = strip.astype(dtype.newbyteorder("<"))
        strip[:, 1:] -= strip[:, :-1].copy()
        yield zlib.compress(strip, LEVEL)


def _strips(bands, rows):
    rest = None
    for band in bands:
        band = band if rest is None else np.concatenate([rest, band])
        full = len(band) // rows * rows
        for y in range(0, full, rows):
            yield band[y:y + rows]
        rest = band[full:].copy()
    if len(rest):
        yield rest


def _jpeg(file, bands, shape, dtype, profile):
    """As a whole, which takes 4 bytes a pixel of a colour image: libjpeg in Pillow knows no bands."""
    image = Image.new("L" if shape[2] == 1 else "RGB", (shape[1], shape[0]))
    y = 0
    for band in bands:
        image.paste(Image.fromarray(band[..., 0] if shape[2] == 1 else band), (0, y))
        y += len(band)
    image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, icc_profile=profile)
