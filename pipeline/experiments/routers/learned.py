"""Two routers that learn: a ridge regression on the scores, and a small network on the pixels."""

import numpy as np
import torch
from torch import nn

from pipeline.sr.cost import count

RIDGE = 1e-3
STEPS, BATCH, RATE = 400, 256, 5e-3


def gain(patches):
    """Error that the last expert saves over the first, its signed root: large gains would rule the fit."""
    x = patches.weighted[:, 0] - patches.weighted[:, -1]
    return np.sign(x) * np.sqrt(np.abs(x))


def ridge(scores, patches):
    """Regression of the gain on the scores.

    Parameters
    ----------
    scores : dict of str to ndarray, shape (N,), of the training patches
    patches : `pipeline.experiments.routers.patches.Patches`

    Returns
    -------
    callable
        Scores of other patches to the predicted gain, shape (M,).
    """
    x, y = _features(scores), gain(patches)
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = (x - mean) / spread
    weights = np.linalg.solve(z.T @ z + RIDGE * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return lambda other: (_features(other) - mean) / spread @ weights + y.mean()


def _features(scores):
    """Roots of the scores, which are of one unit with the gain's, and their logarithms: (N, F)."""
    x = np.stack([*scores.values()], 1).astype(np.float64)
    return np.concatenate([np.sqrt(x), np.log(x + 1e-6)], 1)


class Classifier(nn.Module):
    """As ClassSR's: a convolution with stride 4, pointwise ones, their mean, one output an expert.

    ClassSR's has 128 channels for patches of 32 pixels; ours has 32, to stay far below the cheapest route.
    """

    cost, uses_bicubic = None, False  # as of a network: `pipeline.sr.cost.count` counts its layers

    def __init__(self, experts, width=32):
        super().__init__()
        layers = [nn.Conv2d(1, width, 4, 4), nn.LeakyReLU(0.1)]
        for _ in range(3):
            layers += [nn.Conv2d(width, width, 1), nn.LeakyReLU(0.1)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(width, experts)

    def forward(self, x, scale=None, route=None):
        x = 10 * (x - x.mean((1, 2, 3), keepdim=True))  # blind to light
        return self.last(self.layers(x).mean((2, 3)))


def classifier(patches, seed=0):
    """Train a `Classifier` on patches of known errors.

    The loss is the expected error and price under its probabilities, for a price that each batch draws:
    one network for all mean costs.

    Returns
    -------
    callable
        LR patches (M, 1, p, p) to the score, shape (M,): the logit of the last expert over the first's.
    float
        Its products per LR pixel.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Classifier(len(patches.costs))
    errors = torch.from_numpy(patches.weighted).float()
    errors = errors / (errors[:, 0] - errors[:, -1]).mean().abs().clamp(min=1e-9)
    costs = torch.from_numpy(patches.costs).float()
    adam = torch.optim.Adam(net.parameters(), RATE)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, RATE, STEPS)
    for _ in range(STEPS):
        chosen = torch.randint(len(errors), (BATCH,), generator=generator)
        price = 10 ** (2 * torch.rand(BATCH, 1, generator=generator) - 1.5)
        x = patches.lr[chosen]
        x = x.flip(-1) if torch.rand((), generator=generator) < 0.5 else x
        x = x.mT if torch.rand((), generator=generator) < 0.5 else x
        logits = net(x) - costs * (price.log() + 4)
        loss = (logits.softmax(1) * (errors[chosen] + price * costs)).sum(1).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        rate.step()
    side = patches.lr.shape[-1]
    return lambda lr: _score(net, lr), count(net, side, side, patches.scale).macs / side**2


@torch.inference_mode()
def _score(net, lr):
    logits = net(lr)
    return (logits[:, -1] - logits[:, 0]).numpy()
