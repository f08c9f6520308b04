"""Kept results carry a version, and the version is held to the code: whoever changes one decides on the other.

A change that can change results raises the version; one that cannot only renews the digest here (the
failure prints it).
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline import evaluation, training
from tests.code_digest import digest, tokens

ROOT = Path(__file__).parents[1]
CODE = {  # what a version covers: name to (version, digest, files)
    "training": (training.VERSION, "2:d50e375be897b7f5", [
        "training/algorithm1.py", "training/run.py", "training/sampling.py", "training/precision.py",
        "training/fit/aplus.py", "training/fit/rfl.py", "training/fit/samples.py", "sr/degrade.py",
        "sr/prior.py"]),
    "evaluation": (evaluation.VERSION, "1:0626656e1cbe8644", [
        "evaluation/protocol.py", "evaluation/metrics.py", "data/images.py", "experiments/seams.py",
        "engine/adaptive.py", "engine/borders.py", "engine/fused.py",
        *(f"sr/{name}.py" for name in ("colour", "cost", "degrade", "patches", "prior", "routing")),
        *(f"models/{path.name}" for path in sorted((ROOT / "pipeline/models").glob("*.py"))
          if path.name not in ("__init__.py", "weights.py"))]),
}


@pytest.mark.parametrize("name", CODE)
def test_the_version_is_that_of_the_code(name):
    version, stored, files = CODE[name]
    found = f"{version}:{digest(ROOT / 'pipeline' / file for file in files)}"
    assert found == stored, (f"the code of {', '.join(files)} changed: raise the version of {name} if results can "
                             f"change by it, then write {found!r} here")


@pytest.mark.parametrize("python", ["python3.10", "python3.12", "python3.13", "python3.14"])
def test_other_pythons_give_the_same_digest(python):
    """A state that was trained under one is found under the other."""
    found = [shutil.which(python), *Path.home().glob(f".pyenv/versions/{python[6:]}.*/bin/python")]
    at = next((p for p in found if p and not subprocess.run([p, "-V"], capture_output=True).returncode), None)
    if at is None:
        pytest.skip(f"no {python} on this machine")
    files = [str(path) for path in sorted((ROOT / "pipeline/training").rglob("*.py"))]
    done = subprocess.run([at, ROOT / "tests/code_digest.py", *files], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(files)


def test_comments_docstrings_and_layout_do_not_count():
    code = 'def f(x):\n    """Words."""\n    return f"{x:.2f} {\'a\'}", x  # why\n'
    other = 'def f(x):\n    """Other words."""\n\n    # because\n    return f"{x:.2f} {\'a\'}", \\\n        x\n'
    assert [*tokens(code)] == [*tokens(other)]
    assert [*tokens(code)] != [*tokens(code.replace(".2f", ".3f"))]
    assert [*tokens("if a:\n    b\nc\n")] != [*tokens("if a:\n    b\n    c\n")]
