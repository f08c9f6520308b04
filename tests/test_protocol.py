"""The protocol of section 4: imresize, luma, PSNR, SSIM, and the Bicubic row of Table I."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio

from pipeline.evaluation import metrics
from pipeline.sr.degrade import imresize, resize_matrix, upsample
from pipeline.evaluation.protocol import compose, degrade, evaluate
from pipeline.sr.colour import luma, modcrop, rgb_to_ycbcr, shave, ycbcr_to_rgb
from pipeline.models import build
from pipeline.data.sources import registry
from pipeline.analysis.tables import paper_table1

MIRROR = os.environ.get("PRN_MIRROR")


def test_halving_is_the_antialiased_cubic():
    """Keys' cubic, a = -0.5, at distances 0.25, 0.75, 1.25, 1.75, widened twice: by hand."""
    near = [1.5 * x**3 - 2.5 * x**2 + 1 for x in (0.25, 0.75)]
    far = [-0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 for x in (1.25, 1.75)]
    half = np.array([*far[::-1], *near[::-1]]) / (2 * sum(near + far))
    row = resize_matrix(32, 16, 0.5)[8].numpy()
    np.testing.assert_allclose(row[13:21], [*half, *half[::-1]], atol=1e-12)
    assert np.count_nonzero(np.abs(row) > 1e-12) == 8


@given(n=st.integers(4, 40), scale=st.sampled_from([1 / 4, 1 / 3, 1 / 2, 0.7, 2.0, 3.0, 4.0]))
@settings(max_examples=40, deadline=None)
def test_resize_keeps_constants_and_mirrors(n, scale):
    x = torch.rand(n, n + 3, dtype=torch.float64)
    y = imresize(x, scale)
    torch.testing.assert_close(imresize(torch.full_like(x, 0.3), scale), torch.full_like(y, 0.3))
    if abs(n * scale - round(n * scale)) < 1e-9:  # else the grid is not symmetric
        torch.testing.assert_close(imresize(x.flip(0), scale), y.flip(0))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_interior_equals_torch_antialiased_bicubic(scale):
    """An outside oracle: torch's bicubic with antialiasing differs from MATLAB's at borders only."""
    x = torch.rand(1, 1, 60, 72, dtype=torch.float64)
    down = torch.nn.functional.interpolate(x, scale_factor=1 / scale, mode="bicubic", antialias=True)
    torch.testing.assert_close(imresize(x, 1 / scale)[..., 5:-5, 5:-5], down[..., 5:-5, 5:-5])


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_upsample_equals_imresize(scale):
    x = torch.rand(2, 1, 9, 7, dtype=torch.float64)
    torch.testing.assert_close(upsample(x, scale), imresize(x, scale))


def test_colour_is_matlab_ycbcr_and_back():
    rgb = np.random.default_rng(0).integers(0, 256, (5, 6, 3))
    np.testing.assert_allclose(rgb_to_ycbcr(rgb), rgb2ycbcr(rgb.astype(np.uint8)), atol=1e-9)
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb, atol=1e-9)
    np.testing.assert_allclose(luma(rgb), rgb_to_ycbcr(rgb)[..., 0])
    np.testing.assert_allclose(luma(np.array([[[255] * 3, [0] * 3]])), [[235.0, 16.0]])


def test_psnr_by_hand_and_by_scikit_image():
    a, b = np.zeros((4, 4)), np.full((4, 4), 5.0)
    assert metrics.psnr(a, b) == pytest.approx(20 * np.log10(255 / 5))
    assert metrics.psnr(a, a) == np.inf
    x, y = np.random.default_rng(0).integers(0, 256, (2, 30, 30))
    assert metrics.psnr(x, y) == pytest.approx(peak_signal_noise_ratio(x, y, data_range=255))


def test_ssim_is_the_full_map_with_replicated_borders():
    """The same with scipy's filters, which can replicate borders themselves."""
    from scipy.ndimage import correlate1d
    g = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5**2))
    g /= g.sum()

    def blur(x):
        return correlate1d(correlate1d(x, g, 0, mode="nearest"), g, 1, mode="nearest")

    x, y = np.random.default_rng(0).integers(0, 256, (2, 40, 30)).astype(float)
    mx, my = blur(x), blur(y)
    vx, vy, cxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = ((2 * mx * my + c1) * (2 * cxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean()
    assert metrics.ssim(x, y) == pytest.approx(expected, abs=1e-9)


def test_modcrop_and_shave():
    image = np.zeros((11, 13, 3))
    assert modcrop(image, 4).shape == (8, 12, 3)
    assert shave(image, 2).shape == (7, 9, 3)


def test_perfect_luma_gives_back_the_image_up_to_chroma():
    grey = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    pair = degrade(grey, 3)
    np.testing.assert_array_equal(compose(pair.hr_y, pair), grey)
    assert pair.lr_y.shape == (1, 1, 16, 16)
    # the LR image is not rounded to 8 bits
    assert not np.allclose(pair.lr, np.rint(pair.lr))


@pytest.mark.mirror
@pytest.mark.parametrize("dataset", ["set5", "set14", "bsds100", "urban100"])
def test_bicubic_row_equals_the_paper(dataset):
    """All PSNR cells within 0.01 dB and all SSIM cells within 0.001 of Table I."""
    if not MIRROR:
        pytest.skip("PRN_MIRROR is not set: the paper's images are not here")
    paths = [Path(MIRROR) / s.host_path for s in registry()[dataset]]
    rows = pd.DataFrame(evaluate("bicubic", build("bicubic", (2, 3, 4)), {dataset: paths}, (2, 3, 4)))
    ours = rows.groupby("scale")[["psnr_db", "ssim"]].mean()
    paper = paper_table1().query("method == 'bicubic' and dataset == @dataset").set_index("scale")
    # the paper prints two and three digits: half a digit is rounding
    assert (ours.psnr_db - paper.paper_psnr_db).abs().max() <= 0.01, ours
    assert (ours.ssim - paper.paper_ssim).abs().max() <= 0.001, ours
