"""The house keeps its shape: imports point down, stages are thin and declare what they reach."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.config.params import networks

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# what each package may import besides itself: the arrows of pipeline/__init__.py
ARROWS = {
    "io": set(), "config": set(), "paper": set(), "sr": set(), "data": {"io"}, "models": {"sr", "io"},
    "training": {"models", "sr", "io"}, "engine": {"sr"}, "timing": {"engine", "sr"},
    "evaluation": {"sr", "data", "io"}, "experiments": {"evaluation", "engine", "sr", "data"},
    "analysis": {"paper"}, "report": {"paper", "io"}, "upscale": {"engine", "models", "sr", "io"},
}
# torch, numpy, PyYAML and the standard library alone, for any GPU machine
BARE = ["io", "sr", "models", "training", "engine", "timing"]
WITH_SAFETENSORS = ["models.weights"]
WITHOUT_TORCH = ["analysis", "report", "config", "data"]


def imported(path):
    """Names of this repository's modules that a file imports, at any depth of its code."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def files_of(name):
    path = ROOT / Path(*name.split("."))
    return [f for f in (path.with_suffix(".py"), path / "__init__.py") if f.exists()]


def closure(path):
    """Files of the repository that running `path` can reach."""
    seen, todo = set(), [path]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            if here == ROOT / "pipeline/models/__init__.py":  # finds a network by its name
                todo += [ROOT / f"pipeline/models/{name}.py" for name in networks()]
            todo += [f for name in imported(here) if name.split(".")[0] in ("pipeline", "stages")
                     for f in files_of(name)]
    only_words = {ROOT / "pipeline/__init__.py", ROOT / "stages/__init__.py"}
    return {str(f.relative_to(ROOT)) for f in seen - only_words if f.read_text().strip()}


def entry_points():
    for name, stage in STAGES.items():
        stage = stage.get("do", stage)
        module = re.search(r"python -m stages\.(\w+)", stage["cmd"])[1]
        yield name, stage, ROOT / "stages" / f"{module}.py"


def library():
    return sorted((ROOT / "pipeline").rglob("*.py"))


def package(file):
    """What dvc.yaml declares for a file of the repository: its package, or itself."""
    parts = Path(file).parts
    return file if len(parts) == 2 else "/".join(parts[:2])


@pytest.mark.parametrize("name, stage, path", list(entry_points()), ids=lambda v: v if isinstance(v, str) else "")
def test_stage_declares_all_packages_it_reaches_and_no_more(name, stage, path):
    declared = {d for d in stage.get("deps", ()) if d.startswith(("pipeline", "stages"))}
    assert declared == {package(file) for file in closure(path)} or stage.get("always_changed")


@pytest.mark.parametrize("path", sorted((ROOT / "stages").rglob("*.py")), ids=lambda p: p.name)
def test_stages_are_thin(path):
    assert len(path.read_text().splitlines()) < (120 if path.parent.name == "common" else 60)


@pytest.mark.parametrize("path", library(), ids=lambda p: p.name)
def test_library_files_are_small_and_quiet(path):
    text = path.read_text()
    assert len(text.splitlines()) < 300
    calls = {n.func.id for n in ast.walk(ast.parse(text))
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not calls & {"print", "exec", "eval"}
    assert not any(n.split(".")[0] in ("dvc", "dvclive", "stages") for n in imported(path))


@pytest.mark.parametrize("path", library(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    mine = path.relative_to(ROOT / "pipeline").with_suffix("").parts[0]
    others = {name.split(".")[1] for name in imported(path) if name.startswith("pipeline.")} - {mine}
    if mine not in ("__init__", "__main__"):
        assert others <= ARROWS[mine]


def test_only_params_reads_params_yaml():
    for path in library():
        if path.name != "params.py":
            assert "params.yaml\")" not in path.read_text()


def loads(modules, forbidden):
    code = (f"import sys\nimport {', '.join(modules)}\n"
            f"bad = [m for m in {forbidden!r} if m in sys.modules]\nsys.exit(str(bad) if bad else 0)")
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def modules(packages):
    paths = [p.relative_to(ROOT).with_suffix("") for name in packages
             for p in [ROOT / f"pipeline/{name}.py", *(ROOT / "pipeline" / name).rglob("*.py")] if p.exists()]
    return [".".join(p.parts).removesuffix(".__init__") for p in paths]


def test_captions_and_tables_need_no_torch():
    done = loads(modules(WITHOUT_TORCH), ["torch"])
    assert done.returncode == 0, done.stderr


def test_training_and_timing_need_torch_and_numpy_alone():
    names = [m for m in modules(BARE) if m.removeprefix("pipeline.") not in WITH_SAFETENSORS]
    done = loads([*names, "stages.common.networks", "stages.common.setup", "stages.common.shell"],
                 ["pandas", "skimage", "scipy", "matplotlib", "PIL", "dvc", "dvclive", "safetensors", "pooch"])
    assert done.returncode == 0, done.stderr


def test_no_stage_reads_a_parameter_that_it_does_not_declare():
    """What a stage takes from params.yaml, by the attributes of `p` in its code."""
    for name, stage, path in entry_points():
        tree = ast.walk(ast.parse(path.read_text()))
        used = {n.attr for n in tree if isinstance(n, ast.Attribute) and getattr(n.value, "id", "") == "p"}
        used |= {"variants"} if used & {"present", "of_profile"} else set()
        used -= {"scales_of", "sets_of", "training_sets", "check_sets", "load", "present", "of_profile", "profile"}
        declared = {key.split(".")[0] for key in stage.get("params", [])}
        if any(d.endswith("variants.json") for d in stage.get("deps", ())):  # these make it
            declared |= {"variants"}
        aspects = {"images": "profiles", "amounts": "budgets"}
        missing = {aspects.get(word, word) for word in used} - declared
        assert not missing or stage.get("always_changed"), f"{name} reads {missing}"


def test_a_stage_that_asks_which_weights_are_there_runs_again_when_some_are_published():
    for name, stage, path in entry_points():
        if "p.present(" in path.read_text() and not stage.get("always_changed"):
            assert "artifacts/${profile}/variants.json" in stage["deps"], name
    assert "weights/${weights}.json" in STAGES["train"]["deps"]


def test_outputs_of_stages_that_make_one_thing_are_named_one_by_one():
    for name, stage, _ in entry_points():
        for out in stage["outs"]:
            out = out if isinstance(out, str) else next(iter(out))
            folders = ("download", "train", "evaluate", "figures")
            assert name in folders or Path(out).suffix, f"{name}: {out} is a folder"


def test_the_files_of_dvc_stay_small():
    """DVC reads and writes all of them after each stage."""
    assert len((ROOT / "params.yaml").read_text().splitlines()) <= 320
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 450
    assert len((ROOT / "dvc.lock").read_text().splitlines()) <= 5000
