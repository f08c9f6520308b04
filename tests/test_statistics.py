"""Intervals against closed forms and against made-up data whose truth is known."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analysis import statistics
from pipeline.report.figures.roc import roc
from pipeline.analysis.statistics import Noise


def test_interval_of_a_mean_is_that_of_the_normal_distribution():
    x = np.random.default_rng(0).normal(3, 2, 400)
    interval = statistics.mean(x, seed=1)
    half = 1.96 * x.std() / 20
    assert interval.value == pytest.approx(x.mean()) and interval.n == 400
    assert interval.low == pytest.approx(x.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(x.mean() + half, abs=0.01)


def test_95_percent_intervals_hold_the_truth_19_times_of_20(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 400)
    rng = np.random.default_rng(2)
    found = [statistics.mean(rng.normal(0, 1, 60), seed=i) for i in range(400)]
    assert 0.91 < np.mean([i.low <= 0 <= i.high for i in found]) < 0.98


def test_pairing_narrows_a_difference():
    rng = np.random.default_rng(3)
    image = rng.normal(27, 3, 100)  # how hard an image is hits both methods
    a, b = image + 0.1 + rng.normal(0, 0.05, 100), image + rng.normal(0, 0.05, 100)
    paired, apart = statistics.mean(a - b, seed=0), statistics.unpaired(a, b, seed=0)
    assert paired.value == pytest.approx(apart.value)
    assert paired.low > 0 and apart.low < 0 < apart.high
    assert paired.high - paired.low < (apart.high - apart.low) / 20


def test_unpaired_interval_is_that_of_two_independent_means():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 200), rng.normal(0, 3, 300)
    interval = statistics.unpaired(a, b, seed=0)
    half = 1.96 * np.sqrt(a.var() / 200 + b.var() / 300)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.05)


def test_the_seed_decides_and_nothing_else():
    x = np.random.default_rng(5).normal(size=30)
    assert statistics.mean(x, seed=7) == statistics.mean(x, seed=7) != statistics.mean(x, seed=8)


def test_noise_between_seeds_is_pooled():
    noise = statistics.seed_noise([[1.0, 2.0, 3.0], [10.0, 12.0], [5.0]])
    assert noise == Noise(pytest.approx(np.sqrt((2 + 2) / 3)), 3)
    assert statistics.seed_noise([[1.0], [2.0]]) is None


def test_three_seeds_of_two_networks_hold_the_truth_as_often_as_they_say(monkeypatch):
    """Networks of equal quality whose trainings differ by more than their images tell."""
    monkeypatch.setattr(statistics, "RESAMPLES", 400)
    rng = np.random.default_rng(6)
    with_noise, without = [], []
    for i in range(200):
        a, b = (rng.normal(27, 0.1, (3, 1)) + rng.normal(0, 0.05, (3, 40)) for _ in range(2))
        noise = statistics.seed_noise([a.mean(1), b.mean(1)])
        difference = (a - b).mean(0)
        with_noise.append(statistics.mean(difference, seed=i, noise=noise, trainings=(3, 3)))
        without.append(statistics.mean(difference, seed=i))
    held = [np.mean([i.low <= 0 <= i.high for i in found]) for found in (with_noise, without)]
    assert 0.91 < held[0] < 0.99 and held[1] < 0.4


def test_auc_is_that_of_the_roc_curve_and_images_not_patches_are_resampled():
    rng = np.random.default_rng(7)
    image = np.repeat(np.arange(20), 50)
    shift = 2 * rng.normal(size=20)[image]  # patches of one image are alike
    positive = rng.random(1000) < 0.5
    score = np.round(shift + positive + rng.normal(size=1000), 1)  # with ties
    interval = statistics.auc(score, positive, image, seed=0)
    assert interval.value == pytest.approx(roc(score, positive)[2]) and interval.n == 20
    one_each = statistics.auc(score, positive, np.arange(1000) % 200, seed=0)  # as if unrelated
    assert interval.high - interval.low > 1.3 * (one_each.high - one_each.low)


def test_ratio_of_times_is_the_t_interval_of_its_logarithm():
    rng = np.random.default_rng(8)
    below = rng.uniform(9, 11, 6)
    above = below * np.exp(rng.normal(np.log(2), 0.05, 6))
    logs = np.log(above / below)
    low, high = stats.t.interval(0.95, 5, logs.mean(), stats.sem(logs))
    interval = statistics.ratio(above, below)
    assert (interval.low, interval.high) == (pytest.approx(np.exp(low)), pytest.approx(np.exp(high)))
    for few, many in ((above, [*below, 99.0]), ([*above, 1.0], below)):  # a slow job has fewer repeats
        assert statistics.ratio(few, many) == interval
    once = statistics.ratio([2.0], [1.0])
    assert (once.value, once.low, once.high) == (pytest.approx(2), 0, np.inf)
