"""Any value of params.yaml is refused at the first stage with key, value and range, or it runs."""

import copy
import json
import os
from dataclasses import asdict

import pytest
import torch
import yaml
from hypothesis import HealthCheck, assume, example, given, note, settings, strategies as st

from pipeline.training import algorithm1
from pipeline.training.algorithm1 import Phase, tables
from pipeline.training.run import Run
from pipeline.config import params
from pipeline.data import sources
from pipeline.config.options import FITTED, Recipe
from pipeline.config.resolved import training
from pipeline.models import build
from pipeline.analysis.tables import depth_variants
from stages.common.networks import fresh, routing
from tests import workspace
from tests.test_training import make_images

RAW = workspace.raw_params()


def paths_of(node, path=()):
    """Every place in the file, leaves and sections."""
    if path:
        yield path
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from paths_of(value, (*path, key))


DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
EXAMPLES = int(os.environ.get("PRN_EXAMPLES", 50))
PATHS = sorted(paths_of(RAW))
NUMBERS = st.one_of(
    st.integers(-3, 130), st.integers(), st.floats(width=32), st.floats(0, 1),
    st.sampled_from([0, 1, 2**31, 2**63, 10**30, 1e-300, 1e308, float("nan"), float("inf"), -0.0]))
WORDS = st.one_of(st.sampled_from(
    ["l2", "lr", "hr", "linear", "smoke", "plain", "paper", "published", "prn", "prn_plain", "vdsr", "set5",
     "bsds200", "embedded_train", "fig8", "../x", "a b", "a/b", "", "10", "null"]), st.text(max_size=5))
LEAVES = st.one_of(NUMBERS, WORDS, st.booleans(), st.none())
VALUES = st.one_of(LEAVES, st.lists(LEAVES, max_size=4), st.lists(st.integers(0, 120), max_size=4),
                   st.lists(st.sampled_from([2, 3, 4]), max_size=3), st.dictionaries(WORDS, LEAVES, max_size=3))


@st.composite
def changes(draw):
    """One change: a value replaced, near its type more often than not, a key removed or added."""
    path = draw(st.sampled_from(PATHS))
    kind = draw(st.sampled_from(["replace"] * 6 + ["remove", "add"]))
    old = at(RAW, path)
    if kind == "add":
        return kind, path, (draw(WORDS), draw(VALUES))
    like = {bool: st.booleans(), int: NUMBERS, float: NUMBERS, str: WORDS}.get(type(old), VALUES)
    if isinstance(old, list):
        like = st.lists(st.one_of(st.sampled_from(old), LEAVES), max_size=len(old) + 1)
    return kind, path, draw(st.one_of(like, VALUES))


def at(node, path):
    for key in path:
        node = node[key]
    return node


def changed(raw, kind, path, value):
    raw = copy.deepcopy(raw)
    parent = at(raw, path[:-1])
    if kind == "replace":
        parent[path[-1]] = value
    elif kind == "remove":
        del parent[path[-1]]
    elif isinstance(parent[path[-1]], dict):
        parent[path[-1]][value[0]] = value[1]
    return raw


def check(file):
    """What the first stage does."""
    p = params.load(file)
    p.check_sets(sources.known())
    return p


@given(change=changes())
@example(change=("replace", ("gamma_low",), float("nan")))
@example(change=("replace", ("seed",), -1))
@example(change=("replace", ("seed",), 2**40))
@example(change=("replace", ("recipes", "paper", "clip"), float("nan")))
@example(change=("replace", ("budgets", "smoke", "limit_minutes"), -1))
@example(change=("replace", ("profiles", "embedded", "train"), {}))
@example(change=("replace", ("variants", "fsrcnn", "effort"), float("inf")))
@example(change=("replace", ("variants", "bicubic", "network"), "srcnn"))
@example(change=("replace", ("variants", "prn", "options"), {"early": 2}))
@example(change=("replace", ("variants", "prn_no_rolling", "options"), {"rolling": True}))
@example(change=("replace", ("variants", "prn", "scales"), [2]))
@example(change=("add", ("variants",), ("../../prn", {"network": "prn", "recipe": "paper"})))
@example(change=("replace", ("methods",), ["srcnn"]))
@example(change=("replace", ("routed",), ["prn_no_rolling"]))
@example(change=("replace", ("scales",), [2, 2]))
@example(change=("replace", ("ablation", "lows"), [200]))
@example(change=("replace", ("local",), {"set5": "embedded/test"}))
@example(change=("replace", ("profiles", "paper", "test"), ["bsds100", "bsds200"]))
@example(change=("replace", ("profiles", "paper", "pictures", "fig8", "crop"), {"y": 0, "x": 0}))
@example(change=("remove", ("profiles", "paper"), None))
@example(change=("remove", ("profiles", "embedded", "pictures", "fig9"), None))
@example(change=("remove", ("variants", "cnn7"), None))
@example(change=("replace", ("recipes", "scn"), 1))
@example(change=("replace", ("profiles", "embedded", "train", "fit", "sets"), ["embedded_test"]))
@example(change=("replace", ("recipes", "rfl", "ridge"), 0))
@example(change=("replace", ("variants", "aplus", "recipe"), "paper"))
@example(change=("replace", ("variants", "aplus", "options"), {"anchors": 10**6}))
@example(change=("replace", ("variants", "fsrcnn", "scales"), [2]))
@example(change=("replace", ("variants", "vdsr", "profiles"), ["embedded", "embedded"]))
@example(change=("replace", ("profiles", "paper", "engine", "scales"), [2]))
@example(change=("replace", ("budgets", "smoke", "engine", "repeats"), 0))
@example(change=("replace", ("profiles", "embedded", "engine", "sets"), ["set5"]))
@example(change=("remove", ("budgets", "paper"), None))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_changed_file_is_refused_in_words_or_runs(tmp_path_factory, change):
    kind, path, value = change
    file = tmp_path_factory.getbasetemp() / "params.yaml"
    file.write_text(yaml.dump(changed(RAW, kind, path, value), Dumper=DUMPER))
    try:
        p = check(file)
    except params.ParameterError as error:
        words = str(error)
        note(words)
        assert words.startswith("params.yaml: ") and "\n" not in words
        keys = [*path, value[0].strip()] if kind == "add" else path
        assert any(str(key) in words for key in keys)
        if kind == "replace" and isinstance(value, (int, float, str)):
            plain = " ".join(value.split()) if isinstance(value, str) else f"{value:g}"
            assert repr(value) in words or repr(plain) in words or plain in words or f"{value}" in words
        assert any(word in words for word in ("legal", "expected", "need", "missing", "use", "no YAML"))
    else:
        assert_runs(p, path)


def assert_runs(p, path):
    """What can be tried in milliseconds: networks, routes, provenance, a step of training."""
    name = path[1] if path[0] == "variants" and len(path) > 1 and path[1] in p.variants else "prn"
    model = fresh(p, name)
    recipe = p.recipe_of(name)
    assert [s for s in p.scales_of(name) if s not in p.scales] == []
    assert p.ablation.pairs() and routing(p).gamma_low < routing(p).gamma_upper
    depth_variants({n: v.options for n, v in p.variants.items() if v.network == "prn"})
    json.dumps(asdict(p), allow_nan=False)
    if not any(True for _ in model.parameters()) or p.variants[name].network in FITTED:
        return
    if recipe.batch * recipe.crop**2 > 10**5:
        return
    if p.variants[name].network == "prn":
        model = build("prn", p.scales, width=4)
    entry = training(p, name)
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    recipe, cpu = algorithm1.Recipe(**entry["recipe"]), torch.device("cpu")
    run = Run(model, recipe, p.scales_of(name), p.seed, cpu)
    try:
        run.enter(tables(Phase(make_images(1, 120), False), recipe, run.learns, entry["label"], model, cpu),
                  False)
    except ValueError as error:  # what only the images can tell names the key as well
        assert "change the training" in str(error) or "use a smaller crop" in str(error)
    else:
        run.advance(1)
        assert run.loss.isfinite().all()


@pytest.mark.parametrize("text, words", [
    ("gamma_low: [", "no YAML"), ("", "expected keys, got None"), ("- 1", "expected keys"),
    ("5", "expected keys, got 5"), ("gamma_low: !!python/name:os.system", "no YAML"),
    ("\x00", "no YAML"), ("1: 2", "1: unknown key"),
])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, words):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(params.ParameterError, match=words):
        check(tmp_path / "params.yaml")


@pytest.mark.drill
@given(changes=st.lists(changes(), min_size=1, max_size=3))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_accepted_runs_to_its_report(tmp_path_factory, changes):
    """The whole pipeline on every accepted file: no traceback; a report, or the images' refusal."""
    small = workspace.small_params()
    raw = small
    for kind, path, value in changes:
        try:
            raw = changed(raw, kind, path, value)
        except (KeyError, TypeError):
            assume(False)
    folder = tmp_path_factory.mktemp("drill")
    workspace.fill(folder, raw)
    back = os.getcwd()
    os.chdir(folder)
    try:
        p = check("params.yaml")
    except params.ParameterError:
        return
    finally:
        os.chdir(back)
    recipes = [p.recipe_of(name) for name in p.present(p.variants)]
    assume(not any(isinstance(r, Recipe) and r.batch * r.crop**2 > 10**5 for r in recipes))
    assume(max(p.amounts.rungs) < 100 and p.amounts.timing.repeats * p.amounts.timing.warmup < 10)
    assume(p.profile == "embedded" and p.weights == "trained" and raw != small)
    assume(all(v.options.get("width", 64) <= 64 for v in p.variants.values()))
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    try:
        words = workspace.first_words(workspace.whole_pipeline(raw), monkeypatch)
    finally:
        monkeypatch.undo()
    assert words is None or any(key in words for key in ("train", "pictures:", "local."))
