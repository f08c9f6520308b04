"""Images from files: listed, read, refused where they do not fit."""

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
LARGEST, LONGEST = 2**25, 2**13  # pixels and a side: dozens of doubles a pixel are in memory at once
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY  # 64 MB: text and profiles of MBs are sound
SMALLEST = 16  # LR pixels a side: below, a shaved border and SSIM's window are all there is


def list_images(folder):
    """Image files of a folder, sorted by name.

    Raises
    ------
    FileNotFoundError
        The folder is absent or holds no image.
    ValueError
        An image is of another format and would be left out, a name has control characters or is not
        UTF-8, or two differ in their suffix alone: results are filed under the name without it.
    """
    every = sorted(folder.glob("*"))
    files = [f for f in every if f.suffix.lower() in SUFFIXES]
    for path in every:
        if any(c < " " or "\ud800" <= c <= "\udfff" for c in path.name):  # surrogates: bytes undecoded
            raise ValueError(f"{str(path)!r}: the name has a line break or the like, or is not UTF-8; rename "
                             "it (if it is UTF-8 and your locale is not: PYTHONUTF8=1)")
    foreign = {*Image.registered_extensions(), ".heic", ".heif", ".raw", ".dng"} - {*SUFFIXES}
    others = [f for f in every if f.suffix.lower() in foreign]
    if others:
        raise ValueError(f"{others[0]}: not one of {', '.join(SUFFIXES)}; convert it or remove it")
    if not files:
        raise FileNotFoundError(f"{folder}: no image there; expected {', '.join(SUFFIXES)}")
    by_name = {}
    for path in files:
        if by_name.setdefault(path.stem, path) != path:
            raise ValueError(f"{path}: has the name of {by_name[path.stem].name}; rename one")
    return files


def read(path):
    """Read an 8-bit RGB or grey image, upright as its EXIF data says.

    Returns
    -------
    ndarray, shape (H, W, 3) or (H, W), uint8

    Raises
    ------
    ValueError
        The file is no image, is cut short, is neither 8-bit RGB nor 8-bit grey, is transparent, has
        several pages or previews, or is larger than `LARGEST` pixels or `LONGEST` a side.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            wrong = _unfit(image)
            pixels = None if wrong else np.asarray(ImageOps.exif_transpose(image))
    except Exception as error:  # decoders raise many kinds on a damaged file
        raise ValueError(f"{path}: not a readable image ({error}); fetch it again") from error
    if wrong:
        raise ValueError(f"{path}: {wrong}")
    return pixels


def read_for(path, scale):
    """`read`, refusing an image that cannot be scored (ValueError).

    It has less than `SMALLEST` LR pixels a side, or is flat where it is scored (without `scale` pixels on
    each side): bicubic interpolation is exact there, and has no PSNR.
    """
    image = read(path)
    h, w = image.shape[:2]
    if min(h, w) < SMALLEST * scale:
        raise ValueError(f"{path}: {w}x{h} is too small for x{scale}; leave it out or use images of "
                         f"at least {SMALLEST * scale} pixels a side")
    if not np.ptp(image[scale:h - h % scale - scale, scale:w - w % scale - scale], axis=(0, 1)).any():
        raise ValueError(f"{path}: all pixels are equal, which leaves no error to measure (PSNR); "
                         "leave it out")
    return image


def _unfit(image):
    """Why an image that was opened, but not yet decoded, cannot be used; None if it can."""
    w, h = image.size
    if max(w, h) > LONGEST or w * h > LARGEST:
        return f"{w}x{h} pixels; crop it to at most {LONGEST} a side and {LARGEST} in all"
    tags = image.tag_v2 if image.format == "TIFF" else {}
    pages = max(getattr(image, "n_frames", 1), 2 if 330 in tags or "mp" in image.info else 1)
    if pages > 1:  # 330: SubIFDs, previews; mp: the multi-picture format of JPEG
        return f"{pages} pages; save one alone"
    bits = tags.get(258, ())  # BitsPerSample
    # Pillow would drop the lower bits without a word
    deep = max(bits, default=8) > 8 or any(";16" in str(tile.args) for tile in image.tile)
    clear = "transparency" in image.info
    if image.mode not in ("RGB", "L") or deep or clear:
        return (f"mode {image.mode}{', over 8 bits' if deep else ''}{', transparent' if clear else ''}; "
                "convert it to 8-bit RGB or grey without transparency")
    return None
