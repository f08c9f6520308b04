"""The models of the compared methods that their authors published: files and licences.

`pipeline/data/authors.csv` names each file with its SHA-256.  Most are for academic purposes only: they
are fetched where they are used, and never become part of this repository.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.sources import Source, SourceError, obtain

REGISTRY = Path(__file__).with_name("authors.csv")


@dataclass(frozen=True)
class Weights(Source):
    """One file of a method; `dataset` is the method.

    Attributes
    ----------
    part : str
        What it holds, as `pipeline.models.authors` asks for it: a scale, "all" of them, or tables.
    licence : str
    """

    part: str
    licence: str


def registry(path=REGISTRY):
    """All registered files: dict of method to list of `Weights`."""
    methods = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            weights = Weights(row["method"], row["url"], row["sha256"], int(row["bytes"]), row["part"],
                              row["licence"])
            methods.setdefault(weights.dataset, []).append(weights)
    return methods


def fetch(method, *, cache, mirror=None):
    """The files of a method, each checked against its hash.

    Parameters
    ----------
    method : str, a network of `pipeline.models`
    cache : Path
        Downloads are kept here under host/path.
    mirror : Path or None
        Files are taken from here, under host/path, before the network is asked (PRN_MIRROR).

    Returns
    -------
    dict of part to Path
    str, the licence, to be shown to the user

    Raises
    ------
    SourceError
        The authors published no model, or a file could not be had: names it and says what to do.
    """
    found = registry()
    if method not in found:
        raise SourceError(f"{method}: no model of its authors is known; there are {', '.join(found)}. "
                          "Train it, or leave it out")
    files = {weights.part: obtain(weights, cache, mirror) for weights in found[method]}
    return files, found[method][0].licence
