"""Which code ran, as far as git knows."""

import os
import subprocess
import tempfile
from pathlib import Path

RESULTS = (":(exclude)reports", ":(exclude)dvc.lock")  # what a run itself changes


def revision():
    """The commit that ran; besides it, what differs from it; or "unknown" and why.

    Returns
    -------
    str
        "0123abc", "0123abc with uncommitted changes in params.yaml", "0123abc, of a repository that holds
        the project in vendor/prn", "unknown: ..."
    """
    inside = _git("rev-parse", "--show-prefix")
    if inside is None:
        return "unknown: git is not installed"
    if "dubious ownership" in inside.stderr:
        return "unknown: the repository belongs to another user (git config --global --add safe.directory)"
    if inside.returncode:
        return "unknown: no git repository (a download without .git?)"
    head = _git("rev-parse", "--verify", "--quiet", "HEAD")
    if head.returncode:
        return "unknown: the repository has no commit"
    with tempfile.TemporaryDirectory() as folder:  # git's own index can miss a change within a second
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git("read-tree", "HEAD", **index)
        if _git("ls-files", "--error-unmatch", "dvc.yaml", **index).returncode:
            return "unknown: the last commit of the repository around the project does not hold it"
        status = _git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--", ".",
                      *RESULTS, **index)
    if status.returncode:
        return "unknown: git status failed; the repository may be damaged"
    prefix, found = inside.stdout.strip(), head.stdout.strip()
    changed = [entry[3:].removeprefix(prefix) for entry in status.stdout.split("\0") if entry]
    if prefix:
        found += f", of a repository that holds the project in {prefix.rstrip('/')}"
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        found += f" with uncommitted changes in {', '.join(changed[:5])}{more}"
    return found


def _git(*arguments, **environment):
    try:
        return subprocess.run(["git", *arguments], env={**os.environ, "LC_ALL": "C", **environment},
                              capture_output=True, text=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
