"""Claims on time: against other methods, by routing, of rolling, of cropping (Fig. 1, IV-A to IV-C)."""

import numpy as np

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.measures.quality import lead
from pipeline.analysis.outcome import Outcome, missing, setting, times
from pipeline.analysis.results import ENGINE, shortfall
from pipeline.paper import label


def faster(r, cells, rivals, full, part):
    """Time of each other method over PRN's at its thresholds; the claim is about every one of them."""
    ours = r.ms("prn", ENGINE, r.routing)
    each = {m: statistics.ratio(t, ours) for m in rivals if len(t := r.ms(m, "whole"))}
    if not each:
        return missing(f"none of {', '.join(map(label, rivals))} was timed")
    name, least = min(each.items(), key=lambda pair: pair[1].value)
    macs = {m: r.macs(m, "whole") / r.macs("prn", ENGINE, r.routing) for m in each}
    alone = r.ms("prn", "paper", r.routing)
    listed = ", ".join(f"{label(m)} {i.value:.2f} ({macs[m]:.2f})" for m, i in each.items())
    by_patch = (f"; PRN patch by patch, as in the paper, takes {np.median(alone) / np.median(ours):.1f} times as long "
                "as by the engine" if len(alone) else "")
    return Outcome(times(least.value, label(name), "PRN"), least,
                   verdicts.every(verdicts.reaches(i, full, part, least=2) for i in each.values()),
                   f"{setting(r)}, time (and MACs) over PRN's: {listed}{by_patch}")


def faster_and_better(r, cells, rivals, full, part):
    """Both halves of "twice as fast ... with superior performance": one that fails is enough."""
    speed = faster(r, cells, rivals, full, part)
    if speed.interval is None:
        return speed
    quality, words = _superior(r, cells, rivals)
    return Outcome(speed.value, speed.interval, verdicts.every([speed.verdict, quality]),
                   f"time: {speed.verdict}; performance: {quality}. {speed.because}; {words}")


def _superior(r, cells, rivals):
    """Verdict on PRN's PSNR against the rivals', and the reason."""
    if len(r.scores("prn", r.dataset, r.scale)) < verdicts.LEAST_IMAGES:
        return "inconclusive", f"PSNR: fewer than ten images of {r.dataset}"
    found, behind, unfair = lead(r, cells, r.dataset, r.scale, "psnr_db")
    verdict, short = verdicts.every(found), shortfall(r, ("prn", *rivals), [r.scale])
    if short or unfair and verdict in ("supported", "partly supported"):
        verdict = "inconclusive"
    weaker = ", ".join(name for name, _ in unfair)
    words = [f"PSNR: not above {', '.join(name for name, _ in behind) or 'none'}", short,
             f"below the paper's figure for it, so that a lead shows nothing: {weaker}" if weaker else ""]
    return verdict, "; ".join(filter(None, words))


def saving(r, cells, full, part):
    """Time of the severe path for every patch over that of the routed network, in the same engine."""
    slow, fast = r.ms("prn_no_routing", ENGINE, r.routing), r.ms("prn", ENGINE, r.routing)
    if not len(slow) or not len(fast):
        return missing("prn_no_routing was not timed")
    interval, saved = statistics.ratio(slow, fast), r.savings(r.dataset).mean()
    one_pass = np.median(r.ms("prn", "whole")) / np.median(fast)
    return Outcome(f"{interval.value:.2f} times as fast as without routing, {one_pass:.2f} times as fast as "
                   "the severe path on the whole image", interval,
                   verdicts.reaches(interval, full, part, least=2),
                   f"{setting(r)}: routing at {r.routing[0]:g}/{r.routing[1]:g} saves {saved:.0%} of the "
                   "MACs; on the whole image there are no patches to cut and to put together")


def rolling_time(r, cells):
    """Time with rolling over that without; as fast if within the tolerance of ratios."""
    a, b = (r.ms(name, ENGINE, r.gammas) for name in ("prn", "prn_no_rolling"))
    if not len(a) or not len(b):
        return missing("prn_no_rolling was not timed")
    interval, limit = statistics.ratio(a, b), 1 + r.tolerances.time_ratio
    macs = r.macs("prn", ENGINE, r.gammas) / r.macs("prn_no_rolling", ENGINE, r.gammas)
    verdict = ("supported" if interval.high <= limit else
               "contradicted" if interval.low > limit else "inconclusive")
    return Outcome(f"{interval.value:.2f} times as long as without rolling", interval, verdict,
                   f"{setting(r)}, {interval.n} repeats; {macs:.2f} times the MACs")


def reconstruction(r, cells, full, part):
    """Time of cropping and reassembling over that of the network."""
    ms = r.reconstruction.pivot(index="repeat", columns="part", values="ms")
    interval = statistics.ratio(ms["reconstruction"], ms["network"])
    return Outcome(f"{interval.value:.1%} of the network's time", interval.percent(),
                   verdicts.reaches(-interval, -full, -part, least=2),
                   f"{setting(r)} at {r.gammas[0]:g}/{r.gammas[1]:g}, by the plain network, not the engine, {interval.n} "
                   f"repeats: network {ms['network'].median():.2f} ms, cropping and reassembling {ms['reconstruction'].median():.2f} ms, all "
                   f"{ms['job'].median():.2f} ms per image")
