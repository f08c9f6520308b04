"""A compared method with the weights that its authors published: fetched, checked, converted."""

import os
from pathlib import Path

from pipeline.data import authors as releases
from pipeline.models import authors
from stages.common.shell import ROOT


def published(method):
    """Whether the authors of a method published a model that is known here."""
    return method in releases.registry()


def take(method, scales, model=None):
    """A method with its authors' weights, and their part of its provenance.

    Parameters
    ----------
    method : str
    scales, model : as `pipeline.models.authors.load`

    Returns
    -------
    Module
    dict
        ``weights`` ("authors", or by scale "authors" and "fitted"), ``licence``, ``files``, URL to SHA-256.
    """
    mirror = os.environ.get("PRN_MIRROR")
    files, licence = releases.fetch(method, cache=ROOT / "cache", mirror=Path(mirror) if mirror else None)
    fitted = authors.unpublished(method, scales)
    by_scale = {f"x{s}": "fitted" if s in fitted else "authors" for s in scales}
    return authors.load(method, scales, files, model), {
        "weights": by_scale if fitted else "authors", "licence": licence,
        "files": {weights.url: weights.sha256 for weights in releases.registry()[method]}}
