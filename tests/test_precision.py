"""Training in bfloat16: the wide convolutions alone, and the result stays that of float32."""

from dataclasses import replace

import torch

from pipeline.models import build
from pipeline.training.precision import convolve_in
from tests.test_training import RECIPE, assert_same, make_run, run

ROUGH = replace(RECIPE, precision="bfloat16")


def outputs(model, x):
    """What each call of a convolution gives."""
    found = []
    handles = [m.register_forward_hook(lambda m, inputs, y: found.append((m, y.detach())))
               for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    model(x, 2).mean().backward()
    for handle in handles:
        handle.remove()
    return found


def test_wide_convolutions_alone_lose_bits():
    torch.manual_seed(0)
    model, x = build("vdsr", (2,)), torch.rand(1, 1, 9, 11)
    exact = outputs(model, x)
    with convolve_in("float32", model):
        assert all(torch.equal(a, b) for (_, a), (_, b) in zip(exact, outputs(model, x)))
    with convolve_in("bfloat16", model):
        rough = outputs(model, x)
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(exact, outputs(model, x)))  # and no longer after
    assert len(rough) == 20 and {y.dtype for _, y in rough} == {torch.float32}
    in_bits = [torch.equal(y, y.bfloat16().float()) for _, y in rough]
    assert not in_bits[0] and all(in_bits[1:-1]) and not in_bits[-1]  # 1 to 64, 64 to 64, 64 to 1
    assert all(p.grad.dtype == torch.float32 for p in model.parameters())
    for (_, a), (_, b) in zip(exact, rough):
        assert (a - b).abs().max() < 0.05 * a.abs().max()


def test_training_in_bfloat16_follows_that_in_float32(monkeypatch):
    """Steps of a shallow VDSR gain in both, and the weights stay float32."""
    monkeypatch.setattr("pipeline.models.vdsr.DEPTH", 6)  # a CPU without bfloat16 imitates it slowly
    gains = {}
    for precision in ("float32", "bfloat16"):
        recipe = replace(RECIPE, batch=4, crop=24, ema=0.0, warmup=0, clip=0.0, precision=precision)
        torch.manual_seed(0)
        steps = make_run(build("vdsr", (2,)), recipe, (2,))
        for count in (0, 60):
            steps.advance(count)
            steps.measure()
        gains[precision] = steps.curve[1]["psnr_db_x2"] - steps.curve[0]["psnr_db_x2"]
        assert {w.dtype for w in steps.finished()["model"].values()} == {torch.float32}
    assert 0 < abs(gains["bfloat16"] - gains["float32"]) < 0.1
    assert min(gains.values()) > 0.03


def test_bfloat16_resumes_to_the_same_weights(tmp_path):
    wide = {"rungs": (32,), "recipe": ROUGH, "width": 32}
    assert not run(tmp_path / "s", limit_s=1e-6, **wide)
    assert_same(run(tmp_path / "s", **wide)[0].weights, run(tmp_path / "t", **wide)[0].weights)
