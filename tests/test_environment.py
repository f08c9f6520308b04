"""Nothing depends on the locale, the user, the home, the notebook around us or where pytest was started."""

import ast
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dvc.repo import Repo
from matplotlib.figure import Figure

from pipeline import io
from pipeline.data import pack
from pipeline.report.figures import style
from stages.common import csv_files, outputs
from tests import workspace
from tests.made_report import make
from tests.workspace import ROOT

CODE = sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "stages").rglob("*.py")])
TEXT = {"open", "fdopen", "read_text", "write_text", "read_csv", "to_csv"}
WRITING = {"write_text", "to_csv", "savefig", "savez", "savez_compressed", "copyfile", "dump"}
IN_PLACE = {  # what need not be complete at once, and is no result
    "pipeline/data/sources.py": "a folder that is moved when it is complete",
    "pipeline/timing/clocks.py": "a switch of the kernel",
    "stages/common/gpu_results.py": "a log that is read as it grows",
    "pipeline/upscale/files.py": "has a complete-or-absent writer of its own, for OUT of any name",
}
NOWHERE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "LC_ALL": "POSIX", "PYTHONUTF8": "0",
           "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}


def calls(path):
    """Calls of functions and methods in a file: (name, node, whether it is inside ``with atomic``)."""
    def walk(node, inside):
        if isinstance(node, ast.With):
            inside |= any("atomic(" in ast.unparse(item) for item in node.items)
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node, inside
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)
    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def opens_a_file(name, node):
    """Whether a call is of the built-in ``open`` or the like, not of ``Image.open``."""
    return name == "fdopen" or name == "open" and isinstance(node.func, ast.Name)


def mode(node):
    return next((a.value for a in node.args[1:2] if isinstance(a, ast.Constant)), "r")


def test_every_text_file_is_opened_with_its_encoding():
    missing = [f"{path.relative_to(ROOT)}:{node.lineno} {name}" for path in CODE
               for name, node, _ in calls(path)
               if isinstance(node.func, ast.Attribute) and name in TEXT - {"open"} or opens_a_file(name, node)
               if "b" not in mode(node) or name not in ("open", "fdopen")
               if "encoding" not in {k.arg for k in node.keywords}]
    assert not missing


def test_every_csv_is_read_without_words_that_mean_missing():
    wrong = [str(path) for path in CODE for name, node, _ in calls(path)
             if name == "read_csv" and not {"keep_default_na", "na_values"} <= {k.arg for k in node.keywords}]
    assert not wrong


def test_every_result_is_written_complete_or_not_at_all():
    loose = [f"{path.relative_to(ROOT)}:{node.lineno} {name}" for path in CODE
             if str(path.relative_to(ROOT)) not in IN_PLACE
             for name, node, inside in calls(path)
             if not inside and (isinstance(node.func, ast.Attribute) and name in WRITING
                                or opens_a_file(name, node) and mode(node)[0] in "wx")]
    assert not loose


def figure():
    drawn = Figure((1, 1))
    drawn.add_axes((0, 0, 1, 1)).set_title("×")
    return drawn


WRITERS = {
    "a.txt": lambda path: io.write_text(path, "γ"), "a.json": lambda path: io.write_json(path, {"γ": 1}),
    "a.csv": lambda path: csv_files.write(path, [{"image": "γ"}]),
    "b.csv": lambda path: io.write_rows(path, [{"image": "γ"}]),
    "a.npz": lambda path: pack.save(path, {"a": np.zeros(2)}),
    "a.svg": lambda path: style.save(figure(), path.with_suffix("")),
    "a.png": lambda path: style.save(figure(), path.with_suffix("")),
    "models/a.json": lambda path: save(path), "models/a.safetensors": lambda path: save(path),
    "curves/a/metrics.json": lambda path: save(path),
    "curves/a/plots/metrics/loss.tsv": lambda path: save(path),
}


def save(path):
    home = next(p.parent for p in path.parents if p.name in ("models", "curves"))
    outputs.save(home, "a", {}, [{"step": 1, "loss": 2.0}], {"variant": "a"})


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("name", WRITERS)
def test_a_stage_run_by_hand_leaves_the_cache_of_dvc_as_it_was(tmp_path, monkeypatch, name, link):
    """With cache.type symlink or hardlink a result is a link to an object of the cache."""
    monkeypatch.chdir(tmp_path)
    stored, path = tmp_path / "object", tmp_path / "home" / name
    stored.write_bytes(b"of an earlier run")
    path.parent.mkdir(parents=True)
    link(stored, path)
    WRITERS[name](path)
    assert stored.read_bytes() == b"of an earlier run"
    assert not path.is_symlink() and path.read_bytes() != b"of an earlier run"


def test_a_report_is_the_same_in_another_locale_and_under_a_notebook(tmp_path):
    """Without a home, too."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    here = make(tmp_path / "here")
    code = ("import sys, pathlib, pipeline.report.figures; from tests.made_report import make; "
            "make(pathlib.Path(sys.argv[1]))")
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "LANG", "USER", "LOGNAME")}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "there")], env=kept | NOWHERE,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    for path in (here / "report.md", here / "method.md", here / "report.html"):
        there = tmp_path / "there" / path.relative_to(tmp_path / "here")
        assert there.read_bytes() == path.read_bytes()


def as_a_stage(body, tmp_path, **how):
    code = ('"""A stage."""\nimport os, signal\nfrom pathlib import Path\nfrom pipeline.io import atomic\n'
            f"from stages.common.shell import run\n\n\ndef main():\n    {body}\n\n\nrun(main)\n")
    (tmp_path / "made.py").write_text(code, encoding="utf-8")
    return subprocess.run([sys.executable, "made.py"], cwd=tmp_path, capture_output=True,
                          env={**os.environ, **NOWHERE}, **how)


def test_what_a_stage_says_can_be_printed_in_every_locale(tmp_path):
    done = as_a_stage("return '×2, Кофе'", tmp_path)
    assert done.returncode == 0 and b"made: \\xd72" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_stage_that_is_ended_leaves_nothing_half_made(tmp_path, number):
    body = f"with atomic(Path('a')) as p: p.write_text('a'); os.kill(os.getpid(), {int(number)}); p.exists()"
    done = as_a_stage(body, tmp_path)
    assert done.returncode == 1 and b"the same command goes on" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["made.py"]


def test_what_a_killed_writer_leaves_is_gone_after_the_next_write(tmp_path):
    body = f"with atomic(Path('a.csv')) as p: p.write_text('half'); os.kill(os.getpid(), {int(signal.SIGKILL)})"
    assert as_a_stage(body, tmp_path).returncode == -signal.SIGKILL
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.partial", "made.py"]
    io.write_text(tmp_path / "a.csv", "all of it")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "made.py"]


def test_git_and_dvc_do_not_see_what_a_killed_writer_leaves():
    for name in ("reports/paper/report.partial", "weights/prn.partial"):
        assert not subprocess.run(["git", "check-ignore", "-q", "--no-index", name], cwd=ROOT).returncode
    assert Repo(ROOT).dvcignore.is_ignored_file(str(ROOT / "artifacts/paper/models/prn.partial"))


def test_nohup_is_obeyed(tmp_path):
    body = "os.kill(os.getpid(), signal.SIGHUP); return 'still here'"
    done = as_a_stage(body, tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert b"still here" in done.stdout


def test_a_user_without_a_name_and_a_home_can_run_the_stages(tmp_path, monkeypatch):
    """As in a container that was given a number for a user; DVC asks for both when a training ends."""
    def nobody(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    workspace.fill(tmp_path, workspace.small_params())
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True)
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert workspace.first_words(["check", "download train", "download test", "pack", "train bicubic"],
                                 monkeypatch) is None


def test_pytest_can_be_started_inside_tests():
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_params.py",
                           "-k", "override"], cwd=ROOT / "tests", capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout
