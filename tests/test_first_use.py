"""The first screen of a first run: what is being done, what is missing, what to do."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.data import sources
from tests import workspace
from tests.workspace import stage


@pytest.fixture
def paper(tmp_path, monkeypatch):
    """A folder with the params.yaml of the repository at the profile paper."""
    raw = workspace.raw_params() | {"profile": "paper"}
    workspace.write(tmp_path, raw)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRN_MIRROR", raising=False)
    return raw


def test_what_will_be_downloaded_is_said_before_any_work_and_what_to_do_without_a_network(
        paper, monkeypatch, capsys):
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0" * 40)
    assert stage("check", monkeypatch) is None
    said = capsys.readouterr().out
    assert "795 files, 200 MB, of set5, set14, bsds100, urban100, " in said and len(said.splitlines()) == 6
    assert "PRN_MIRROR=DIR" in said and "folders of your own" in said and "No file hash info found" in said
    Path("artifacts/paper/models").mkdir()
    stage("check", monkeypatch)
    assert "No file hash info found" not in capsys.readouterr().out


def test_what_is_in_the_mirror_or_already_here_is_not_missing(paper, tmp_path, monkeypatch, capsys):
    kept, mirrored = sources.registry()["set5"][:2]
    for folder, source in ((tmp_path / "artifacts/cache", kept), (tmp_path / "mirror", mirrored)):
        (folder / source.host_path).parent.mkdir(parents=True)
        (folder / source.host_path).touch()
    monkeypatch.setenv("PRN_MIRROR", str(tmp_path / "mirror"))
    paper["weights"] = "published"
    paper["profiles"]["paper"]["train"]["pretrain"]["sets"] = ["voc2012"]
    workspace.write(tmp_path, paper)
    assert stage("check", monkeypatch) is None
    said = capsys.readouterr().out
    assert "voc2012" in said and "srcnn" in said and "bsds500_test" not in said
    count = sum(len(sources.registry()[n]) for n in ("set5", "set14", "bsds100", "urban100", "bsds200", "t91"))
    assert int(said.split("to be downloaded: ")[1].split()[0]) > count - 2  # and the authors' models


def test_no_network_is_one_short_sentence_with_what_to_do(tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(sources.SourceError) as error:
        sources.fetch("set5", tmp_path / "out", cache=tmp_path / "cache")
    host = sources.registry()["set5"][0].url.split("/")[2]
    assert f"no connection to {host}" in str(error.value) and "retries" not in str(error.value)
    assert all(words in str(error.value) for words in ("PRN_MIRROR=DIR", "local in params.yaml"))


def test_artifacts_on_another_disk_is_refused_with_what_to_do(paper, tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    Path("artifacts").symlink_to(tmp_path / "disk")
    assert "dvc config --local cache.dir DIR" in stage("check", monkeypatch)
    assert not list((tmp_path / "disk").iterdir())


def test_a_repository_without_a_commit_is_refused(paper, monkeypatch):
    subprocess.run(["git", "init", "-q"], check=True)
    assert "git add -A && git commit" in stage("check", monkeypatch)


def test_a_download_without_git_is_told_what_to_do_before_anything_is_installed(tmp_path):
    shutil.copy(workspace.ROOT / "Makefile", tmp_path)
    done = subprocess.run(["make", "reproduce"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and "git init && git add -A && git commit -m start" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]


@pytest.mark.parametrize("command", [
    ["worktree", "add", "-q", "../other/prn"],
    ["-C", "../other", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../prn", "prn"]],
    ids=lambda command: next(word for word in command if word in ("worktree", "submodule")))
def test_the_repository_may_be_a_worktree_or_a_submodule(tmp_path, command):
    from tests.test_pipeline import call, clone_of, dvc

    first, clone = clone_of(tmp_path / "prn", patches=16), tmp_path / "other" / "prn"
    call(tmp_path, "git", "init", "-q", "other")
    call(first, "git", *command)
    dvc(clone, "repro", "download@test")
    said = call(clone, "python", "-c", "from stages.common.revision import revision; print(revision())")
    assert said == call(first, "git", "rev-parse", "HEAD")
    call(clone, "git", "checkout", "-q", "-b", "mine")
    call(clone, "git", "add", "-A")
    call(clone, "git", "commit", "-q", "-m", "lock")
    assert "Ran experiment(s): seed1" in dvc(clone, "exp", "run", "-n", "seed1", "-S", "seed=1", "download@test")
    assert "seed1" in dvc(clone, "exp", "list")


def test_the_cache_of_dvc_may_be_on_another_disk(tmp_path):
    """As README says: dvc config --local cache.dir, cache.type symlink."""
    from tests.test_pipeline import call, clone_of, dvc

    clone = clone_of(tmp_path / "prn", patches=16)
    dvc(clone, "config", "--local", "cache.dir", str(tmp_path / "disk"))
    dvc(clone, "config", "--local", "cache.type", "symlink")
    dvc(clone, "repro", "pack")
    assert (clone / "artifacts/embedded/train.npz").is_symlink()
    call(clone, "python", "-m", "stages.pack")
    assert not (clone / "artifacts/embedded/train.npz").is_symlink()
    assert "train.npz" not in dvc(clone, "status", "pack")  # the same bytes
