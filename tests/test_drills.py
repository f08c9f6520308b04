"""Faults on whole runs, many minutes each: pytest -m drill tests/test_drills.py

Each drill makes a copy of what git would clone, with crops of the photographs and few steps,
disturbs `dvc repro` in it, and compares what comes out with an undisturbed run, byte for byte, times
aside.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import workspace
from tests.test_pipeline import call, clone_of, dvc, environment

pytestmark = pytest.mark.drill
KILLS, PATCHES = 24, 320
# what holds a time, or is drawn from one
TIMED = re.compile(r"timing|_times|machine|engine|reconstruction|table[23]|metrics|current|claims|cells|fig[17]\."
                   r"|report\.|provenance|/curves/|\.json$")


def small_clone(path):
    clone_of(path, patches=8)
    raw = workspace.small_params()
    raw["budgets"]["smoke"]["rungs"] = [PATCHES]
    workspace.fill(path, raw)
    call(path, "git", "add", "-A")
    call(path, "git", "commit", "-q", "-m", "small")
    return path


def results(clone):
    """Bytes of every result but times: tables, scores, weights, pixels, figures."""
    files = [p for root in ("artifacts/embedded", "reports/embedded")
             for p in sorted((clone / root).rglob("*")) if p.is_file()]
    assert files
    return {name: p.read_bytes() for p in files
            if not TIMED.search(name := str(p.relative_to(clone))) and p.suffix != ".partial"
            and p.name != ".gitignore"}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A clone after one quiet `dvc repro`, and its results."""
    path = small_clone(tmp_path_factory.mktemp("quiet") / "prn")
    dvc(path, "repro")
    return path, results(path)


def start(clone, log, *arguments):
    return subprocess.Popen([sys.executable, "-m", "dvc", *arguments], cwd=clone, env=environment(),
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def test_killed_at_random_moments_the_results_are_those_of_a_quiet_run(undisturbed, tmp_path):
    """kill -9 of DVC and its stage together, up to 6 s into stages of every kind."""
    rng, killed_in, rounds = np.random.default_rng(0), [], 0
    while len(killed_in) < KILLS:
        path = small_clone(tmp_path / f"killed{rounds}")
        while kill_once(path, rng, tmp_path / "log", killed_in):
            pass
        assert_same(results(path), undisturbed[1])
        rounds += 1
    print(len(killed_in), "kills in", rounds, "runs, in", killed_in)


def kill_once(path, rng, log_path, killed_in):
    """Start `dvc repro` and kill it in one of its first three stages; False if it came to its end."""
    with open(log_path, "w") as log:
        process = start(path, log, "repro")
        stages = int(rng.integers(1, 4))
        while process.poll() is None and log_path.read_text().count("Running stage") < stages:
            time.sleep(0.05)
        deadline = time.monotonic() + rng.uniform(0, 6)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        finished = process.poll() is not None
        if not finished:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed_in += re.findall(r"Running stage '(.*)'", log_path.read_text())[-1:] or ["start"]
    text = log_path.read_text()
    if "'./dvc.lock' validation failed" in text:  # killed while DVC wrote it, which is not atomic
        call(path, "git", "checkout", "--", "dvc.lock")  # as README.md says; no result is lost
        return True
    assert "Traceback" not in text and process.returncode in (0, -signal.SIGKILL), text[-3000:]
    return not finished


def test_two_repros_at_once_end_with_the_results_of_one(undisturbed, tmp_path):
    path, expected = small_clone(tmp_path / "two"), undisturbed[1]
    logs = [tmp_path / name for name in "ab"]
    with open(logs[0], "w") as one, open(logs[1], "w") as other:
        processes = [start(path, log, "repro") for log in (one, other)]
        codes = [p.wait() for p in processes]
    words = [log.read_text() for log in logs]
    print(codes, [w[-600:] for w in words])
    assert all("Traceback" not in w for w in words)
    assert all(code == 0 or "busy" in w or "lock" in w for code, w in zip(codes, words))
    dvc(path, "repro")
    assert_same(results(path), expected)


def test_two_workers_of_the_queue_keep_every_experiment(undisturbed, tmp_path):
    path = undisturbed[0]
    call(path, "git", "add", "-A")
    call(path, "git", "commit", "-q", "-m", "results")
    dvc(path, "exp", "run", "--queue", "-S", "gamma_low=12,14")
    with open(tmp_path / "log", "w") as log:  # workers keep the pipe open: never capture it
        assert start(path, log, "queue", "start", "-j", "2").wait() == 0
    deadline = time.monotonic() + 1500
    while time.monotonic() < deadline:
        status = dvc(path, "queue", "status")
        if not re.search("Queued|Running", status.split("Worker")[0]):
            break
        time.sleep(5)
    print(status)
    assert status.count("Success") == 2 and "Failed" not in status
    said = [log.read_text() for log in path.glob(".dvc/tmp/exps/run/*/*.out")]
    assert len(said) == 2  # in folders without artifacts/, what does not depend on the thresholds is DVC's copy
    assert all("Stage 'train' didn't change" in words and "Running stage 'evaluate'" in words for words in said)
    shown = dvc(path, "exp", "show", "--csv", "--only-changed")
    assert all(re.search(rf"\b{low}\b", shown) for low in (12, 14))
    assert_same(results(path), undisturbed[1])  # the workspace is as it was


def test_a_read_only_clone_says_so(tmp_path):
    place = tmp_path / "readonly"
    place.mkdir()
    path = small_clone(place / "prn")
    if subprocess.run(["mount", "--bind", place, place], capture_output=True).returncode or \
            subprocess.run(["mount", "-o", "remount,bind,ro", place], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        output = dvc(path, "repro", fails=True)
        print(output)
        done = subprocess.run([sys.executable, "-m", "stages.check"], cwd=path, env=environment(),
                              text=True, capture_output=True)
        print(done.stderr)
    finally:
        subprocess.run(["umount", "-l", place], check=True)
    assert "Read-only file system" in done.stderr and "Traceback" not in done.stderr + output
