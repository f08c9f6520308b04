"""Options of the networks that have some, and recipes of training and of fits, in params.yaml."""

from dataclasses import field, fields
from typing import Literal

from pipeline.config.validation import Count, Flag, read, section, real, whole


@section
class PRNOptions:
    width: whole(1, 512) = 64
    early: whole(1, 32) = 1
    middle: whole(1, 32) = 2
    late: whole(1, 32) = 2
    rolling: Flag = True
    routing: Flag = True
    separate: Flag = False
    dilation: whole(1, 8) = 1
    start: Literal["skip", "identity", "plain"] = "skip"
    border: Literal["zeros", "replicate", "real"] = "zeros"

    def __post_init__(self):
        if self.border == "replicate" and self.dilation > 1:
            raise ValueError(f"border: replicate needs dilation: 1, got {self.dilation}: the engine repeats no more "
                             "of a border than the deconvolution reads")


@section
class APlusOptions:
    anchors: whole(1, 2**14) = 1024


@section
class RFLOptions:
    trees: whole(1, 100) = 10
    depth: whole(1, 20) = 15
    leaves: whole(1, 2**15) = 2048  # of each tree, at most


@section
class SelfExOptions:
    iterations: list[whole(0, 100)] = field(default_factory=lambda: [4, 3, 2, 2, 2, 2])  # coarse level first


@section
class Recipe:
    """How a network is trained (decision D9)."""

    learning_rate: real(gt=0, lt=1)
    decay: Literal["linear", "step"]  # of the cooldown
    warmup: whole(0, 10**6)  # steps
    batch: whole(4, 4096)  # patches of one scale
    crop: whole(16, 1024)  # HR pixels
    clip: real(ge=0, le=1e9) = 0.0  # largest norm of the gradient; 0: not clipped
    ema: real(ge=0, lt=1) = 0.0  # decay of the averaged weights; 0: none
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"  # of wide convolutions


@section
class APlusRecipe:
    levels: whole(1, 100)  # sizes of each training image
    samples: whole(1, 10**8)  # patches at most
    neighbours: Count  # patches of each regression
    ridge: real(ge=1e-6, le=1e6)
    iterations: whole(1, 1000)  # of k-means


@section
class RFLRecipe:
    levels: whole(1, 100)
    samples: whole(1, 10**8)
    subsample: Count  # patches that a node chooses its split by
    least: Count  # patches of these on each side of a split
    ridge: real(ge=1e-6, le=1e6)

    def __post_init__(self):
        if self.subsample < 2 * self.least:
            raise ValueError(f"need subsample >= 2 * least; got subsample={self.subsample}, "
                             f"least={self.least}")


OPTIONS = {"prn": PRNOptions, "aplus": APlusOptions, "rfl": RFLOptions,
           "selfex": SelfExOptions}  # networks that have some
FITTED = {"aplus": APlusRecipe, "rfl": RFLRecipe}  # networks that are fitted in closed form
RECIPES = (Recipe, *FITTED.values())


def resolve(p, name, budget=None):
    """A recipe of params.yaml as a dataclass, with what a budget changes of it.

    It is of the kind that has most of its keys, so that an error names the odd one.

    Raises
    ------
    ParameterError
    """
    raw, where = p.recipes[name], f"recipes.{name}"
    if budget:
        raw, where = {**raw, **p.budgets[budget].recipes.get(name, {})}, f"budgets.{budget}.{where}"
    kind = max(RECIPES, key=lambda c: len({f.name for f in fields(c)} & p.recipes[name].keys()))
    return read(kind, raw, where)
