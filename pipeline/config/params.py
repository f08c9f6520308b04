"""params.yaml -> frozen dataclasses: the only reader, and the place of all checks.

A value that is missing, unknown, of a wrong type or out of range stops the pipeline at its first
stage with a `ParameterError` that names the key and what would be legal.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import yaml

from pipeline.config import checks
from pipeline.config.options import APlusRecipe, FITTED, OPTIONS, RFLRecipe
from pipeline.config.typed import ParameterError, at_least, build, one_of, unique

PUBLISHED = Path("weights/published.json")
UNLEARNT = ("bicubic", "selfex", *FITTED)  # fitted anew, or nothing to learn


@dataclass(frozen=True, kw_only=True)
class Prior:
    norm: Literal["l1", "l2"]
    domain: Literal["bicubic", "lr", "hr"]


@dataclass(frozen=True, kw_only=True)
class Ablation:
    scale: int
    gamma_low: float
    gamma_upper: float
    lows: list[float]
    uppers: list[float]

    def __post_init__(self):
        _check_gammas(self.gamma_low, self.gamma_upper, "ablation.")
        for key in ("lows", "uppers"):
            unique(getattr(self, key), f"ablation.{key}")
            at_least(min(getattr(self, key)), 0, f"ablation.{key}")
        if not self.pairs():
            raise ParameterError(f"params.yaml: ablation.lows={self.lows}, uppers={self.uppers}: "
                                 "no pair has low < upper, need one")

    def pairs(self):
        """All (label, gamma_low, gamma_upper) of Fig. 7 with gamma_low < gamma_upper."""
        return [(f"U{u}L{l}", low, upper) for u, upper in enumerate(self.uppers, 1)
                for l, low in enumerate(self.lows, 1) if low < upper]


@dataclass(frozen=True, kw_only=True)
class Variant:
    network: Literal["bicubic", "aplus", "rfl", "selfex", "cnn7", "srcnn", "fsrcnn", "vdsr", "drcn",
                     "lapsrn", "scn", "prn"]
    recipe: str  # of train.<profile>.recipes
    effort: float = 1.0  # times the steps of a phase: cheap networks take more of them
    scales: list[int] = field(default_factory=list)  # empty: those of params.yaml
    options: dict[str, object] = field(default_factory=dict)
    train_gammas: list[float] = field(default_factory=list, repr=False)  # of the labels (decision D13)
    seed: int = field(default=0, repr=False)  # added to that of params.yaml: repeats of a variant
    # where it is trained and measured, and on which test sets; empty: all. Tables cite the paper elsewhere
    profiles: list[str] = field(default_factory=list, repr=False)
    sets: list[str] = field(default_factory=list, repr=False)

    def __post_init__(self):
        if not 0 < self.effort <= 1000:
            raise ParameterError(f"params.yaml: variants: effort: {self.effort} is not legal; above 0, to 1000")
        at_least(self.seed, 0, "variants: seed", 2**31 - 1)
        if self.train_gammas:
            if len(self.train_gammas) != 2:
                raise ParameterError(f"params.yaml: variants: train_gammas: expected two, got {self.train_gammas}")
            _check_gammas(*self.train_gammas, "train_gammas: ")
        if self.network in OPTIONS:
            build(OPTIONS[self.network], self.options, "variants: options")
        elif self.options:
            raise ParameterError(f"params.yaml: variants: network {self.network} takes no options, "
                                 f"got {', '.join(self.options)}; only {', '.join(OPTIONS)} have")


@dataclass(frozen=True, kw_only=True)
class Sets:
    test: list[str]
    ablation: str


@dataclass(frozen=True, kw_only=True)
class Phase:
    sets: list[str]
    steps: int
    augment: bool

    def __post_init__(self):
        at_least(self.steps, 1, "train: phases: steps", 10**8)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    learning_rate: float
    decay: Literal["step", "cosine"]
    batch: int  # patches a scale and step
    crop: int  # HR pixels
    clip: float  # largest norm of the gradient; 0: not clipped
    ema: float  # decay of the averaged weights; 0: none
    precision: Literal["float32", "bfloat16"]  # of wide convolutions

    def __post_init__(self):
        at_least(self.batch, 4, "train: recipes: batch", 4096)
        at_least(self.crop, 16, "train: recipes: crop", 1024)
        if not 0 < self.learning_rate < 1 or not 0 <= self.ema < 1 or self.clip < 0:
            raise ParameterError(
                "params.yaml: train: recipes: need 0 < learning_rate < 1, 0 <= ema < 1 and clip >= 0; got "
                f"learning_rate={self.learning_rate}, ema={self.ema}, clip={self.clip}")


@dataclass(frozen=True, kw_only=True)
class Train:
    gamma_low: float
    gamma_upper: float
    limit_minutes: float
    phases: dict[str, Phase]
    recipes: dict[str, Recipe | APlusRecipe | RFLRecipe]

    def __post_init__(self):
        _check_gammas(self.gamma_low, self.gamma_upper, "train.")
        at_least(self.limit_minutes, 0, "train: limit_minutes")
        if not self.phases:
            raise ParameterError("params.yaml: train: phases: {} is not legal; use at least one phase")


@dataclass(frozen=True, kw_only=True)
class Gradients:
    patches: int
    stride: int

    def __post_init__(self):
        at_least(self.patches, 10, "gradients: patches")
        at_least(self.stride, 1, "gradients: stride")


@dataclass(frozen=True, kw_only=True)
class Claims:
    bicubic_psnr_db: float
    bicubic_ssim: float
    trained_psnr_db: float
    trained_ssim: float
    time_ratio: float
    paper_patches: dict[str, float]
    budget: float

    def __post_init__(self):
        if "prn" not in self.paper_patches:
            raise ParameterError("params.yaml: claims: paper_patches: prn: missing; all networks without "
                                 "a number of their own are held to it")
        for key, value in (vars(self) | self.paper_patches).items():
            if key != "paper_patches" and value < 0:
                raise ParameterError(f"params.yaml: claims: {key}={value:g}; must be 0 or more")


@dataclass(frozen=True, kw_only=True)
class Timing:
    images: int
    repeats: int
    warmup: int

    def __post_init__(self):
        for key in ("images", "repeats", "warmup"):
            at_least(getattr(self, key), 1, f"timing: {key}")


@dataclass(frozen=True, kw_only=True)
class Engine:
    sets: list[str]
    scales: list[int]
    images: int  # of each set, spread over it
    repeats: int

    def __post_init__(self):
        for key in ("images", "repeats"):
            at_least(getattr(self, key), 1, f"engine: {key}")


@dataclass(frozen=True, kw_only=True)
class Picture:
    dataset: str
    image: str
    scale: int
    crop: list[int]
    title: str = ""  # what it shows, where the file name does not say

    @property
    def called(self):
        return self.title or self.image

    def __post_init__(self):
        if len(self.crop) != 3 or min(self.crop) < 0 or not 8 <= self.crop[2] <= 8192:
            raise ParameterError(f"params.yaml: pictures: crop: {self.crop} is not legal; use y and x "
                                 "from 0 and a side of 8 to 8192 pixels")


@dataclass(frozen=True, kw_only=True)
class Params:
    """All of params.yaml."""

    profile: Literal["embedded", "paper"]
    weights: Literal["trained", "published"]
    seed: int
    gamma_low: float
    gamma_upper: float
    prior: Prior
    scales: list[int]
    methods: list[str]
    routed: list[str]
    ablation: Ablation
    variants: dict[str, Variant]
    local: dict[str, str]
    sets: dict[str, Sets]
    train: dict[str, Train]
    gradients: dict[str, Gradients]
    claims: Claims
    timing: dict[str, Timing]
    engine: dict[str, Engine]
    pictures: dict[str, dict[str, Picture]]

    def __post_init__(self):
        _check_gammas(self.gamma_low, self.gamma_upper, "")
        at_least(self.seed, 0, "seed", 2**31 - 1)
        checks.check(self, networks=get_args(get_type_hints(Variant)["network"]))

    def present(self, names):
        """Those of some variants that the profile trains and measures; refuses an unknown one.

        With ``weights: published``, those that are published, that nothing is learnt for, or that all
        figures need.
        """
        for name in names:
            one_of(name, self.variants, "variants")
        here = [n for n in names if self.profile in (self.variants[n].profiles or [self.profile])]
        if self.weights == "trained":
            return here
        return [n for n in here if n in published() or n in checks.ALWAYS
                or self.variants[n].network in UNLEARNT]

    def scales_of(self, name):
        """Scales that a variant is trained for and scored at; refuses an unknown one."""
        one_of(name, self.variants, "variants")
        return tuple(self.variants[name].scales or self.scales)

    def sets_of(self, name):
        """Test sets of the profile that a variant is scored on; refuses an unknown one."""
        one_of(name, self.variants, "variants")
        return [s for s in self.sets[self.profile].test if s in (self.variants[name].sets or [s])]

    def training_sets(self):
        """Names of the profile's training sets."""
        phases = self.train[self.profile].phases.values()
        return sorted({name for phase in phases for name in phase.sets})

    def check_sets(self, known):
        """Refuse a data set that is neither in `known` nor under ``local``, or stands in for one."""
        checks.check_sets(self, known)


def published():
    """Names of the variants whose weights the repository ships."""
    return json.loads(PUBLISHED.read_text()) if PUBLISHED.exists() else {}


def load(path="params.yaml"):
    """Read and check params.yaml.

    Raises
    ------
    ParameterError
        With the key and the legal values.
    """
    try:
        raw = yaml.load(Path(path).read_text(), Loader=_Loader)
    except yaml.YAMLError as error:
        raise ParameterError(f"params.yaml: no YAML: {' '.join(str(error).split())}") from error
    return build(Params, raw, "")


class _Loader(yaml.SafeLoader):
    """YAML 1.2 numbers: plain SafeLoader reads 1e-4 as text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789"))


def _check_gammas(low, upper, prefix):
    """Eq. 2 with the names of Table II (decision D1)."""
    if not 0 <= low < upper:
        raise ParameterError(
            f"params.yaml: {prefix}gamma_low={low:g}, {prefix}gamma_upper={upper:g}: need "
            "0 <= gamma_low < gamma_upper. Eq. (2) of the paper swaps the two names; here, as in "
            "Table II, a patch is mild up to gamma_low and severe from gamma_upper")
