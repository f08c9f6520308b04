"""Tables in and out: what a stage writes as CSV another reads back as it was."""

import pandas as pd

from pipeline.io import atomic

# columns of names that users choose: 001, 1e5, NA and null stay text
NAMES = dict.fromkeys(("method", "dataset", "image", "row", "column"), str)


def read(path):
    """A table; an empty cell is a missing value, the words NA, null or nan are not."""
    return pd.read_csv(path, dtype=NAMES, keep_default_na=False, na_values=[""], encoding="utf-8")


def write(path, rows, digits=5):
    """Write a table, or rows as dicts, with that many decimals; the file is complete or absent."""
    with atomic(path) as partial:
        pd.DataFrame(rows).to_csv(
            partial, index=False, float_format=f"%.{digits}f", lineterminator="\n", encoding="utf-8")
