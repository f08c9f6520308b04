"""Provenance names a commit only if that is what ran, and says what else it knows."""

import os
import subprocess

import pytest

from stages.common.revision import revision

ME = ("-c", "user.name=t", "-c", "user.email=t@localhost")


def git(*arguments):
    return subprocess.run(["git", *ME, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def commit():
    git("add", "-A")
    git("commit", "-q", "--no-verify", "-m", "all")
    return git("rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a few files of the project, in no repository."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # which may trust every folder
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "outer/vendor/prn/reports").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "outer/vendor/prn")
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", "reports/report.md", "code.py"):
        write(name, "a")
    return tmp_path


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def test_a_clean_tree_is_its_commit_and_results_do_not_count(project):
    git("init", "-q")
    head = commit()
    assert revision() == head
    write("reports/report.md", "b")
    write("dvc.lock", "b")
    write("reports/new.csv", "b")
    assert revision() == head


@pytest.mark.parametrize("staged", [False, True])
def test_uncommitted_changes_are_named(project, staged):
    git("init", "-q")
    head = commit()
    write("code.py", "b")  # of the same size and in the same second, which the index of git can miss
    write("größe.py", "b")
    if staged:
        git("add", "-A")
    assert revision() == f"{head} with uncommitted changes in code.py, größe.py"
    for number in range(7):
        write(f"more{number}.py", "b")
    assert revision().endswith("more2.py and 4 more")


def test_a_change_that_the_index_hides_is_seen(project):
    git("init", "-q")
    head = commit()
    git("update-index", "--assume-unchanged", "code.py")
    write("code.py", "b")
    assert revision() == f"{head} with uncommitted changes in code.py"


def test_a_download_without_git(project):
    assert revision() == "unknown: no git repository (a download without .git?)"
    git("init", "-q")
    assert revision() == "unknown: the repository has no commit"


def test_a_repository_around_the_project(project, monkeypatch):
    os.chdir(project / "outer")
    git("init", "-q")
    write(".gitignore", "vendor/\n")
    commit()
    os.chdir("vendor/prn")
    assert revision() == "unknown: the last commit of the repository around the project does not hold it"
    write("../../.gitignore", "")
    head = commit()
    write("../../other.txt", "not of the project")
    assert revision() == f"{head}, of a repository that holds the project in vendor/prn"
    write("code.py", "b")
    assert revision().endswith("in vendor/prn with uncommitted changes in code.py")


def test_a_worktree_is_its_own_commit(project):
    git("init", "-q")
    head = commit()
    git("worktree", "add", "-q", "-b", "other", str(project / "tree"))
    write("code.py", "b")
    os.chdir(project / "tree")
    assert revision() == head


def test_a_repository_of_another_user(project, monkeypatch):
    git("init", "-q")
    commit()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch for its tests
    assert revision().startswith("unknown: the repository belongs to another user")


def test_no_git_at_all(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    assert revision() == "unknown: git is not installed"
