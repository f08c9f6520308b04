"""The whole, as a user runs it: dvc repro and dvc exp run in a fresh clone, on a small budget."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from stages.common import progress
from tests import workspace

ROOT = Path(__file__).parents[1]
KEPT = ["bicubic", "cnn7", "fsrcnn", "prn", "prn_no_rolling"]


def environment():
    """No network to be reached and no identity but git's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PRN_", "DVC_", "GIT_"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
                   "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
                   "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@localhost",
                   "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@localhost"}


def call(clone, *command, fails=False):
    """Run a command in the clone."""
    done = subprocess.run(command, cwd=clone, env=environment(), text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode != 0) == fails, done.stdout[-4000:]
    return done.stdout


def dvc(clone, *arguments, **kwargs):
    return call(clone, sys.executable, "-m", "dvc", *arguments, **kwargs)


def ran(output):
    return {name for name in re.findall(r"Running stage '(.*)'", output)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """In a folder with a space."""
    return clone_of(tmp_path_factory.mktemp("a user") / "prn copy", patches=16)


def copy(path, leave_out):
    """What git would clone, and files that are not committed yet; the user's own parameters are left out."""
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file() and not name.startswith(tuple(leave_out)):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, path / name)
    (path / "params.yaml").write_text(workspace.shipped())
    return path


def clone_of(path, patches):
    """A copy of what git would clone, with a budget of a few steps and few variants.

    Without dvc.lock, which tells of all variants, and which DVC writes anew after each stage.
    """
    copy(path, leave_out=("reports/embedded", "reports/paper", "dvc.lock"))
    params = yaml.safe_load((path / "params.yaml").read_text())
    params["methods"], params["routed"] = [*KEPT[:3], "srcnn"], KEPT[3:]
    params["variants"] = {name: params["variants"][name] for name in [*KEPT, "srcnn"]}
    params["variants"]["srcnn"]["profiles"] = ["paper"]  # which leaves it out here
    params["variants"]["fsrcnn"]["effort"] = 1
    params["budgets"]["smoke"] |= {"rungs": [patches], "timing": {"images": 1, "repeats": 2, "warmup": 1}}
    (path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "clone"]):
        call(path, "git", *command)
    return path


def test_repro_makes_the_report_offline_and_a_second_one_does_nothing(clone):
    output = dvc(clone, "repro")
    order = [name.replace("@", " ") for name in re.findall(r"Running stage '(.*)'", output)]
    assert order == list(progress.STAGES) and f"stage 5 of {len(order)}: train" in output
    assert all(re.search(rf"^{name}: .*", output, re.M) for name in KEPT) and "5 of 5 done" in output
    out = clone / "reports" / "embedded"
    top = (out / "report.md").read_text().split("\n# ")[0]
    assert "no figure here can be compared with the paper" in top and "6 steps" in top
    page = (out / "report.html").read_text()
    assert page.count('class="enlarge"') == 16 and page.count('class="comparison"') == 4
    quality = pd.read_csv(out / "quality.csv")
    assert list(quality) == ["method", "dataset", "scale", "image", "psnr_db", "ssim", "share_mild",
                             "share_moderate", "share_severe", "macs"]
    assert len(quality) == 4 * (5 * 3 + 1) and quality[["psnr_db", "ssim"]].notna().all().all()
    early = quality.method == "fsrcnn"  # 8 steps of Adam drive it off its bicubic start
    assert quality.psnr_db.between(5, 60).all() and quality[~early].psnr_db.between(20, 60).all()
    assert set(quality.method) == {*KEPT, "prn_context"}
    assert set(pd.read_csv(out / "timing.csv").method) == set(KEPT)
    ledger = pd.read_csv(out / "claims.csv").set_index("id")
    assert set(ledger.index[ledger.verdict == "contradicted"]) == {"receptive-field"}  # by arithmetic, decision D5
    assert set(pd.read_csv(out / "cells.csv").verdict) <= {"not comparable", "not run"}
    provenance = json.loads((out / "provenance.json").read_text())
    top = (out / "report.md").read_text().split("\n# ")[0]  # what it rests on stands above the title
    page = html.unescape(page.split("</header>")[0])
    assert set(provenance["trained"]) == set(KEPT)
    assert {"Test images", "Training images"} <= provenance["departures"].keys()
    assert all(words in top and words in page for words in provenance["departures"].values())
    assert provenance["trained"]["prn"]["steps"] == 6 and re.fullmatch("[0-9a-f]{40}", provenance["revision"])
    start = time.monotonic()
    assert ran(dvc(clone, "repro")) == {"check"}  # looks at the user's folders, of which there are none
    assert time.monotonic() - start < 30


def test_a_comment_and_caches_of_python_rerun_nothing(clone):
    lock = (clone / "dvc.lock").read_bytes()
    with open(clone / "params.yaml", "a") as file:
        file.write("# a word more\n")
    for name in ("pipeline", "pipeline/models", "pipeline/training/fit", "stages"):
        folder = clone / name
        (folder / "__pycache__").mkdir(exist_ok=True)
        (folder / "__pycache__" / "some.cpython-311.pyc").write_bytes(os.urandom(8))
    assert ran(dvc(clone, "repro")) == {"check"}
    assert (clone / "dvc.lock").read_bytes() == lock


def test_a_threshold_reruns_what_depends_on_it_and_nothing_else(clone):
    call(clone, "git", "add", "-A")
    call(clone, "git", "commit", "-q", "-m", "results")
    before = pd.read_csv(clone / "reports/embedded/quality.csv")
    output = dvc(clone, "exp", "run", "-n", "low20", "-S", "gamma_low=20")
    assert ran(output) == {"check", "evaluate", "timing", "pictures", "tables", "figures", "claims", "report"}
    after = pd.read_csv(clone / "reports/embedded/quality.csv")
    same = ~before.method.str.startswith("prn")
    assert before[same].equals(after[same])
    assert after[~same].share_mild.mean() > before[~same].share_mild.mean()
    shown = json.loads(dvc(clone, "metrics", "show", "--json"))
    assert "psnr_db" in json.dumps(shown)
    assert "gamma_low" in dvc(clone, "params", "diff", "--md")
    both = json.loads(dvc(clone, "metrics", "diff", "HEAD", "low20", "--json"))["reports/embedded/metrics.json"]
    assert all(entry["old"] is not None and entry["new"] is not None for entry in both.values())
    assert "mild_percent.x4" in both and "severe_percent.x4" not in both  # gamma_upper alone moves it
    shown = call(clone, sys.executable, "-m", "stages.compare").splitlines()
    assert max(map(len, shown)) <= 80 and any(line.startswith("psnr_db.prn.x") for line in shown), shown
    assert "gamma_low 10 -> 20:" in shown[-1] + shown[-2] and "more mild" in " ".join(shown[-2:])
    assert not any(line.startswith(("psnr_db.fsrcnn", "psnr_db.bicubic")) for line in shown)
    drawn = dvc(clone, "plots", "diff", "HEAD", "low20", "--json")
    assert '"10/30"' in drawn and '"20/30"' in drawn


def test_a_changed_image_of_the_user_is_fetched_again(tmp_path):
    """DVC does not see the folder; the stage `check` looks at it every time."""
    clone = clone_of(tmp_path / "prn", patches=16)
    shutil.copytree(clone / "embedded" / "test", tmp_path / "mine")
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params["local"] = {"mine": str(tmp_path / "mine")}
    images = params["profiles"]["embedded"]
    images |= {"test": ["mine"], "ablation": "mine"}
    images["engine"]["sets"] = ["mine"]
    for picture in images["pictures"].values():
        picture["dataset"] = "mine"
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert "download@test" in ran(dvc(clone, "repro", "download@test"))
    assert ran(dvc(clone, "repro", "download@test")) == {"check"}
    path = min((tmp_path / "mine").glob("*.png"))
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    assert ran(dvc(clone, "repro", "download@test")) == {"check", "download@test"}
    fetched = clone / "artifacts/embedded/datasets/test/mine" / path.name
    assert fetched.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("override, message", [
    ("gamma_low=abc", "params.yaml: gamma_low: expected a number, got 'abc'"),
    ("gamma_low=40", "need 0 <= gamma_low < gamma_upper"),
    ("methods=[vdsr]", "is not legal; use one of bicubic"),
    ("profiles.embedded.test=[set6]", "'set6' is not legal; use one of"),
])
def test_a_bad_value_stops_at_the_first_stage_and_nothing_is_written(clone, override, message):
    call(clone, "git", "stash", "-q", "--include-untracked")
    before = {p: p.read_bytes() for p in (clone / "reports").rglob("*") if p.is_file()}
    call(clone, sys.executable, "-c",
         f"import yaml,pathlib; p=pathlib.Path('params.yaml'); d=yaml.safe_load(p.read_text());\n"
         f"keys, value = {override!r}.split('=', 1); *path, last = keys.split('.'); n=d\n"
         "for k in path: n=n[k]\n"
         "n[last]=yaml.safe_load(value); p.write_text(yaml.safe_dump(d, sort_keys=False))")
    output = dvc(clone, "repro", fails=True)
    assert message in output and ran(output) == {"check"} and "Traceback" not in output
    assert before == {p: p.read_bytes() for p in (clone / "reports").rglob("*") if p.is_file()}
    call(clone, "git", "checkout", "-q", "--", "params.yaml")
