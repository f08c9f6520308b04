"""A short fixed training, whose weights tell whether two machines or versions agree.

    python -m tests.fingerprint THREADS FILE.npz
"""

import sys

import numpy as np
import torch

from pipeline.training import algorithm1
from pipeline.models import build
from tests.test_training import make_images, make_run

RECIPE = algorithm1.Recipe(learning_rate=1e-3, decay="step", warmup=0, batch=8, crop=48, clip=0.0, ema=0.0)
STEPS = 12


def weights(threads=1, device="cpu"):
    """PRN of width 8 after `STEPS` steps of the paper's recipe: dict of str to ndarray."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    run = make_run(build("prn", (2, 3), width=8), RECIPE, seed=0, images=make_images(2, 140),
                   device=torch.device(device))
    run.advance(STEPS)
    torch.set_num_threads(before)
    return {name: value.numpy() for name, value in run.finished()["model"].items()}


def distance(a, b):
    """Largest difference between two sets of weights, as a share of what training changed at most."""
    torch.manual_seed(0)
    start = {n: v.numpy() for n, v in build("prn", (2, 3), width=8).state_dict().items()}
    moved = max(np.abs(a[n] - start[n]).max() for n in a)
    return max(np.abs(a[n] - b[n]).max() for n in a) / moved


if __name__ == "__main__":
    np.savez(sys.argv[2], **weights(int(sys.argv[1])))
    print(torch.__version__)
