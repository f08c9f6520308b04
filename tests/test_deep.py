"""VDSR, DRCN, LapSRN, SCN: published sizes, their losses, training to the bit, strips."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.config.params import networks
from pipeline.training import algorithm1
from pipeline.sr import strips
from pipeline.sr.cost import count, parameters
from pipeline.sr.degrade import imresize, upsample
from pipeline.models import build, drcn, lapsrn, scn, vdsr
from tests.test_training import assert_same, make_images, make_run, run as train

CPU = torch.device("cpu")
DEEP = ["vdsr", "drcn", "lapsrn", "scn"]
RECIPE = algorithm1.Recipe(learning_rate=1e-3, decay="linear", warmup=2, batch=4, crop=24, clip=0.4, ema=0.9)


@pytest.fixture
def narrow(monkeypatch):
    """The same networks with few channels and recursions, for speed."""
    for module in (vdsr, drcn, lapsrn):
        monkeypatch.setattr(module, "WIDTH", 8)
    monkeypatch.setattr(drcn, "RECURSIONS", 3)
    monkeypatch.setattr(scn, "FEATURES", 25)
    monkeypatch.setattr(scn, "ATOMS", 25)


@pytest.mark.parametrize("network, scales, expected", [
    # published
    ("vdsr", (2, 3, 4), 665_921), ("drcn", (4,), 1_775_130), ("drcn", (2, 3), 2 * 1_775_130),
    ("lapsrn", (2,), 407_441), ("lapsrn", (4,), 814_242), ("lapsrn", (3,), 814_242),
    ("lapsrn", (2, 3, 4), 407_441 + 814_242), ("scn", (2,), 42_703), ("scn", (4,), 2 * 42_703),
])
def test_parameters_are_the_published_ones(network, scales, expected):
    assert parameters(build(network, scales)) == expected


@pytest.mark.parametrize("network, scale, macs", [
    # per LR pixel, biases left out; 16 products an HR pixel for bicubic
    *(("vdsr", s, (664_704 + 16) * s * s) for s in (2, 3, 4)),
    *(("drcn", s, (19_503_504 + 16) * s * s) for s in (2, 3, 4)),
    ("lapsrn", 2, 408_400), ("lapsrn", 3, 2_039_696), ("lapsrn", 4, 2_039_696),
])
def test_macs_per_lr_pixel_are_the_published_ones(network, scale, macs):
    assert count(build(network, (2, 3, 4)), 20, 30, scale).macs == macs * 600


def test_macs_of_scn_are_the_published_ones_but_for_its_border():
    """Four more windows than pixels on each axis: published are 170.8k at x2 and 854k at x4."""
    model = build("scn", (2, 3, 4))

    def one(h, w):  # a pass that makes h x w pixels
        return (42_703 - 169) * (h + 4) * (w + 4) + 169 * h * w

    assert count(model, 20, 30, 2).macs == one(40, 60) + 16 * 40 * 60
    assert count(model, 20, 30, 4).macs == one(40, 60) + one(80, 120) + 16 * 80 * 120
    assert count(model, 150, 150, 4).macs / 150**2 == pytest.approx(854e3, rel=0.02)


@pytest.mark.parametrize("network", ["vdsr", "drcn", "scn"])
def test_strips_equal_the_whole(network, narrow, monkeypatch):
    torch.manual_seed(0)
    model, x = build(network, (2,)), torch.rand(2, 1, 60, 9)
    with torch.inference_mode():
        for p in model.parameters():  # DRCN's start sees no neighbour
            p += 0.02 * torch.randn_like(p)
        whole, cost = model(x, 2), count(model, 60, 9, 2)
        for rows in (40, 7):
            width = 25 if network == "scn" else 8
            monkeypatch.setattr(strips, "MAP_BYTES", rows * 4 * 2 * width * 18)
            torch.testing.assert_close(model(x, 2), whole, rtol=1e-5, atol=1e-5)
    assert count(model, 60, 9, 2).macs > cost.macs  # the context is paid for


def test_strips_spoil_the_image_without_enough_context():
    blur, x = torch.ones(1, 1, 5, 5) / 25, torch.rand(1, 1, 40, 10)

    def network(part):
        return F.conv2d(part, blur, padding=2)

    kwargs = {"width": strips.MAP_BYTES // (4 * 10 * 8)}  # eight rows
    torch.testing.assert_close(strips.strips(network, x, reach=2, **kwargs), network(x))
    assert not torch.allclose(strips.strips(network, x, reach=1, **kwargs), network(x))


@pytest.mark.parametrize("network", ["lapsrn", "scn"])
def test_x3_is_x4_shrunk_and_is_not_trained(network):
    model, x = build(network, (2, 3, 4)), torch.rand(1, 1, 12, 15)
    assert torch.equal(model(x, 3), imresize(model(x, 4), 3 / 4)) and model.learns == (2, 4)


def test_vdsr_and_drcn_start_next_to_bicubic():
    torch.manual_seed(0)
    x = torch.rand(1, 1, 12, 15)
    for network in ("vdsr", "drcn"):
        assert (build(network, (3,))(x, 3) - upsample(x, 3)).abs().max() < 0.1


def test_drcn_supervises_every_recursion_then_their_sum_alone(narrow):
    model, lr, hr = build("drcn", (2,)), torch.rand(3, 1, 10, 10), torch.rand(3, 1, 20, 20)
    net = model.nets["x2"]
    images = net.images(upsample(lr, 2))
    each = torch.stack([F.mse_loss(image, hr) for image in images]).mean()
    last = F.mse_loss(model(lr, 2), hr)
    for done, expected in ((0, each), (0.25, (each + last) / 2), (0.5, last), (1, last)):
        torch.testing.assert_close(model.loss(lr, hr, 2, torch.tensor(float(done))), expected)


def test_a_scale_of_drcn_trains_the_same_alone_and_beside_others(narrow):
    """One model a scale, in the paper; and a new scale needs no training of the old ones."""
    recipe = replace(RECIPE, clip=0.01, warmup=0, ema=0.0)  # a clip below the norm of every step

    def trained(*scales):
        torch.manual_seed(0)
        run = make_run(build("drcn", scales), recipe, scales)
        run.steps = 10**9  # the share of the training that is done stays zero
        run.advance(3 * len(scales))
        return run.finished()["model"]

    both, one = trained(2, 3), trained(3)
    assert set(one) == {name for name in both if name.startswith("nets.x3.")}
    assert all(torch.equal(both[name], value) for name, value in one.items())


def test_lapsrn_holds_every_level_to_the_truth():
    model, lr, hr = build("lapsrn", (4,)), torch.rand(2, 1, 8, 8), torch.rand(2, 1, 32, 32)
    two, four = model.nets["x4"](lr)
    half = imresize(hr, 0.5)
    expected = (((two - half) ** 2 + 1e-6).sqrt().sum() + ((four - hr) ** 2 + 1e-6).sqrt().sum())
    torch.testing.assert_close(model.loss(lr, hr, 4, None), expected / hr.numel())
    model.loss(lr, hr, 4, None).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_scn_trains_one_pass_a_scale():
    model = build("scn", (2, 4))
    for scale, trained in ((2, 0), (4, 1)):
        model.zero_grad(set_to_none=True)
        model.loss(torch.rand(2, 1, 12, 12), torch.rand(2, 1, 12 * scale, 12 * scale), scale,
                   None).backward()
        found = {name.split(".")[1] for name, p in model.named_parameters() if p.grad is not None}
        assert found == {str(trained)}


def test_scn_keeps_a_flat_image_and_knows_no_nan():
    model, x = build("scn", (2,)), torch.full((1, 1, 12, 12), 0.3, requires_grad=True)
    y = model(x, 2)
    torch.testing.assert_close(y, torch.full_like(y, 0.3))
    y.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("network", DEEP)
def test_training_goes_on_to_the_same_bits(network, narrow, tmp_path):
    how = dict(rungs=(16,), network=network, recipe=RECIPE, scales=(2, 3, 4))
    undisturbed, = train(tmp_path / "undisturbed", **how)
    stops = 0
    while not (part := train(tmp_path / "s", limit_s=1e-6, **how)):
        stops += 1
    assert stops >= 3 and part[0].steps == undisturbed.steps
    assert_same(part[0].weights, undisturbed.weights)
    assert part[0].curve == undisturbed.curve
    assert np.isfinite([row[f"psnr_db_x{s}"] for row in part[0].curve for s in (2, 3, 4)]).all()


UNTRAINED = ("bicubic", "aplus", "rfl", "selfex")  # fixed, or fitted in closed form


class HostWork(TorchDispatchMode):
    """Refuses what a CUDA graph cannot hold: reading a value, sizes by values, and constants that
    are moved to the device (they are made in float64, which no step computes with)."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name()
        assert not any(bad in name for bad in ("_local_scalar_dense", "nonzero", "lift_fresh",
                                               "masked_select")), name
        wide = [a for a in args if isinstance(a, torch.Tensor) and a.dtype == torch.float64]
        assert not wide, name
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("network", [name for name in networks() if name not in UNTRAINED])
def test_a_step_never_waits_for_the_host(network, narrow):
    run = make_run(build(network, (2, 3, 4)), RECIPE, (2, 3, 4), images=make_images(2, 108))
    run.advance(len(run.learns))  # constants are put where the images are
    with HostWork():
        run.model.zero_grad(set_to_none=False)
        loss = sum(map(run._loss, run.learns))
        loss.backward()
    assert loss.isfinite()
