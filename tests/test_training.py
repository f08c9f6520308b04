"""Training: Algorithm 1's data routing, the ladder, resuming to the bit, clean stops and clear failures."""

import copy
import multiprocessing
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.models import build
from pipeline.sr.degrade import imresize, mirror, upsample
from pipeline.sr.prior import MILD, MODERATE, SEVERE, classify, gradient_prior
from pipeline.training import algorithm1, checkpoints
from pipeline.training.algorithm1 import tables
from pipeline.training.run import NotFinite, Run
from pipeline.training.sampling import _hash, build_table, draw

CPU = torch.device("cpu")
LABEL = {"norm": "l1", "domain": "bicubic", "gamma_low": 10, "gamma_upper": 30}
RECIPE = algorithm1.Recipe(learning_rate=1e-3, decay="linear", warmup=4, batch=8, crop=48, clip=1.0, ema=0.9)


def make_images(count=3, side=160):
    """Images with flat, gentle and busy regions, so that no class is empty."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side
    texture = rng.normal(size=(side, side)).cumsum(0).cumsum(1)
    texture = 60 * np.sin(texture / 8)
    return {f"set/{i}": np.clip(128 + 30 * y + (x > 0.5) * (y * 1.5 - 0.4).clip(0) * texture, 0, 255)
            .astype(np.uint8) for i in range(count)}


def run(folder, rungs=(48,), name="prn", recipe=RECIPE, width=8, device=CPU, images=3, network="prn", scales=(2, 3),
        **how):
    """A PRN of two scales; 48 patches of each are 12 steps, the last two a branch."""
    torch.manual_seed(0)
    model = build(network, scales, **({"width": width} if network == "prn" else {}))
    return algorithm1.train(
        model, algorithm1.Phase(make_images(images), False), algorithm1.Phase(make_images(4), True), recipe,
        rungs=rungs, scales=scales, label=LABEL, seed=0, name=name, device=device, folder=folder,
        identity={"width": width}, conditions={"device": str(device)}, **how)


def make_run(model, recipe, scales=(2, 3), seed=0, images=None, augment=True, device=CPU):
    """A run that has begun its trunk."""
    images = images or make_images()
    held_out = dict([*images.items()][:1])
    run = Run(model, recipe, model.learns, seed, device, held_out=held_out, scales=scales,
              steps=10)
    run.enter(tables(algorithm1.Phase(images, augment), recipe, run.learns, LABEL, model, device), augment)
    return run


def assert_same(a, b):
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def _endless_saves(folder):
    algorithm1.SAVE_SECONDS = 0.0
    algorithm1.LOOK_SECONDS = 0.0
    run(folder, (80, 160))


def test_killed_training_resumes_to_the_same_weights(tmp_path):
    undisturbed = run(tmp_path / "undisturbed", (80, 160))
    folder, kills, rng = tmp_path / "killed", 0, np.random.default_rng(1)
    spawn = multiprocessing.get_context("spawn")

    def newest():
        return max((path.stat().st_mtime_ns for path in folder.glob("*.pt")), default=0)

    for _ in range(4):
        process, before = spawn.Process(target=_endless_saves, args=(folder,)), newest()
        process.start()
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline and newest() == before:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
    resumed = run(folder, (80, 160))
    assert kills >= 1
    for a, b in zip(resumed, undisturbed, strict=True):
        assert_same(a.weights, b.weights)
        assert a.curve == b.curve and a.steps == b.steps


def test_limit_stops_cleanly_and_the_next_run_goes_on(tmp_path):
    assert run(tmp_path / "s", (160,), limit_s=1e-6) == []
    state = torch.load(tmp_path / "s/trunk.pt", weights_only=True)
    assert 0 < state["step"] < 40
    second, = run(tmp_path / "s", (160,))
    assert second.steps == 40
    assert_same(second.weights, run(tmp_path / "t", (160,))[0].weights)


def test_a_limit_holds_however_many_steps_there_are(tmp_path):
    start = time.monotonic()
    assert run(tmp_path, (4_000_000,), limit_s=2.0) == [] and time.monotonic() - start < 15


def test_a_ladder_is_the_trainings_of_its_rungs(tmp_path):
    """The schedule does not depend on the last rung, and a trunk goes on when a rung is added."""
    ladder = run(tmp_path / "all", (48, 96))
    assert [(rung.patches, rung.steps) for rung in ladder] == [(48, 12), (96, 24)]
    for rung in ladder:
        alone, = run(tmp_path / str(rung.patches), (rung.patches,))
        assert_same(alone.weights, rung.weights)
    assert_same(run(tmp_path / "48", (48, 96))[1].weights, ladder[1].weights)


def test_a_branch_starts_at_the_trunk_and_ends_at_rate_zero(tmp_path):
    run(tmp_path, (160,))
    trunk = torch.load(tmp_path / "trunk.pt", weights_only=True)
    assert trunk["step"] == 32 and trunk["curve"][-1]["step"] == 32
    table = {"trunk": trunk["curve"], "branch": torch.load(tmp_path / "rung-160.pt", weights_only=True)["curve"]}
    assert table["branch"][:-1] == table["trunk"] and table["branch"][-1]["step"] == 40
    slow = run(tmp_path / "slow", (160,), recipe=replace(RECIPE, decay="step"))[0].weights
    fast = run(tmp_path, (160,))[0].weights
    assert any(not torch.equal(slow[n], fast[n]) for n in fast)


def test_a_trunk_past_a_rung_is_trained_anew_if_cheap_and_kept_if_not(tmp_path, monkeypatch):
    run(tmp_path, (160,))
    said = []
    found, = run(tmp_path, (48,), warn=said.append)
    assert_same(found.weights, run(tmp_path / "alone", (48,))[0].weights)
    assert "the trunk is at step 32, past 10, where 48 patches leave it" in said[0]
    monkeypatch.setattr(algorithm1, "CHEAP_SECONDS", -1)
    with pytest.raises(ValueError, match="leave that number out of budgets"):
        run(tmp_path, (8,))


def test_an_unused_state_is_named_with_what_differs_and_kept(tmp_path):
    reference, said = run(tmp_path / "r")[0].weights, []
    run(tmp_path / "s", recipe=replace(RECIPE, learning_rate=2e-3), images=2)
    assert_same(run(tmp_path / "s", warn=said.append)[0].weights, reference)
    assert len(said) == 2 and "rung-48.pt is not used" in said[0] and "trunk.pt.unused" in said[1]
    assert "recipe.learning_rate: 0.001, was 0.002" in said[1] and "trunk.images: " in said[1]
    assert (tmp_path / "s/trunk.pt.unused").exists()
    for name in ("trunk.pt", "rung-48.pt"):
        (tmp_path / "s" / name).write_bytes((tmp_path / "s" / name).read_bytes()[:1000])
    assert_same(run(tmp_path / "s", warn=said.append)[0].weights, reference)
    assert "damaged" in said[-1]


def test_a_published_trunk_goes_on_without_its_moments(tmp_path):
    """Close to the undisturbed training, not equal: Adam's moments begin anew, with a warm-up."""
    run(tmp_path / "s", (160,))
    trunk = torch.load(tmp_path / "s/trunk.pt", weights_only=True)
    small = {k: trunk[k] for k in ("identity", "step", "curve", "seconds", "conditions", "model")}
    (tmp_path / "small").mkdir()
    torch.save(small, tmp_path / "small/trunk.pt")
    found, = run(tmp_path / "t", (640,), begin=tmp_path / "small")
    assert found.steps == 160 and [row["step"] for row in found.curve][:1] == [32]
    kept = torch.load(tmp_path / "small/trunk.pt", weights_only=True)["model"]
    assert any(not torch.equal(kept[n], w) for n, w in found.weights.items())
    ladder = run(tmp_path / "u", (48, 640), begin=tmp_path / "small")  # left before it, and after
    assert_same(ladder[0].weights, run(tmp_path / "v", (48,))[0].weights)
    assert_same(ladder[1].weights, found.weights)
    said = []  # one of other settings is nothing that the user could put right
    other, = run(tmp_path / "w", (640,), begin=tmp_path / "small", images=2, warn=said.append)
    assert not said and other.curve[0]["step"] != 32 and (tmp_path / "small").exists()


def test_a_published_rung_is_not_trained_again(tmp_path):
    first, last = run(tmp_path / "s", (48, 160))
    (tmp_path / "s/trunk.pt").unlink()
    (tmp_path / "s/rung-160.pt").unlink()
    steps = []
    found, = run(tmp_path / "t", (48,), begin=tmp_path / "s", progress=lambda *done: steps.append(done))
    assert not steps and found.curve == first.curve
    assert_same(found.weights, first.weights)
    assert_same(run(tmp_path / "t", (48, 160), begin=tmp_path / "s")[1].weights, last.weights)


def test_scales_are_taken_in_turn_and_leave_the_others_alone(tmp_path):
    """One scale a step (decision D17): Adam does not move what had no gradient."""
    torch.manual_seed(0)
    model = build("prn", (2, 3), width=8)
    before = copy.deepcopy(model.state_dict())
    algorithm1.train(model, algorithm1.Phase(make_images(), False), algorithm1.Phase(make_images(4), True),
                     RECIPE, rungs=(8,), scales=(2, 3), label=LABEL, seed=0, name="prn", device=CPU,
                     folder=tmp_path, identity={}, conditions={})  # two steps, the second a branch
    moved = {n for n, w in model.state_dict().items() if not torch.equal(w, before[n])}
    assert "upsample.x2.weight" in moved and "upsample.x3.weight" not in moved


def test_nan_names_step_and_variant(tmp_path):
    recipe = replace(RECIPE, learning_rate=float("inf"), clip=0.0, ema=0.0, warmup=0)
    with pytest.raises(NotFinite, match="prn_x: the loss is not finite at step 2;"):
        run(tmp_path, name="prn_x", recipe=recipe)


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


COUNTS = (2, 2, 4)


@pytest.mark.parametrize("augment", [False, True])
def test_batches_hold_matching_patches_of_their_class(augment):
    table = build_table(make_images().values(), 3, 48, augment=augment, label=LABEL, counts=(16,) * 3, device=CPU)
    pair = draw(table, 5, torch.tensor(7), flip=augment)
    for which, (lr, hr) in enumerate(zip(*(x.split(16) for x in pair))):
        assert lr.shape == (16, 1, 16, 16) and hr.shape == (16, 1, 48, 48)
        prior = gradient_prior(lr, 3)
        assert (classify(prior, 10, 30) == which).all()
        # an HR patch is its LR patch, enlarged, up to detail: flips and places agree
        interior = (upsample(lr, 3) - hr)[..., 9:-9, 9:-9].abs().mean()
        wrong = (upsample(lr.flip(-1), 3) - hr)[..., 9:-9, 9:-9].abs().mean()
        assert interior < 0.1 and (which == MILD or interior < wrong)


def test_a_halo_is_what_lies_around_the_same_patch():
    """The same patches, the LR ones with 2 pixels more on each side: of the image, mirrored where it ends."""
    how = {"augment": True, "label": LABEL, "counts": (16,) * 3, "device": CPU}
    images = [*make_images().values()]
    (lr, hr), (wide, same) = (draw(build_table(images, 3, 48, **how, halo=halo), 5, torch.tensor(7), flip=True)
                              for halo in (0, 2))
    assert wide.shape == (48, 1, 20, 20) and torch.equal(wide[..., 2:-2, 2:-2], lr) and torch.equal(hr, same)
    side = images[0].shape[0] // 3 * 3
    image = imresize(torch.from_numpy(images[0][:side, :side] / 255).float(), 1 / 3)
    one = build_table(images[:1], 3, side, augment=False, label=None, counts=(1,), device=CPU, halo=2)
    assert torch.allclose(draw(one, 0, torch.tensor(0), flip=False)[0], mirror(image[None, None]), atol=1e-6)


def test_batches_depend_on_seed_and_step_alone():
    table = build_table(make_images().values(), 2, 48, augment=True, label=None, counts=(8,), device=CPU)
    one = draw(table, 1, torch.tensor(3), flip=True)[0]
    assert torch.equal(one, draw(table, 1, torch.tensor(3), flip=True)[0])
    assert not torch.equal(one, draw(table, 1, torch.tensor(4), flip=True)[0])
    assert not torch.equal(one, draw(table, 2, torch.tensor(3), flip=True)[0])


def test_draws_are_spread_evenly():
    rows = _hash(3, torch.tensor(1), 20000, CPU) >> 2
    counts = torch.bincount(rows % 10, minlength=10)
    assert counts.min() > 1800 and counts.max() < 2200


def test_an_empty_class_is_refused():
    flat = [np.full((160, 160), 90, np.uint8)]
    with pytest.raises(ValueError, match="no moderate and no severe training patch at x2"):
        build_table(flat, 2, 48, augment=False, label=LABEL, counts=COUNTS, device=CPU)


def test_differences_name_the_key_and_both_values():
    wanted, found = {"a": 1, "recipe": {"batch": 16, "ema": 0.9}}, {"recipe": {"batch": 8, "ema": 0.9}, "old": 2}
    assert checkpoints.differences(wanted, found) == ["a: 1, was None", "recipe.batch: 16, was 8",
                                                      "old: None, was 2"]


@pytest.mark.gpu
def test_graph_on_a_gpu_equals_eager_steps(tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    gpu, = run(tmp_path / "g", (160,), device=torch.device("cuda"))
    cpu, = run(tmp_path / "c", (160,))
    for name, value in cpu.weights.items():  # the graph's steps are those of the CPU but for rounding
        torch.testing.assert_close(gpu.weights[name], value, rtol=1e-2, atol=1e-3)
