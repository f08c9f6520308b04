"""Which verdict an interval earns: the rules of the ledger, the same for every claim of a kind."""

CLAIMS = ("supported", "partly supported", "contradicted", "inconclusive", "not testable")
CELLS = ("matches", "replicated", "above paper", "not replicated", "not comparable", "not run")
LEAST_IMAGES = 10  # Set5 has five: no interval of it means anything
ROUNDING = 0.01  # of a difference of two printed PSNR


def gain(interval, claimed=0.0, least=LEAST_IMAGES):
    """A difference that the paper says is above zero, and `claimed` large.

    Supported: above zero, and the claimed size is not excluded; partly supported: above zero, but
    smaller than claimed; contradicted: below zero; inconclusive: it may be zero.
    """
    if interval.n < least:
        return "inconclusive"
    if interval.high < 0:
        return "contradicted"
    if interval.low <= 0:
        return "inconclusive"
    return "supported" if interval.high >= claimed - ROUNDING else "partly supported"


def reaches(interval, full, part, least=LEAST_IMAGES):
    """A size that should reach `full`: partly supported from `part`, contradicted below it."""
    if interval.n < least:
        return "inconclusive"
    if interval.low >= full:
        return "supported"
    if interval.low >= part:
        return "partly supported"
    return "contradicted" if interval.high < part else "inconclusive"


def monotone(lines, least=LEAST_IMAGES):
    """A trend: each line is its steps and, last, the difference between its ends, all claimed positive.

    Supported: every line rises from end to end, and no step falls; contradicted: every line falls from
    end to end; partly supported: some line rises; inconclusive: none can be told from level, or neither
    can the line that rises least and most of the steps.  A step or an end counts when its interval
    excludes zero, so that noise alone breaks no trend.
    """
    if not lines or any(i.n < least for line in lines for i in line):
        return "inconclusive"
    ends = [line[-1] for line in lines]
    if all(end.low > 0 for end in ends) and not any(step.high < 0 for line in lines for step in line):
        return "supported"
    if all(end.high < 0 for end in ends):
        return "contradicted"
    steps = [step for line in lines for step in line[:-1]]
    level = sum(step.low <= 0 <= step.high for step in steps)
    least = min(ends, key=lambda end: end.value)
    if least.low <= 0 <= least.high and 2 * level > len(steps):
        return "inconclusive"
    return "partly supported" if any(end.low > 0 for end in ends) else "inconclusive"


def together(verdicts):
    """Of one claim in many cells: supported in all, partly in some, contradicted where none holds."""
    verdicts = list(verdicts)
    if not verdicts:
        return "not testable"
    if set(verdicts) == {"supported"}:
        return "supported"
    if {"supported", "partly supported"} & set(verdicts):
        return "partly supported"
    return "contradicted" if "contradicted" in verdicts else "inconclusive"


def every(verdicts):
    """Of one claim with "and": as its weakest part, since it fails if one part fails."""
    verdicts = set(verdicts)
    return next(word for word in ("contradicted", "not testable", "inconclusive", "partly supported",
                                  "supported") if word in verdicts)


def cell(ours, paper, tolerance, rounding):
    """A cell of a table that may be compared: all four in the unit of the cell."""
    delta, slack = ours - paper, 1e-9  # 0.01 is no binary number
    if abs(delta) <= rounding + slack:
        return "matches"
    if abs(delta) <= tolerance + slack:
        return "replicated"
    return "above paper" if delta > 0 else "not replicated"
