"""Training: Algorithm 1's data routing, resuming to the bit, clean stops and clear failures."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.training import algorithm1, checkpoints
from pipeline.sr.degrade import upsample
from pipeline.models import build
from pipeline.sr.prior import MILD, MODERATE, SEVERE, classify, gradient_prior
from pipeline.training.sampling import _hash, build_table, draw

LABEL = {"norm": "l1", "domain": "bicubic", "gamma_low": 10, "gamma_upper": 30}
RECIPE = algorithm1.Recipe(learning_rate=1e-3, decay="cosine", batch=8, crop=48, clip=1.0, ema=0.9)


def make_images(count=3, side=160):
    """Images with flat, gentle and busy regions, so that no class is empty."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side
    texture = rng.normal(size=(side, side)).cumsum(0).cumsum(1)
    texture = 60 * np.sin(texture / 8)
    return {f"set/{i}": np.clip(128 + 30 * y + (x > 0.5) * (y * 1.5 - 0.4).clip(0) * texture, 0, 255)
            .astype(np.uint8) for i in range(count)}


def run(path, steps=12, limit_s=0.0, tag="a", name="prn", recipe=RECIPE, width=8, **options):
    torch.manual_seed(0)
    model = build("prn", (2, 3), width=width, **options)
    phases = [algorithm1.Phase("one", make_images(), steps // 2, False),
              algorithm1.Phase("two", make_images(4), steps - steps // 2, True)]
    return algorithm1.train(model, phases, recipe, scales=(2, 3), label=LABEL, seed=0, name=name,
                          device=torch.device("cpu"), state_path=path, tag=tag, limit_s=limit_s)


def assert_same(a, b):
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def _endless_saves(path):
    algorithm1.SAVE_SECONDS = 0.0
    run(path, steps=40)


def test_killed_training_resumes_to_the_same_weights(tmp_path):
    undisturbed = run(tmp_path / "whole.pt", steps=40)
    path, kills = tmp_path / "killed.pt", 0
    rng = np.random.default_rng(1)
    spawn = multiprocessing.get_context("spawn")
    for _ in range(4):
        process = spawn.Process(target=_endless_saves, args=(path,))
        before = path.stat().st_mtime if path.exists() else 0
        process.start()
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline and (
                not path.exists() or path.stat().st_mtime == before):
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
    resumed = run(path, steps=40)
    assert kills >= 1
    assert_same(resumed.weights, undisturbed.weights)
    assert resumed.curve == undisturbed.curve


def test_limit_stops_cleanly_and_the_next_run_goes_on(tmp_path):
    path = tmp_path / "s.pt"
    first = run(path, steps=40, limit_s=1e-6)
    assert not first.finished and 0 < first.steps < 40
    second = run(path, steps=40)
    assert second.finished and second.steps == 40
    assert_same(second.weights, run(tmp_path / "t.pt", steps=40).weights)


def test_state_of_other_settings_or_damaged_is_ignored(tmp_path):
    path = tmp_path / "s.pt"
    reference = run(tmp_path / "r.pt").weights
    run(path, tag="other")
    assert_same(run(path).weights, reference)
    path.write_bytes(path.read_bytes()[:1000])
    assert_same(run(path).weights, reference)


def test_nan_names_step_and_variant(tmp_path):
    recipe = algorithm1.Recipe(learning_rate=0.9, decay="step", batch=8, crop=48, clip=0.0, ema=0.0)
    model = build("prn", (2, 3), width=8)
    with torch.no_grad():
        model.late[0].weight.fill_(float("nan"))
    with pytest.raises(algorithm1.NotFinite, match="prn_x: the loss is not finite at step 1;"):
        algorithm1.train(model, [algorithm1.Phase("p", make_images(), 4, False)], recipe, scales=(2, 3),
                       label=LABEL, seed=0, name="prn_x", device=torch.device("cpu"),
                       state_path=tmp_path / "s.pt", tag="n")


def test_each_class_trains_its_own_stages():
    """Algorithm 1, lines 6-8, and decision D8."""
    model = build("prn", (2,), width=8)
    with torch.no_grad():
        model.upsample["x2"].weight.normal_()
    touched = {}
    for route in (MILD, MODERATE, SEVERE):
        model.zero_grad(set_to_none=True)
        model(torch.rand(2, 1, 12, 12), 2, route).square().mean().backward()
        touched[route] = {n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None}
    shared = {"shrink", "upsample"}
    assert touched[MILD] == {"early_dilated"} | shared
    assert touched[MODERATE] == {"early_dilated", "middle_dilated"} | shared
    assert touched[SEVERE] == {"early", "middle", "late"} | shared


@pytest.mark.parametrize("augment", [False, True])
def test_batches_hold_matching_patches_of_their_class(augment):
    device = torch.device("cpu")
    table = build_table(make_images().values(), 3, 48, augment=augment, label=LABEL, device=device)
    for which in range(3):
        lr, hr = draw(table, which, 16, 5, torch.tensor(7), flip=augment)
        assert lr.shape == (16, 1, 16, 16) and hr.shape == (16, 1, 48, 48)
        prior = gradient_prior(lr, 3)
        assert (classify(prior, 10, 30) == which).all()
        # an HR patch is its LR patch, enlarged, up to detail: flips and places agree
        interior = (upsample(lr, 3) - hr)[..., 9:-9, 9:-9].abs().mean()
        wrong = (upsample(lr.flip(-1), 3) - hr)[..., 9:-9, 9:-9].abs().mean()
        assert interior < 0.1 and (which == MILD or interior < wrong)


def test_batches_depend_on_seed_and_step_alone():
    device = torch.device("cpu")
    table = build_table(make_images().values(), 2, 48, augment=True, label=None, device=device)
    one = draw(table, 0, 8, 1, torch.tensor(3), flip=True)[0]
    assert torch.equal(one, draw(table, 0, 8, 1, torch.tensor(3), flip=True)[0])
    assert not torch.equal(one, draw(table, 0, 8, 1, torch.tensor(4), flip=True)[0])
    assert not torch.equal(one, draw(table, 0, 8, 2, torch.tensor(3), flip=True)[0])


def test_draws_are_spread_evenly():
    device = torch.device("cpu")
    table = build_table(make_images().values(), 2, 48, augment=False, label=None, device=device)
    rows = _hash(3, torch.tensor(1), 20000, device) >> 2
    counts = torch.bincount(rows % 10, minlength=10)
    assert counts.min() > 1800 and counts.max() < 2200
    assert len(table.classes[0]) == len(table.lr_place)


def test_an_empty_class_is_refused():
    flat = [np.full((160, 160), 90, np.uint8)]
    with pytest.raises(ValueError, match="no moderate and no severe training patch at x2"):
        build_table(flat, 2, 48, augment=False, label=LABEL, device=torch.device("cpu"))


def test_tag_changes_with_settings():
    assert checkpoints.make_tag(["training"], a=1) == checkpoints.make_tag(["training"], a=1)
    assert checkpoints.make_tag(["training"], a=1) != checkpoints.make_tag(["training"], a=2)


def test_tag_covers_the_code_that_a_result_depends_on_and_no_other():
    """A new method must not make the trained states of the others worthless."""
    names = {str(path.relative_to(Path(checkpoints.__file__).parent)) for path in
             checkpoints._closure(["training", "models.prn"])}
    assert {"training.py", "sampling.py", "graphs.py", "degrade.py", "prior.py", "models/prn.py"} <= names
    assert not names & {"models/fsrcnn.py", "models/__init__.py", "states.py", "params.py"}


@pytest.mark.gpu
def test_graph_on_a_gpu_equals_eager_steps(tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    torch.manual_seed(0)
    model = build("prn", (2, 3), width=8)
    phases = [algorithm1.Phase("p", make_images(), 20, True)]
    kwargs = dict(scales=(2, 3), label=LABEL, seed=0, name="prn", tag="g")
    gpu = algorithm1.train(model, phases, RECIPE, device=torch.device("cuda"),
                         state_path=tmp_path / "g.pt", **kwargs)
    torch.manual_seed(0)
    cpu = algorithm1.train(build("prn", (2, 3), width=8), phases, RECIPE, device=torch.device("cpu"),
                         state_path=tmp_path / "c.pt", **kwargs)
    for name, value in cpu.weights.items():
        torch.testing.assert_close(gpu.weights[name], value, rtol=1e-2, atol=1e-3)
