"""routers.csv: what each router reaches at a mean cost, beside the paper's, random choice and an oracle."""

import pandas as pd

from pipeline.analysis import statistics
from pipeline.analysis.verdicts import LEAST_IMAGES

PAPERS, HALF = "vertical gradient", 0.5
BOUNDS = ("oracle", "random")  # what no router passes, and what it should
COLUMNS = ["experts", "router", "macs", "cost", "images", "psnr_db", "above_paper_db", "ci_low", "ci_high",
           "gap_share"]


def routers(rows, *, seed):
    """The mean over images of each router at each cost.

    Parameters
    ----------
    rows : DataFrame
        experts, router, macs, cost, image, psnr_db of `pipeline.experiments.routers.compare`.
    seed : int

    Returns
    -------
    DataFrame
        above_paper_db: mean PSNR above that of the vertical gradient at the same cost, with its 95 %
        interval over images (none below ten images); gap_share: how much of the gap between random choice
        and the oracle it closes. Both are empty for an expert that takes all patches ("all ...").
    """
    found = []
    for experts, part in rows.groupby("experts", sort=False):
        psnr = part.pivot(index="image", columns=["router", "cost"], values="psnr_db")
        macs = part.groupby("router").macs.first()
        for router, cost in dict.fromkeys(zip(part.router, part.cost)):
            values = psnr[router, cost]
            row = {"experts": experts, "router": router, "macs": macs[router], "cost": cost,
                   "images": len(values), "psnr_db": values.mean()}
            if all((name, cost) in psnr for name in (PAPERS, *BOUNDS)):
                above = values - psnr[PAPERS, cost]
                row["above_paper_db"] = above.mean()
                if len(above) >= LEAST_IMAGES and router != PAPERS:
                    interval = statistics.mean(above, seed=seed)
                    row |= {"ci_low": interval.low, "ci_high": interval.high}
                top, bottom = (psnr[bound, cost].mean() for bound in BOUNDS)
                row["gap_share"] = (values.mean() - bottom) / (top - bottom) if top > bottom else None
            found.append(row)
    return pd.DataFrame(found, columns=COLUMNS)


def place(table, experts):
    """Where the paper's router stands at half of the products, in words; empty if nothing was measured."""
    at = table[(table.experts == experts) & (table.cost == HALF)].set_index("router")
    if PAPERS not in at.index:
        return ""
    real = at.drop([*BOUNDS, *(name for name in at.index if name.startswith("all "))])
    ranks = real.psnr_db.rank(ascending=False, method="min").astype(int)
    best, own = real.loc[real.psnr_db.idxmax()], at.loc[PAPERS]
    ahead = "" if best.name == PAPERS else (
        f", the best ({best.name}) {best.above_paper_db:+.3f} dB" + (
            "" if pd.isna(best.ci_low) else f" [{best.ci_low:+.3f}, {best.ci_high:+.3f}]"))
    share = "" if pd.isna(own.gap_share) else (
        f" and closes {own.gap_share:.0%} of the gap between random choice and an oracle")
    return (f"as a router at half of the severe path's products it is number {ranks[PAPERS]} of {len(real)}"
            f"{share}{ahead}")
