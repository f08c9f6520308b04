"""Any image file to an array with its mode and depth: grey, RGB, alpha, 8 or 16 bits.

Pillow reads all but 16-bit colour, of which it silently drops the lower byte: imagecodecs and
tifffile read that.
"""

from dataclasses import dataclass

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

LIMIT = 1 << 29  # pixels that are decoded: about 23,000 x 23,000
Image.MAX_IMAGE_PIXELS = None  # 10,000 x 10,000 is above Pillow's own limit; `read` has this one

# Pillow's mode to ours, without and with a transparent colour or palette entry
_MODES = {"1": ("L", "LA"), "L": ("L", "LA"), "LA": ("LA", "LA"), "P": ("RGB", "RGBA"),
          "PA": ("RGBA", "RGBA"), "RGB": ("RGB", "RGBA"), "RGBA": ("RGBA", "RGBA")}
_MENDS = {"CMYK": "CMYK; convert it to RGB with its colour profile",
          "F": "floating point; scale it to 16-bit whole numbers",
          "I": "32-bit whole numbers; scale it to 16 bits",
          "LAB": "Lab colour; convert it to RGB"}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_STRIP = 256  # rows that are copied at a time: Pillow's copy and ours do not grow together


class FileError(ValueError):
    """A file that is not read, and the mend."""


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
    """Read an image file; palettes become RGB, 1 bit becomes 8-bit grey, EXIF turns it upright.

    Returns
    -------
    Picture

    Raises
    ------
    FileError
        Names the file, why it cannot be read, and the mend.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(26)
        if head[:4] in _TIFF:
            return _read_tiff(path)
        return _read(path, deep=head[1:4] == b"PNG" and head[24:25] == b"\x10")
    except (FileError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file; check the name") from error
    except IsADirectoryError as error:
        raise FileError(f"{path}: a folder; give one image file") from error
    except UnidentifiedImageError as error:
        raise FileError(f"{path}: no image of a known format; give a PNG, TIFF or JPEG") from error
    except Exception as error:  # decoders raise errors of many kinds at damaged files
        raise FileError(f"{path}: not readable ({error}); fetch or save it again") from error


def _read(path, deep=False, pages=None):
    with Image.open(path) as image:
        _check_size(path, *image.size)
        pages = pages or (1 if image.format == "MPO" else getattr(image, "n_frames", 1))
        _check_pages(path, pages)  # an MPO is a JPEG with previews
        if not deep and image.mode not in _MODES:
            reason = _MENDS.get(image.mode, f"mode {image.mode}; convert it to 8- or 16-bit RGB or grey")
            raise FileError(f"{path}: {reason}")
        if deep:
            with open(path, "rb") as file:
                pixels = imagecodecs.png_decode(file.read())
        else:
            image.load()
            pixels = _copy(image, _MODES[image.mode]["transparency" in image.info])
        return _picture(pixels, image.getexif().get(0x0112, 1), image.info.get("icc_profile"))


def _copy(image, mode):
    """Pixels of a Pillow image in our mode, a strip at a time."""
    w, h = image.size
    pixels = np.empty((h, w, len(mode)), np.uint8)
    for y in range(0, h, _STRIP):
        strip = image.crop((0, y, w, min(y + _STRIP, h)))
        pixels[y:y + _STRIP] = np.asarray(strip.convert(mode)).reshape(-1, w, len(mode))
    return pixels


def _read_tiff(path):
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        pages = sum(not p.is_reduced for p in tiff.pages)  # previews do not count
        _check_size(path, page.imagewidth, page.imagelength)
        _check_pages(path, pages)
        if page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
            raise FileError(f"{path}: {_MENDS['CMYK']}")
        if page.sampleformat == tifffile.SAMPLEFORMAT.IEEEFP:
            raise FileError(f"{path}: {_MENDS['F']}")
        if page.bitspersample != 16:
            return _read(path, pages=pages)
        kinds = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB)
        if page.dtype != np.uint16 or page.photometric not in kinds:
            raise FileError(f"{path}: {page.photometric.name} of {page.dtype}; convert it to 16-bit RGB "
                             "or grey without sign")
        if tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples:
            raise FileError(f"{path}: premultiplied alpha; save it with straight alpha")
        pixels = page.asarray()
        if page.axes.startswith("S"):  # a plane a channel
            pixels = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
        if pixels.ndim == 3 and pixels.shape[-1] - len(page.extrasamples) not in (1, 3):
            raise FileError(f"{path}: {pixels.shape[-1]} channels; convert it to RGB or grey")
        if len(page.extrasamples) > 1:
            raise FileError(f"{path}: {len(page.extrasamples)} extra channels; keep one, alpha")
        tags = [page.tags.get(code) for code in (274, 34675)]
        orientation, profile = (tag and tag.value for tag in tags)
        return _picture(pixels, orientation or 1, profile)


def _check_size(path, width, height):
    if width * height > LIMIT:
        raise FileError(f"{path}: {width} x {height} is over {LIMIT:,} pixels; cut it into parts")


def _check_pages(path, pages):
    if pages > 1:
        raise FileError(f"{path}: {pages} pages or frames; save one of them as a file of its own")


def _picture(pixels, orientation, profile):
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return Picture(np.ascontiguousarray(_upright(pixels, orientation)), profile or None)


def _upright(pixels, orientation):
    """Undo an EXIF orientation, 1..8: the upper ones are mirrored at the diagonal."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
