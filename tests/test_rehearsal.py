"""What CUDA would refuse or wait for, rehearsed on a CPU (tests/pretend.py)."""

import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pipeline.io import read_json
from pipeline.sr.routing import Routing
from pipeline.timing.jobs import Network, make_job
from pipeline.training import algorithm1
from pipeline.training.run import FORMATS
from tests import workspace
from tests.pretend import DeviceError, Pretend
from tests.test_routing import picture, trained_like
from tests.test_training import RECIPE, assert_same, run
from tests.workspace import ROOT

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SMALL = replace(RECIPE, crop=32, batch=4)


@pytest.fixture(autouse=True)
def one_layout(monkeypatch):
    """That of the other device rounds differently."""
    monkeypatch.setitem(FORMATS, "cuda", FORMATS["cpu"])


def go(device, folder, **how):
    """Sixteen patches of each scale: eight steps, the last two a branch."""
    how = {"rungs": (16,), "recipe": SMALL, **how}
    if device == CPU:
        return run(folder, device=device, **how)
    with Pretend():
        return run(folder, device=device, **how)


def test_the_pretended_device_has_the_rules_of_cuda():
    with Pretend() as gpu:
        x = torch.arange(4.0, device="cuda")
        assert x.device.type == "cuda" and (x + 1).device.type == "cuda" and not gpu.syncs
        with pytest.raises(DeviceError, match="same device"):
            x + torch.ones(4)
        graph = torch.cuda.CUDAGraph()
        with pytest.raises(DeviceError, match="capturing"), torch.cuda.graph(graph):
            float(x.sum())
        total = torch.zeros((), device="cuda")
        with torch.cuda.graph(graph):
            y = x.sum()
            total += y
        total.zero_()
        graph.replay()
        graph.replay()
        assert float(total) == 12 and float(y) == 6


@pytest.mark.parametrize("network", ["prn", "fsrcnn", "srcnn", "cnn7", "lapsrn", "scn", "vdsr", "drcn"])
@pytest.mark.parametrize("recipe", [SMALL, replace(SMALL, decay="step", clip=0.0, ema=0.0, precision="bfloat16")],
                         ids=["clip-ema", "step-bf16"])
def test_a_graph_of_every_network_replays_its_eager_steps(network, recipe, tmp_path, monkeypatch):
    """Capture meets no wait and no copy from the host; replays give the CPU's weights to the bit."""
    for name, value in (("drcn.WIDTH", 32), ("drcn.RECURSIONS", 3), ("vdsr.DEPTH", 4)):
        monkeypatch.setattr(f"pipeline.models.{name}", value)
    how = {"network": network, "recipe": recipe, "scales": (3,) if network == "cnn7" else (2, 3)}
    found, = go(CUDA, tmp_path / "g", **how)
    expected, = go(CPU, tmp_path / "c", **how)
    assert_same(found.weights, expected.weights)
    assert found.curve == expected.curve


@pytest.mark.parametrize("first, then", [(CPU, CUDA), (CUDA, CPU)], ids=str)
def test_a_training_moves_to_another_layout(first, then, tmp_path, monkeypatch):
    """Fused Adam wants weights, gradients and moments in one."""
    monkeypatch.setitem(FORMATS, "cuda", torch.contiguous_format)
    go(first, tmp_path, rungs=(8,))
    found = go(then, tmp_path, rungs=(8, 32))[1]
    for name, value in go(CPU, tmp_path / "t", rungs=(8, 32))[1].weights.items():
        torch.testing.assert_close(found.weights[name], value, atol=1e-3, rtol=0)


class Stop(Exception):
    pass


@pytest.mark.parametrize("first, then", [(CPU, CUDA), (CUDA, CPU), (CUDA, CUDA)], ids=str)
@pytest.mark.parametrize("at", [3, 6, 7], ids="step {}".format)
def test_a_training_moves_between_devices(first, then, at, tmp_path, monkeypatch):
    """In the trunk, where the branch begins, and in the branch."""
    monkeypatch.setattr(algorithm1, "SAVE_SECONDS", 0)
    monkeypatch.setattr(algorithm1, "LOOK_SECONDS", 0)

    def stop(step, total):
        if step >= at:
            raise Stop

    with pytest.raises(Stop):
        go(first, tmp_path / "s", progress=stop)
    found, = go(then, tmp_path / "s")
    assert_same(found.weights, go(CPU, tmp_path / "t")[0].weights)
    assert [c["device"] for c in found.conditions] == list(dict.fromkeys([str(first), str(then)]))


WAITS = {"whole": 0, "routing": 0, "grouped": 1, "context": 3}  # for the device, in a call


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("mode", WAITS)
def test_the_engine_waits_seldom(mode, batch):
    with Pretend() as gpu:
        net = Network.of("prn", trained_like().to(CUDA, memory_format=torch.channels_last), 2)
        pairs = [(picture(60, 150, seed).to(CUDA), None) for seed in (0, 1)]
        job = make_job(net, mode, None if mode == "whole" else Routing(10, 30), pairs, batch)
        with torch.inference_mode():
            job.run()  # fills the caches
            gpu.syncs.clear()
            job.run()
    assert gpu.syncs.total() <= WAITS[mode] * len(job.calls), gpu.syncs


ABSENT = ("pooch", "imagecodecs", "dvclive", "dvc")  # on the GPU machine


@pytest.mark.parametrize("module", ["stages.train", "stages.timing", "stages.engine", "tests.test_training",
                                    "tests.test_timing", "tests.test_determinism"])
def test_a_gpu_machine_has_what_it_needs(module):
    code = (f"import sys\nfor name in {ABSENT}: sys.modules[name] = None\n"
            f"import stages.common.shell; stages.common.shell.run = lambda main: None\nimport {module}")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_what_a_gpu_machine_trains_comes_home(tmp_path, monkeypatch):
    """On the CPU, without CUDA: side by side, in small archives, and nothing is trained again at home."""
    there, home = tmp_path / "there", tmp_path / "home"
    raw = workspace.small_params()
    for folder in (there, home):
        folder.mkdir()
        workspace.fill(folder, raw)
        monkeypatch.chdir(folder)
        assert workspace.first_words(["check", "download train", "download test", "pack"], monkeypatch) is None
    done = subprocess.run([sys.executable, "-m", "stages.gpu", "2", "out", "train"], cwd=there, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert not done.returncode and "1 archives in out" in done.stdout, done.stderr
    with zipfile.ZipFile(there / "out/home-1.zip") as archive:
        archive.extractall(home)
    monkeypatch.setattr(algorithm1, "_advance", lambda *_: pytest.fail("trained again"))
    for name in ("prn", "prn_no_rolling", "cnn7"):
        assert workspace.stage(f"train {name}", monkeypatch) is None
        assert read_json(Path(f"artifacts/embedded/models/{name}.json"))["patches"] == 16
