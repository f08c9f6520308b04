"""Fig. 1 from below to above: the order of the methods by PSNR, as printed and as measured."""

from itertools import combinations

import pandas as pd

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.measures import Finding, missing
from pipeline.paper import label, read, table1 as paper_table1


def order(r, cells, dataset, scale):
    """Each pair of methods that the printed figures tell apart: whether ours lie the same way.

    Printed are Table I and, for the networks that it lacks, the figures of their own papers.
    """
    printed = _printed(dataset, scale)
    scores = {m: x for m in printed.index if len(x := r.scores(m, dataset, scale))}
    printed = printed[list(scores)].sort_values(ascending=False)
    pairs = [(a, b) for a, b in combinations(printed.index, 2)
             if printed[a] - printed[b] > verdicts.ROUNDING + 1e-9]
    if not pairs:
        return missing(f"no two methods with printed figures were run on {dataset}")
    noise = r.noise()
    found = [verdicts.gain(statistics.mean(scores[a] - scores[b], seed=r.seed, noise=noise))
             for a, b in pairs]
    ours = pd.Series({m: x.mean() for m, x in scores.items()}).sort_values(ascending=False)
    return Finding(f"{found.count('supported')} of {len(found)} pairs", None, verdicts.together(found),
                   f"{found.count('contradicted')} lie the other way, {found.count('inconclusive')} "
                   f"cannot be told; as printed: {_listed(printed)}; here: {_listed(ours)}")


def _printed(dataset, scale):
    """PSNR in dB of each method that has a printed figure: Series."""
    table = pd.concat([paper_table1().rename(columns={"paper_psnr_db": "psnr_db"}),
                       read("published")])
    return table[(table.dataset == dataset) & (table.scale == scale)].set_index("method").psnr_db


def _listed(psnr_db):
    return ", ".join(f"{label(m)} {value:.2f}" for m, value in psnr_db.items())
