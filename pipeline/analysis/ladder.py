"""How far a training has come, by the rungs of its ladder (decision D16)."""

import math

import pandas as pd

COLUMNS = ["method", "scale", "patches", "psnr_db", "doubling_db"]


def table(models):
    """ladder.csv: a row a rung and scale.

    Parameters
    ----------
    models : dict of variant to its provenance
        Its ``rungs``: list of dict of patches (of each scale) and psnr_db_x2..., on held-out training images.

    Returns
    -------
    DataFrame of method, scale, patches, psnr_db, doubling_db: the gain of each doubling since the rung before
    """
    rows = []
    for name, model in models.items():
        rungs = model.get("rungs", [])
        for before, rung in zip([None, *rungs], rungs):
            for key in rung:
                if key.startswith("psnr_db_x"):
                    gain = _doubling(before, rung, key) if before else math.nan
                    rows.append([name, int(key[9:]), rung["patches"], rung[key], gain])
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["method", "scale", "patches"], kind="stable")


def last_doubling(model, scales=()):
    """Gain of the last doubling in dB, the largest over some scales (or all); None with fewer than two rungs."""
    rungs, keys = model.get("rungs", []), _keys(model, scales)
    return max(_doubling(*rungs[-2:], key) for key in keys) if len(rungs) > 1 and keys else None


def settled_at(model, limit_db, scales=()):
    """Patches whose last doubling would gain no more than `limit_db`, by the ladder's own slope.

    The gain of a doubling is taken to go on falling by the factor by which it fell between the last three
    rungs, at each of some scales (or of all), and the next rung to be a doubling or more.  None where the gain
    did not fall, or with fewer rungs.
    """
    rungs, found = model.get("rungs", []), []
    for key in _keys(model, scales) if len(rungs) > 2 else ():
        earlier, later = _doubling(*rungs[-3:-1], key), _doubling(*rungs[-2:], key)
        if later <= limit_db:
            found.append(rungs[-1]["patches"])
            continue
        if not 0 < later < earlier:
            return None
        # both are gains in the middle of their rungs: so many doublings apart
        apart = math.log2(rungs[-1]["patches"] / rungs[-3]["patches"]) / 2
        more = math.log(later / limit_db) / math.log(earlier / later) * apart
        middle = math.sqrt(rungs[-1]["patches"] * rungs[-2]["patches"]) * 2 ** more
        found.append(max(2 * rungs[-1]["patches"], math.sqrt(2) * middle))
    return max(found) if found else None


def _keys(model, scales):
    """The held-out PSNR of some scales, or of all that the network has."""
    keys = [key for key in (model.get("rungs") or [{}])[-1] if key.startswith("psnr_db_x")]
    return [key for key in keys if int(key[9:]) in scales] or keys


def _doubling(before, rung, key):
    return (rung[key] - before[key]) / math.log2(rung["patches"] / before["patches"])
