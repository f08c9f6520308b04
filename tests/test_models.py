"""Networks: shapes, starts, parameters and MACs."""

import threading

import pytest
import torch
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

from pipeline.models import protocol, weights
from pipeline.sr.cost import count, parameters
from pipeline.sr.degrade import upsample
from pipeline.models import build
from pipeline.config.params import networks
from pipeline.sr.prior import MILD, MODERATE, SEVERE
from stages.common.networks import device, placed


@pytest.mark.parametrize("network", networks())
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_network_keeps_the_contract(network, scale):
    torch.manual_seed(0)
    model = build(network, (2, 3, 4)).eval()
    x = torch.rand(2, 1, 11, 14)
    before = x.clone()
    with torch.inference_mode():
        y = model(x, scale)
        assert torch.equal(y, model(x, scale))
    assert y.shape == (2, 1, 11 * scale, 14 * scale) and y.dtype == x.dtype
    assert y.isfinite().all() and torch.equal(x, before)
    with torch.inference_mode():  # the layout in which the stages run it changes no image
        torch.testing.assert_close(placed(model)(x.to(device()), scale).cpu(), y, rtol=1e-4, atol=1e-5)


class OnlyForward(protocol.Network):
    def forward(self, x, scale, route=SEVERE):
        return upsample(x, scale)


class NoForward(protocol.Network):
    version = 1


class WrongSize(OnlyForward):
    version = 1

    def forward(self, x, scale, route=SEVERE):
        return x


@pytest.mark.parametrize("broken, words", [
    (OnlyForward, "mine.py: version: missing, as version = 1 in the class"),
    (NoForward, r"mine.py: forward\(x, scale=2, route=2\) fails on an x of \(2, 1, 12, 14\): NotImplementedError"),
    (WrongSize, r"gives \(2, 1, 12, 14\); expected \(2, 1, 24, 28\)")])
def test_a_network_that_breaks_the_contract_is_named_with_what_it_lacks(broken, words):
    with pytest.raises(ValueError, match=words):
        protocol.check(broken((2,)), "mine", (2,))


def test_a_module_without_a_network_says_what_it_needs():
    with pytest.raises(ValueError, match="patchmatch.py: expected one class that extends"):
        build("patchmatch", (2,))
    assert "patchmatch" not in networks() and {"prn", "bicubic", "aplus"} <= set(networks())


@pytest.mark.parametrize("route", [MILD, MODERATE, SEVERE])
@pytest.mark.parametrize("options", [{}, {"rolling": False}, {"routing": False}, {"early": 3},
                                     {"middle": 1}])
def test_prn_starts_as_bicubic_exactly(route, options):
    """Decision D7, for the default start, on every route."""
    model, x = build("prn", (2, 3, 4), **options), torch.rand(1, 1, 13, 13)
    for scale in (2, 3, 4):
        assert torch.equal(model(x, scale, route), upsample(x, scale))


@pytest.mark.parametrize("network, options", [("prn", {"start": "identity"}), ("fsrcnn", {})])
def test_identity_start_is_bicubic_where_nine_taps_hold_it(network, options):
    """Bicubic at x2 has 8 taps and fits a 9x9 deconvolution; at x3 and x4 it is cut off."""
    model, x = build(network, (2, 3, 4), **options), torch.rand(1, 1, 30, 30)
    errors = [(model(x, s) - upsample(x, s))[..., 9:-9, 9:-9].abs().max().item() for s in (2, 3, 4)]
    assert errors[0] < 1e-6 < errors[1] and errors[2] > 1e-6


def test_srcnn_starts_as_bicubic():
    """Of an image without the overshoot below 0 that its ReLU cuts."""
    model, x = build("srcnn", (2, 3, 4)), torch.rand(1, 1, 13, 13) / 2 + 0.4
    for scale in (2, 3, 4):
        torch.testing.assert_close(model(x, scale), upsample(x, scale))


@pytest.mark.parametrize("start", ["identity", "plain"])
def test_bicubic_deconvolution_keeps_a_constant(start):
    for name, deconv in build("prn", (2, 3, 4), start=start).upsample.items():
        y = deconv(torch.ones(1, 64, 20, 20))[..., 9:-9, 9:-9]
        torch.testing.assert_close(y, torch.ones_like(y), msg=name)


@pytest.mark.parametrize("network, options, expected", [
    # counted by hand: weights and biases
    ("prn", {"rolling": False}, 25 * 64 + 4 * 9 * 64**2 + 64**2 + 6 * 64 + 81 * 64 + 1),
    ("prn", {}, 158721 + 384 + 75520 - 384),
    ("srcnn", {}, 57281),
    ("fsrcnn", {}, 12464 + 173 + 7),  # one PReLU slope a layer
    ("cnn7", {}, 46849),
    ("bicubic", {}, 0),
    ("aplus", {}, 28 * 144 + 1024 * (28 + 28 * 36)),  # components, anchors, maps
])
def test_parameters(network, options, expected):
    assert parameters(build(network, (2,), **options)) == expected


@pytest.mark.parametrize("network, options, route, macs", [
    # per LR pixel, without the skip
    ("prn", {"start": "plain"}, MILD, 10_880), ("prn", {"start": "plain"}, MODERATE, 84_608),
    ("prn", {"start": "plain"}, SEVERE, 158_336), ("fsrcnn", {}, SEVERE, 12_464),
    ("prn", {}, SEVERE, 158_336 + 16 * 4), ("srcnn", {}, SEVERE, 57_184 * 4 + 64),
    ("cnn7", {}, SEVERE, 46_656 * 4 + 64), ("bicubic", {}, SEVERE, 64),
    ("aplus", {}, SEVERE, 64 + 28 * 144 + 1024 * 28 + 28 * 36),
    ("rfl", {}, SEVERE, 64 + 28 * 144 + 10 * 29 * 36),
])
def test_macs_per_lr_pixel_at_x2(network, options, route, macs):
    assert count(build(network, (2,), **options), 20, 30, 2, route).macs == macs * 600


def test_deconvolution_is_counted_at_its_input():
    """The field counts it at its output: 16 times too much at x4."""
    macs = {s: count(build("fsrcnn", (s,)), 20, 30, s).macs for s in (2, 4)}
    assert macs[2] == macs[4] == 12_464 * 600
    model, x = build("fsrcnn", (4,)), torch.zeros(1, 1, 20, 30)
    with FlopCounterMode(display=False) as counter:
        model(x, 4)
    assert counter.get_total_flops() == 2 * macs[4]  # torch's own counter agrees


def test_weights_survive_and_misfits_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    torch.manual_seed(1)
    model = build("prn", (2,), width=8)
    weights.save(path, model.state_dict())
    other = weights.load(build("prn", (2,), width=8), path)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters()))

    with pytest.raises(ValueError, match=r"early.0.bias is .* expected"):
        weights.load(build("prn", (2,), width=4), path)
    with pytest.raises(ValueError, match="has an unknown early_dilated"):
        weights.load(build("prn", (2,), width=8, rolling=False), path)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    state["shrink.0.bias"][0] = float("nan")
    save_file(state, path)
    with pytest.raises(ValueError, match="shrink.0.bias holds NaN"):
        weights.load(build("prn", (2,), width=8), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="no readable weights"):
        weights.load(build("prn", (2,), width=8), path)


def test_counting_leaves_out_what_other_threads_run():
    model = build("fsrcnn", (2,)).eval()
    alone = count(model, 40, 40, 2)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            with torch.inference_mode():
                model(torch.zeros(1, 1, 40, 40), 2)

    other = threading.Thread(target=work)
    other.start()
    try:
        assert {count(model, 40, 40, 2) for _ in range(30)} == {alone}
    finally:
        stop.set()
        other.join()
