"""Routers on one ground: errors of patches, the best cuts, the oracle, what is learnt, and the tables of it."""

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings as hypothesis_settings, strategies as st

from pipeline.analysis import routers as analysis, statistics
from pipeline.evaluation.protocol import compose, degrade, score_psnr
from pipeline.experiments.routers import compare, learned, patches as experts, settings
from pipeline.experiments.routers.scores import PRODUCTS, scores
from pipeline.experiments.routers.thresholds import thresholds
from pipeline.models import build
from pipeline.report import routers as report
from pipeline.report.figures import routers as figure
from pipeline.sr.cost import count
from pipeline.sr.prior import SEVERE, classify, gradient_prior
from tests.test_routing import trained_like

@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(learned, "STEPS", 80)


def made_up(images=12, each=40, seed=0, errors=None):
    """Patches of noise: the more of it, the more the dear experts gain."""
    rng = np.random.default_rng(seed)
    n = images * each
    contrast = rng.uniform(0, 1, n)
    cheap = 100 * contrast**2 * rng.uniform(0.5, 1.5, n) + 1
    if errors is None:
        errors = np.stack([cheap, cheap * (1 - contrast / 4), cheap * (1 - contrast / 3)], 1)
    lr = 0.5 + 0.3 * torch.from_numpy(contrast)[:, None, None, None] * torch.from_numpy(
        rng.uniform(-1, 1, (n, 1, 13, 13)))
    return experts.Patches(["mild", "moderate", "severe"], [f"i{k}" for k in range(images)],
                           np.repeat(np.arange(images), each), np.full(images, each * 52**2), errors,
                           np.array([10e3, 80e3, 160e3]), lr.float(), 4)


def photograph(h, w, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(120, 170), (60, 200)])  # the second lower than two patches
def test_errors_of_patches_add_up_to_the_psnr_of_the_image(size):
    model, pair = trained_like(), degrade(photograph(*size), 4)
    found = experts.measure(experts.routes_of(model), [("a", pair)], 4)
    psnr = compare.psnr(found, found.per_image(found.errors[:, 2]))
    with torch.inference_mode():
        image = compose(model(pair.lr_y, 4, SEVERE), pair)
    assert psnr.item() == pytest.approx(score_psnr(image, pair), abs=1e-9)
    assert found.costs[-1] == 1 and found.macs[0] == count(model, 13, 13, 4, 0).macs / 169


def test_a_cascade_starts_with_the_cheapest_network():
    models = {"prn": build("prn", (4,)), "bicubic": build("bicubic", (4,)), "fsrcnn": build("fsrcnn", (4,))}
    assert [e.name for e in experts.cascade(models, 4)] == ["bicubic", "fsrcnn", "prn"]


def test_an_image_smaller_than_a_patch_has_one_patch():
    found = experts.measure(experts.routes_of(trained_like()), [("a", degrade(photograph(45, 48), 4))], 4)
    assert found.lr.shape == (1, 1, 13, 13) and found.errors.shape == (1, 3)


@given(n=st.integers(1, 9), k=st.integers(2, 4), price=st.floats(0, 2), seed=st.integers(0, 999))
@hypothesis_settings(deadline=None, max_examples=60)
def test_cuts_are_the_best_of_all(n, k, price, seed):
    """Against every way to share the sorted patches out."""
    rng = np.random.default_rng(seed)
    base = made_up(1, n, errors=rng.uniform(0, 1, (n, 3)))
    patches = experts.Patches(list("abcd")[:k], ["i"], base.image, base.pixels, rng.uniform(0, 1, (n, k)),
                              np.arange(1.0, k + 1), base.lr, 4)
    score = rng.uniform(0, 1, n)
    value = (patches.weighted + price * patches.costs)[np.argsort(score)]

    def total(ends):
        return value[np.arange(n), np.searchsorted(ends, np.arange(n), side="right")].sum()

    best = min(total(ends) for ends in combinations_with_replacement(range(n + 1), k - 1))
    chosen = settings.by_cuts(score, settings.best_cuts(score, patches, price))
    assert (patches.weighted + price * patches.costs)[np.arange(n), chosen].sum() == pytest.approx(best)


def test_no_router_passes_the_oracle_and_a_score_that_knows_beats_random():
    train, test = made_up(seed=1), made_up(seed=2)
    rows = pd.DataFrame(compare.compare(train, test))
    at = rows[rows.cost.isin(compare.COSTS)].pivot_table(index="router", columns="cost", values="psnr_db")
    assert set(at.index) >= {*PRODUCTS, "oracle", "random", "ridge regression", "classifier network"}
    at = at.drop("all moderate")
    assert (at.loc["oracle"] + 1e-3 >= at).all(axis=None)
    middle = at[0.5]
    assert middle["squared gradient"] > middle["random"] + 0.3 * (middle["oracle"] - middle["random"])
    assert middle["ridge regression"] > middle["random"] < middle["classifier network"]
    assert (at.loc["squared gradient"].diff().dropna() >= -1e-9).all()
    mild = rows[rows.router == "all mild"].groupby("cost").psnr_db.mean()
    assert mild.index.tolist() == [10 / 160] and (mild.item() <= at).all(axis=None)


def test_a_router_pays_for_its_own_products():
    patches = made_up()
    choice = [np.zeros(480, int), np.full(480, 2)]
    free, dear = (compare.curve(patches, choice, own).mean(1) for own in (0, 0.1))
    assert np.isnan(dear[0]) and not np.isnan(free[0])  # 0.08: below its own 0.1 and the mild route
    assert (dear[1:] < free[1:]).all()


def test_between_two_settings_errors_are_linear():
    patches = made_up()
    at = compare.COSTS.index(0.5)
    share = (0.5 - 1 / 16) / (15 / 16)
    errors = [patches.per_image(patches.errors[:, k]) for k in (0, 2)]
    expected = compare.psnr(patches, (1 - share) * errors[0] + share * errors[1])
    found = compare.curve(patches, [np.full(480, 2), np.zeros(480, int)], 0)[at]
    np.testing.assert_allclose(found, expected)


def test_experts_that_are_alike_leave_nothing_to_choose():
    """As networks before any training: no gain, no division by it."""
    same = made_up(errors=np.full((480, 3), 5.0))
    rows = pd.DataFrame(compare.compare(same, same))
    assert rows.psnr_db.notna().all() and np.ptp(rows.psnr_db) < 1e-9
    table = analysis.routers(rows.assign(experts="prn"), seed=0)
    assert table.gap_share.isna().all()
    assert "number 1 of 8" in analysis.place(table, "prn")


def test_scores_of_hand_made_patches():
    """A step of 0.5 down the middle of the rows, the same along the columns, and a flat patch."""
    step = torch.zeros(1, 1, 12, 12)
    step[..., 6:, :] = 0.5
    found = scores(torch.cat([step, step.mT, step * 0 + 0.7]), 3)
    assert set(found) == set(PRODUCTS)
    vertical, both, squared, laplacian, variance, residual = found.values()
    assert vertical[1] < 1e-3 < vertical[0] == pytest.approx(both[0].item(), abs=1e-2)
    assert both[0] == pytest.approx(both[1].item(), rel=1e-5) and squared[0] == pytest.approx(squared[1].item())
    assert laplacian[0] == pytest.approx(2 * 10 * 0.5 / 100) and variance[0] == pytest.approx(0.0625, rel=0.01)
    assert residual[0] == pytest.approx(residual[1].item(), rel=1e-4)
    for values in found.values():
        assert values[2].abs() < 5e-3  # rounding of 0.7


def test_thresholds_have_the_mean_cost_that_they_say():
    train = made_up()
    rows = thresholds(train, "bicubic")
    assert {row["norm"] for row in rows} == {"l1", "l2", "squared_both"}
    for row in rows:
        p = gradient_prior(train.lr, 4, norm=row["norm"])
        routes = classify(p, row["gamma_low"], row["gamma_upper"])
        assert train.costs[routes.numpy()].mean() == pytest.approx(row["cost"], abs=1e-9)
        assert 0 < row["gamma_low"] < row["gamma_upper"]


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.7, 1.0])
def test_cuts_within_a_cost_are_the_best_of_all_pairs(share):
    few = made_up(images=1, each=11)
    score, cost = few.errors[:, 0] + np.arange(11) % 3, share * few.costs[-1]

    def spent_and_lost(cuts):
        chosen = settings.by_cuts(score, cuts)
        return few.costs[chosen].mean(), few.weighted[np.arange(11), chosen].sum()

    edges = [0, *(np.sort(score)[:-1] + np.diff(np.sort(score)) / 2), 1e9]
    legal = [lost for a in edges for b in edges if a <= b for spent, lost in [spent_and_lost([a, b])] if spent <= cost]
    spent, lost = spent_and_lost(settings.cuts_within(score, few, cost))
    assert spent <= cost and lost == pytest.approx(min(legal))


def test_the_classifier_counts_its_products_and_leaves_the_generator_alone():
    before = torch.get_rng_state()
    _, macs = learned.classifier(made_up(images=2))
    assert macs == pytest.approx((9 * (16 * 32 + 3 * 32 * 32)) / 169)
    assert torch.equal(torch.get_rng_state(), before)


def table(monkeypatch, **more):
    monkeypatch.setattr(statistics, "RESAMPLES", 300)
    rows = pd.DataFrame(compare.compare(made_up(seed=1), made_up(seed=2, **more)))
    return analysis.routers(pd.concat([rows.assign(experts=e) for e in ("prn", "cascade")]), seed=0)


def test_table_figure_and_words(monkeypatch):
    found = table(monkeypatch)
    half = found[(found.cost == 0.5) & (found.experts == "prn")].set_index("router")
    assert half.gap_share["oracle"] == 1 and half.gap_share["random"] == 0
    assert half.above_paper_db["vertical gradient"] == 0 and np.isnan(half.ci_low["vertical gradient"])
    assert (half.ci_low <= half.above_paper_db).drop(["vertical gradient"]).all()
    rank = (half.drop(["oracle", "random"]).psnr_db > half.psnr_db["vertical gradient"]).sum() + 1
    assert f"number {rank} of 8" in analysis.place(found, "prn")
    assert analysis.place(found, "prn_modern") == ""
    shown = report.table(found)
    assert set(shown.choice) == {"routes of PRN", "cascade"} and "all mild" not in set(shown.router)
    assert set(shown["0.50"][shown.router == "oracle"]) == {f"{half.psnr_db['oracle']:.3f}"} and "0.08" not in shown
    labels = [text.get_text() for axes in figure.routers(found).axes for text in axes.texts]
    assert labels.count("all severe") == 2


def test_few_images_have_no_interval(monkeypatch):
    assert table(monkeypatch, images=5).ci_low.isna().all()
