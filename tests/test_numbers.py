"""The numbers against independent references: loops, closed forms, scikit-image, torch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from skimage.metrics import peak_signal_noise_ratio
from torch.utils.flop_counter import FlopCounterMode

from pipeline.evaluation import metrics
from pipeline.sr.cost import count, parameters
from pipeline.sr.degrade import imresize, upsample
from pipeline.evaluation.protocol import degrade
from pipeline.sr.colour import luma
from pipeline.models import build
from pipeline.sr.patches import assemble, cut
from pipeline.sr.prior import ROUTES, classify, gradient_prior

SIZES = st.integers(1, 40)


def noise(seed, *shape):
    return np.random.default_rng(seed).uniform(0, 255, shape)


@given(seed=st.integers(0, 2**32 - 1), h=SIZES, w=SIZES, error=st.floats(0.01, 100))
@settings(max_examples=60, deadline=None)
def test_psnr_is_scikit_images_and_the_closed_form_of_a_shift(seed, h, w, error):
    a, b = noise(seed, h, w), noise(seed + 1, h, w)
    assert metrics.psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255))
    assert metrics.psnr(a, a + error) == pytest.approx(20 * math.log10(255 / error), abs=1e-6)
    assert metrics.psnr(a, b) == metrics.psnr(b, a) and metrics.psnr(a, a) == math.inf


def ssim_by_torch(a, b):
    """Wang et al. (2004), eq. (13), on the full map: convolutions in torch over replicated borders."""
    g = torch.exp(-torch.arange(-5.0, 6.0, dtype=torch.float64) ** 2 / (2 * 1.5**2))
    window = torch.outer(g, g) / g.sum() ** 2

    def blur(x):
        x = torch.as_tensor(x)[None, None]
        return F.conv2d(F.pad(x, (5, 5, 5, 5), "replicate"), window[None, None])[0, 0].numpy()

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = blur(a), blur(b)
    va, vb, cov = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
    return ((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean()


@given(seed=st.integers(0, 2**32 - 1), h=SIZES, w=SIZES, mix=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_ssim_is_the_papers_formula_at_any_size(seed, h, w, mix):
    a = noise(seed, h, w)
    b = (1 - mix) * a + mix * noise(seed + 1, h, w)
    assert metrics.ssim(a, b) == pytest.approx(ssim_by_torch(a, b), abs=1e-9)
    assert metrics.ssim(a, a) == pytest.approx(1)


@given(x=st.floats(0, 255), y=st.floats(0, 255), h=SIZES)
@settings(max_examples=30, deadline=None)
def test_ssim_of_two_flat_images_is_the_term_of_luminance(x, y, h):
    c1 = (0.01 * 255) ** 2
    found = metrics.ssim(np.full((h, 13), x), np.full((h, 13), y))
    assert found == pytest.approx((2 * x * y + c1) / (x * x + y * y + c1), abs=1e-6)


def keys(x):
    """Keys' cubic with a = -1/2."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def resize_line(line, scale):
    """MATLAB's imresize of a line, sample by sample: widened kernel, mirrored borders."""
    n, narrow, result = len(line), min(scale, 1.0), []
    mirrored = [*range(n), *range(n - 1, -1, -1)]
    for i in range(math.ceil(round(n * scale, 9))):
        centre = (i + 0.5) / scale - 0.5
        taps = range(math.floor(centre - 2 / narrow) - 1, math.ceil(centre + 2 / narrow) + 2)
        weights = [keys((centre - t) * narrow) for t in taps]
        total = sum(wt * line[mirrored[t % (2 * n)]] for wt, t in zip(weights, taps))
        result.append(total / sum(weights))
    return result


@given(seed=st.integers(0, 2**32 - 1), h=st.integers(1, 14), w=st.integers(1, 14),
       scale=st.sampled_from([1 / 2, 1 / 3, 1 / 4, 2.0, 3.0, 4.0, 0.9, 0.8, 0.7, 0.6]))
@settings(max_examples=40, deadline=None)
def test_imresize_is_the_sum_of_its_definition_down_to_one_pixel(seed, h, w, scale):
    image = noise(seed, h, w)
    rows = np.array([resize_line(row, scale) for row in image])
    expected = np.array([resize_line(column, scale) for column in rows.T]).T
    found = imresize(torch.from_numpy(image), scale).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)
    if scale >= 2:
        enlarged = upsample(torch.from_numpy(image)[None, None], int(scale))[0, 0]
        np.testing.assert_allclose(enlarged.numpy(), expected, atol=1e-9)


@given(seed=st.integers(0, 2**32 - 1), h=st.integers(8, 40), w=st.integers(8, 40),
       scale=st.sampled_from([2, 3, 4]))
@settings(max_examples=25, deadline=None)
def test_lr_is_luma_of_the_resized_colours(seed, h, w, scale):
    """Luma is linear, so that both orders agree up to the constant of BT.601."""
    rgb = noise(seed, h, w, 3).astype(np.uint8)
    pair = degrade(rgb, scale)
    assert pair.hr.shape == (h - h % scale, w - w % scale, 3)
    expected = imresize(torch.from_numpy(luma(pair.hr)), 1 / scale).numpy()
    np.testing.assert_allclose(pair.lr[..., 0], expected, atol=1e-9)


# the others state their own costs, or add up predictions outside of layers
LAYERED = ("bicubic", "cnn7", "fsrcnn", "prn", "srcnn", "vdsr")


@given(network=st.sampled_from(LAYERED), route=st.sampled_from(range(len(ROUTES))),
       h=st.integers(4, 24), w=st.integers(4, 24), scale=st.sampled_from([2, 3, 4]),
       early=st.integers(1, 3), middle=st.integers(1, 3), rolling=st.booleans())
@settings(max_examples=25, deadline=None)
def test_macs_are_half_of_torchs_flops(network, route, h, w, scale, early, middle, rolling):
    """But bicubic's: counted once with its 16 products a pixel, computed with 25 of which 9 are 0
    (and twice by cnn7)."""
    options = {"early": early, "middle": middle, "rolling": rolling} if network == "prn" else {}
    model = build(network, (2, 3, 4), **options).eval()
    route = route if network == "prn" else ROUTES.index("severe")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, h, w), scale, route)
    pixels = h * w * scale**2 if model.uses_bicubic else 0
    computed = 25 * (2 if network == "cnn7" else 1)
    assert count(model, h, w, scale, route).macs == (
        counter.get_total_flops() // 2 - (computed - 16) * pixels)


@given(width=st.integers(1, 12), early=st.integers(1, 4), middle=st.integers(1, 4),
       late=st.integers(1, 4), rolling=st.booleans(), scales=st.sampled_from([(2,), (2, 3), (2, 3, 4)]))
@settings(max_examples=30, deadline=None)
def test_parameters_of_prn_in_closed_form(width, early, middle, late, rolling, scales):
    c = width
    first, deep = 25 * c + c, 9 * c * c + c  # weights and biases of a 5x5 and of a 3x3 convolution
    copies = 2 if rolling else 1
    expected = (copies * (first + (early - 1 + middle) * deep) + late * deep + c * c + c
                + len(scales) * (81 * c + 1))
    model = build("prn", scales, width=width, early=early, middle=middle, late=late, rolling=rolling)
    assert parameters(model) == expected


def prior_by_loops(patch, norm, reference=54 * 54):
    """Eq. (1), difference by difference."""
    h, w = patch.shape
    steps = [patch[y + 1, x] - patch[y, x] for y in range(h - 1) for x in range(w)]
    if norm == "squared_both":
        steps += [patch[y, x + 1] - patch[y, x] for y in range(h) for x in range(w - 1)]
        return reference * math.sqrt(sum(d * d for d in steps) / (2 * h * w))
    if norm == "l1":
        return sum(map(abs, steps)) * reference / (h * w)
    return math.sqrt(sum(d * d for d in steps) * reference / (h * w))


@given(seed=st.integers(0, 2**32 - 1), p=st.integers(2, 14), q=st.integers(2, 14),
       norm=st.sampled_from(["l1", "l2", "squared_both"]), scale=st.sampled_from([2, 3, 4]),
       shift=st.floats(-1, 1), gain=st.floats(0.1, 10))
@settings(max_examples=40, deadline=None)
def test_prior_is_the_sum_of_its_definition(seed, p, q, norm, scale, shift, gain):
    x = torch.from_numpy(noise(seed, 2, 1, p, q) / 255)
    for domain, seen in (("lr", x), ("hr", x), ("bicubic", imresize(x, scale))):
        found = gradient_prior(x, scale, norm=norm, domain=domain)
        expected = [prior_by_loops(patch[0].numpy(), norm) for patch in seen]
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)
        # blind to light, to mirrors and to other patches; in proportion to contrast
        torch.testing.assert_close(
            gradient_prior(x * gain + shift, scale, norm=norm, domain=domain), found * gain)
        for axis in (-1, -2):
            torch.testing.assert_close(
                gradient_prior(x.flip(axis), scale, norm=norm, domain=domain), found)
        torch.testing.assert_close(gradient_prior(x[:1], scale, norm=norm, domain=domain), found[:1])


@given(values=st.lists(st.floats(0, 200, width=32), min_size=1, max_size=20),
       low=st.floats(0, 99, width=32), step=st.floats(0.125, 100, width=32))
@settings(max_examples=60, deadline=None)
def test_classes_are_those_of_eq_2(values, low, step):
    upper = low + step
    expected = [0 if v <= low else 2 if v >= upper else 1 for v in values]
    assert classify(torch.tensor(values, dtype=torch.float64), low, upper).tolist() == expected


@given(h=st.integers(1, 70), w=st.integers(1, 70), size=st.integers(1, 30), scale=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_patches_are_slices_and_the_later_one_owns_the_overlap(h, w, size, scale):
    image = torch.arange(h * w, dtype=torch.float64).reshape(1, 1, h, w)
    p, q = min(size, h), min(size, w)
    tops = [min(i * p, h - p) for i in range(-(-h // p))]
    lefts = [min(j * q, w - q) for j in range(-(-w // q))]
    patches = cut(image, size)
    places = [(y, x) for y in tops for x in lefts]
    assert len(patches) == len(places)
    canvas = torch.full((scale * h, scale * w), -1.0, dtype=torch.float64)
    marked = torch.empty(len(places), 1, scale * p, scale * q, dtype=torch.float64)
    for k, (y, x) in enumerate(places):
        assert torch.equal(patches[k, 0], image[0, 0, y:y + p, x:x + q])
        marked[k] = k
        canvas[scale * y:scale * (y + p), scale * x:scale * (x + q)] = k
    assert torch.equal(assemble(marked, h, w, size, scale)[0, 0], canvas)
