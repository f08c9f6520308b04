"""Eq. 1, Eq. 2, the patch grid and adaptive inference."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from pipeline.sr.cost import count
from pipeline.sr.degrade import mirror, upsample
from pipeline.sr.routing import Routing, choose, cost_of, every_route, grouped, patchwise, priors, route_patches, whole
from pipeline.models import build
from pipeline.sr.patches import assemble, cut, grid, patch_size
from pipeline.sr.prior import MILD, MODERATE, SEVERE, classify, gradient_prior

ROUTING = Routing(10, 30)


def trained_like(seed=0, **options):
    """A PRN whose three routes give visibly different images."""
    torch.manual_seed(seed)
    model = build("prn", (2, 3, 4), width=8, **options).eval()
    with torch.no_grad():
        for deconv in model.upsample.values():
            deconv.weight.normal_(std=0.05)
    return model


def picture(h, w, seed=0):
    """Flat on the left, steeper to the right: patches of all three classes."""
    rng = np.random.default_rng(seed)
    noise = torch.from_numpy(rng.uniform(0, 1, (h, w)))
    ramp = torch.linspace(0, 1, w, dtype=torch.float64) ** 2
    return (0.5 + (noise - 0.5) * 0.3 * ramp).float()[None, None]


def test_real_surroundings_reach_the_first_layer_and_bicubic():
    """Inside of an image the first features of a patch are those of the whole; a network starts as bicubic of it."""
    x, size = picture(60, 90), 13
    model = build("prn", (4,), width=8, border="real").eval()
    with torch.inference_mode():
        torch.testing.assert_close(grouped(model, x, 4, Routing(10, 30))[0], upsample(x, 4), atol=1e-6, rtol=0)
        features = model.early(cut(x, size, model.halo))
        torch.testing.assert_close(features, torch.cat([cut(f[None], size) for f in model.early(mirror(x))[0][:, None]], 1),
                                   atol=1e-6, rtol=0)


def test_prior_of_hand_made_patches():
    """Eq. 1 on an HR patch: the L1 norm of the vertical difference, Y in [0, 1]."""
    step = torch.zeros(1, 1, 54, 54)
    step[..., 27:, :] = 0.5  # one edge of height 0.5 across 54 columns
    assert gradient_prior(step, 1, domain="hr").item() == pytest.approx(27.0)
    assert gradient_prior(step.mT, 1, domain="hr").item() == 0.0  # vertical gradient only
    assert gradient_prior(step, 1, norm="l2", domain="hr").item() == pytest.approx((54 * 0.25) ** 0.5)
    assert gradient_prior(torch.full((1, 1, 27, 27), 0.7), 2).item() == pytest.approx(0, abs=1e-3)


def test_prior_means_the_same_at_each_size():
    """Decision D4: a ramp of one slope has one P, whatever the side of the patch."""
    for side in (52, 54):
        ramp = torch.arange(side)[:, None].expand(side, side)[None, None] * 0.01
        expected = 54**2 * 0.01 * (side - 1) / side
        assert gradient_prior(ramp, 1, domain="hr").item() == pytest.approx(expected, rel=1e-5)


def test_bicubic_domain_is_the_prior_of_the_enlarged_patch():
    x = torch.rand(3, 1, 18, 18)
    torch.testing.assert_close(gradient_prior(x, 3), gradient_prior(upsample(x, 3), 3, domain="lr"))


def test_classes_and_ties():
    """Eq. 2 with Table II's names: P <= gamma_low is mild, P >= gamma_upper severe."""
    p = torch.tensor([0.0, 10.0, 10.001, 29.999, 30.0, 99.0])
    assert classify(p, 10, 30).tolist() == [MILD, MILD, MODERATE, MODERATE, SEVERE, SEVERE]


@given(length=st.integers(1, 200), size=st.integers(1, 60))
def test_grid_covers_the_line_and_stays_inside(length, size):
    starts, p = grid(length, size), min(size, length)
    covered = set().union(*(range(s, s + p) for s in starts))
    assert covered == set(range(length)) and starts == sorted(set(starts))


@given(h=st.integers(5, 70), w=st.integers(5, 70), size=st.integers(5, 30), scale=st.integers(1, 4))
@settings(deadline=None, max_examples=50)
def test_assemble_is_the_inverse_of_cut(h, w, size, scale):
    x = torch.rand(1, 1, h * scale, w * scale)
    patches = cut(x, size * scale)
    lr_patches = cut(torch.rand(1, 1, h, w), size)
    assert len(patches) == len(lr_patches)
    assert torch.equal(assemble(patches, h, w, size, scale), x)


def test_patches_at_each_scale():
    """Decision D4."""
    assert [patch_size(s) for s in (2, 3, 4)] == [27, 18, 13]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(60, 150), (20, 90), (11, 9)])
def test_each_patch_takes_the_route_of_eq_2(scale, size):
    model, lr = trained_like(), picture(*size)
    sr, routes = grouped(model, lr, scale, ROUTING)
    patches = cut(lr, patch_size(scale))
    expected = [model(p[None], scale, int(r)) for p, r in zip(patches, routes)]
    alone = assemble(torch.cat(expected), *size, patch_size(scale), scale)
    torch.testing.assert_close(sr, alone, atol=1e-5, rtol=0)
    assert routes.tolist() == classify(priors(lr, scale, ROUTING), 10, 30).tolist()
    if size == (60, 150):
        assert set(routes.tolist()) == {MILD, MODERATE, SEVERE}


@pytest.mark.parametrize("domain", ["bicubic", "lr", "hr"])
def test_patchwise_equals_grouped(domain):
    model, lr, hr = trained_like(), picture(60, 75), picture(120, 150)
    routing = Routing(10, 30, "l1", domain)
    one, routes = patchwise(model, lr, 2, routing, hr)
    many, same = grouped(model, lr, 2, routing, hr)
    torch.testing.assert_close(one, many, atol=1e-5, rtol=0)
    assert routes.tolist() == same.tolist()


def test_oracle_without_the_truth_is_refused():
    with pytest.raises(ValueError, match="oracle"):
        grouped(trained_like(), picture(60, 75), 2, Routing(10, 30, "l1", "hr"))


def test_choosing_from_every_route_equals_grouped():
    model, lr = trained_like(), picture(60, 75)
    outputs = every_route(model, lr, 3)
    for low, upper in ((10, 30), (5, 12), (0.001, 500)):
        routing = Routing(low, upper)
        routes = route_patches(model, lr, 3, routing)
        torch.testing.assert_close(choose(outputs, routes, lr, 3),
                                   grouped(model, lr, 3, routing)[0], atol=1e-5, rtol=0)


def test_without_routing_every_patch_is_severe():
    model, lr = trained_like(routing=False), picture(60, 75)
    sr, routes = grouped(model, lr, 2, ROUTING)
    assert (routes == SEVERE).all()
    one = cut(lr, 27)[:1]
    torch.testing.assert_close(cut(sr, 54)[:1], model(one, 2, SEVERE), atol=1e-5, rtol=0)
    assert whole(model, lr, 2).shape == sr.shape


def test_cost_of_an_image_is_the_sum_over_its_patches():
    model, lr = build("prn", (2,)).eval(), picture(54, 81)
    routes = torch.tensor([MILD, MODERATE, SEVERE, SEVERE, MILD, MILD])
    macs = [count(model, 27, 27, 2, r).macs for r in routes.tolist()]
    assert cost_of(model, 54, 81, 2, routes).macs == sum(macs)
    assert cost_of(model, 54, 81, 2).macs == count(model, 54, 81, 2).macs
    assert grouped(model, lr, 2, ROUTING)[1].shape == routes.shape
