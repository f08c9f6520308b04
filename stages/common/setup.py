"""The training or the fit of a variant, from variants.json and the packed images alone: torch and numpy."""

from functools import lru_cache
from pathlib import Path

import torch

from pipeline.data import pack
from pipeline.io import read_json
from pipeline.models import build, protocol
from pipeline.sr import cost
from pipeline.training import algorithm1
from pipeline.training.cuda_graph import ALONE
from pipeline.training.fit.run import FITTERS, fit
from stages.common.networks import conditions, device

PUBLISHED = Path("weights/trunks")  # of unfinished trainings


def train(home, name, limit_s=0.0, progress=lambda step, steps: None, warn=print, scales=None):
    """Train or fit a variant as far as variants.json says, going on from its states.

    Parameters
    ----------
    home : Path
        The profile's folder: variants.json, train.npz.
    name : str
    limit_s, progress, warn : as `pipeline.training.algorithm1.train`
    scales : list of int, optional
        Those to fit, of a method that is fitted; None: all of the variant.

    Returns
    -------
    model : Module
        The network, on the CPU, with the weights of the last rung.
    rungs : list of `pipeline.training.algorithm1.Rung`
        Empty for a network that has nothing to learn; shorter than asked for if the limit stopped it.
    """
    variant = read_json(home / "variants.json")[name]
    model = fresh(variant)
    if not learns(model):
        return model, []
    source = (home / "train.npz").absolute(), (home / "train.npz").stat().st_mtime_ns
    images = _packed(*source)
    where, network, seed = device(), variant["network"], variant["seed"]
    identity = {"network": network, "version": model.version, "options": variant["options"]}
    how = {"scales": tuple(scales or variant["scales"]), "seed": seed, "identity": identity, "limit_s": limit_s,
           "folder": home.parent / "states" / f"{home.name}-{variant['budget']}-{name}",
           "progress": progress, "warn": warn}
    if network in FITTERS:
        recipe = FITTERS[network].Recipe(**variant["recipe"])
        found = fit(network, model, of_sets(images, recipe.sets), recipe,
                    conditions=conditions(torch.device("cpu")), **how)
    else:
        recipe = algorithm1.Recipe(**variant["recipe"])
        trunk, branch = (_phase(source, tuple(phase["sets"]), phase["augment"])
                         for phase in (variant["phases"][key] for key in ("trunk", "branch")))
        small = too_small({**trunk.images, **branch.images}, recipe.crop, variant["scales"])
        if small:
            warn(f"{name}: {len(small)} images are smaller than a patch of {recipe.crop} and take no part: "
                 f"{', '.join(small[:5])}")
        found = algorithm1.train(model, trunk, branch, recipe, rungs=variant["rungs"], label=variant["label"],
                                 name=name, device=where, conditions=conditions(where),
                                 begin=PUBLISHED / name, **how)
    model = model.cpu()
    if found:
        model.load_state_dict(found[-1].weights)
    return model, found


def fresh(variant):
    """A network with its first weights, a function of its seed."""
    with ALONE:  # torch has one generator for all threads
        torch.manual_seed(variant["seed"])
        return build(variant["network"], tuple(variant["scales"]), **variant["options"])


@lru_cache
def _packed(path, written):
    return pack.unpack(path)


@lru_cache
def _phase(source, sets, augment):
    """The same object for all trainings of this process, which share its patches."""
    return algorithm1.Phase(of_sets(_packed(*source), sets), augment)


def check(variants):
    """Refuse a network that does not keep the contract of `pipeline.models.protocol.Model`, in a second."""
    for variant in {repr([v["network"], v["options"], v["scales"]]): v for v in variants.values()}.values():
        protocol.check(fresh(variant), variant["network"], variant["scales"])


def learns(model):
    """Whether a network has anything to learn."""
    return any(True for _ in model.parameters())


def expense(variant):
    """Operations of a training or a fit, roughly, to begin with the longest of many."""
    model, patches = fresh(variant), variant["rungs"][-1]
    if variant["network"] in FITTERS:
        return 5e6 * variant["recipe"]["samples"]
    if not learns(model):
        return 1.0
    macs, recipe = cost.summary(model, variant["scales"])["macs_per_lr_pixel"], variant["recipe"]
    return sum(max(routes.values()) * patches * (recipe["crop"] // int(scale[1:])) ** 2
               + 1.5e8 * patches / recipe["batch"] for scale, routes in macs.items())  # each step has its own


def of_sets(images, sets):
    """Those images, named SET/NAME, that are of some sets."""
    return {name: y for name, y in images.items() if name.split("/")[0] in sets}


def too_small(images, crop, scales):
    """Names of the images that hold no patch at some scale."""
    return sorted(n for n, y in images.items() if any(min(y.shape) // s < crop // s for s in scales))
