"""One small file with the Y channel of many images, for machines that have only torch and numpy.

Y is rounded to 8 bits and stored as row differences, which deflate well (500 images: about 45 MB).
"""

import zipfile
import zlib

import numpy as np

from pipeline.io import atomic


def pack(path, images):
    """Write images to one file, as ``numpy.savez_compressed``; it appears whole or not at all.

    Parameters
    ----------
    path : Path
    images : dict of str to ndarray, shape (H, W), uint8
        Any name will do, ``file`` too, which numpy's own function takes for its argument.
    """
    with atomic(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, y in sorted(images.items()):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                delta = np.diff(y, axis=1, prepend=np.uint8(0))
                np.lib.format.write_array(file, delta, allow_pickle=False)


def save(path, arrays):
    """Write a dict of str to ndarray as ``numpy.savez``, complete or not at all."""
    with atomic(path) as partial, open(partial, "wb") as file:
        np.savez(file, **arrays)


def unpack(path):
    """Read what `pack` wrote: dict of str to ndarray, shape (H, W), uint8, sorted by name.

    Raises
    ------
    ValueError
        The file is cut short or altered.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # numpy's reader takes x.npy for x
            return {entry.removesuffix(".npy"): np.cumsum(_array(archive, entry), axis=1, dtype=np.uint8)
                    for entry in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise ValueError(f"{path}: damaged ({error}); copy it again, or run dvc repro -f pack") from error


def _array(archive, entry):
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
