"""How each claim is measured: results to a number, its interval, a verdict and the reason for it."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.table_verdicts import protocol as bicubic_cells, weak
from pipeline.analysis.results import ENGINE
from pipeline.analysis.statistics import Interval
from pipeline import paper
from pipeline.paper import label, table1 as paper_table1

LIGHT, HEAVY = paper.of_kind(*paper.LIGHT), paper.of_kind("heavy")


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes
    ----------
    value : str
        With its unit; empty if nothing was measured.
    interval : Interval or None
    verdict : str, of `verdicts.CLAIMS`
    because : str
    """

    value: str
    interval: Interval | None
    verdict: str
    because: str


def missing(because):
    """Nothing to measure."""
    return Finding("", None, "not testable", because)


def protocol(r, cells):
    """The Bicubic row of Table I against ours."""
    rows = bicubic_cells(cells)
    if rows.empty:
        return missing("none of the paper's test sets is in this run")
    good = rows.verdict.isin(["matches", "replicated"])
    off = ", ".join(f"{row.column} {row.our_value:.3f} for {row.paper_value:g}"
                    for row in rows[~good].itertuples())
    worst = (rows.our_value - rows.paper_value).abs().groupby(rows.column.str.endswith("ssim")).max()
    return Finding(f"{good.sum()} of {len(rows)} cells", None,
                   "supported" if good.all() else "contradicted",
                   f"off: {off}" if off else f"largest differences {worst[False]:.4f} dB and "
                   f"{worst[True]:.4f} in SSIM")


def printed_lead(r, cells):
    """Arithmetic on the paper's Table I alone."""
    table = paper_table1().set_index(["method", "dataset", "scale"])
    beaten, count = [], 0
    for metric in ("paper_psnr_db", "paper_ssim"):
        wide = table[metric].unstack("method")
        count += len(wide)
        for (dataset, scale), row in wide.iterrows():
            best = row.drop("prn").idxmax()
            if row[best] >= row["prn"]:
                beaten.append(f"{label(best)} has {row[best]:g} on {dataset} x{scale} ({metric[6:]}), "
                              f"PRN {row['prn']:g}")
    return Finding(f"{count - len(beaten)} of {count} cells", None,
                   "partly supported" if beaten else "supported",
                   "the paper's own figures: " + ("; ".join(beaten) or "PRN leads everywhere"))


def measured_lead(r, cells):
    """PRN against each measured light-weight method, in every cell of Table I."""
    rivals = [m for m in LIGHT if (r.quality.method == m).any()]
    printed = paper_table1().set_index(["method", "dataset", "scale"])
    noise, found, notes, behind = r.noise(), [], [], []
    for (dataset, scale), part in r.quality.groupby(["dataset", "scale"], sort=False):
        for metric in ("psnr_db", "ssim"):
            ours = r.scores("prn", dataset, scale, metric)
            theirs = {m: r.scores(m, dataset, scale, metric) for m in rivals}
            if len(ours) < verdicts.LEAST_IMAGES:
                continue
            known = noise if metric == "psnr_db" else None
            each = {m: statistics.mean(ours - x, seed=r.seed, noise=known)
                    for m, x in theirs.items() if len(x)}
            cited = {m: ours.mean() > printed[f"paper_{metric}"].get((m, dataset, scale), -np.inf)
                     for m in LIGHT if m not in each}
            found += [verdicts.together([*(verdicts.gain(i) for i in each.values()),
                                         *("supported" if above else "contradicted"
                                           for above in cited.values())])]
            cell = f"{dataset} x{scale} {metric}"
            behind += [(label(m), cell) for m, i in each.items() if i.low <= 0]
            behind += [(f"{label(m)} (as printed)", cell) for m, above in cited.items() if not above]
            notes += [(label(m), cell) for m in each if weak(cells, m, cell)]
    if not found:
        return missing("no test set of ten images or more with a light-weight method beside PRN")
    lead = Finding(f"{found.count('supported')} of {len(found)} cells", None, verdicts.together(found),
                   f"measured: {', '.join(map(label, rivals))}; not above " + (_listed(behind) or "none"))
    return _against_weak(lead, _listed(notes))


def gain_over(r, cells, other, dataset, scale, claimed):
    """PSNR of PRN above a method on a data set of the paper."""
    ours, theirs = r.scores("prn", dataset, scale), r.scores(other, dataset, scale)
    if ours.empty or theirs.empty:
        return missing(f"{label(other)} is not among the methods of this run" if len(ours) else
                       f"{dataset} is no test set of this run")
    interval = statistics.mean(ours - theirs, seed=r.seed, noise=r.noise())
    found = Finding(f"{interval.value:+.2f} dB", interval, seeded(r, verdicts.gain(interval, claimed)),
                    f"{interval.n} images, paired; {seeds(r.noise())}")
    return _against_weak(found, label(other) if weak(cells, other, f"{dataset} x{scale} psnr_db") else "")


def below_heavy(r, cells):
    """PSNR of each heavy network above PRN, BSDS100 x4."""
    ours = r.scores("prn", "bsds100", 4)
    each = {m: statistics.mean(x - ours, seed=r.seed, noise=r.noise()) for m in HEAVY
            if len(x := r.scores(m, "bsds100", 4)) and len(ours)}
    if not each:
        return missing(f"none of {', '.join(map(label, HEAVY))} was run on BSDS100")
    name, least = min(each.items(), key=lambda pair: pair[1].value)
    return Finding(f"{least.value:+.2f} dB ({label(name)})", least,
                   verdicts.together(verdicts.gain(i) for i in each.values()),
                   "; ".join(f"{label(m)} {i.value:+.2f} dB above PRN" for m, i in each.items()))


def faster(r, cells, rivals, full, part):
    """Time of other methods over PRN's at its thresholds, the least of them."""
    ours = r.ms("prn", ENGINE, r.routing)
    each = {m: statistics.ratio(t, ours) for m in rivals if len(t := r.ms(m, "whole"))}
    if not each:
        return missing(f"none of {', '.join(map(label, rivals))} was timed")
    name, least = min(each.items(), key=lambda pair: pair[1].value)
    alone = r.ms("prn", "paper", r.routing)
    slow = (f"; patch by patch, as in the paper, PRN takes {np.median(alone) / np.median(ours):.1f} "
            f"times as long as {ENGINE}") if len(alone) else ""
    return Finding(f"{least.value:.2f} times ({label(name)})", least,
                   verdicts.together(verdicts.reaches(i, full, part, least=2) for i in each.values()),
                   f"{where(r)}: " + ", ".join(
                       f"{label(m)} takes {i.value:.2f} times as long as PRN (and "
                       f"{r.macs(m, 'whole') / r.macs('prn', ENGINE, r.routing):.2f} times the MACs)"
                       for m, i in each.items()) + slow)


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
    return Finding(f"AUC {interval.value:.3f}", interval, verdicts.reaches(interval, full, part),
                   f"{severe.sum():,} severe and {(~severe).sum():,} mild patches of {interval.n} "
                   f"images; P of the HR patch, which no user has, reaches {oracle.value:.3f}, and P for "
                   f"the quarter of most gain against that of least {apart.value:.3f}; the 7-layer CNN "
                   f"gains {g.gain_db.mean():.2f} dB on these patches after "
                   f"{r.models['cnn7']['steps']:,} steps")


def class_gain(r, cells):
    """Gain of the 7-layer CNN on patches that P calls severe, above that on mild ones."""
    mild, severe = r.gains.prior <= r.routing[0], r.gains.prior >= r.routing[1]
    interval = _contrast(r, "gain_db", severe, mild)
    if interval is None:
        return missing("no patch of this run is mild, or none severe")
    return Finding(f"{interval.value:+.2f} dB", interval, verdicts.gain(interval),
                   f"mean gain {r.gains.gain_db[severe].mean():.2f} dB where P is at least "
                   f"{r.routing[1]:g}, {r.gains.gain_db[mild].mean():.2f} dB where it is at most "
                   f"{r.routing[0]:g}; patches of {interval.n} images, resampled by image")


def absolute_psnr(r, cells):
    """PSNR of the 7-layer CNN on patches of little gain, above that on patches of much."""
    mild = r.gains.kind == "mild"
    interval = _contrast(r, "psnr_cnn_db", mild, ~mild)
    if interval is None:
        return missing("all patches of this run are of one kind")
    return Finding(f"{interval.value:+.2f} dB", interval, verdicts.gain(interval),
                   f"patches of {interval.n} images, resampled by image")


def rolling(r, cells, claimed):
    """PSNR with rolling above that without, over images and seeds."""
    a, b = r.ablated("prn"), r.ablated("prn_no_rolling")
    if a.empty or b.empty:
        return missing("prn_no_rolling was not run")
    counts = (r.trainings("prn"), r.trainings("prn_no_rolling"))
    interval = statistics.mean(a - b, seed=r.seed, noise=r.noise(), trainings=counts)
    return Finding(f"{interval.value:+.3f} dB", interval, seeded(r, verdicts.gain(interval, claimed)),
                   f"{interval.n} images, {counts[0]} and {counts[1]} seeds; {seeds(r.noise())}")


def conflict(r, cells):
    """Severe patches on the severe path: trained on them alone, and with shared early layers."""
    rows = r.classes[r.classes.kind == "severe"]
    table = rows.pivot(index="image", columns="method", values="psnr_db")
    groups = [[n for n in r.repeats.get(base, []) if n in table] for base in ("prn", "prn_no_rolling")]
    if not all(groups):
        return missing("prn or prn_no_rolling has no severe patch in this run")
    a, b = (table[names].mean(axis=1) for names in groups)
    noise = statistics.seed_noise([table[names].mean() for names in groups])
    interval = statistics.mean(a - b, seed=r.seed, noise=noise, trainings=tuple(map(len, groups)))
    free = ""
    if "prn_no_routing" in table:
        free = (f"; a network trained on all patches by the severe path alone: "
                f"{(a - table['prn_no_routing']).mean():+.3f} dB against it")
    return Finding(f"{interval.value:+.3f} dB", interval, seeded(r, verdicts.gain(interval), noise),
                   f"dilated copies for the milder patches against shared layers, on the severe patches "
                   f"of {interval.n} images{free}; {seeds(noise)}")


def receptive(r, cells):
    """Side of what each route sees, with rolling and without; a hole between taps may widen it."""
    with_, without, hole = (r.receptive.get(n) for n in ("prn", "prn_no_rolling", "prn_dilation2"))
    if not with_ or not without:
        return missing("prn_no_rolling was not run")

    def wider(one):
        return [one[k][key] > without[k][key] for k in ("mild", "moderate") for key in ("side", "side_95")]

    def sides(one):
        return ", ".join(f"{k} {one[k]['side']} ({one[k]['side_95']})" for k in ("mild", "moderate", "severe"))

    because = (f"sides in LR pixels of what has a gradient (of 95 % of it): with rolling {sides(with_)}; "
               f"without {sides(without)}")
    because += f"; with one hole between taps {sides(hole)}" if hole else ""
    verdict = ("supported" if all(wider(with_)) else
               "partly supported" if any(wider(with_)) or hole and any(wider(hole)) else "contradicted")
    if hole and not any(wider(with_)) and any(wider(hole)):
        because += ": only the reading with a hole is wider, and D5 says what it costs"
    return Finding(f"{with_['mild']['side']} / {with_['moderate']['side']} LR pixels", None, verdict, because)


def reconstruction(r, cells, full, part):
    """Time of cropping and reassembling over that of the network."""
    ms = r.reconstruction.pivot(index="repeat", columns="part", values="ms")
    interval = statistics.ratio(ms["reconstruction"], ms["network"])
    verdict = verdicts.reaches(-interval, -full, -part, least=2)
    return Finding(f"{interval.value:.1%}", interval.percent(), verdict,
                   f"{where(r)}, one run: network {ms['network'].median():.2f} ms, cropping and "
                   f"reassembling {ms['reconstruction'].median():.2f} ms, all "
                   f"{ms['job'].median():.2f} ms per image")


def _contrast(r, column, above, below):
    """Mean of some patches less that of others, resampled by image."""
    sums = [r.gains[column].where(kind, 0).groupby(r.gains.image).sum().to_numpy()
            for kind in (above, below)]
    counts = [kind.groupby(r.gains.image).sum().to_numpy() for kind in (above, below)]
    if not all(c.sum() for c in counts):
        return None

    def statistic(w):
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample without one kind
            return w @ sums[0] / (w @ counts[0]) - w @ sums[1] / (w @ counts[1])

    return statistics.bootstrap(statistic, len(sums[0]), seed=r.seed)


def _listed(pairs):
    """(method, cell) as text: by name where they are few, by number where they are many."""
    cells = {m: [cell for name, cell in pairs if name == m] for m, _ in pairs}
    return "; ".join(f"{m} in {len(c)} cells" if len(c) > 3 else f"{m} on {', '.join(c)}"
                     for m, c in cells.items())


def _against_weak(finding, methods):
    """A lead over methods that miss their own figures proves nothing."""
    if not methods or finding.verdict not in ("supported", "partly supported"):
        return finding
    return replace(finding, verdict="inconclusive", because=f"{finding.because}; below the paper's "
                   f"figure for it, so that a lead shows nothing: {methods}")


def seeded(r, verdict, noise=None):
    """One training of each says nothing about another."""
    return verdict if noise or r.noise() else "inconclusive"


def seeds(noise):
    if noise is None:
        return "one training each: the noise between seeds is not known"
    return f"seeds differ by {noise.sd:.3f} dB (standard deviation, {noise.degrees} degrees of freedom)"


def where(r):
    return f"{r.dataset} x{r.scale}, {r.device}"
