"""Figures from data frames and arrays: one file a figure, one style. None of them needs torch."""

import os

os.environ["MPLBACKEND"] = "Agg"  # before matplotlib: that of a notebook is not always installed here
