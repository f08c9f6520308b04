"""The engine equals the plain network: patch by patch, or the whole image, by its borders."""

import os
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from torch import nn

from pipeline.engine import adaptive
from pipeline.models import weights
from pipeline.evaluation.protocol import degrade
from pipeline.engine.fused import Fused, passes, subpixel
from pipeline.data.images import read
from pipeline.sr.routing import Routing, patchwise, route_patches, whole
from pipeline.models import build
from pipeline.sr.patches import assemble, cut, patch_size
from pipeline.data.sources import registry
from tests.test_routing import picture, trained_like

ROUTING = Routing(10, 30)


def map_of(routes, lr, scale, patch=54):
    """Route of each HR pixel, (H, W)."""
    size = patch_size(scale, patch)
    shape = cut(lr, size).shape[-2:]
    tiles = routes[:, None, None, None].expand(-1, 1, *(scale * n for n in shape))
    return assemble(tiles, *lr.shape[-2:], size, scale)[0, 0]


@torch.inference_mode()
def seams(model, images, scale, routing=ROUTING, **more):
    """Largest distance of context borders from the whole-image pass of each pixel's route."""
    found, routes = adaptive.super_resolve(Fused(model, scale), images, routing, "context", **more)
    return max(((model(x, scale, k) - y)[0, 0].abs() * (map_of(r, x, scale, routing.patch) == k)).max().item()
               for x, y, r in zip(images, found, routes) for k in model.routes)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_paper_borders_equal_patch_by_patch(scale):
    """A batch of sizes, the smallest below a patch."""
    model = trained_like()
    images = [picture(60, 150), picture(40, 41, seed=1), picture(11, 90, seed=2), picture(9, 7, seed=3)]
    with torch.inference_mode():
        found, routes = adaptive.super_resolve(Fused(model, scale), images, ROUTING)
        for x, y, r in zip(images, found, routes):
            expected, plain_routes = patchwise(model, x, scale, ROUTING)
            torch.testing.assert_close(y, expected, atol=1e-5, rtol=0)
            assert r.tolist() == plain_routes.tolist()
    assert set(torch.cat(routes).tolist()) == {0, 1, 2}


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_context_borders_equal_the_whole_image(scale):
    assert seams(trained_like(), [picture(60, 150), picture(30, 41, seed=1), picture(9, 7)], scale) < 1e-5


@pytest.mark.parametrize("patch", [72, 108, 216])
def test_patches_of_any_side(patch):
    model, routing = trained_like(), Routing(10, 30, patch=patch)
    images = [picture(60, 150), picture(20, 130, seed=1)]
    with torch.inference_mode():
        found, routes = adaptive.super_resolve(Fused(model, 4), images, routing)
        for x, y, r in zip(images, found, routes):
            expected, plain_routes = patchwise(model, x, 4, routing)
            torch.testing.assert_close(y, expected, atol=1e-5, rtol=0)
            assert r.tolist() == plain_routes.tolist() and len(r) == len(cut(x, patch // 4))
    assert seams(model, images, 4, routing) < 1e-5


@given(h=st.integers(1, 45), w=st.integers(1, 45), scale=st.sampled_from([2, 3, 4]), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_both_borders_on_any_shape_and_any_routes(h, w, scale, seed):
    model, x = trained_like(seed=1), picture(h, w, seed)
    torch.manual_seed(seed)
    patches = cut(x, patch_size(scale))
    routes = torch.randint(3, (len(patches),))
    with torch.inference_mode():
        (found,), _ = adaptive.super_resolve(Fused(model, scale), [x], ROUTING, routes=[routes])
        alone = torch.cat([model(p[None], scale, int(r)) for p, r in zip(patches, routes)])
    torch.testing.assert_close(found, assemble(alone, h, w, patch_size(scale), scale), atol=1e-5, rtol=0)
    assert seams(model, [x], scale, routes=[routes]) < 1e-5


@pytest.mark.parametrize("options", [{"rolling": False}, {"early": 2, "middle": 1}, {"start": "plain"},
                                     {"routing": False}, {"dilation": 2}, {"dilation": 8}, {"border": "real"},
                                     {"border": "real", "dilation": 2}, {"border": "replicate"}], ids=str)
def test_variants(options):
    model, x = trained_like(**options), picture(50, 70)
    with torch.inference_mode():
        (found,), (routes,) = adaptive.super_resolve(Fused(model, 3), [x], ROUTING)
        expected, _ = patchwise(model, x, 3, ROUTING)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    if options == {"border": "replicate"}:
        with pytest.raises(ValueError, match="this one repeats the border, use paper"):
            seams(model, [x], 3)
    else:
        assert seams(model, [x], 3) < 1e-5
    if options == {"routing": False}:
        assert set(routes.tolist()) == {2}


@pytest.mark.parametrize("network, options", [
    ("prn", {}), ("prn", {"border": "real"}), ("prn", {"border": "replicate"}), ("fsrcnn", {}), ("fsrcnn", {"release": True})])
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("library", [True, False])
def test_fused_equals_plain_on_the_whole_image(network, options, scale, library, monkeypatch):
    """With oneDNN's fused convolutions and without; one image, and a batch smaller than a kernel."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: library)
    model = build(network, (scale,), **options).eval()
    with torch.no_grad():
        for deconv in (m for m in model.modules() if isinstance(m, nn.ConvTranspose2d)):
            deconv.weight.normal_(std=0.05)
            deconv.bias.fill_(0.1)
        for x in (picture(37, 52), torch.rand(3, 1, 4, 1)):
            torch.testing.assert_close(adaptive.whole(Fused(model, scale), x), whole(model, x, scale),
                                       atol=1e-5, rtol=0)


@given(scale=st.integers(1, 5), taps=st.integers(1, 11), data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_deconvolution_is_a_convolution_of_its_phases(scale, taps, data):
    least = max(0, -(-(taps - scale) // 2))
    padding = data.draw(st.integers(least, least + scale - 1).filter(
        lambda p: 0 <= scale + 2 * p - taps < scale))
    deconv = nn.ConvTranspose2d(3, 1, taps, stride=scale, padding=padding,
                                output_padding=scale + 2 * padding - taps)
    x = torch.rand(2, 3, 7, 8)
    weight, bias = subpixel(deconv)
    phases = F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
    torch.testing.assert_close(F.pixel_shuffle(phases, scale), deconv(x), atol=1e-5, rtol=0)


def test_bfloat16_loses_little():
    model, x = trained_like(), picture(60, 150)
    with torch.inference_mode():
        (exact,), _ = adaptive.super_resolve(Fused(model, 2), [x], ROUTING)
        (rough,), _ = adaptive.super_resolve(Fused(model, 2, torch.bfloat16), [x], ROUTING)
    assert rough.dtype == torch.float32
    assert 0 < (exact - rough).square().mean().sqrt() < 0.01


@pytest.mark.parametrize("borders", ["paper", "context"])
def test_bands_of_an_image_equal_the_image(borders):
    """Rows above and below that are context only, as `pipeline.upscale.bands` gives them."""
    model, x = trained_like(), picture(70, 60)
    net, size = Fused(model, 3), patch_size(3)
    margin = 10
    with torch.inference_mode():
        (complete,), _ = adaptive.super_resolve(net, [x], ROUTING, borders)
        (band,), _ = adaptive.super_resolve(net, [x[..., size - margin:3 * size + margin, :]], ROUTING,
                                          borders, margins=[(margin, margin)])
    owned = 70 - size - size  # from there the last row of patches, which is not in the band, owns
    torch.testing.assert_close(band[..., :3 * owned, :], complete[..., 3 * size:3 * (size + owned), :],
                               atol=1e-5, rtol=0)


def test_prior_domains_and_norms_agree_with_eq_1():
    model, x = trained_like(), picture(60, 75)
    for norm, thresholds in (("l1", (2, 6)), ("l2", (2, 6)), ("squared_both", (60, 150))):
        for domain in ("bicubic", "lr"):
            routing = Routing(*thresholds, norm, domain)
            with torch.inference_mode():
                _, (routes,) = adaptive.super_resolve(Fused(model, 2), [x], routing)
            assert routes.tolist() == route_patches(model, x, 2, routing).tolist()


def test_what_the_engine_refuses():
    net = Fused(trained_like(), 2)
    with pytest.raises(ValueError, match="oracle"):
        adaptive.super_resolve(net, [picture(60, 75)], Routing(10, 30, "l1", "hr"))
    with pytest.raises(ValueError, match="paper and context"):
        adaptive.super_resolve(net, [picture(60, 75)], ROUTING, "mirror")
    with pytest.raises(ValueError, match="repeats the border, use paper, or whole"):
        repeats = Fused(build("fsrcnn", (2,), release=True), 2)
        adaptive.super_resolve(repeats, [picture(60, 75)], ROUTING, "context")
    mixed = build("fsrcnn", (2,))
    mixed.nets["x2"][4].padding_mode = "replicate"
    with pytest.raises(ValueError, match="a fused network pads with zeros everywhere, or repeats"):
        Fused(mixed, 2)
    with pytest.raises(ValueError, match="fused network"):
        subpixel(nn.ConvTranspose2d(3, 2, 9, stride=2, padding=4, output_padding=1))


def test_passes_have_few_shapes_and_all_indices():
    for n in (0, 1, 7, 32, 33):
        parts = list(passes(torch.arange(n), 16, 4))
        assert all(len(part) % 4 == 0 and len(part) <= 16 for part in parts)
        assert set(torch.cat([torch.empty(0), *parts]).tolist()) == set(range(n))


@pytest.mark.gpu
@pytest.mark.parametrize("borders", ["paper", "context"])
def test_cuda_equals_the_cpu(borders):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    model, images = trained_like(), [picture(60, 150), picture(40, 41)]
    with torch.inference_mode():
        cpu, _ = adaptive.super_resolve(Fused(model, 3), images, ROUTING, borders)
        gpu, _ = adaptive.super_resolve(Fused(model.cuda(), 3), [x.cuda() for x in images], ROUTING, borders)
    for a, b in zip(cpu, gpu):
        torch.testing.assert_close(a, b.cpu(), atol=1e-3, rtol=0)


@pytest.mark.mirror
@torch.inference_mode()
def test_every_image_of_set14_with_the_published_weights(scale=4):
    """Both borders to 1e-4, on trained weights and photographs."""
    if "PRN_MIRROR" not in os.environ:
        pytest.skip("PRN_MIRROR is not set: the paper's images are not here")
    model = weights.load(build("prn", (2, 3, 4)), Path(__file__).parents[1] / "weights" / "prn.safetensors")
    net = Fused(model, scale)
    for source in registry()["set14"]:
        x = degrade(read(Path(os.environ["PRN_MIRROR"]) / source.host_path), scale).lr_y
        (found,), _ = adaptive.super_resolve(net, [x], ROUTING)
        torch.testing.assert_close(found, patchwise(model, x, scale, ROUTING)[0], atol=1e-4, rtol=0)
        assert seams(model, [x], scale) < 1e-4
