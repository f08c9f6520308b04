"""params.yaml: every bad value is refused with its key and what would be legal."""

import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from pipeline.config import params
from pipeline.config.resolved import front, training
from pipeline.data import sources
from pipeline.report.front import AROUND
from tests import workspace

RAW = workspace.raw_params()


def load(tmp_path, *path, value=None, remove=False):
    raw = copy.deepcopy(RAW)
    node = raw
    for key in path[:-1]:
        node = node[key]
    if remove:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(raw, sort_keys=False))
    loaded = params.load(file)
    loaded.check_sets(sources.known())
    return loaded


@pytest.fixture
def shipped(tmp_path):
    """A copy of params.yaml, whatever the user's last override left there."""
    file = tmp_path / "params.yaml"
    file.write_text(workspace.shipped())
    return file


def test_the_shipped_file_is_valid(tmp_path, shipped):
    expected = params.load(shipped)
    assert load(tmp_path, "seed", value=0) == expected
    params.load("params.yaml")


@pytest.mark.parametrize("keys, there", [({}, False), ({"budget": "gpu"}, True), ({"weights": "published"}, True),
                                         ({"profile": "paper"}, False), ({"profile": "paper", "budget": "gpu"}, True)])
def test_what_ablations_are_compared_with_is_trained_where_it_is_not_prn_itself(shipped, keys, there):
    p = replace(params.load(shipped), **keys)
    assert ("prn_seed0" in p.present(p.variants)) == ("prn_no_rolling_seed0" in p.present(p.variants)) == there


def test_a_variant_of_a_user_is_trained_whatever_its_name_ends_in(shipped):
    p = params.load(shipped)
    mine = replace(p, variants=p.variants | {"mine_seed0": params.Variant()})
    assert "mine_seed0" in mine.present(mine.variants)


def test_networks_of_the_front_begin_with_those_that_the_others_of_their_width_are_compared_with(shipped):
    p = replace(params.load(shipped), profile="paper", weights="published")
    names = front(p)
    wide = [n for n in names if p.variants[n].options.get("width", 64) == 64 and p.variants[n].options.get("routing", True)]
    assert wide[0] == AROUND[0] and AROUND[1] in wide and {"prn", "prn_x3", "prn_x4"}.isdisjoint(names)


def test_the_overrides_of_the_readme_are_those_that_dvc_and_the_pipeline_take(shipped):
    """A key that is not in params.yaml yet needs a plus."""
    commands = re.findall(r"dvc exp run(?:.*\\\n)*.*", Path("README.md").read_text())
    assert len(commands) >= 4
    text, before = shipped.read_text(), params.load(shipped)
    for command in commands:
        shipped.write_text(text)
        overrides = re.findall(r"-S '?([^\s'`]+)", command)
        apply_overrides(shipped, [re.sub(r"=.*,", "=", words) for words in overrides])  # of a sweep its last value
        assert params.load(shipped) != before or "-S" not in command


@pytest.mark.parametrize("override, line", [
    ("gamma_low=20", "gamma_low: 20"), ("budget=cpu", "budget: cpu"), ("seed=7", "seed: 7"),
    ("profiles.paper.pictures.fig8.crop.side=80", "        crop: {y: 40, x: 80, side: 80}"),
    ("budgets.smoke.recipes.paper.batch=16", "      paper: {learning_rate: 0.001, warmup: 10, batch: 16}")])
def test_dvc_changes_one_line_and_drops_no_comment(shipped, override, line):
    """`dvc exp run -S` reads the file by ruamel and writes it anew."""
    before = shipped.read_text().splitlines()
    apply_overrides(shipped, [override])
    after = shipped.read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1 and changed[0].startswith(line)


def test_variants_are_resolved_from_both_axes(tmp_path):
    entry = training(load(tmp_path, "prior", "domain", value="hr"), "fsrcnn")
    assert entry["recipe"] == {"learning_rate": 0.003, "decay": "linear", "warmup": 10, "batch": 8, "crop": 54,
                               "clip": 0.0, "ema": 0.0, "precision": "float32"}
    assert entry["rungs"] == [5 * 1280] and entry["budget"] == "smoke"
    assert entry["label"] == {"norm": "l1", "domain": "bicubic", "gamma_low": 10, "gamma_upper": 30}
    assert entry["phases"]["trunk"] == entry["phases"]["branch"] == {"sets": ["embedded_train"], "augment": True}
    p = load(tmp_path, "profile", value="paper")
    assert training(p, "prn_trained_20_50")["label"]["gamma_upper"] == 50
    assert training(p, "prn_seed2")["seed"] == 2 and training(p, "cnn7")["scales"] == [3]
    assert training(p, "aplus")["recipe"]["sets"] == ["t91"]
    assert training(p, "prn")["phases"]["branch"] == {"sets": ["bsds200"], "augment": True}
    assert training(load(tmp_path, "budget", value="cpu"), "prn")["rungs"] == [25_000, 100_000, 400_000]
    gpu = load(tmp_path, "budget", value="gpu")
    assert training(gpu, "prn")["rungs"] == [100_000, 400_000, 1_200_000, 3_200_000]
    assert training(gpu, "prn_seed0")["rungs"] == [100_000, 400_000, 1_200_000]
    assert training(gpu, "prn_seed0") | {"rungs": 0} == training(gpu, "prn") | {"rungs": 0}
    gpu.variants["prn"] = replace(gpu.variants["prn"], effort=2)
    assert training(gpu, "prn")["rungs"][-1] == 6_400_000


def test_each_budget_changes_only_what_differs():
    p = params.load("params.yaml")
    assert p.recipe_of("prn", "paper").batch == 64 and p.recipe_of("prn", "cpu").batch == 16
    assert p.recipe_of("prn", "cpu").crop == p.recipe_of("prn", "paper").crop == 54
    for budget, amounts in p.budgets.items():
        for name, changes in amounts.recipes.items():
            same = {k for k, v in changes.items() if p.recipes[name].get(k) == v}
            assert not same, f"budgets.{budget}.recipes.{name}: {same} are those of recipes.{name}"


@pytest.mark.parametrize("path, value, message", [
    (("gamma_low",), "abc", "gamma_low: expected a number, got 'abc'"),
    (("gamma_low",), 30, "need 0 <= gamma_low < gamma_upper. Eq. .2. of the paper swaps"),
    (("gamma_low",), -1, "need 0 <= gamma_low"),
    (("gamma_low",), True, "gamma_low: expected a number, got True"),
    (("seed",), 1.5, "seed: expected a whole number, got 1.5"),
    (("profile",), "papre", "profile: 'papre' is not legal; use one of embedded, paper"),
    (("weights",), "best", "weights: 'best' is not legal; use one of trained, published"),
    (("gama_low",), 3, "gama_low: unknown key; legal: profile, budget, weights, seed, gamma_low"),
    (("prior", "norm"), "l3", "prior.norm: 'l3' is not legal; use one of l1, l2"),
    (("methods",), ["bicubic", "vdsrr"], "methods: 'vdsrr' is not legal; use one of bicubic, aplus"),
    (("methods",), ["prn"], "methods: 'prn' is not legal"),
    (("routed",), ["fsrcnn"], "routed: 'fsrcnn' is not legal; use one of prn"),
    (("methods",), [], "methods: expected a list with at least one entry"),
    (("scales",), [2, 5], "scales: 5 is not legal; use one of 2, 3, 4"),
    (("profiles", "paper", "test"), ["set6"], "profiles.paper.test: 'set6' is not legal; use one of .*set5"),
    (("profiles", "embedded", "ablation"), "set5", "profiles.embedded.ablation: .*'set5' is not legal"),
    (("variants", "prn", "options"), {"depth": 3}, "options.depth: unknown key; legal: width, early"),
    (("variants", "prn", "options"), {"early": 0},
     "variants.prn.options.early: 0 is too small; use a number at least 1"),
    (("variants", "fsrcnn", "options"), {"early": 2}, "network fsrcnn takes no options"),
    (("variants", "prn_modern", "options"), {"border": "replicate"}, "options.border: replicate is not legal: the engine"),
    (("variants", "prn_x4", "options"), {"border": "replicate", "dilation": 2}, "border: replicate needs dilation: 1"),
    (("variants", "aplus", "options"), {"anchors": 0}, "options.anchors: 0 is too small"),
    (("variants", "rfl", "options"), {"depth": 30},
     "rfl.options.depth: 30 is too large; use a number at most 20"),
    (("variants", "aplus", "recipe"), "paper", "variants.aplus.recipe.*'paper' is not legal; use one of aplus$"),
    (("variants", "fsrcnn", "recipe"), "rfl", "'rfl' is not legal; use one of paper, large, modern, baseline"),
    (("profiles", "paper", "train", "fit", "sets"), ["set5"], "train.fit.sets: 'set5' is not legal, it is in"),
    (("recipes", "aplus", "ridge"), 0, "recipes.aplus.ridge: 0 is too small"),
    (("recipes", "rfl", "subsample"), 100, "subsample >= 2 \\* least; got"),
    (("recipes", "rfl", "anchors"), 100, "recipes.rfl.anchors: unknown key"),
    (("variants", "fsrcnn", "profiles"), ["papre"], "fsrcnn.profiles: 'papre' is not legal"),
    (("variants", "selfex", "sets"), ["set6"], "variants.selfex.sets: 'set6' is not legal; use one of .*set5"),
    (("variants", "fsrcnn", "sets"), ["set5"], "variants.fsrcnn.sets: .* compared on all test sets"),
    (("variants", "prn", "profiles"), ["paper"], "prn.profiles: .* every profile needs prn"),
    (("variants", "prn", "network"), "edsr", "variants.prn.network: 'edsr' is not legal"),
    (("variants", "prn", "train_gammas"), [50, 20], "train_gammas: gamma_low=50"),
    (("budget",), "long", "budget: 'long' is not legal; use one of smoke, cpu, gpu, paper"),
    (("budgets", "cpu", "rungs"), [0], r"budgets.cpu.rungs\[0\]: 0 is too small"),
    (("budgets", "gpu", "further"), 1_200_000, "budgets.gpu.further: 1,200,000 is not legal; use more than the last"),
    (("variants", "prn_seed0", "further"), True, "variants.prn_seed0.further: is not legal: it stands for prn where"),
    (("budgets", "cpu", "rungs"), [5, 5], "budgets.cpu.rungs: .5, 5. is not legal; use numbers that grow"),
    (("budgets", "cpu", "recipes", "prm"), {}, "budgets.cpu.recipes.*'prm' is not legal; use one of paper"),
    (("budgets", "cpu", "recipes", "paper"), {"batc": 8}, "cpu.recipes.paper.batc: unknown key; legal: lea"),
    (("budgets", "cpu", "recipes", "paper"), {"batch": 2}, "cpu.recipes.paper.batch: 2 is too small"),
    (("recipes", "paper", "decay"), "cosine", "paper.decay: 'cosine' is not legal; use one of linear, step"),
    (("recipes", "paper", "clip"), float("nan"), "recipes.paper.clip: expected a number, got nan"),
    (("profiles", "paper", "train", "pretrain", "augment"), 1, "augment: expected true or false, got 1"),
    (("profiles", "embedded", "pictures", "fig8", "crop", "side"), 4, "crop.side: 4 is too small"),
    (("recipes", "paper", "learning_rate"), 2.0, "learning_rate: 2.0 is too large; use a number below 1"),
    (("ablation", "gamma_upper"), 20, "ablation.gamma_low=20, ablation.gamma_upper=20"),
    (("budgets", "paper", "timing", "repeats"), 0, "paper.timing.repeats: 0 is too small"),
    (("local",), ["a"], "local: expected keys"),
])
def test_bad_values_name_the_key_and_the_mend(tmp_path, path, value, message):
    with pytest.raises(params.ParameterError, match=message):
        load(tmp_path, *path, value=value)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(params.ParameterError, match="params.yaml: gamma_low: missing"):
        load(tmp_path, "gamma_low", remove=True)


@pytest.mark.parametrize("text, value", [("1e-4", 1e-4), ("1.0e-4", 1e-4), ("0.0001", 1e-4),
                                         ("1e-05", 1e-5), ("2E+1", 20.0)])
def test_scientific_numbers_are_numbers(text, value):
    """Plain PyYAML reads 1e-4 as text, and DVC writes numbers that way."""
    assert yaml.load(f"x: {text}", Loader=params._Loader) == {"x": value}


def test_pairs_of_fig_7_are_all_with_low_below_upper():
    pairs = params.load("params.yaml").ablation.pairs()
    assert len(pairs) == 12 and ("U2L2", 20, 50) in pairs
    assert all(low < upper for _, low, upper in pairs)
