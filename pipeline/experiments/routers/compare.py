"""The PSNR that each router reaches at a mean cost: settings from training images, scores of test images."""

import numpy as np

from pipeline.experiments.routers import learned, settings
from pipeline.experiments.routers.scores import PRODUCTS, scores

COSTS = tuple(n / 100 for n in range(8, 100, 14))  # mean products, in those of the last expert


def compare(train, test, *, seed=0):
    """Rows of routers.csv for one set of experts.

    Parameters
    ----------
    train, test : `pipeline.experiments.routers.patches.Patches`
        Of the same experts; cuts are chosen and routers trained on the first.
    seed : int

    Returns
    -------
    list of dict: router, macs (its own, per LR pixel), cost, image, psnr_db
        Cost is the mean over all patches at most, with the router's own, in products of the last expert;
        those that even the first expert exceeds are left out.
        The first rows are of each expert for all patches, named "all" and the expert.
    """
    rows = [{"router": f"all {name}", "macs": 0, "cost": cost, "image": image, "psnr_db": value}
            for name, cost, errors in zip(test.experts, test.costs, test.errors.T)
            for image, value in zip(test.names, psnr(test, test.per_image(errors)))]
    found = {"oracle": (0, lambda price: settings.oracle(test, price))}
    for name, (macs, known, score) in routers(train, test, seed).items():
        found[name] = macs, lambda price, known=known, score=score: settings.by_cuts(
            score, settings.best_cuts(known, train, price))
    for name, (macs, choose) in found.items():
        reached = curve(test, [choose(price) for price in settings.prices(train)], macs / test.macs[-1])
        rows += [{"router": name, "macs": macs, "cost": cost, "image": image, "psnr_db": value}
                 for cost, values in zip(COSTS, reached) for image, value in zip(test.names, values)
                 if np.isfinite(value)]
    return rows


def routers(train, test, seed):
    """dict of router to its products per LR pixel, its scores of the training and of the test patches."""
    known, seen = ({k: v.double().numpy() for k, v in scores(x.lr, x.scale).items()} for x in (train, test))
    pixels = train.scale**2
    found = {name: (PRODUCTS[name] * pixels, known[name], seen[name]) for name in known}
    regression = learned.ridge(known, train)
    found["ridge regression"] = sum(PRODUCTS.values()) * pixels, regression(known), regression(seen)
    network, macs = learned.classifier(train, seed)
    found["classifier network"] = macs, network(train.lr), network(test.lr)
    rng = np.random.default_rng(seed)
    found["random"] = 0, rng.random(len(train.image)), rng.random(len(test.image))
    return found


def curve(patches, choices, own):
    """PSNR of each image at the mean costs of `COSTS`.

    Between two settings each patch takes that of one or the other at random: errors are linear in cost.
    A cost above all settings has the dearest; one below all is out of reach, NaN.

    Parameters
    ----------
    patches : Patches
    choices : list of ndarray, shape (N,), an expert for each patch, by setting
    own : float, cost of the router itself

    Returns
    -------
    ndarray, shape (len(COSTS), images), dB
    """
    every = np.arange(len(patches.image))
    costs = np.array([patches.costs[choice].mean() + own for choice in choices])
    errors = np.array([patches.per_image(patches.errors[every, choice]) for choice in choices])
    order = np.argsort(costs, kind="stable")
    at = np.array([np.interp(COSTS, costs[order], image, left=np.nan) for image in errors[order].T]).T
    return psnr(patches, at)


def psnr(patches, errors):
    """PSNR of images, dB, from their squared errors, shape (..., images)."""
    return 10 * np.log10(255**2 * patches.pixels / np.maximum(errors, 1e-9))
