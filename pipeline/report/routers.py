"""The routers on one ground, as the report says it: one row a router, one column a mean cost."""

import pandas as pd

from pipeline.paper import label

HALF = 0.5
NOTE = ("PSNR, dB, at a mean cost of so many of the products of the most expensive network or route, those of "
        "the router included. Each router gives a patch one number, and the networks share the patches by cuts "
        "of it, chosen on training images; the oracle knows the error of each. Patches are cut from the results "
        "on the whole image, so no border plays a part. The thresholds of the three norms of P: thresholds.csv.")


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
                     **{f"{cost:.2f}": f"{psnr:.3f}" for cost, psnr in zip(part.cost, part.psnr_db)},
                     "above": above.replace("+nan", "–").replace("-", "−"),
                     "gap": "–" if pd.isna(half.gap_share) else f"{half.gap_share:.0%}"})
    return pd.DataFrame(rows)


def words(routers):
    """A paragraph: at half of the products, what the paper's router leaves to the best one and to the oracle."""
    said = []
    half = routers[(routers.cost == HALF) & routers.gap_share.notna()]
    for experts, part in half.groupby("experts", sort=False):
        at = part.set_index("router")
        real = at.drop(["oracle", "random"])
        best, own, top = real.loc[real.psnr_db.idxmax()], at.loc["vertical gradient"], at.loc["oracle"]
        whole = routers[(routers.experts == experts) & routers.router.str.startswith("all ")].iloc[-1]
        said.append(
            f"{called(experts)[0].upper()}{called(experts)[1:]}: {whole.psnr_db:.2f} dB with the last one for all "
            f"patches; at half of its products {own.psnr_db:.2f} with the paper's router, {best.psnr_db:.2f} with "
            f"the best ({best.name}), {top.psnr_db:.2f} with the oracle, {at.psnr_db['random']:.2f} at random.")
    return " ".join([*said, NOTE])
