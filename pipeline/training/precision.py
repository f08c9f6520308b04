"""Training in bfloat16 where that pays: the wide convolutions alone."""

from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

WIDE = 32  # channels, in and out: first and last layers hold images, and bfloat16 has 8 bits for them


@contextmanager
def convolve_in(precision, model):
    """Within, the wide convolutions of a network compute in `precision`.

    Weights, gradients, optimiser, losses and what lies between convolutions stay float32.

    Parameters
    ----------
    precision : str
        ``"bfloat16"``; ``"float32"`` and ``"tf32"`` change nothing here: `pipeline.training.run.Run` turns on
        TF32, in which a GPU multiplies float32 by its first 10 bits.
    model : Module
    """
    dtype = getattr(torch, precision.replace("tf32", "float32"))
    wide = [m for m in model.modules() if isinstance(m, nn.Conv2d)
            and min(m.in_channels, m.out_channels) >= WIDE and dtype != torch.float32]
    for conv in wide:
        conv.forward = partial(_forward, conv, dtype)
    try:
        yield
    finally:
        for conv in wide:
            del conv.forward


def _forward(conv, dtype, x):
    bias = None if conv.bias is None else conv.bias.to(dtype)
    return conv._conv_forward(x.to(dtype), conv.weight.to(dtype), bias).to(x.dtype)
