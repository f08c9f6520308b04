"""Trained weights as safetensors: written whole, refused when they do not fit."""

import re

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from pipeline.io import atomic

OF_A_SCALE = re.compile(r"\.x\d+\.")  # what belongs to one scale has it in its name


def save(path, weights):
    """Write a dict of str to Tensor; the file appears whole or not at all (OSError: a full disk)."""
    with atomic(path) as partial:
        try:
            save_file({name: value.contiguous() for name, value in weights.items()}, partial)
        except SafetensorError as error:
            raise OSError(error) from error


def load(model, path):
    """Put weights into a model, and the model into evaluation mode.

    A model for fewer scales takes its part.

    Raises
    ------
    ValueError
        The file is damaged, or names, shapes, dtype or values do not fit the model.
    """
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: no readable weights ({error}); delete it and train again") from error
    wanted = model.state_dict()
    weights = {n: value for n, value in weights.items() if n in wanted or not OF_A_SCALE.search(n)}
    for name in sorted({*wanted, *weights}):
        if name not in weights or name not in wanted:
            where = "lacks" if name not in weights else "has an unknown"
            raise ValueError(f"{path}: {where} {name}; it belongs to another variant or version")
        value = weights[name]
        if value.shape != wanted[name].shape or value.dtype != wanted[name].dtype:
            raise ValueError(f"{path}: {name} is {value.dtype} {tuple(value.shape)}, expected "
                             f"{wanted[name].dtype} {tuple(wanted[name].shape)}")
        if not torch.isfinite(value).all():
            raise ValueError(f"{path}: {name} holds NaN or infinity; train again")
    model.load_state_dict(weights)
    return model.eval()
