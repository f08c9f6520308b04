"""A campaign on Dask: a worker dies, the scheduler is elsewhere, a second start; the bytes are the same."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests import test_pipeline, workspace
from tests.workspace import ROOT, stage

needs_dask = pytest.mark.skipif(find_spec("distributed") is None,
                                reason="pip install -r requirements-cluster.txt")
LONG = ("prn", "prn_no_rolling")


def small():
    """Two trainings of some seconds, two of less than one."""
    raw = workspace.small_params()
    for name, variant in raw["variants"].items():
        variant["effort"] = 1 if name in LONG else 0.01
    raw["budgets"]["smoke"]["rungs"] = [480]
    return raw


def start(*command, threads, **how):
    """A stage in a process of its own."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | how
    return subprocess.Popen([sys.executable, "-m", *command], **how, env={
        **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)})


def until(condition, process):
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.05)


def ended(process):
    said = process.communicate()[0]
    assert process.returncode == 0, said
    return said


def files(pattern):
    return {path.name: path.read_bytes() for path in sorted(Path().glob(pattern))}


def steps():
    """How far the states are that came home."""
    folders = {name: Path(f"artifacts/states/embedded-smoke-{name}") for name in LONG}
    return {name: max([torch.load(path, weights_only=True)["step"] for path in folder.glob("*.pt")] or [0])
            for name, folder in folders.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With packed images, and in plain/ the models of `stages.train`."""
    path = tmp_path_factory.mktemp("campaign")
    workspace.fill(path, small())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert workspace.first_words(["check", "download train", "download test", "pack"], patch) is None
        ended(start("stages.train", threads=1))
        shutil.move("artifacts/embedded/models", "plain")
        shutil.rmtree("artifacts/states")
        yield path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and two workers in processes of their own, in a folder without the repository."""
    away = tmp_path_factory.mktemp("away")
    dask, local = [sys.executable, "-m", "dask"], ["--no-dashboard", "--host", "127.0.0.1"]
    with open(away / "log", "w") as log:
        how = {"cwd": away, "env": {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "stdout": log,
               "stderr": log}
        processes = [subprocess.Popen(
            [*dask, "scheduler", *local, "--port", "0", "--scheduler-file", "where.json"], **how)]
        until((away / "where.json").exists, processes[0])
        address = json.loads((away / "where.json").read_text())["address"]
        processes += [subprocess.Popen(
            [*dask, "worker", address, *local, "--no-nanny", "--nthreads", "1"], **how) for _ in range(2)]
        yield address, processes[1:]
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def campaign(folder, cluster):
    """One that lost a worker: steps that each long training had before and after."""
    address, (worker, _) = cluster
    process = start("stages.campaign", "--scheduler", address, "--every", "0.5", threads=2)
    until(lambda: all(steps().values()), process)
    first = steps()
    until(lambda: all(n > first[name] for name, n in steps().items()), process)
    worker.kill()
    before = steps()
    until(lambda: all(n != before[name] for name, n in steps().items()), process)
    after = steps()
    return ended(process), before, after


@needs_dask
def test_a_training_that_lost_its_worker_goes_on_from_its_last_state(campaign):
    _, before, after = campaign
    assert all(after[name] > before[name] for name in LONG)


@needs_dask
def test_all_ends_with_the_bytes_of_a_plain_training_and_none_of_it_was_trained_here(campaign):
    assert files("artifacts/embedded/models/*.safetensors") == files("plain/*.safetensors")
    records = map(json.loads, files("artifacts/embedded/models/*.json").values())
    assert {record["device"].split(", torch")[0] for record in records} == {"", "CPU, 1 threads"}  # here: 2
    assert len(list(Path().glob("artifacts/embedded/quality/*/*.csv"))) == 16


@needs_dask
def test_a_second_start_and_stages_train_redo_nothing(campaign):
    """The second one is on the cores of this machine."""
    def ages():
        return {path: path.stat().st_mtime_ns for path in Path("artifacts/states").glob("*/*")}

    before, models = ages(), files("artifacts/embedded/models/*.safetensors")
    said = ended(start("stages.campaign", threads=1))
    assert "4 of 4 done" in said and "(0 new)" in said and "dashboard: http://" in said
    ended(start("stages.train", threads=1))
    assert ages() == before and files("artifacts/embedded/models/*.safetensors") == models


@needs_dask
@pytest.mark.drill
def test_dvc_repro_after_a_campaign_trains_and_scores_nothing(tmp_path):
    clone = test_pipeline.clone_of(tmp_path / "clone", patches=16)
    test_pipeline.dvc(clone, "repro", "pack")
    test_pipeline.call(clone, sys.executable, "-m", "stages.campaign")

    def kept():
        return {path: path.stat().st_mtime_ns for path in (clone / "artifacts/states").glob("*/*.pt")}

    before = kept()
    said = test_pipeline.dvc(clone, "repro")
    assert before and kept() == before and "report: open" in said
    scores = re.findall(r"^.*\(\d+ new\).*$", said, re.M)
    assert len(scores) == 16 and [line for line in scores if "(0 new)" not in line] == []


class Cluster:
    """Stands in for a client: each part of a training is at its end when it is asked for, some fail."""

    def __init__(self, shares, **workers):
        self.shares, self.asked = shares, []
        self.workers = {"workers": workers}
        self.scheduler = SimpleNamespace(identity=None)
        self.register_plugin = self.unregister_worker_plugin = lambda plugin: None

    def sync(self, function, n_workers):
        return self.workers

    def submit(self, function, *given, key, resources):
        name, seconds = given[2], given[5]
        self.asked.append((name, seconds, resources))
        future, share = Future(), self.shares.get(name, [1.0]).pop(0)
        future.set_exception(share) if isinstance(share, Exception) else future.set_result(({}, share, []))
        return future


def train_on(client, tmp_path, monkeypatch, limit=0.0):
    from stages.common import cluster

    tmp_path.mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster.time, "sleep", lambda seconds: None)
    workspace.fill(tmp_path, raw := small())
    raw["variants"]["aplus"] = {"network": "aplus"}
    workspace.write(tmp_path, raw)
    assert stage("check", monkeypatch) is None
    home = Path("artifacts/embedded")
    (home / "train.npz").write_bytes(b"")
    return cluster.each(client, home, "trained", 120.0, limit)


@needs_dask
def test_trainings_ask_for_a_gpu_where_there_is_one_and_the_most_expensive_is_first(tmp_path, monkeypatch):
    one = Cluster({"prn": [0.5, 1.0]}, a={"nthreads": 1, "resources": {"GPU": 1}},
                  b={"nthreads": 8, "resources": {}})
    assert train_on(one, tmp_path, monkeypatch) == {}
    assert {name for name, _, asks in one.asked if asks == {"GPU": 1}} == {*LONG, "cnn7", "fsrcnn"}
    assert [asks for name, _, asks in one.asked if name == "aplus"] == [None]  # a fit
    names = [name for name, _, _ in one.asked]
    assert names[names.index("prn") + 1] == "prn" and names[-1] == "fsrcnn"
    none = Cluster({}, a={"nthreads": 1, "resources": {}})
    assert train_on(none, tmp_path / "none", monkeypatch) == {}
    assert {asks for *_, asks in none.asked} == {None}


@needs_dask
def test_a_training_that_fails_or_meets_its_limit_is_named_and_the_others_go_on(tmp_path, monkeypatch):
    client = Cluster({"prn": [ArithmeticError("prn: not finite")], "cnn7": [0.1, 0.2, 0.3]},
                     a={"nthreads": 2, "resources": {}})
    failed = train_on(client, tmp_path, monkeypatch, limit=300.0)
    assert failed == {"prn": "not finite",
                      "cnn7": "stopped at the limit of 5 minutes; run this again"}
    assert [seconds for name, seconds, _ in client.asked if name == "cnn7"] == [120, 120, 60]
    assert {"fsrcnn", "aplus", "prn_no_rolling"} < {name for name, *_ in client.asked}


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert stage("campaign", monkeypatch) == ("campaign: distributed is not installed: pip install -r "
                                              "requirements-cluster.txt -c requirements.lock")
