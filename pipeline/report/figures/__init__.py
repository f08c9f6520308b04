"""Figures from data frames and arrays: one file a figure, one style. None of them needs torch."""
