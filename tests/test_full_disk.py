"""Stages on a disk that takes no more: one line that says so, and nothing lost or half taken."""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import workspace
from tests.workspace import first_words, stage

COMMANDS = ["check", "download train", "download test", "pack", "train prn", "evaluate prn"]
MADE = ["train.npz", "timing.npz", "models/prn.safetensors", *(f"quality/prn/held-x{s}.csv" for s in (2, 3, 4))]


@contextmanager
def files_end_at(size):
    """Writing past `size` bytes of a file fails (EFBIG), as past the end of a disk (ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def made_of(tmp_path, monkeypatch):
    """Run the stages in a new workspace, each after it was disturbed; what they made, as bytes."""
    monkeypatch.setenv("TQDM_DISABLE", "1")

    def make(name, disturb=lambda command: None):
        folder = tmp_path / name
        folder.mkdir()
        workspace.fill(folder, workspace.small_params())
        monkeypatch.chdir(folder)
        for command in COMMANDS:
            disturb(command)
            assert first_words([command], monkeypatch) is None
        return {f: (folder / "artifacts/embedded" / f).read_bytes() for f in MADE}
    return make


def test_a_full_disk_is_one_line_and_the_next_run_ends_as_an_undisturbed_one(
        made_of, monkeypatch, capsys):
    words = {}

    def fill_up(command):
        for size in (0, 5000):  # nothing at all; the first files, then not the large ones
            with files_end_at(size):
                words[command, size] = stage(command, monkeypatch)

    expected = made_of("quiet")
    assert made_of("full", fill_up) == expected
    said = [text for text in words.values() if text]
    assert len(said) >= 9  # 5000 bytes are enough for some
    for (command, size), text in words.items():
        assert size or text, f"{command} did not notice that nothing could be written"
    assert not list(Path("artifacts").rglob("*.partial"))
    for text in said:
        assert "\n" not in text and ("File too large" in text or "could not be written" in text), text
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.drill
def test_a_disk_that_is_really_full(made_of, tmp_path, monkeypatch):
    """A tmpfs with 0 to 600 KiB to spare (ENOSPC); space is made again after each try."""
    place = tmp_path / "full"
    place.mkdir()
    expected, words = made_of("quiet"), []
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", place],
                      capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        workspace.fill(place, workspace.small_params())
        monkeypatch.chdir(place)
        for command in COMMANDS:
            for spare in (0, 20, 100, 600):
                ballast = place / "ballast"
                ballast.write_bytes(b"0" * max(0, shutil.disk_usage(place).free - spare * 1024))
                words.append(stage(command, monkeypatch))
                ballast.unlink()
            assert stage(command, monkeypatch) is None
        found = {f: (place / "artifacts/embedded" / f).read_bytes() for f in MADE}
    finally:
        monkeypatch.chdir(tmp_path)
        subprocess.run(["umount", "-l", place], check=True)
    said = [text for text in words if text]
    assert found == expected and len(said) >= 12
    assert all("No space left" in text or "could not be written" in text for text in said)


def without_override():
    """Takes CAP_DAC_OVERRIDE from what is run next, so that a read-only folder binds root as well."""
    ctypes.CDLL(None).prctl(24, 1)  # PR_CAPBSET_DROP; refused to other users, who lack it anyway


def test_a_read_only_folder_is_one_line(made_of):
    made_of("quiet")
    Path("artifacts/local.json").unlink()  # a file that is there could still be written
    Path("artifacts").chmod(0o500)
    try:
        done = subprocess.run([sys.executable, "-m", "stages.check"], text=True, capture_output=True,
                              env={**os.environ, "PYTHONPATH": str(workspace.ROOT)},
                              preexec_fn=without_override)
    finally:
        Path("artifacts").chmod(0o700)
    assert done.returncode and "Permission denied" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not Path("artifacts/local.json").exists()
