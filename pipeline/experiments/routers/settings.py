"""Settings of a router that are best on some patches: cuts of its score, and the choice of an oracle."""

import numpy as np


def prices(patches, count=81):
    """Prices of a product, in error, from those at which the last expert is taken to those of the first."""
    errors, costs = patches.weighted.sum(0), patches.costs
    typical = abs(errors[0] - errors[-1]) / len(patches.image) / (costs[-1] - costs[0])
    return [0, *(typical * np.geomspace(1e-3, 1e3, count - 1))]


def oracle(patches, price):
    """Expert of each patch with the least error and price: it knows the truth. Shape (N,), int."""
    return np.argmin(patches.weighted + price * patches.costs, 1)


def best_cuts(score, patches, price):
    """Cuts between the experts: the ones with the least error and price over some patches.

    Along the sorted scores each expert takes a run of patches, the cheapest first.  All places of the
    K - 1 cuts are compared, by dynamic programming over sums from the start.

    Parameters
    ----------
    score : ndarray, shape (N,)
    patches : Patches
    price : float, of the products of the last expert

    Returns
    -------
    ndarray, shape (K - 1,), ascending: expert k from the score of cut k - 1 on
    """
    order = np.argsort(score, kind="stable")
    value = patches.weighted[order] + price * patches.costs
    sums = np.concatenate([np.zeros((1, value.shape[1])), np.cumsum(value, 0)])  # (N + 1, K)
    best, choices = sums[:, 0], []
    for k in range(1, value.shape[1]):
        before = best - sums[:, k]
        lowest = np.minimum.accumulate(before)
        at = np.maximum.accumulate(np.where(before == lowest, np.arange(len(before)), 0))
        choices.append(at)
        best = lowest + sums[:, k]
    end, cuts = len(order), []
    for at in reversed(choices):
        end = at[end]
        cuts.append(end)
    edges = np.concatenate([[-np.inf], score[order], [np.inf]])
    between = [np.inf if i == len(order) else -np.inf if i == 0 else edges[i:i + 2].mean() for i in cuts[::-1]]
    return np.array(between)


def cuts_within(score, patches, cost):
    """Cuts between three experts with the least error of all whose mean cost is `cost` at most.

    For few, large patches: the prices of `best_cuts` reach only some mean costs, here each pair is tried.

    Parameters
    ----------
    score : ndarray, shape (N,)
    patches : Patches
    cost : float, above that of the first expert

    Returns
    -------
    ndarray, shape (2,), ascending
    """
    order = np.argsort(score, kind="stable")
    # all ways to give the first `low` patches to the first expert and those from `upper` on to the last
    low, upper = np.triu_indices(len(order) + 1)

    def total(values):
        sums = np.concatenate([np.zeros((1, 3)), np.cumsum(values, 0)])
        return sums[low, 0] + sums[upper, 1] - sums[low, 1] + sums[-1, 2] - sums[upper, 2]

    spent = total(np.broadcast_to(patches.costs, (len(order), 3)))
    error = np.where(spent <= cost * len(order), total(patches.weighted[order]), np.inf)
    edges = np.concatenate([[0], score[order], [2 * score.max()]])
    return np.array([edges[at:at + 2].mean() for at in (low[error.argmin()], upper[error.argmin()])])


def by_cuts(score, cuts):
    """Expert of each patch, shape (N,), int."""
    return np.searchsorted(cuts, score, side="right")
