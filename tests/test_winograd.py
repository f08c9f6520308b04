"""Winograd's convolution equals the library's: values, gradients, and where it steps aside."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from pipeline import training, winograd
from pipeline.models import build, drcn
from pipeline.winograd import Conv3x3
from tests.test_training import RECIPE, assert_same, make_images

close = torch.testing.assert_close


@pytest.fixture
def narrow(monkeypatch):
    """DRCN with few channels and recursions, for speed."""
    monkeypatch.setattr(drcn, "WIDTH", 16)
    monkeypatch.setattr(drcn, "RECURSIONS", 3)
    return monkeypatch


@pytest.mark.parametrize("outputs", [slice(None), slice(2), slice(3, 9)])
@pytest.mark.parametrize("tiles", [1, 7, winograd.TILES])
@pytest.mark.parametrize("shape", [(1, 8, 4, 4), (2, 8, 13, 9), (3, 8, 1, 2), (1, 9, 30, 50), (2, 12, 8, 16)])
def test_values_and_gradients_are_those_of_the_plain_convolution(shape, tiles, outputs, monkeypatch):
    monkeypatch.setattr(winograd, "WIDE", 8)
    monkeypatch.setattr(winograd, "TILES", tiles)
    torch.manual_seed(sum(shape))
    conv, x = Conv3x3(shape[1], 11), torch.randn(shape, requires_grad=True)
    results = []
    for laid in (None, conv.lay_out()):
        y = conv(x, laid, outputs)
        error = torch.arange(y.numel()).sin().view(y.shape)
        results.append((y, *torch.autograd.grad(y, [x, conv.weight, conv.bias], error)))
    for direct, fast in zip(*results):
        assert fast.shape == direct.shape
        close(fast, direct, rtol=1e-5, atol=2e-5 * direct.detach().abs().max().item())


def test_double_precision_few_channels_and_no_image_take_the_plain_way():
    assert Conv3x3(8, 256).lay_out() is None and Conv3x3(256, 256).double().lay_out() is None
    conv = Conv3x3(128, 128)
    assert conv.lay_out() is not None
    assert conv(torch.rand(0, 128, 5, 7), conv.lay_out()).shape == (0, 128, 5, 7)


def test_an_image_of_drcn_is_the_same_by_both_ways(monkeypatch):
    """All 256 channels and 16 recursions, on weights that are no longer identities."""
    torch.manual_seed(0)
    net, x = drcn.Recursive(), torch.rand(1, 1, 21, 18)
    with torch.no_grad():
        for p in net.parameters():
            p += 0.3 * p.abs().mean() * torch.randn_like(p)
        fast = net(x)
        monkeypatch.setattr(winograd, "WIDE", 257)
        direct = net(x)
    assert not torch.equal(fast, direct)
    close(fast, direct, rtol=1e-4, atol=1e-4)


def test_the_two_halves_of_drcn_are_recursion_and_reconstruction(monkeypatch):
    """Against the network as its paper draws it, layer by layer."""
    monkeypatch.setattr(drcn, "WIDTH", 6)
    torch.manual_seed(0)
    net, x = drcn.Recursive(), torch.rand(2, 1, 9, 7)
    recur, reconstruct = (nn.Conv2d(6, 6, 3, padding=1) for _ in range(2))
    with torch.no_grad():
        net.both.weight += 0.1 * torch.randn_like(net.both.weight)
        net.both.bias.uniform_(-0.1, 0.1)
        for half, conv in enumerate((recur, reconstruct)):
            conv.weight.copy_(net.both.weight[6 * half:6 * half + 6])
            conv.bias.copy_(net.both.bias[6 * half:6 * half + 6])
        hidden, images = net.embed(net.first(x).relu()).relu(), []
        for _ in range(drcn.RECURSIONS):
            hidden = recur(hidden).relu()
            images.append(net.last(reconstruct(hidden).relu()) + net.skip(x))
        close(net.images(x), torch.stack(images))
        close(net(x), sum(w * image for w, image in zip(net.weights, images)))


def test_gradients_of_drcn_are_as_exact_as_those_of_the_library(narrow):
    """Each against float64, on weights that are no longer identities."""
    torch.manual_seed(0)
    model, lr, hr = build("drcn", (2,)), torch.rand(4, 1, 12, 12), torch.rand(4, 1, 24, 24)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.01 * torch.randn_like(p)

    def gradients(wide, dtype=torch.float32):
        narrow.setattr(winograd, "WIDE", wide)
        copy = deepcopy(model).to(dtype)
        copy.loss(lr.to(dtype), hr.to(dtype), 2, torch.tensor(0.2, dtype=dtype)).backward()
        return {name: p.grad for name, p in copy.named_parameters()}

    exact, fast = gradients(17, torch.float64), gradients(16)
    assert any(not torch.equal(g, gradients(17)[name]) for name, g in fast.items())
    for name, g in exact.items():
        assert (fast[name] - g).norm() < 3e-6 * g.norm(), name


def test_training_by_winograd_repeats_to_the_bit(narrow):
    narrow.setattr(winograd, "WIDE", 16)

    def train():
        torch.manual_seed(0)
        run = training.Run(build("drcn", (2,)), RECIPE, (2,), {}, 0, torch.device("cpu"))
        run.enter(training.Phase("p", make_images(), 4, True), 0)
        run.advance(4)
        return run.weights()

    assert_same(train(), train())


@pytest.mark.parametrize("what", ["image", "step"])
@pytest.mark.parametrize("way", ["winograd", "library"])
def test_benchmark_ways(benchmark, way, what):
    """pytest-benchmark's table of DRCN's joint convolution: its output, or all of its gradients."""
    torch.manual_seed(0)
    conv = Conv3x3(256, 512).to(memory_format=torch.channels_last)
    x = torch.rand(4, 256, 36, 36).to(memory_format=torch.channels_last).requires_grad_(what == "step")
    laid = conv.lay_out().detach().requires_grad_() if way == "winograd" else None

    def call(laid):
        with torch.set_grad_enabled(what == "step"):
            y = conv(x, laid)
            filters = conv.weight if laid is None else laid
            return torch.autograd.grad(y.sum(), [x, filters, conv.bias])[0] if what == "step" else y

    close(benchmark.pedantic(call, [laid], rounds=3, warmup_rounds=1), call(None), rtol=1e-4, atol=1e-4)
