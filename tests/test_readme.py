"""README's blocks, run in order as they stand, as a new user would: pytest -m drill -s tests/test_readme.py"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_pipeline import ROOT, call, copy, environment

RUN = ("Run it", "Change one thing and compare", "Enlarge an image")  # what an hour of a laptop can do


def blocks(section):
    text = (ROOT / "README.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)


def virtual_environment(clone):
    """This one, as if `make` had installed it; links, so that nothing done to it reaches this one."""
    (clone / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != ".installed":
            (clone / ".venv" / path.name).symlink_to(path)
    (clone / ".venv" / ".installed").touch()


def shell(clone, lines):
    """Run lines in one shell, each with its time; what each printed."""
    found = {}
    script = "".join(f"echo '@@@ {n}'\n{line}\n" for n, line in enumerate(lines))
    begun = time.monotonic()
    with subprocess.Popen(["bash", "-ec", script], cwd=clone, env=environment() | {"PATH": os.environ["PATH"]}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as done:
        for words in done.stdout:
            print(f"{time.monotonic() - begun:7.1f} {words}", end="")
            if words.startswith("@@@"):
                now = lines[int(words.split()[1])].split("#")[0].strip()
                print(f"$ {now}")
            found[now] = [*found.get(now, []), words.rstrip()]
    assert done.returncode == 0, f"{now}\n" + "\n".join(found[now][-40:])
    return {line: said[1:] for line, said in found.items()}


@pytest.mark.drill
def test_the_blocks_of_the_readme_run_as_they_stand(tmp_path):
    """With the whole of the embedded profile: some ten minutes on two quiet cores."""
    clone = copy(tmp_path / "prn", leave_out=())
    call(clone, "git", "init", "-q")
    call(clone, "git", "add", "-A")
    call(clone, "git", "commit", "-q", "-m", "clone")
    virtual_environment(clone)
    lines = [line for section in RUN for block in blocks(section) for line in block.splitlines()]
    said = shell(clone, lines)
    assert said["make reproduce"][-1] == "Open reports/embedded/report.html"
    assert re.search(r"gamma_low 10 -> 20: .*(less|more) at x4.*more mild patches", " ".join(said["make compare"]))
    assert max(map(len, said["make compare"])) <= 80
    differences = [line.split() for line in said["dvc metrics diff HEAD low20"] if "psnr_db.prn." in line]
    assert differences and all(len(words) == 5 and "-" not in words for words in differences)
    page = (clone / "dvc_plots" / "index.html").read_text()
    assert "10/30" in page and "20/30" in page
    assert call(clone, "git", "diff", "--stat", "params.yaml") == ""
    assert all((clone / name).exists() for name in ("large.png", "map.png", "enlarged/coffee.png"))


def test_the_blocks_name_what_is_there():
    """Quick: each command of a block is a target of make, a stage, or a program of the environment."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    for section in (*RUN, "Paper scale"):
        for line in "\n".join(blocks(section)).splitlines():
            word, *rest = line.split("#")[0].split()
            assert word in ("make", ".", "dvc", "git", "python", "export"), line
            assert word != "make" or rest[0] in targets, line
