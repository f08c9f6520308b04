"""Claims on rolling: its gain, what shared layers cost, how far each route sees (III-C, Table IV)."""

from pipeline.analysis import statistics, verdicts
from pipeline.analysis.outcome import Outcome, db, missing, seeded, seeds

ROUTES = ("mild", "moderate", "severe")


def rolling(r, cells, claimed):
    """PSNR with rolling above that without, over images and seeds."""
    return _above(r, "prn_no_rolling", "with rolling", "without", claimed)


def mild_alone(r, cells):
    """PSNR above a variant whose dilated early layer sees mild patches alone."""
    return _above(r, "prn_mild_alone", "mild and moderate patches together", "mild ones alone")


def _above(r, other, ours, theirs, claimed=0.0):
    a, b = r.ablated("prn"), r.ablated(other)
    if a.empty or b.empty:
        return missing(f"{other} was not run")
    counts = (r.trainings("prn"), r.trainings(other))
    interval = statistics.mean(a - b, seed=r.seed, noise=r.noise(), trainings=counts)
    return Outcome(db(interval.value, ours, theirs, 3), interval, seeded(r, verdicts.gain(interval, claimed)),
                   f"{interval.n} images, {counts[0]} and {counts[1]} seeds{_after(r, 'prn')}; {seeds(r.noise())}"
                   f"{_further(r, other)}")


def _after(r, name):
    """Patches that the trainings of a variant saw which are compared, in words."""
    patches = r.models[r.compared(name)].get("patches")
    return f" after {patches:,} patches a scale" if patches else ""


def _further(r, other):
    """The same difference of the two trainings that went further than the seeds."""
    if r.compared("prn") == "prn" or r.compared(other) == other:
        return ""
    a, b = r.ablated("prn", r.gammas), r.ablated(other, r.gammas)
    return f"; after {r.models['prn']['patches']:,} patches a scale, one seed, {(a - b).mean():+.3f} dB"


def conflict(r, cells):
    """Severe patches on the severe path: trained on them alone, and with shared early layers."""
    rows = r.routed_psnr[r.routed_psnr.kind == "severe"]
    table = rows.pivot(index="image", columns="method", values="psnr_db")
    groups = [[n for n in r.seeds(base) if n in table] for base in ("prn", "prn_no_rolling")]
    if not all(groups):
        return missing("prn or prn_no_rolling has no severe patch in this run")
    a, b = (table[names].mean(axis=1) for names in groups)
    noise = statistics.seed_noise([table[names].mean() for names in groups])
    interval = statistics.mean(a - b, seed=r.seed, noise=noise, trainings=tuple(map(len, groups)))
    alone = (f"; PRN of Table I against one trained on all patches by the severe path alone, one seed each, "
             f"{(table.prn - table.prn_no_routing).mean():+.3f} dB") if {"prn", "prn_no_routing"} <= {*table} else ""
    return Outcome(db(interval.value, "copies", "shared layers", 3), interval,
                   seeded(r, verdicts.gain(interval), noise),
                   f"dilated copies for the milder patches against shared layers, on the severe patches "
                   f"of {interval.n} images{_after(r, 'prn')}; {seeds(noise)}{alone}")


def receptive(r, cells):
    """Side of what each route sees, with rolling and without: of the layers, not of any image."""
    ours, without, hole = (r.receptive.get(n) for n in ("prn", "prn_no_rolling", "prn_dilation2"))
    if not ours or not without:
        return missing("prn_no_rolling was not run")
    verdict = {2: "supported", 1: "partly supported", 0: "contradicted"}[_wider(ours, without)]
    with_hole = (f"; with one hole between taps, the other reading of “1 dilation”, {_sides(hole)}"
                 if hole else "")
    return Outcome(f"{_pair(ours)} LR pixels with rolling, {_pair(without)} without", None, verdict,
                   f"sides of the receptive field in LR pixels (of 95 % of the gradient): with rolling "
                   f"{_sides(ours)}; without {_sides(without)}{with_hole}")


def _wider(field, without):
    """On how many of the routes that rolling changes a side is larger."""
    return sum(field[route]["side"] > without[route]["side"] for route in ROUTES[:2])


def _pair(field):
    return " / ".join(str(field[route]["side"]) for route in ROUTES[:2])


def _sides(field):
    return ", ".join(f"{route} {field[route]['side']} ({field[route]['side_95']})" for route in ROUTES)
