"""Times of a later run on the clock of an earlier one, by jobs that both have measured."""

from statistics import median


def label(job):
    """What tells the rows of a job (method, scale, mode, thresholds or None) from those of others."""
    name, scale, mode, routing = job
    return name, scale, mode, routing.gamma_low if routing else "", routing.gamma_upper if routing else ""


def labels(row):
    """The same of a row."""
    return tuple(row[name] for name in ("method", "scale", "mode", "gamma_low", "gamma_upper"))


def one_clock(reference, rows):
    """Rows of a later run as if they had been measured beside the earlier reference.

    A machine drifts between runs by more than thresholds change.  The reference, measured again at each
    scale, says by how much, and the times of its scale are multiplied by it: their ratios to the reference
    stay those of their own run.

    Parameters
    ----------
    reference : list of dict
        Raw repeats as `pipeline.timing.clocks.measure`, of one job a scale; empty for a first run.
    rows : list of dict
        The reference measured again, and others at its scales.

    Returns
    -------
    rows : list of dict
        Those others.
    drift : dict of scale to float
        Time of the reference then over now.
    """
    known, drift = {labels(row) for row in reference}, {}
    for key in known:
        then, now = (median(row["ms"] for row in some if labels(row) == key) for some in (reference, rows))
        drift[key[1]] = then / now
    others = [row for row in rows if labels(row) not in known]
    if drift:
        others = [{**row, **{name: row[name] * drift[row["scale"]] for name in ("ms", "host_ms")}} for row in others]
    return others, dict(sorted(drift.items()))
