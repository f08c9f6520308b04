"""Thresholds for every norm of P, that at equal mean cost are the best on training images."""

import numpy as np

from pipeline.experiments.routers import settings
from pipeline.experiments.routers.compare import COSTS
from pipeline.sr.prior import NORMS, gradient_prior


def thresholds(train, domain, at=COSTS, norms=NORMS):
    """Rows of thresholds.csv: what to set gamma_low and gamma_upper to, after a change of ``prior.norm``.

    Parameters
    ----------
    train : `pipeline.experiments.routers.patches.Patches`, of three routes
    domain : {"bicubic", "lr"}, the image that P is of
    at : sequence of float, mean costs
    norms : sequence of str

    Returns
    -------
    list of dict: norm, cost, gamma_low, gamma_upper
        Cost is the mean over the training patches, in products of the severe route: the nearest below
        one of `at`.  A cost that only equal thresholds reach is left out.
    """
    rows = []
    for norm in norms:
        p = gradient_prior(train.lr, train.scale, norm=norm, domain=domain).double().numpy()
        cuts = np.array([settings.best_cuts(p, train, price) for price in settings.prices(train)])
        costs = np.array([train.costs[settings.by_cuts(p, pair)].mean() for pair in cuts])
        proper = np.isfinite(cuts).all(1) & (cuts[:, 0] < cuts[:, 1])
        for cost in at:
            below = proper & (costs <= cost)
            if below.any():
                best = np.argmax(np.where(below, costs, -1))
                rows.append({"norm": norm, "cost": costs[best], "gamma_low": cuts[best, 0],
                             "gamma_upper": cuts[best, 1]})
    return [row for i, row in enumerate(rows) if row not in rows[:i]]
