"""Models that the authors of a method published: arrays of a MATLAB file as tensors."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Mat:
    """A MATLAB file.

    Attributes
    ----------
    path : str, for errors
    values : dict
        As of ``scipy.io.loadmat(path, simplify_cells=True)``: structures are dicts, dimensions of
        length one are dropped.
    """

    path: str
    values: dict

    def item(self, key):
        """What lies under names and positions with dots between them, such as ``model.weight.0``.

        Raises
        ------
        ValueError
            There is none: names the file and the key.
        """
        value = self.values
        for part in key.split("."):
            try:
                value = value[part if isinstance(value, dict) else int(part)]
            except (LookupError, ValueError, TypeError):
                raise ValueError(f"{self.path}: lacks {key}; it is not the published file") from None
        return value

    def array(self, key, *shape):
        """A float32 Tensor of the shape that the array has in MATLAB.

        Raises
        ------
        ValueError
            There is none, or one of another shape or with values that are not finite numbers.
        """
        try:
            value = np.asarray(self.item(key), np.float64).squeeze()
        except (TypeError, ValueError) as error:
            raise error if str(error).startswith(self.path) else ValueError(
                f"{self.path}: {key} is no array of numbers, expected {shape}") from error
        if value.shape != tuple(n for n in shape if n > 1):
            raise ValueError(f"{self.path}: {key} has the shape {value.shape}, expected {shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"{self.path}: {key} holds NaN or infinity")
        return torch.from_numpy(value.reshape(shape)).float()


def unfold_taps(flat, side):
    """Taps of a square filter, which MATLAB lists column by column: (..., side^2) to (..., side, side)."""
    return flat.unflatten(-1, (side, side)).transpose(-1, -2)
