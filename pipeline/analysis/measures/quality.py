"""Claims on the quality of methods: Table I, Fig. 1 from below to above, section IV-A.

Every function takes the results of a run and the verdicts on the cells of its tables, and returns an
`Outcome`.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.outcome import Outcome, against_weak, db, missing, seeded, seeds
from pipeline.analysis.table_verdicts import protocol as bicubic_cells, weak
from pipeline.paper import LIGHT, label, of_kind, read, table1

LIGHT_WEIGHT, HEAVY = of_kind(*LIGHT), of_kind("heavy")
METRICS = ("psnr_db", "ssim")


def protocol(r, cells):
    """The Bicubic row of Table I against ours."""
    rows = bicubic_cells(cells)
    if rows.empty:
        return missing("none of the paper's test sets is in this run")
    good = rows.verdict.isin(["matches", "replicated"])
    off = ", ".join(f"{row.column} {row.our_value:.3f} for {row.paper_value:g}"
                    for row in rows[~good].itertuples())
    worst = (rows.our_value - rows.paper_value).abs().groupby(rows.column.str.endswith("ssim")).max()
    return Outcome(f"{good.sum()} of {len(rows)} cells", None,
                   "supported" if good.all() else "contradicted",
                   f"off: {off}" if off else f"largest differences {worst[False]:.4f} dB and "
                   f"{worst[True]:.4f} in SSIM")


def printed_lead(r, cells):
    """Arithmetic on the paper's Table I alone."""
    table = table1().set_index(["method", "dataset", "scale"])
    beaten, count = [], 0
    for metric in METRICS:
        wide = table[f"paper_{metric}"].unstack("method")
        best = wide.drop(columns="prn").idxmax(axis=1)
        count += len(wide)
        beaten += [(metric, *cell, best[cell], wide.at[cell, best[cell]], wide.at[cell, "prn"])
                   for cell in wide.index if wide.at[cell, best[cell]] >= wide.at[cell, "prn"]]
    named = "; ".join(f"{label(method)} has {theirs:g} on {dataset} x{scale} ({metric}), PRN {ours:g}"
                      for metric, dataset, scale, method, theirs, ours in beaten)
    return Outcome(f"PRN first in {count - len(beaten)} of {count} cells", None,
                   "partly supported" if beaten else "supported",
                   f"the paper's own figures: {named or 'PRN leads everywhere'}")


def measured_lead(r, cells):
    """PRN against each light-weight method, in every cell of Table I."""
    groups = r.quality.groupby(["dataset", "scale"], sort=False).groups
    leads = [lead(r, cells, dataset, scale, metric) for dataset, scale in groups for metric in METRICS
             if len(r.scores("prn", dataset, scale)) >= verdicts.LEAST_IMAGES]
    if not leads:
        return missing("no test set of ten images or more with a light-weight method beside PRN")
    found = [verdicts.together(each) for each, *_ in leads]
    behind, unfair = (sum(part, []) for part in list(zip(*leads))[1:])
    rivals = [label(m) for m in LIGHT_WEIGHT if (r.quality.method == m).any()]
    outcome = Outcome(f"PRN first in {found.count('supported')} of {len(found)} cells", None,
                      verdicts.together(found),
                      f"measured: {', '.join(rivals)}; not above {_listed(behind) or 'none'}")
    return against_weak(outcome, _listed(unfair))


def lead(r, cells, dataset, scale, metric):
    """PRN against the light-weight methods in one cell, by their printed figure where they were not run.

    Returns
    -------
    found : list of str, a verdict for each method
    behind : list of (method, cell), which PRN is not above
    unfair : list of (method, cell), which miss the paper's figure for them
    """
    cell, ours = f"{dataset} x{scale} {metric}", r.scores("prn", dataset, scale, metric)
    noise = r.noise() if metric == "psnr_db" else None
    printed = table1().set_index(["dataset", "scale", "method"])[f"paper_{metric}"]
    found, behind, unfair = [], [], []
    for method in LIGHT_WEIGHT:
        theirs = r.scores(method, dataset, scale, metric)
        if len(theirs):
            interval = statistics.mean(ours - theirs, seed=r.seed, noise=noise)
            verdict, ahead, name = verdicts.gain(interval), interval.low > 0, label(method)
        else:
            ahead = ours.mean() > printed.get((dataset, scale, method), -np.inf)
            verdict, name = "supported" if ahead else "contradicted", f"{label(method)} (as printed)"
        found += [verdict]
        behind += [] if ahead else [(name, cell)]
        unfair += [(name, cell)] if len(theirs) and weak(cells, method, cell) else []
    return found, behind, unfair


def gain_over(r, cells, other, dataset, scale, claimed):
    """PSNR of PRN above a method on a data set of the paper."""
    ours, theirs = r.scores("prn", dataset, scale), r.scores(other, dataset, scale)
    if ours.empty or theirs.empty:
        return missing(f"{label(other)} is not among the methods of this run" if len(ours) else
                       f"{dataset} is no test set of this run")
    interval = statistics.mean(ours - theirs, seed=r.seed, noise=r.noise())
    context = r.scores("prn_context", dataset, scale)
    beside = (f"; with real context around each patch in place of zeros, "
              f"{db((context - theirs).mean(), 'PRN', label(other))}") if len(context) else ""
    outcome = Outcome(db(interval.value, "PRN", label(other)), interval,
                      seeded(r, verdicts.gain(interval, claimed)),
                      f"{interval.n} images, paired; {seeds(r.noise())}{beside}")
    return against_weak(outcome,
                        label(other) if weak(cells, other, f"{dataset} x{scale} psnr_db") else "")


def below_heavy(r, cells):
    """PSNR of each heavy network above PRN, BSDS100 x4."""
    ours = r.scores("prn", "bsds100", 4)
    each = {m: statistics.mean(x - ours, seed=r.seed, noise=r.noise()) for m in HEAVY
            if len(x := r.scores(m, "bsds100", 4)) and len(ours)}
    if not each:
        return missing(f"none of {', '.join(map(label, HEAVY))} was run on BSDS100")
    name, least = min(each.items(), key=lambda pair: pair[1].value)
    return Outcome(db(least.value, label(name), "PRN"), least,
                   verdicts.together(verdicts.gain(i) for i in each.values()),
                   "; ".join(db(i.value, label(m), "PRN") for m, i in each.items()))


def order(r, cells, dataset, scale):
    """Each pair of methods that the printed figures tell apart: whether ours lie the same way.

    Printed are Table I and, for the networks that it lacks, the figures of their own papers.
    """
    printed = pd.concat([table1().rename(columns={"paper_psnr_db": "psnr_db"}), read("published")])
    printed = printed[(printed.dataset == dataset) & (printed.scale == scale)].set_index("method").psnr_db
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
    listed = [", ".join(f"{label(m)} {value:.2f}" for m, value in x.items()) for x in (printed, ours)]
    return Outcome(f"{found.count('supported')} of {len(found)} pairs lie as printed", None,
                   verdicts.together(found),
                   f"{found.count('contradicted')} lie the other way by their intervals, "
                   f"{found.count('inconclusive')} hold zero; as printed: {listed[0]}; here: {listed[1]}")


def _listed(pairs):
    """(method, cell) as text: by name where they are few, by number where they are many."""
    cells = {m: [cell for name, cell in pairs if name == m] for m, _ in pairs}
    return "; ".join(f"{m} in {len(c)} cells" if len(c) > 3 else f"{m} on {', '.join(c)}"
                     for m, c in cells.items())
