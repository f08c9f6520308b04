"""A verdict for each measured cell of Tables I, III and IV."""

import pandas as pd

from pipeline.analysis.results import shortfall
from pipeline.analysis.verdicts import cell

DECIMALS = {"psnr_db": 0.005, "ssim": 0.0005}  # half of the last digit that the paper prints


def cells(results):
    """cells.csv: table, row, column, paper_value, our_value, tolerance, verdict.

    Times are compared as ratios to the paper's default depths, its unit being unknown (decision D11).
    """
    rows = [*_table1(results), *_table3(results), *_table4(results)]
    return pd.DataFrame(rows, columns=["table", "row", "column", "paper_value", "our_value", "tolerance",
                                       "verdict"])


def protocol(table):
    """Verdicts of the Bicubic row of Table I, those that could be compared."""
    return table[(table.table == "I") & (table.row == "bicubic") & table.paper_value.notna()]


def _table1(r):
    for row in r.table1.itertuples():
        for metric in ("psnr_db", "ssim"):
            paper, ours = getattr(row, f"paper_{metric}"), getattr(row, metric)
            tolerance = _tolerance(r, row.method, metric)
            column = f"{row.dataset} x{row.scale} {metric}"
            yield _cell(r, "I", row.method, column, paper, ours, tolerance, DECIMALS[metric],
                        [row.method], row.scale)


def _table3(r):
    names, default = r.depths(), r.table3[(r.table3.stage == "early") & (r.table3.depth == 1)].iloc[0]
    for row in r.table3.itertuples():
        label, name = f"{row.stage} {row.depth}", names.get((row.stage, row.depth))
        yield _cell(r, "III", label, "psnr_db", row.paper_psnr_db, row.psnr_db,
                    _tolerance(r, "prn", "psnr_db"), DECIMALS["psnr_db"], [name and r.compared(name)])
        if name != "prn":
            paper = row.paper_time / default.paper_time
            yield _cell(r, "III", label, "time, of the default's", paper,
                        row.ms_per_image / default.ms_per_image, paper * r.tolerances.time_ratio,
                        0.005 * (1 + paper) / default.paper_time, [], sign=-1)


def _table4(r):
    for row in r.table4.itertuples():
        name = "prn" if row.rolling == "with" else "prn_no_rolling"
        yield _cell(r, "IV", f"{row.rolling} rolling", "psnr_db", row.paper_psnr_db, row.psnr_db,
                    _tolerance(r, "prn", "psnr_db"), DECIMALS["psnr_db"], [name])


def _cell(r, table, row, column, paper, ours, tolerance, rounding, trained, scale=None, sign=1):
    """One row of cells.csv; `sign` -1: less is better."""
    comparable = pd.notna(paper) and not shortfall(r, trained, [scale or r.scale])
    if table != "I":  # times too: the mix of routes is that of the images
        comparable &= r.dataset == "bsds100"
    if pd.isna(ours):
        verdict = "not run"
    else:
        verdict = cell(sign * ours, sign * paper, tolerance, rounding) if comparable else "not comparable"
    return {"table": table, "row": row, "column": column, "paper_value": paper, "our_value": ours,
            "tolerance": tolerance, "verdict": verdict}


def _tolerance(r, method, metric):
    t = r.tolerances
    if method == "bicubic":
        return t.bicubic_psnr_db if metric == "psnr_db" else t.bicubic_ssim
    if metric == "ssim":
        return t.trained_ssim
    noise = r.noise()
    return max(t.trained_psnr_db, 2 * noise.sd if noise else 0)


def weak(table, method, column):
    """Whether a compared method fell short of its own figure, so that a lead over it shows nothing."""
    rows = table[(table.table == "I") & (table.row == method) & (table.column == column)]
    return bool((rows.verdict == "not replicated").any())
