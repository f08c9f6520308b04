"""How a report shows verdicts: each word of the closed lists with its symbol."""

import re

import pandas as pd

CLAIMS = {"supported": "✔", "partly supported": "◐", "contradicted": "✘", "inconclusive": "?",
          "not testable": "–"}
CELLS = {"matches": "=", "replicated": "≈", "above paper": "▲", "not replicated": "▼",
         "not comparable": "≁", "not run": "○"}
RULES = ("Each criterion was fixed before the first scores, or says that it was not. Claims on trained "
         "quality rest on intervals over images and seeds, and have a verdict only where the networks saw "
         "a tenth of the paper's patches, or gained 0.03 dB or less by the last doubling (decision D16). "
         "Seeds: ± their standard deviation, pooled, of networks that may have seen fewer patches than Table I's, at the "
         "scale and thresholds of the ablation, and taken to hold at others. Ratios of times are geometric means over "
         "repeats side by side; tables of times have medians.")
MEANING = {"matches": "equal as printed", "replicated": "within the tolerance", "above paper":
           "better than the paper by more than the tolerance", "not replicated":
           "worse by more than the tolerance", "not comparable": "other data, or trained too little",
           "not run": "no number of ours"}


ANSWERS = [("Is PRN better than the other light-weight methods?", "light-weight-measured"),
           ("Is it twice as fast, and better?", "twice-as-fast"),
           ("Does routing save time?", "saving-bsds100"), ("Does rolling help?", "rolling-psnr")]


def summary(claims, cells):
    """What the report says first: its claims as text, and how many of them and of the cells earn what.

    Parameters
    ----------
    claims, cells : DataFrame, as claims.csv and cells.csv

    Returns
    -------
    dict
        claims: `claim_rows` of those that could be tested; untested: of the others; answers: the claims of
        `ANSWERS`, each with its question; tallies: dict of claims and cells to a list of (symbol, verdict,
        count);
        rules: what all criteria share, in words; meaning: dict of the verdict of a cell to words.
    """
    rows = claim_rows(claims)
    by_id = {row["id"]: row for row in rows}
    in_paper = cells[cells.paper_value.notna()]
    return {"meaning": MEANING, "rules": RULES,
            "claims": [row for row in rows if row["verdict"] != "not testable"],
            "untested": [row for row in rows if row["verdict"] == "not testable"],
            "answers": [{"question": question, **by_id[name]} for question, name in ANSWERS if name in by_id],
            "tallies": {"claims": _tally(claims.verdict, CLAIMS), "cells": _tally(in_paper.verdict, CELLS)}}


def claim_rows(table):
    """The rows of claims.csv as text, by verdict.

    Returns
    -------
    list of dict: id, claim, where, criterion, paper, ours, verdict, mark, because
    """
    rows = []
    for row in table.to_dict("records"):
        ours = _text(row["our_value"])
        if not pd.isna(row["ci_low"]):
            number, comma, words = ours.partition(",")
            ours = f"{number} [{_text(row['ci_low'])},\u00a0{_text(row['ci_high'])}]{comma}{words}"
        rows.append({key: row[key] for key in ("id", "claim", "where", "criterion", "verdict", "because")}
                    | {"paper": _text(row["paper_value"]), "ours": ours, "mark": CLAIMS[row["verdict"]]})
    return sorted(rows, key=lambda row: [*CLAIMS].index(row["verdict"]))


def cells(table, name):
    """dict of (row, column) to (mark, verdict): the cells of one table that have both numbers."""
    part = table[(table.table == name) & table.paper_value.notna() & table.our_value.notna()]
    return {(row.row, row.column): (CELLS[row.verdict], row.verdict) for row in part.itertuples()}


def _tally(verdicts, symbols):
    counts = verdicts.value_counts()
    return [(mark, word, int(counts[word])) for word, mark in symbols.items() if word in counts]


def _text(value):
    if isinstance(value, str):
        return re.sub(r"(^|(?<= ))-(?=\d)", "−", value)
    return "–" if pd.isna(value) else f"{value:.3g}".replace("-", "−")
