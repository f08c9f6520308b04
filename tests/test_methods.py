"""methods.csv: what is known of each method, and how few files name one."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline import paper
from pipeline.report.figures import style

ROOT = Path(__file__).parents[1]
METHODS = paper.methods()


def test_every_variant_of_params_yaml_has_a_label_a_kind_and_the_origin_of_its_weights():
    variants = yaml.safe_load((ROOT / "params.yaml").read_text())["variants"]
    assert set(variants) <= set(METHODS.index)
    assert set(METHODS.kind) == {"interpolation", "example", "light", "heavy", "ours"}
    assert set(METHODS.weights) == {"authors", "ours", "fitted", "none"}
    assert METHODS.index.is_unique and METHODS.notna().all().all()


def test_no_two_methods_are_drawn_or_printed_alike():
    assert not METHODS.duplicated(["colour", "marker"]).any() and METHODS.label.is_unique


def test_a_method_without_a_row_keeps_its_name_and_is_grey():
    assert paper.label("mine") == "mine" == style.method("mine").label
    assert style.method("mine").colour == style.GREY


def test_light_weight_methods_are_those_that_the_paper_lists():
    assert set(paper.of_kind(*paper.LIGHT)) == {"aplus", "rfl", "selfex", "srcnn", "scn", "fsrcnn"}
    assert set(paper.of_kind("heavy")) == {"lapsrn", "vdsr", "drcn"}
    compared = set(paper.of_kind(*paper.LIGHT)) | {"bicubic", "prn"}
    assert set(paper.read("table1").method) == compared


@pytest.mark.parametrize("method", ["srcnn", "scn"])
def test_adding_a_method_touches_its_module_its_row_and_its_lines_of_params_yaml(method):
    """Other files must not list methods; the paper's own figures and claims are no list of methods."""
    code = [f for folder in ("pipeline", "stages") for f in (ROOT / folder).rglob("*.py")]
    naming = {str(f.relative_to(ROOT)) for f in code
              if re.search(rf"[\"']{method}[\"']", f.read_text())}
    assert naming <= {f"pipeline/models/{method}.py", "pipeline/models/authors.py"}  # models of their authors
    assert method in METHODS.index
    assert method in yaml.safe_load((ROOT / "params.yaml").read_text())["methods"]
