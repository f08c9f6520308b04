"""What the paper says, as CSV beside this module, and what is known of each method (methods.csv)."""

from functools import cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent
# kinds that the paper counts as light-weight: its references [4], [5], [13], [32], [33], [38], [39]
LIGHT = ("example", "light")


def read(name):
    """One of the CSV files: DataFrame."""
    return pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=False, na_values=[""], encoding="utf-8")


@cache
def methods():
    """methods.csv by name, in the order of Table I.

    Returns
    -------
    DataFrame
        label (as the paper prints it), paper (citation), kind (interpolation, example, light, heavy, or
        ours: networks of the paper itself), weights (authors, ours, fitted or none), colour, marker.
    """
    return read("methods").set_index("name")


def of_kind(*kinds):
    """Names of the methods of these kinds: tuple of str."""
    known = methods()
    return tuple(known.index[known.kind.isin(kinds)])


def label(method):
    """The printed name of a method; one without a row in methods.csv keeps its own."""
    return methods().label.get(method, method)


def table1():
    """Table I: method, dataset, scale, paper_psnr_db, paper_ssim."""
    return read("table1").rename(columns={"psnr_db": "paper_psnr_db", "ssim": "paper_ssim"})
