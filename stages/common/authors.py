"""A compared method with the weights that its authors published: fetched, checked, converted."""

import os
from pathlib import Path

from pipeline.data import authors as releases
from pipeline.models import authors
from pipeline.sr import cost
from stages.common.shell import ROOT


def published(method):
    """Whether the authors of a method published a model that is known here."""
    return method in releases.registry()


def take(method, scales, model=None):
    """Weights, learning curve and provenance of a method by its authors; prints the licence.

    Parameters
    ----------
    method : str
    scales, model : as `pipeline.models.authors.load`

    Returns
    -------
    dict of str to Tensor
    list, empty: nothing is known of their training
    dict
        Besides what all variants have: ``weights`` ("authors"), ``licence``, ``files``, URL to SHA-256, and
        ``options``, with which the network must be built.
    """
    mirror = os.environ.get("PRN_MIRROR")
    files, licence = releases.fetch(method, cache=ROOT / "cache", mirror=Path(mirror) if mirror else None)
    model = authors.load(method, scales, files, model)
    print(f"{method}: weights of its authors; {licence}")
    return model.state_dict(), [], {
        "variant": method, "steps": 0, "published": True, "weights": "authors", "licence": licence,
        "files": {weights.url: weights.sha256 for weights in releases.registry()[method]},
        "options": authors.OPTIONS.get(method, {}), **cost.summary(model, scales)}
