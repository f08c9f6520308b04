"""Findings on what a setting changes: thresholds, depths, data sets (Fig. 7, Table III, IV-C)."""

from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.measures import Finding, missing, seeded, seeds, where
from pipeline.analysis.results import ENGINE
from pipeline.analysis.statistics import Interval


def threshold_quality(r, cells, which):
    """PSNR lost by each rise of one threshold, the other held."""
    lines = _lines(r, which, lambda a, b: statistics.mean(r.ablated("prn", a) - r.ablated("prn", b),
                                                          seed=r.seed))
    return _trend(r, lines, which, "dB", "PSNR falls by")


def threshold_time(r, cells, which):
    """Time saved by each rise of one threshold, the other held."""
    def saved(a, b):
        return _above_one(statistics.ratio(r.ms("prn", ENGINE, a), r.ms("prn", ENGINE, b)))

    def counted(a, b):
        before, after = (r.macs("prn", ENGINE, gammas) for gammas in (a, b))
        return after < before

    lines = _lines(r, which, saved)
    fewer = [less for line in _lines(r, which, counted) for less in line[:-1]]
    return _trend(r, lines, which, "%", f"{r.device}; the MACs fall in {sum(fewer)} of {len(fewer)} "
                                        "steps; speed rises by")


def depth_quality(r, cells, stage, slight):
    """PSNR gained by each layer more of a stage, `slight` dB in all at most."""
    names = _depths(r, stage)
    if len(names) < 2:
        return missing(f"no second depth of the {stage} stage was run")
    steps = [_deeper(r, a, b) for a, b in pairwise(names)]
    end = _deeper(r, names[0], names[-1])
    verdict = seeded(r, verdicts.monotone([[*steps, end]]))
    if verdict == "supported" and end.low > slight:
        verdict = "partly supported"
    return Finding(f"{end.value:+.3f} dB", end, verdict,
                   "layer by layer " + ", ".join(f"{s.value:+.3f} dB" for s in steps)
                   + f"; {end.n} images; {seeds(r.noise())}")


def shallower(r, cells, stage, claimed):
    """PSNR lost by one layer less than the default of a stage."""
    name = r.depths().get((stage, 1))
    if name is None or r.ablated(name).empty:
        return missing(f"no shallower {stage} stage was run")
    interval = _deeper(r, name, "prn")
    return Finding(f"{interval.value:+.3f} dB", interval, seeded(r, verdicts.gain(interval, claimed)),
                   f"the default over the shallower one, {interval.n} images; {seeds(r.noise())}")


def depth_time(r, cells, stage):
    """Time added by each layer more of a stage."""
    names = [n for n in _depths(r, stage) if len(r.ms(n, ENGINE, r.gammas))]
    if len(names) < 2:
        return missing(f"no second depth of the {stage} stage was timed")
    steps = [_slower(r, a, b) for a, b in pairwise(names)]
    end = _slower(r, names[0], names[-1])
    return Finding(f"{end.value:+.1%}", end.percent(), verdicts.monotone([[*steps, end]], least=2),
                   f"{where(r)}: layer by layer " + ", ".join(f"{s.value:+.1%}" for s in steps)
                   + f"; {end.n} repeats")


def rolling_time(r, cells):
    """Time with rolling over that without; as fast if within the tolerance of ratios."""
    a, b = (r.ms(name, ENGINE, r.gammas) for name in ("prn", "prn_no_rolling"))
    if not len(a) or not len(b):
        return missing("prn_no_rolling was not timed")
    interval = statistics.ratio(a, b)
    limit = 1 + r.tolerances.time_ratio
    macs = r.macs("prn", ENGINE, r.gammas) / r.macs("prn_no_rolling", ENGINE, r.gammas)
    verdict = ("supported" if interval.high <= limit else
               "contradicted" if interval.low > limit else "inconclusive")
    return Finding(f"{interval.value:.2f} times", interval, verdict,
                   f"{where(r)}, {interval.n} repeats; {macs:.2f} times the MACs")


def saving(r, cells, full, part):
    """Time of the severe path for every patch over that of the routed network, in the same engine."""
    slow, fast = r.ms("prn_no_routing", ENGINE, r.routing), r.ms("prn", ENGINE, r.routing)
    if not len(slow) or not len(fast):
        return missing("prn_no_routing was not timed")
    interval, saved = statistics.ratio(slow, fast), r.savings(r.dataset).mean()
    whole = np.median(r.ms("prn", "whole")) / np.median(fast)
    verdict = verdicts.reaches(interval, full, part, least=2)
    return Finding(f"{interval.value:.2f} times", interval, verdict,
                   f"{where(r)}: routing at {r.routing[0]:g}/{r.routing[1]:g} saves {saved:.0%} of the "
                   "MACs; against the severe path on the whole image, without patches, it is "
                   f"{whole:.2f} times as fast")


def by_dataset(r, cells):
    """MACs saved on the data set of Fig. 7 above those saved on each other test set."""
    ours = r.savings(r.dataset)
    others = {name: x for name in dict.fromkeys(r.priors.dataset) if name != r.dataset
              if len(x := r.savings(name)) >= verdicts.LEAST_IMAGES}
    if not others:
        return missing("no second test set of ten images or more in this run")
    each = {name: statistics.unpaired(ours, x, seed=r.seed) for name, x in others.items()}
    name, widest = max(each.items(), key=lambda pair: abs(pair[1].value))
    differs = [i for i in each.values() if i.low > 0 or i.high < 0]
    return Finding(f"{100 * widest.value:+.1f} points ({name})", widest.percent(),
                   "supported" if differs else "inconclusive",
                   f"share of the MACs that routing saves at x{r.scale}: {r.dataset} {ours.mean():.1%}, "
                   + ", ".join(f"{n} {x.mean():.1%}" for n, x in others.items()))


def general100(r, cells):
    """MACs saved on BSDS100 above those saved on General-100, or on what is like it."""
    ours, theirs, name = r.savings("bsds100"), r.savings("general100"), "General-100"
    if not len(ours):
        return missing("BSDS100 is no test set of this run")
    stands_in = not len(theirs)
    if stands_in:
        name = "the quarter of all test images with the fewest mild patches, in place of General-100"
        rows = r.priors[r.priors.scale == r.scale]
        mild = (rows.prior <= r.routing[0]).groupby([rows.dataset, rows.image]).mean().sort_values()
        every = pd.concat({d: r.savings(d) for d in dict.fromkeys(rows.dataset)})
        theirs = every[mild.index[:len(mild) // 4]]
    interval = statistics.unpaired(ours, theirs, seed=r.seed)
    verdict = verdicts.gain(interval)
    if stands_in and verdict == "supported":
        verdict = "partly supported"
    return Finding(f"{100 * interval.value:+.1f} points", interval.percent(), verdict,
                   f"share of the MACs saved at x{r.scale}: BSDS100 {ours.mean():.1%}, {name} "
                   f"{theirs.mean():.1%}")


def natural(r, cells, share, majority):
    """Share of images of which at least `share` of the patches are mild."""
    rows = r.priors[(r.priors.dataset == r.dataset) & (r.priors.scale == r.scale)]
    mild = (rows.prior <= r.routing[0]).groupby(rows.image).mean()
    interval = statistics.mean(mild >= share, seed=r.seed)
    verdict = verdicts.reaches(interval, majority, majority)
    return Finding(f"{interval.value:.0%}", interval.percent(), verdict,
                   f"{interval.n} images of {r.dataset} x{r.scale}; {mild.mean():.1%} of the patches of "
                   f"an image are mild on average (P at most {r.routing[0]:g}), none in "
                   f"{(mild == 0).mean():.0%} of the images")


def response(r, cells):
    """Rank correlation of P and the response of the 7-layer CNN, over the patches of an image.

    Another network than the paper's, VDSR: no more than part of the claim, and nothing against it.
    """
    known = {name: rows.prior.corr(rows.response, method="spearman")
             for name, rows in r.responses.groupby("image")}
    values = [v for v in known.values() if not np.isnan(v)]  # an image may be all of one grey
    interval = statistics.mean(values, seed=r.seed)
    verdict = verdicts.gain(interval)
    verdict = {"supported": "partly supported", "contradicted": "inconclusive"}.get(verdict, verdict)
    return Finding(f"{interval.value:.2f}", interval, verdict,
                   f"mean over {interval.n} images of the rank correlation between P and the largest "
                   "response of the fourth layer, patch by patch; the 7-layer CNN stands in for VDSR")


def _lines(r, which, difference):
    """Differences along one threshold: for each value of the other, all steps and the ends."""
    own, other = (0, 1) if which == "gamma_low" else (1, 0)
    prn = r.ablation[r.ablation.method == "prn"]
    pairs = sorted({(row.gamma_low, row.gamma_upper) for row in prn.itertuples()}, key=lambda p: p[own])
    lines = []
    for held in sorted({p[other] for p in pairs}):
        line = [p for p in pairs if p[other] == held]
        if len(line) > 1:
            lines.append([difference(a, b) for a, b in [*pairwise(line), (line[0], line[-1])]])
    return lines


def _trend(r, lines, which, unit, word):
    if not lines:
        return missing("one pair of thresholds alone was run")
    least = verdicts.LEAST_IMAGES if unit == "dB" else 2  # images, or repeats of a time
    show = (lambda i: f"{i.value:+.3f} dB") if unit == "dB" else (lambda i: f"{i.value:+.1%}")
    ends, steps = [line[-1] for line in lines], [s for line in lines for s in line[:-1]]
    smallest = min(ends, key=lambda i: i.value)
    against = [s for s in steps if s.high < 0]
    level = [s for s in steps if s.low <= 0 <= s.high]
    return Finding(show(smallest), smallest if unit == "dB" else smallest.percent(),
                   verdicts.monotone(lines, least),
                   f"{r.dataset} x{r.scale}, {word} {', '.join(map(show, ends))} from the smallest to "
                   f"the largest {which}, the other held; of {len(steps)} steps {len(against)} go the "
                   f"other way and {len(level)} cannot be told from level")


def _depths(r, stage):
    found = r.depths()
    names = [found[key] for key in sorted(found) if key[0] == stage]
    return [n for n in names if len(r.ablated(n))]


def _deeper(r, a, b):
    """PSNR of variant b above variant a."""
    return statistics.mean(r.ablated(b) - r.ablated(a), seed=r.seed, noise=r.noise(),
                           trainings=(r.trainings(a), r.trainings(b)))


def _slower(r, a, b):
    return _above_one(statistics.ratio(r.ms(b, ENGINE, r.gammas), r.ms(a, ENGINE, r.gammas)))


def _above_one(i):
    return Interval(i.value - 1, i.low - 1, i.high - 1, i.n)
