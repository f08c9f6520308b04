"""Uncertainty: bootstrap over images, noise of training seeds, repeats of a time.

Numbers are judged by 95 % intervals.  One function resamples, and every statistic is a function of the
weights that a resample gives to the images, so that a mean, a difference and an area under a ROC curve
share it.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

RESAMPLES = 10_000
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """An estimate, its 95 % interval, and how many images or repeats it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __neg__(self):
        return Interval(-self.value, -self.high, -self.low, self.n)

    def percent(self):
        """The same as a percentage."""
        return Interval(100 * self.value, 100 * self.low, 100 * self.high, self.n)


@dataclass(frozen=True)
class Noise:
    """Standard deviation between training seeds, pooled, with its degrees of freedom."""

    sd: float
    degrees: int


def bootstrap(statistic, n, *, seed, noise=None, trainings=(1, 1)):
    """Percentile interval of a statistic of `n` images.

    Parameters
    ----------
    statistic : callable
        Weights of shape (R, n), whole numbers whose rows sum to n, to values of shape (R,).
    n : int
    seed : int
    noise : Noise, optional
        Of training seeds. A handful of trainings cannot be resampled (the interval would be far too
        narrow), so each resample gets a draw of Student's t with the degrees of freedom of the pooled
        standard deviation.
    trainings : (int, int)
        How many seeds each side of a difference is the mean of.

    Returns
    -------
    Interval
    """
    rng = np.random.default_rng(seed)
    values = statistic(rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES))
    if noise is not None:
        spread = noise.sd * sqrt(sum(1 / k for k in trainings))
        values = values + spread * rng.standard_t(noise.degrees, RESAMPLES)
    low, high = np.nanquantile(values, TAILS)
    return Interval(float(statistic(np.ones((1, n)))[0]), float(low), float(high), n)


def mean(values, *, seed, **noise):
    """Interval of a mean over images; of paired differences, if these are the values."""
    values = np.asarray(values, dtype=float)
    return bootstrap(lambda w: w @ values / len(values), len(values), seed=seed, **noise)


def unpaired(a, b, *, seed):
    """Interval of the mean of one set of images less that of another; each is resampled."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    first, second = (x[rng.integers(len(x), size=(RESAMPLES, len(x)))].mean(1) for x in (a, b))
    low, high = np.quantile(first - second, TAILS)
    return Interval(float(a.mean() - b.mean()), float(low), float(high), min(len(a), len(b)))


def seed_noise(groups):
    """Noise between seeds, pooled over groups.

    Parameters
    ----------
    groups : list of sequence of float
        A number (mean PSNR) for each seed of one network.

    Returns
    -------
    Noise, or None where no network has two seeds
    """
    groups = [np.asarray(g, dtype=float) for g in groups if len(g) > 1]
    degrees = sum(len(g) - 1 for g in groups)
    if not degrees:
        return None
    return Noise(sqrt(sum(((g - g.mean()) ** 2).sum() for g in groups) / degrees), degrees)


def auc(scores, positive, images, *, seed):
    """Area under the ROC curve of patches, resampled by image: patches of one image are alike.

    Parameters
    ----------
    scores : ndarray, shape (N,)
    positive : ndarray, shape (N,), bool
    images : sequence, shape (N,)
        The image that each patch is of.
    seed : int
    """
    scores, positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    names, index = np.unique(np.asarray(images), return_inverse=True)
    high = [np.sort(scores[positive & (index == i)]) for i in range(len(names))]
    low = [np.sort(scores[~positive & (index == i)]) for i in range(len(names))]
    # wins[i, j]: pairs of a positive of image i above a negative of image j, ties a half
    wins = np.array([[(np.searchsorted(b, a, "left") + np.searchsorted(b, a, "right")).sum() / 2
                      for b in low] for a in high])
    positives, negatives = (np.array([len(x) for x in part]) for part in (high, low))

    def area(weights):
        pairs = (weights @ positives) * (weights @ negatives)
        with np.errstate(invalid="ignore"):  # a resample with patches of one kind only
            return ((weights @ wins) * weights).sum(1) / pairs

    return bootstrap(area, len(names), seed=seed)


def ratio(above, below):
    """Interval of a ratio of times from repeats measured side by side: Student's t of its logarithm.

    Parameters
    ----------
    above, below : sequence of float
        ms of each repeat, from the first: a slow job has fewer, and these alone are compared.
    """
    both = min(len(above), len(below))
    logs = np.log(np.asarray(above, dtype=float)[:both] / np.asarray(below, dtype=float)[:both])
    n, centre = len(logs), logs.mean()
    half = stdtrit(n - 1, TAILS[1]) * logs.std(ddof=1) / sqrt(n) if n > 1 else np.inf
    with np.errstate(over="ignore"):  # one or two repeats: no upper bound
        return Interval(*map(float, np.exp([centre, centre - half, centre + half])), n)
