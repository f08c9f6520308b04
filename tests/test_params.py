"""params.yaml: every bad value is refused with its key and what would be legal."""

import copy
import re
import shutil
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from pipeline.config import params
from pipeline.data import sources

RAW = yaml.load(Path("params.yaml").read_text(), Loader=params._Loader)


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


def test_the_shipped_file_is_valid(tmp_path):
    assert load(tmp_path, "seed", value=0) == params.load("params.yaml")


def test_the_overrides_of_the_readme_are_those_that_dvc_and_the_pipeline_take(tmp_path):
    """A key that is not in params.yaml yet needs a plus."""
    commands = re.findall(r"dvc exp run(?:.*\\\n)*.*", Path("README.md").read_text())
    assert len(commands) >= 4
    for command in commands:
        file = shutil.copy("params.yaml", tmp_path)
        apply_overrides(file, re.findall(r"-S '?([^\s'`]+)", command))
        assert params.load(file) != params.load("params.yaml") or "-S" not in command


@pytest.mark.parametrize("path, value, message", [
    (("gamma_low",), "abc", "gamma_low: expected a number, got 'abc'"),
    (("gamma_low",), 30, "need 0 <= gamma_low < gamma_upper. Eq. .2. of the paper swaps"),
    (("gamma_low",), -1, "need 0 <= gamma_low"),
    (("gamma_low",), True, "gamma_low: expected a number, got True"),
    (("seed",), 1.5, "seed: expected a whole number, got 1.5"),
    (("profile",), "papre", "profile: 'papre' is not legal; use one of embedded, paper"),
    (("weights",), "best", "weights: 'best' is not legal; use one of trained, published"),
    (("gama_low",), 3, "gama_low: unknown key; legal: profile, weights, seed, gamma_low"),
    (("prior", "norm"), "l3", "prior.norm: 'l3' is not legal; use one of l1, l2"),
    (("methods",), ["bicubic", "vdsrr"], "methods: 'vdsrr' is not legal; use one of bicubic, aplus"),
    (("methods",), ["prn"], "methods: 'prn' is not legal"),
    (("routed",), ["fsrcnn"], "routed: 'fsrcnn' is not legal; use one of prn"),
    (("methods",), [], "methods: expected a list with at least one entry"),
    (("scales",), [2, 5], "scales: 5 is not legal; use one of 2, 3, 4"),
    (("sets", "paper", "test"), ["set6"], "sets.paper.test: 'set6' is not legal; use one of .*set5"),
    (("sets", "embedded", "ablation"), "set5", "sets.embedded.ablation: 'set5' is not legal"),
    (("variants", "prn", "options"), {"depth": 3}, "options.depth: unknown key; legal: width, early"),
    (("variants", "prn", "options"), {"early": 0}, "options.early: 0 is too small"),
    (("variants", "fsrcnn", "options"), {"early": 2}, "network fsrcnn takes no options"),
    (("variants", "aplus", "options"), {"anchors": 0}, "options.anchors: 0 is too small"),
    (("variants", "rfl", "options"), {"depth": 30}, "options.depth: 30 is too large; legal: 1 to 20"),
    (("variants", "aplus", "recipe"), "paper", "variants.aplus.recipe.*'paper' is not legal; use one of aplus$"),
    (("variants", "fsrcnn", "recipe"), "rfl", "'rfl' is not legal; use one of paper, baseline"),
    (("train", "paper", "recipes", "aplus", "sets"), ["set5"], "recipes.aplus.sets.*'set5' is not legal"),
    (("train", "paper", "recipes", "aplus", "ridge"), 0, "ridge: 0.0 is too small"),
    (("train", "paper", "recipes", "rfl", "subsample"), 100, "subsample >= 2 \\* least; got"),
    (("train", "paper", "recipes", "rfl", "anchors"), 100, "recipes.rfl.anchors: unknown key"),
    (("variants", "fsrcnn", "profiles"), ["papre"], "fsrcnn.profiles: 'papre' is not legal"),
    (("variants", "selfex", "sets"), ["set6"], "variants.selfex.sets: 'set6' is not legal; use one of .*set5"),
    (("variants", "fsrcnn", "sets"), ["set5"], "variants.fsrcnn.sets: .* compared on all test sets"),
    (("variants", "prn", "profiles"), ["paper"], "prn.profiles: .* every profile needs prn"),
    (("variants", "prn", "network"), "edsr", "variants.prn.network: 'edsr' is not legal"),
    (("variants", "prn", "train_gammas"), [50, 20], "train_gammas: gamma_low=50"),
    (("train", "embedded", "phases", "finetune", "steps"), 0, "steps: 0 is too small"),
    (("train", "embedded", "recipes", "paper", "learning_rate"), 2.0, "0 < learning_rate < 1"),
    (("ablation", "gamma_upper"), 20, "ablation.gamma_low=20, ablation.gamma_upper=20"),
    (("timing", "paper", "repeats"), 0, "repeats: 0 is too small"),
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
