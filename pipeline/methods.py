"""Options and recipes of the classical methods, A+, RFL and SelfEx, in params.yaml."""

from dataclasses import dataclass, field

from pipeline.typed import ParameterError, at_least


@dataclass(frozen=True, kw_only=True)
class APlusOptions:
    anchors: int = 1024

    def __post_init__(self):
        at_least(self.anchors, 1, "variants: options.anchors")


@dataclass(frozen=True, kw_only=True)
class RFLOptions:
    trees: int = 10
    depth: int = 15
    leaves: int = 2048  # of each tree, at most

    def __post_init__(self):
        for key in ("trees", "depth", "leaves"):
            at_least(getattr(self, key), 1, f"variants: options.{key}")
        if self.depth > 20 or self.leaves > 2**15:
            raise ParameterError(f"params.yaml: variants: options: depth={self.depth}, "
                                 f"leaves={self.leaves}; at most 20 and 32768")


@dataclass(frozen=True, kw_only=True)
class SelfExOptions:
    iterations: list[int] = field(default_factory=lambda: [4, 3, 2, 2, 2, 2])  # coarse level first

    def __post_init__(self):
        for count in self.iterations:
            at_least(count, 0, "variants: options.iterations")


@dataclass(frozen=True, kw_only=True)
class APlusRecipe:
    sets: list[str]  # of training images; each must be in a phase, which fetches it
    levels: int  # sizes of each training image
    samples: int  # patches at most
    neighbours: int  # patches of each regression
    ridge: float
    iterations: int  # of k-means

    def __post_init__(self):
        for key in ("levels", "samples", "neighbours", "iterations"):
            at_least(getattr(self, key), 1, f"train: recipes: {key}")
        if not self.ridge > 0:
            raise ParameterError(f"params.yaml: train: recipes: ridge={self.ridge}; must be above 0")


@dataclass(frozen=True, kw_only=True)
class RFLRecipe:
    sets: list[str]  # as of APlusRecipe
    levels: int
    samples: int
    subsample: int  # patches that a node chooses its split by
    least: int  # patches of these on each side of a split
    ridge: float

    def __post_init__(self):
        for key in ("levels", "samples", "subsample", "least"):
            at_least(getattr(self, key), 1, f"train: recipes: {key}")
        if not self.ridge > 0 or self.subsample < 2 * self.least:
            raise ParameterError(
                "params.yaml: train: recipes: need ridge > 0 and subsample >= 2 * least; got "
                f"ridge={self.ridge}, subsample={self.subsample}, least={self.least}")
