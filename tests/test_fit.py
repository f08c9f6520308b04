"""A+ and RFL: what is fitted, how it is applied, and that a fit goes on where it stopped."""

import numpy as np
import pytest
import torch

from pipeline.models import weights
from pipeline.sr.degrade import imresize
from pipeline.training.fit import aplus, rfl
from pipeline.training.fit.run import fit
from pipeline.training.fit.samples import collect, gradient_patches, principal_components
from pipeline.models import build
from pipeline.models.zeyde import assemble, features, grouped_product
from pipeline.models.rfl import NEVER, descend

APLUS = aplus.Recipe(["a"], levels=2, samples=6000, neighbours=300, ridge=0.1, iterations=3)
FOREST = rfl.Recipe(["a"], levels=1, samples=6000, subsample=128, least=16, ridge=0.01)
SMALL = {"aplus": {"anchors": 24}, "rfl": {"trees": 3, "depth": 6, "leaves": 20}}
RECIPES = {"aplus": APLUS, "rfl": FOREST}


def shapes(h, w, seed=0):
    """Sharp half-planes of random grey: what super-resolution can restore; (1, 1, h, w)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w]
    image = np.zeros((h, w))
    for angle, offset, grey in zip(*rng.uniform([[0], [0.1], [0]], [[7], [0.9], [1]], (3, 12))):
        image[np.sin(angle) * (y - offset * h) > np.cos(angle) * (x - (1 - offset) * w)] = grey
    return torch.from_numpy(image).float()[None, None]


def images(n=3):
    return {f"a/{i}": (shapes(90 + 6 * i, 120, seed=i)[0, 0] * 255).round().byte().numpy()
            for i in range(n)}


def fitted(network, path, scales=(2, 3), seed=0, **kwargs):
    torch.manual_seed(seed)
    model = build(network, scales, **SMALL[network])
    result = fit(network, model, images(), RECIPES[network], scales=scales, seed=seed,
                 folder=path, identity={"network": network}, conditions={"device": "CPU, 1 thread"}, **kwargs)
    return model.eval(), result


def test_grouped_product_takes_each_row_its_own_table():
    x, index, tables = torch.randn(100, 5), torch.randint(7, (100,)) * 2, torch.randn(20, 5, 3)
    expected = torch.stack([row @ tables[i] for row, i in zip(x, index)])
    torch.testing.assert_close(grouped_product(x, index, tables), expected)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_patches_of_an_image_assemble_to_the_image(scale):
    """Features and residuals are of the same patches: all lie where they were cut."""
    image = torch.rand(1, 1, 6 * scale, 8 * scale)
    padded = torch.nn.functional.pad(image, (scale,) * 4)
    patches = torch.nn.functional.unfold(padded, 3 * scale, stride=scale)[0].T
    torch.testing.assert_close(assemble(patches, 1, 6, 8, scale), image)


def test_training_and_test_see_the_same_features():
    y = images(1)["a/0"]
    components = principal_components(gradient_patches([y], 3), 3)
    gram = components.flatten(1) @ components.flatten(1).T
    torch.testing.assert_close(gram, torch.eye(30), atol=1e-5, rtol=0)
    near, far = collect([y], 3, components, 1, 10**6)
    hr = torch.from_numpy(y)[None, None].float() / 255
    mid, found = features(imresize(hr, 1 / 3), 3, components)
    inside = found.view(30, 40, 30)[1:-1, 1:-1].flatten(0, 1)
    torch.testing.assert_close(near, inside, atol=1e-5, rtol=1e-4)
    back = assemble(torch.nn.functional.unfold(
        torch.nn.functional.pad(hr - mid, (3,) * 4), 9, stride=3)[0].T, 1, 30, 40, 3)
    torch.testing.assert_close(mid + back, hr, atol=1e-5, rtol=0)
    assert far.shape == (28 * 38, 81)


def test_ridge_is_the_closed_form():
    x, y = torch.randn(2, 40, 6), torch.randn(2, 40, 3)
    for k, found in enumerate(aplus.ridge(x, y, 0.5)):
        a = np.vstack([x[k], np.sqrt(0.5) * np.eye(6)])
        b = np.vstack([y[k], np.zeros((6, 3))])
        np.testing.assert_allclose(found, np.linalg.lstsq(a, b, rcond=None)[0], atol=1e-4)


def test_nearest_samples_are_all_and_only_the_nearest():
    torch.manual_seed(0)
    x, anchors = torch.randn(3000, 5), torch.randn(9, 5)
    x[::16] *= 3  # no fair sample: the short cut must notice
    for count in (10, 500, 3000):
        found = aplus.nearest_samples(anchors, x, count)
        expected = (anchors @ x.T).topk(count).indices
        assert torch.equal(found.sort(1).values, expected.sort(1).values)


def test_kmeans_finds_directions_whatever_their_sign():
    torch.manual_seed(0)
    axes = torch.eye(4)[torch.arange(400) % 4] * torch.randn(400, 1).sign()
    found = aplus.spherical_kmeans(axes + 0.01 * torch.randn(400, 4), 12, 10,
                                   torch.Generator().manual_seed(0))
    assert (found.abs().amax(1) > 0.9).all() and set(found.abs().argmax(1).tolist()) == {0, 1, 2, 3}
    with pytest.raises(ValueError, match="3 training patches for 12 anchors; use more images"):
        aplus.spherical_kmeans(axes[:3] + 1, 12, 1, torch.Generator())


def test_aplus_recovers_a_linear_map():
    """With residuals that are linear in the features, every anchor finds that one map."""
    near, true = torch.randn(4000, 28), torch.randn(28, 36)
    anchors = torch.nn.functional.normalize(torch.randn(8, 28))
    chosen = aplus.nearest_samples(anchors, near, 400)
    maps = aplus.ridge(near[chosen], (near @ true)[chosen], 1e-4)
    torch.testing.assert_close(maps, true.expand(8, -1, -1), atol=1e-3, rtol=1e-3)


def test_descend_equals_a_walk_of_each_sample():
    torch.manual_seed(0)
    x, depth = torch.randn(200, 6), 5
    pairs = torch.randint(6, (31, 2), dtype=torch.uint8)
    thresholds = torch.randn(31)
    thresholds[[4, 9, 20]] = NEVER
    for row, bottom in zip(x, descend(x, pairs, thresholds, depth)):
        node = 0
        for _ in range(depth):
            a, b = pairs[node].tolist()
            node = 2 * node + (2 if row[a] - row[b] > thresholds[node] else 1)
        assert node - 31 == bottom


def test_a_node_finds_the_split_that_explains_the_residual():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(40, 200, 2, generator=generator)
    y = (x[..., :1] > x[..., 1:]).float().expand(-1, -1, 3) * 2
    energy = torch.stack([y.square().mean(-1), x.square().mean(-1)], -1)
    inside = torch.ones(40, 200, dtype=torch.bool)
    pairs, bars = rfl.best_splits(x, y, energy, inside, 20, generator)
    usable = pairs[:, 0] != pairs[:, 1]  # the two features may be drawn alike
    assert usable.float().mean() > 0.8 and bars[usable].abs().median() < 0.15
    assert (rfl.best_splits(x, y, energy, inside, 101, generator)[1] == NEVER).all()
    inside[:, 30:] = False  # 30 rows left: no two sides of 20
    assert (rfl.best_splits(x, y, energy, inside, 20, generator)[1] == NEVER).all()


def test_trees_keep_their_bounds_and_leaves_are_ridge_regressions():
    torch.manual_seed(0)
    x, y = torch.randn(3000, 8), torch.randn(3000, 4)
    pairs, thresholds = rfl.grow(x, y, 7, 23, FOREST, torch.Generator().manual_seed(1))
    bottom = descend(x, pairs, thresholds, 7)
    leaf, maps = rfl.fit_leaves(x, y, bottom, 7, 0.01)
    assert len(maps) == 23 == 1 + (thresholds < NEVER).sum()
    rows = leaf[bottom] == 5
    a = torch.cat([x[rows], torch.ones(int(rows.sum()), 1)], 1)
    torch.testing.assert_close(maps[5], aplus.ridge(a[None], y[rows][None], 0.01)[0],
                               atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("network", SMALL)
def test_fit_beats_bicubic_is_repeatable_and_survives_a_file(network, tmp_path):
    model, result = fitted(network, tmp_path / "one")
    assert len(result) == 1 and result[0].conditions == [{"device": "CPU, 1 thread"}]
    hr = shapes(96, 120, seed=9)
    for scale in (2, 3):
        lr = imresize(hr, 1 / scale)
        with torch.inference_mode():
            gain = (build("bicubic", ())(lr, scale) - hr).square().mean() / (
                model(lr, scale) - hr).square().mean()
        assert 10 * gain.log10() > 0.3, (network, scale)
    again, _ = fitted(network, tmp_path / "two")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters()))
    other, _ = fitted(network, tmp_path / "three", seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters()))
    weights.save(tmp_path / "w.safetensors", result[0].weights)
    loaded = weights.load(build(network, (2, 3), **SMALL[network]), tmp_path / "w.safetensors")
    assert torch.equal(loaded(lr, 3), model(lr, 3))


@pytest.mark.parametrize("network", SMALL)
def test_fit_goes_on_after_the_last_finished_scale(network, tmp_path):
    whole, _ = fitted(network, tmp_path / "whole")
    _, part = fitted(network, tmp_path / "parts", limit_s=1e-9)
    assert part == []
    calls = []
    model, rest = fitted(network, tmp_path / "parts", progress=lambda *done: calls.append(done))
    assert len(rest) == 1 and min(calls)[0] > 50 and max(calls) == (100, 100)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), whole.parameters()))
