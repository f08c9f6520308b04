"""Claims on what a setting changes: the thresholds of Fig. 7, the depths of Table III."""

from itertools import pairwise

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.outcome import Outcome, missing, seeded, seeds, setting, signed
from pipeline.analysis.results import ENGINE
from pipeline.analysis.statistics import Interval


def threshold_quality(r, cells, which):
    """PSNR lost by each rise of one threshold, the other held."""
    lines = _lines(r, which, lambda a, b: statistics.mean(r.ablated("prn", a) - r.ablated("prn", b),
                                                          seed=r.seed))
    if not lines:
        return missing("one pair of thresholds alone was run")
    least, said = _summary(lines, _db)
    return Outcome(signed(_db(least), "PSNR falls", "PSNR rises"), least,
                   verdicts.monotone(lines),
                   f"{r.dataset} x{r.scale}, PSNR lost from the smallest to the largest {which}, the "
                   f"other held: {said}")


def threshold_time(r, cells, which):
    """Time saved by each rise of one threshold, the other held."""
    lines = _lines(r, which, lambda a, b: _above_one(
        statistics.ratio(r.ms("prn", ENGINE, a), r.ms("prn", ENGINE, b))))
    if not lines:
        return missing("one pair of thresholds alone was run")
    fewer = [less for line in _lines(r, which, lambda a, b: r.macs("prn", ENGINE, b) < r.macs(
        "prn", ENGINE, a)) for less in line[:-1]]
    least, said = _summary(lines, _percent)
    return Outcome(signed(_percent(least), "faster", "slower"), least.percent(),
                   verdicts.monotone(lines, least=2),
                   f"{setting(r)}; the MACs fall in {sum(fewer)} of {len(fewer)} steps; speed gained "
                   f"from the smallest to the largest {which}, the other held: {said}")


def depth_quality(r, cells, stage, slight):
    """PSNR gained by each layer more of a stage, `slight` dB in all at most."""
    names = [n for n in _depths(r, stage) if len(r.ablated(n))]
    if len(names) < 2:
        return missing(f"no second depth of the {stage} stage was run")
    steps, end = [_deeper(r, a, b) for a, b in pairwise(names)], _deeper(r, names[0], names[-1])
    verdict = seeded(r, verdicts.monotone([[*steps, end]]))
    if verdict == "supported" and end.low > slight:
        verdict = "partly supported"
    return Outcome(signed(_db(end), "deeper is better", "deeper is worse"), end, verdict,
                   f"layer by layer {', '.join(map(_db, steps))}; {end.n} images, "
                   f"{', '.join(str(r.trainings(n)) for n in names)} trainings; {seeds(r.noise())}")


def shallower(r, cells, stage, claimed):
    """PSNR lost by one layer less than the default of a stage."""
    name = r.depths().get((stage, 1))
    if name is None or r.ablated(name).empty:
        return missing(f"no shallower {stage} stage was run")
    interval = _deeper(r, name, "prn")
    return Outcome(signed(_db(interval), "shallower is worse", "shallower is better"),
                   interval, seeded(r, verdicts.gain(interval, claimed)),
                   f"the default over the shallower one, {interval.n} images, {r.trainings('prn')} and "
                   f"{r.trainings(name)} trainings; {seeds(r.noise())}")


def multi_scale(r, cells):
    """PSNR of one network for all scales above networks for one scale each."""
    psnr = r.one_scale.pivot_table(index=["scale", "image"], columns="method", values="psnr_db", aggfunc="first")
    equal = [name for name in r.one_scale.method.unique()[::-1] if name != "prn"  # of two of one scale the first counts
             and r.models[name].get("patches") == r.models["prn"].get("patches")]
    found = {scale: statistics.mean((psnr.prn - psnr[name]).loc[scale].dropna(), seed=r.seed, noise=r.noise())
             for name in equal for scale in psnr[name].dropna().index.unique("scale")}
    if not found:
        return missing("no variant of this run is trained for one scale on as many patches of it as PRN")
    least = min(found.values(), key=lambda interval: interval.value)
    return Outcome(signed(_db(least), "one network for all scales is better", "one for each is better"), least,
                   seeded(r, verdicts.together(verdicts.gain(i) for i in found.values())),
                   f"{', '.join(f'x{scale} {_db(i)}' for scale, i in sorted(found.items()))}; {least.n} images, one "
                   f"training each, after as many patches of each scale, so that PRN took more steps; {seeds(r.noise())}")


def depth_time(r, cells, stage):
    """Time added by each layer more of a stage."""
    names = [n for n in _depths(r, stage) if len(r.ablated(n)) and len(r.ms(n, ENGINE, r.gammas))]
    if len(names) < 2:
        return missing(f"no second depth of the {stage} stage was timed")
    steps, end = [_slower(r, a, b) for a, b in pairwise(names)], _slower(r, names[0], names[-1])
    return Outcome(signed(_percent(end), "deeper is slower", "deeper is faster"),
                   end.percent(), verdicts.monotone([[*steps, end]], least=2),
                   f"{setting(r)}: layer by layer {', '.join(map(_percent, steps))}; {end.n} repeats")


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


def _summary(lines, show):
    """The smallest difference between ends, and all of them in words."""
    ends, steps = [line[-1] for line in lines], [s for line in lines for s in line[:-1]]
    against = sum(s.high < 0 for s in steps)
    level = sum(s.low <= 0 <= s.high for s in steps)
    return min(ends, key=lambda i: i.value), (
        f"{', '.join(map(show, ends))}; of {len(steps)} steps {against} go the other way and {level} "
        "cannot be told from level")


def _depths(r, stage):
    found = r.depths()
    return [found[key] for key in sorted(found) if key[0] == stage]


def _deeper(r, a, b):
    """PSNR of variant b above variant a."""
    return statistics.mean(r.ablated(b) - r.ablated(a), seed=r.seed, noise=r.noise(),
                           trainings=(r.trainings(a), r.trainings(b)))


def _slower(r, a, b):
    return _above_one(statistics.ratio(r.ms(b, ENGINE, r.gammas), r.ms(a, ENGINE, r.gammas)))


def _above_one(i):
    return Interval(i.value - 1, i.low - 1, i.high - 1, i.n)


def _db(i):
    return f"{i.value:+.3f} dB"


def _percent(i):
    return f"{i.value:+.1%}"
