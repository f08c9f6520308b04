"""Times of two runs on one clock, by what both have measured."""

from statistics import median

LABELS = ("method", "scale", "mode", "gamma_low", "gamma_upper")


def one_clock(first, second):
    """Rows of a first run, and those of a second one as if they had been measured beside them.

    Machines drift between runs by more than the effects of thresholds.  What both have measured at a scale
    says how much, and the times of the second are multiplied by it: their ratios to the reference are
    those of their own run.

    Parameters
    ----------
    first, second : list of dict
        Raw repeats as `pipeline.timing.clocks.measure`; the second with a reference at each of its scales.

    Returns
    -------
    rows : list of dict
        All of the first, then the second without its reference.
    drift : dict of scale to float
        Time of the reference in the first run over that in the second.
    """
    known = {_labels(row) for row in first}
    again = [row for row in second if _labels(row) in known]
    drift = {scale: _median(first, labels) / _median(again, labels)
             for labels in dict.fromkeys(map(_labels, again)) for scale in [labels[1]]}
    rows = [{**row, "ms": row["ms"] * drift[row["scale"]], "host_ms": row["host_ms"] * drift[row["scale"]]}
            for row in second if _labels(row) not in known]
    return [*first, *rows], drift


def _labels(row):
    return tuple(row[name] for name in LABELS)


def _median(rows, labels):
    return median(row["ms"] for row in rows if _labels(row) == labels)
