"""Jobs side by side: the most expensive first, one line each, all stopped when one fails."""

import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from stages.common import job, workers
from tests.workspace import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def gone(name, seconds=10):
    """Whether the worker of a job has ended, or ends soon."""
    if not Path(f"{name}.began").exists():  # stopped before its first line
        return True
    pid, deadline = int(Path(f"{name}.began").read_text()), time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_the_most_expensive_job_is_first_and_each_says_one_line(capsys):
    workers.each("tests.made_jobs", {"cheap": 1, "dear": 3, "usual": 2}, 1)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "finished" in line] == [
        "dear: finished", "usual: finished", "cheap: finished"]
    assert lines[0] == "dear is half done"


def test_jobs_run_at_the_same_time():
    workers.each("tests.made_jobs", {"pair1": 1, "pair2": 1}, 2)  # each waits for the other


@pytest.mark.parametrize("name, words", [("bad", "^bad: use another name$"),
                                         ("killed", "^killed: killed by signal 9"),
                                         ("stopped", "^stopped: stopped from outside$")])
def test_a_failed_job_is_named_and_stops_the_others(name, words):
    started = time.monotonic()
    with pytest.raises(RuntimeError, match=words):
        workers.each("tests.made_jobs", {"quick": 4, "long": 3, name: 2, "never": 1}, 2)
    assert time.monotonic() - started < 40 and gone("long") and not list(Path().glob("*.partial"))
    assert Path("quick.began").exists() and not Path("never.began").exists()


def test_workers_end_when_the_stage_is_killed_and_remove_what_they_were_writing():
    code = "from stages.common import workers; workers.each('tests.made_jobs', {'long': 1}, 1)"
    stage = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)},
                             stderr=subprocess.DEVNULL)
    while not Path("long.writes").exists():
        time.sleep(0.05)
    assert Path("long.partial").exists()
    stage.kill()
    stage.wait()
    assert gone("long") and not Path("long.partial").exists() and not Path("long.txt").exists()


def test_no_two_trainings_share_a_stream_of_a_gpu(monkeypatch):
    """torch has 32 streams and gives them out in turn: the 33rd would be the first one again."""
    made, used = [], []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "Stream", lambda: made.append(len(made)) or made[-1])
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: used.append(stream) or nullcontext())
    monkeypatch.setattr(job, "FREE", [])
    workers.each("tests.made_jobs", {f"job{k}": 1 for k in range(40)}, 2, streams=True)
    assert len(used) == 40 and len(made) < 8
