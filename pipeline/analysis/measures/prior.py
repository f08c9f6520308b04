"""Claims on the gradient prior and on what images are made of (Fig. 2 to 4, III-A, IV-C)."""

import numpy as np
import pandas as pd

from pipeline.analysis import routers, statistics, verdicts
from pipeline.analysis.outcome import Outcome, db, missing, signed


def separation(r, cells, full, part):
    """Area under the ROC curve of P for a gain above 1 dB."""
    g, severe = r.gains, r.gains.kind == "severe"
    if severe.all() or not severe.any():
        return missing("all patches of this run are of one kind")
    interval = statistics.auc(g.prior, severe, g.image, seed=r.seed)
    oracle = statistics.auc(g.prior_hr, severe, g.image, seed=r.seed)
    least, most = g.gain_db.quantile([0.25, 0.75])
    ends = g[(g.gain_db <= least) | (g.gain_db >= most)]
    apart = statistics.auc(ends.prior, ends.gain_db >= most, ends.image, seed=r.seed)
    place = routers.place(r.routers, "prn")
    return Outcome(f"AUC {interval.value:.3f}", interval, verdicts.reaches(interval, full, part),
                   f"{severe.sum():,} severe and {(~severe).sum():,} mild patches of {interval.n} "
                   f"images; 0.5 is chance; P of the HR patch, which no user has: {oracle.value:.3f}; "
                   f"the quarter of most gain against that of least: {apart.value:.3f}; the 7-layer CNN "
                   f"gains {g.gain_db.mean():.2f} dB on these patches after "
                   f"{r.models['cnn7']['steps']:,} steps{'; ' if place else ''}{place}")


def route_gain(r, cells):
    """Gain of the 7-layer CNN on patches that P calls severe, above that on mild ones."""
    mild, severe = r.gains.prior <= r.routing[0], r.gains.prior >= r.routing[1]
    interval = _contrast(r, "gain_db", severe, mild)
    if interval is None:
        return missing("no patch of this run is mild, or none severe")
    return Outcome(db(interval.value, "gain of severe patches", "that of mild ones"), interval,
                   verdicts.gain(interval),
                   f"mean gain {r.gains.gain_db[severe].mean():.2f} dB where P is at least "
                   f"{r.routing[1]:g}, {r.gains.gain_db[mild].mean():.2f} dB where it is at most "
                   f"{r.routing[0]:g}; patches of {interval.n} images, resampled by image")


def absolute_psnr(r, cells):
    """PSNR of the 7-layer CNN on patches of little gain, above that on patches of much."""
    mild = r.gains.kind == "mild"
    interval = _contrast(r, "psnr_cnn_db", mild, ~mild)
    if interval is None:
        return missing("all patches of this run are of one kind")
    return Outcome(db(interval.value, "patches of little gain", "those of much"), interval,
                   verdicts.gain(interval),
                   f"patches of {interval.n} images, resampled by image")


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
    return Outcome(signed(f"{interval.value:+.2f}", "rises with P", "falls with P"), interval, verdict,
                   f"mean over {interval.n} images of the rank correlation between P and the largest "
                   "response of the fourth layer, patch by patch; the 7-layer CNN stands in for VDSR")


def by_dataset(r, cells):
    """MACs saved on the data set of Fig. 7 above those saved on each other test set."""
    ours = r.savings(r.dataset)
    others = {name: x for name in dict.fromkeys(r.priors.dataset) if name != r.dataset
              if len(x := r.savings(name)) >= verdicts.LEAST_IMAGES}
    if not others:
        return missing("no second test set of ten images or more in this run")
    each = {name: statistics.unpaired(ours, x, seed=r.seed) for name, x in others.items()}
    name, widest = max(each.items(), key=lambda pair: abs(pair[1].value))
    differs = any(i.low > 0 or i.high < 0 for i in each.values())
    listed = ", ".join(f"{n} {x.mean():.1%}" for n, x in others.items())
    return Outcome(_points(widest.value, r.dataset, name), widest.percent(),
                   "supported" if differs else "inconclusive",
                   f"share of the MACs that routing saves at x{r.scale}: {r.dataset} {ours.mean():.1%}, "
                   f"{listed}")


def general100(r, cells):
    """MACs saved on BSDS100 above those saved on General-100."""
    ours, theirs = r.savings("bsds100"), r.savings("general100")
    for name, found in (("BSDS100", ours), ("General-100", theirs)):
        if not len(found):
            return missing(f"{name} is no test set of this run")
    interval = statistics.unpaired(ours, theirs, seed=r.seed)
    return Outcome(_points(interval.value, "BSDS100", "General-100"), interval.percent(), verdicts.gain(interval),
                   f"share of the MACs saved at x{r.scale}: BSDS100 {ours.mean():.1%}, General-100 {theirs.mean():.1%}")


def natural(r, cells, share, majority):
    """Share of images of which at least `share` of the patches are mild."""
    rows = r.priors[(r.priors.dataset == r.dataset) & (r.priors.scale == r.scale)]
    mild = (rows.prior <= r.routing[0]).groupby(rows.image).mean()
    interval = statistics.mean(mild >= share, seed=r.seed)
    return Outcome(f"{interval.value:.0%} of the images", interval.percent(),
                   verdicts.reaches(interval, majority, majority),
                   f"{interval.n} images of {r.dataset} x{r.scale}; {mild.mean():.1%} of the patches of "
                   f"an image are mild on average (P at most {r.routing[0]:g}), none in "
                   f"{(mild == 0).mean():.0%} of the images")


def _points(value, more, less):
    """A difference of shares in words."""
    return signed(f"{100 * value:+.1f} points", f"more saved on {more} than on {less}",
                  f"less saved on {more} than on {less}")


def _contrast(r, column, above, below):
    """Mean of some patches less that of others, resampled by image."""
    sums = [r.gains[column].where(kind, 0).groupby(r.gains.image).sum().to_numpy()
            for kind in (above, below)]
    counts = [kind.groupby(r.gains.image).sum().to_numpy() for kind in (above, below)]
    if not all(c.sum() for c in counts):
        return None

    def statistic(w):  # w: (resamples, images)
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample without one kind
            return w @ sums[0] / (w @ counts[0]) - w @ sums[1] / (w @ counts[1])

    return statistics.bootstrap(statistic, len(sums[0]), seed=r.seed)
