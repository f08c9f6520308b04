"""Options of the networks that have some, and recipes of those that are fitted, in params.yaml."""

from dataclasses import dataclass, field
from typing import Literal

from pipeline.config.typed import ParameterError, at_least


@dataclass(frozen=True, kw_only=True)
class PRNOptions:
    width: int = 64
    early: int = 1
    middle: int = 2
    late: int = 2
    rolling: bool = True
    routing: bool = True
    dilation: int = 1
    start: Literal["skip", "identity", "plain"] = "skip"

    def __post_init__(self):
        at_least(self.width, 1, "variants: options.width", 512)
        for key in ("early", "middle", "late"):
            at_least(getattr(self, key), 1, f"variants: options.{key}", 32)
        at_least(self.dilation, 1, "variants: options.dilation", 8)


@dataclass(frozen=True, kw_only=True)
class APlusOptions:
    anchors: int = 1024

    def __post_init__(self):
        at_least(self.anchors, 1, "variants: options.anchors", 2**14)


@dataclass(frozen=True, kw_only=True)
class RFLOptions:
    trees: int = 10
    depth: int = 15
    leaves: int = 2048  # of each tree, at most

    def __post_init__(self):
        for key, most in (("trees", 100), ("depth", 20), ("leaves", 2**15)):
            at_least(getattr(self, key), 1, f"variants: options.{key}", most)


@dataclass(frozen=True, kw_only=True)
class SelfExOptions:
    iterations: list[int] = field(default_factory=lambda: [4, 3, 2, 2, 2, 2])  # coarse level first

    def __post_init__(self):
        for count in self.iterations:
            at_least(count, 0, "variants: options.iterations", 100)


@dataclass(frozen=True, kw_only=True)
class APlusRecipe:
    sets: list[str]  # of training images; each must be in a phase, which fetches it
    levels: int  # sizes of each training image
    samples: int  # patches at most
    neighbours: int  # patches of each regression
    ridge: float
    iterations: int  # of k-means

    def __post_init__(self):
        for key, most in (("levels", 100), ("samples", 10**8), ("neighbours", 10**6), ("iterations", 1000)):
            at_least(getattr(self, key), 1, f"train: recipes: {key}", most)
        at_least(self.ridge, 1e-6, "train: recipes: ridge")


@dataclass(frozen=True, kw_only=True)
class RFLRecipe:
    sets: list[str]  # as of APlusRecipe
    levels: int
    samples: int
    subsample: int  # patches that a node chooses its split by
    least: int  # patches of these on each side of a split
    ridge: float

    def __post_init__(self):
        for key, most in (("levels", 100), ("samples", 10**8), ("subsample", 10**6), ("least", 10**6)):
            at_least(getattr(self, key), 1, f"train: recipes: {key}", most)
        at_least(self.ridge, 1e-6, "train: recipes: ridge")
        if self.subsample < 2 * self.least:
            raise ParameterError("params.yaml: train: recipes: need subsample >= 2 * least; got "
                                 f"subsample={self.subsample}, least={self.least}")


OPTIONS = {"prn": PRNOptions, "aplus": APlusOptions, "rfl": RFLOptions,
           "selfex": SelfExOptions}  # networks that have some
FITTED = {"aplus": APlusRecipe, "rfl": RFLRecipe}  # networks that are fitted in closed form
