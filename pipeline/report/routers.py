"""The routers on one ground, as the report says it: one row a router, one column a mean cost."""

import pandas as pd

from pipeline.paper import label

HALF = 0.5
SHOWN = (0.36, 0.5, 0.64)  # mean costs; routers.csv has all


def called(experts):
    """Printed name of a set of experts."""
    return "cascade" if experts == "cascade" else f"routes of {label(experts)}"


def table(routers):
    """Rows as text.

    Parameters
    ----------
    routers : DataFrame, routers.csv

    Returns
    -------
    DataFrame
        choice, router, a column a cost, above (dB, of the paper's router at half of the products, with its
        interval), gap (share that it closes there).
    """
    rows = []
    shown = routers[~routers.router.str.startswith("all ")]
    for (experts, router), part in shown.groupby(["experts", "router"], sort=False):
        half = part.set_index("cost").reindex([HALF]).iloc[0]
        interval = "" if pd.isna(half.ci_low) else f" [{half.ci_low:+.3f}, {half.ci_high:+.3f}]"
        above = f"{half.above_paper_db:+.3f}{interval}" if half.above_paper_db else "–"
        rows.append({"choice": called(experts), "router": router,
                     **{f"{cost:.2f}": f"{psnr:.3f}" for cost, psnr in zip(part.cost, part.psnr_db) if cost in SHOWN},
                     "above": above.replace("+nan", "–").replace("-", "−"),
                     "gap": "–" if pd.isna(half.gap_share) else f"{half.gap_share:.0%}"})
    return pd.DataFrame(rows)
