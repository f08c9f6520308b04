"""params.yaml -> frozen dataclasses: its only reader, and the place of all checks.

A value that is missing, unknown, of a wrong type or out of range stops the pipeline at its first
stage with a `ParameterError` that names the key and what would be legal.
"""

import csv
import json
import re
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from pipeline.config import checks
from pipeline.config.options import FITTED, resolve
from pipeline.config.validation import (Count, Flag, Name, Number, ParameterError, Positive, one_of, read,
                                        section, real, whole)

PUBLISHED = Path("weights/published.json")
UNLEARNT = ("bicubic", "selfex", *FITTED)  # fitted anew, or nothing to learn
REGISTRY = Path(__file__).parents[1] / "data/authors.csv"  # of models by the authors of a method
Seed = whole(0, 2**31 - 1)
Some = Annotated[list[str], Field(min_length=1)]  # names of data sets, variants or profiles
Scales = Annotated[list[whole(1, 16)], Field(min_length=1)]
Gammas = Annotated[list[Number], Field(min_length=2, max_length=2)]


@section
class Prior:
    norm: Literal["l1", "l2", "squared_both"]
    domain: Literal["bicubic", "lr", "hr"]


@section
class Ablation:
    lows: Annotated[list[Positive], Field(min_length=1)]
    uppers: Annotated[list[Positive], Field(min_length=1)]
    gamma_low: Number
    gamma_upper: Number
    scale: whole(1, 16)

    def pairs(self):
        """All (label, gamma_low, gamma_upper) of Fig. 7 with gamma_low < gamma_upper."""
        return [(f"U{u}L{l}", low, upper) for u, upper in enumerate(self.uppers, 1)
                for l, low in enumerate(self.lows, 1) if low < upper]


@section
class Variant:
    network: Name = "prn"  # a module of pipeline/models
    recipe: Name | None = None  # a key of recipes; None: that of its network's name, or paper
    effort: real(gt=0, le=1000) = 1.0  # times the patches of a rung: cheap networks take more of them
    further: Flag = False  # whether it goes on to that rung of the budget
    scales: Scales | None = None  # None: those of params.yaml
    options: dict[Name, object] = field(default_factory=dict)
    train_gammas: Gammas | None = None  # of the labels; None: those of params.yaml
    seed: Seed = 0  # added to that of params.yaml: repeats of a variant
    profiles: Some | None = None  # where it is trained and measured; tables cite the paper elsewhere
    sets: Some | None = None  # test sets that it is scored on; None: all


@section
class Phase:
    sets: Some
    augment: Flag


@section
class Fit:
    sets: Some


@section
class TrainingImages:
    pretrain: Phase
    finetune: Phase
    fit: Fit  # of A+ and RFL


@section
class Gradients:
    patches: Count
    stride: Count


@section
class EngineImages:
    sets: Some
    scales: Scales


@section
class Crop:
    y: whole(0, 10**5)
    x: whole(0, 10**5)
    side: whole(8, 8192)


@section
class Picture:
    dataset: str
    image: str
    scale: whole(1, 16)
    crop: Crop
    title: str = ""  # what it shows, where the file name does not say

    @property
    def box(self):
        """Top, left and side of the crop."""
        return self.crop.y, self.crop.x, self.crop.side

    @property
    def called(self):
        return self.title or self.image


@section
class Images:
    """One of profiles: which images."""

    test: Some
    ablation: str
    train: TrainingImages
    gradients: Gradients
    engine: EngineImages
    pictures: dict[Name, Picture]


@section
class Timing:
    images: Count
    repeats: Count
    warmup: Count


@section
class EngineTiming:
    images: Count  # of each set, spread over it
    repeats: Count


@section
class Budget:
    """One of budgets: how long; its recipes are `Params.recipes` with what differs."""

    rungs: Annotated[list[whole(1, 10**10)], Field(min_length=1)]  # patches of each scale
    limit_minutes: Positive
    timing: Timing
    engine: EngineTiming
    recipes: dict[Name, dict[Name, object]]
    further: whole(1, 10**10) | None = None  # a rung of some variants alone


@section
class Claims:
    bicubic_psnr_db: Positive
    bicubic_ssim: Positive
    trained_psnr_db: Positive
    trained_ssim: Positive
    time_ratio: Positive
    paper_patches: dict[Name, Positive]
    budget: Positive
    doubling_db: Positive

    def __post_init__(self):
        if "prn" not in self.paper_patches:
            raise ValueError("paper_patches: prn: missing; networks without a number of their own are held to it")


@section
class Params:
    """All of params.yaml."""

    profile: Literal["embedded", "paper"]
    budget: Literal["smoke", "cpu", "gpu", "paper"]
    weights: Literal["trained", "published"]
    seed: Seed
    gamma_low: Number
    gamma_upper: Number
    prior: Prior
    scales: Scales
    methods: Some
    routed: Some
    train_gammas: Gammas
    ablation: Ablation
    variants: dict[Name, Variant]
    local: dict[Name, str]
    recipes: dict[Name, dict[Name, object]]
    profiles: dict[Name, Images]
    budgets: dict[Name, Budget]
    claims: Claims

    @property
    def images(self):
        """What the profile says: `Images`."""
        return self.profiles[self.profile]

    @property
    def amounts(self):
        """What the budget says: `Budget`."""
        return self.budgets[self.budget]

    def of_profile(self, names):
        """Those of some variants that the profile has; refuses an unknown one."""
        for name in names:
            one_of(name, self.variants, "variants")
        return [n for n in names if self.profile in (self.variants[n].profiles or [self.profile])
                and self.sets_of(n)]

    def present(self, names):
        """Those of some variants that have weights in this run, or need none; refuses an unknown one.

        With ``weights: published``, those that are published, by us or by their authors, that nothing is
        learnt for, or that all figures need.  NAME_seed0 is NAME itself in a budget where that goes no further.
        """
        here = self.of_profile(names)
        if self.weights == "trained":
            return here if self.amounts.further else [n for n in here if n not in {f"{v}_seed0" for v in self.variants}]
        return [n for n in here if n in published() or n in by_authors() or n in checks.ALWAYS
                or self.variants[n].network in UNLEARNT]

    def options_of(self, name):
        """What the network of a variant is built with: its authors' weights need options of their own."""
        own = by_authors().get(name, {}) if self.weights == "published" else {}
        return {**self.variants[name].options, **own}

    def scales_of(self, name):
        """Scales that a variant is trained for and scored at; refuses an unknown one."""
        one_of(name, self.variants, "variants")
        return tuple(self.variants[name].scales or self.scales)

    def sets_of(self, name):
        """Test sets of the profile that a variant is scored on; refuses an unknown one."""
        one_of(name, self.variants, "variants")
        return [s for s in self.images.test if s in (self.variants[name].sets or [s])]

    def training_sets(self):
        """Names of the profile's training sets."""
        return sorted({s for sets in vars(self.images.train).values() for s in sets.sets})

    def recipe_of(self, name, budget=None):
        """Recipe of a variant under a budget, that of params.yaml if None, as a dataclass."""
        return resolve(self, self.recipe_name(name), budget or self.budget)

    def recipe_name(self, name):
        """Key of recipes that a variant is trained by."""
        variant = self.variants[name]
        return variant.recipe or (variant.network if variant.network in self.recipes else "paper")

    def check_sets(self, known):
        """Refuse a data set that is neither in `known` nor under ``local``, or stands in for one."""
        checks.check_sets(self, known)


def networks():
    """Names of the modules of pipeline/models that have a network, without importing them."""
    return [path.stem for path in sorted((Path(__file__).parents[1] / "models").glob("*.py"))
            if re.search(r"^class \w+\(Network\):", path.read_text(encoding="utf-8"), re.M)]


@lru_cache
def by_authors():
    """Methods whose authors published a model, with the options that it needs: dict of name to dict."""
    with open(REGISTRY, newline="", encoding="utf-8") as file:
        return {row["method"]: {name: True for name in row["options"].split()} for row in csv.DictReader(file)}


def published():
    """Names of the variants whose weights the repository ships."""
    return json.loads(PUBLISHED.read_text(encoding="utf-8")) if PUBLISHED.exists() else {}


def load(path="params.yaml"):
    """Read and check params.yaml.

    Raises
    ------
    ParameterError
        With the key and the legal values.
    """
    try:
        raw = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        raise ParameterError(f"no YAML: {' '.join(str(error).split())}") from error
    p = read(Params, raw)
    checks.check(p, networks=networks())
    return p


class _Loader(yaml.SafeLoader):
    """YAML 1.2 numbers: plain SafeLoader reads 1e-4 as text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789"))
