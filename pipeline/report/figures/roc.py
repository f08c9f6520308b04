"""How well one number tells two kinds apart."""

import numpy as np


def roc(prior, positive):
    """Receiver operating characteristic of "positive if prior >= threshold".

    Equal values pass a threshold together: a tie between the kinds is a slanted step, and counts
    half in the area.

    Parameters
    ----------
    prior : ndarray, shape (N,), float
    positive : ndarray, shape (N,), bool

    Returns
    -------
    fpr, tpr : ndarray, shape (K + 1,)
        False and true positive rates for the K distinct values of `prior` as thresholds, falling,
        after (0, 0).
    auc : float
        Area under that curve: the chance that a positive has the larger prior.

    Raises
    ------
    ValueError
        One of the kinds is absent, or a prior is not a number.
    """
    prior, positive = np.asarray(prior, dtype=float), np.asarray(positive, dtype=bool)
    if np.isnan(prior).any():
        raise ValueError("roc: a prior is not a number; leave that patch out")
    if positive.all() or not positive.any():
        raise ValueError("roc: needs positives and negatives; all patches are of one kind")
    order = np.argsort(-prior, kind="stable")
    prior, positive = prior[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(prior)), len(prior) - 1)  # last of each run of ties
    tpr = np.append(0, np.cumsum(positive)[last] / positive.sum())
    fpr = np.append(0, np.cumsum(~positive)[last] / (~positive).sum())
    return fpr, tpr, float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))
