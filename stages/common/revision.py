"""Which code ran, as far as git knows."""

import os
import subprocess

RESULTS = (":(exclude)reports", ":(exclude)dvc.lock")  # what a run itself changes


def revision():
    """The commit that ran; besides it, what differs from it; or "unknown" and why.

    Returns
    -------
    str
        "0123abc", "0123abc with uncommitted changes in params.yaml", "0123abc, of a repository that holds
        the project in vendor/prn", "unknown: ..."
    """
    if (inside := _git("rev-parse", "--show-prefix")) is None:
        return "unknown: git is not installed"
    if "dubious ownership" in inside.stderr:
        return "unknown: the repository belongs to another user (git config --global --add safe.directory)"
    if inside.returncode:
        return "unknown: no git repository (a download without .git?)"
    head = _git("rev-parse", "--verify", "--quiet", "HEAD")
    if head.returncode:
        return "unknown: the repository has no commit"
    if _git("ls-files", "--error-unmatch", "dvc.yaml").returncode:
        return "unknown: the repository around the project does not hold it"
    status = _git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--", ".", *RESULTS)
    if status.returncode:
        return "unknown: git status failed, the repository may be damaged"
    prefix = inside.stdout.strip()
    changed = [entry[3:].removeprefix(prefix) for entry in status.stdout.split("\0") if entry]
    found = head.stdout.strip()
    if prefix:
        found += f", of a repository that holds the project in {prefix.rstrip('/')}"
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        found += f" with uncommitted changes in {', '.join(changed[:5])}{more}"
    return found


def _git(*arguments):
    try:
        return subprocess.run(["git", "--no-optional-locks", *arguments], capture_output=True, text=True,
                              encoding="utf-8", errors="replace",
                              env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError:
        return None
