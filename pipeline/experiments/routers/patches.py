"""What every router chooses from: the squared error of each patch by each expert, and its cost."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.evaluation.protocol import compose
from pipeline.sr.colour import luma
from pipeline.sr.cost import count
from pipeline.sr.patches import PATCH, assemble, cut, patch_size
from pipeline.sr.prior import ROUTES
from pipeline.sr.routing import BATCH


@dataclass(frozen=True)
class Expert:
    """One way to super-resolve a patch: a network, or one of its routes."""

    name: str
    model: nn.Module
    route: int


@dataclass(frozen=True)
class Patches:
    """All patches of some images.

    Attributes
    ----------
    experts : list of str, the cheapest first
    names : list of str, the images
    image : ndarray, shape (N,), int, the image of each patch
    pixels : ndarray, shape (images,), HR pixels that are scored
    errors : ndarray, shape (N, K), squared error of luma in 8-bit levels, summed over the scored pixels
        that a patch owns
    macs : ndarray, shape (K,), products per LR pixel of each expert
    lr : Tensor, shape (N, 1, p, p), Y in [0, 1]; of an image smaller than a patch with repeated borders
    scale : int
    """

    experts: list
    names: list
    image: np.ndarray
    pixels: np.ndarray
    errors: np.ndarray
    macs: np.ndarray
    lr: torch.Tensor
    scale: int

    @property
    def costs(self):
        """Products of each expert in those of the last, shape (K,)."""
        return self.macs / self.macs[-1]

    @property
    def weighted(self):
        """`errors` in shares of the error of their image by the last expert, over the number of images.

        The PSNR that counts is the mean over images: an error weighs more where the others are small.
        """
        least = 0.01 * self.pixels  # 68 dB: a flat image has no error to divide by
        best = np.maximum(self.per_image(self.errors[:, -1]), least)
        return self.errors / best[self.image, None] / len(self.names)

    def per_image(self, errors):
        """Sum over the patches of each image, shape (images,)."""
        return np.bincount(self.image, errors, len(self.names))


def routes_of(model):
    """The routes of a PRN as experts, the cheapest first."""
    return [Expert(ROUTES[route], model, route) for route in sorted(model.routes)]


def cascade(models, scale):
    """Networks as experts, the cheapest first: a cascade that needs no training.

    Parameters
    ----------
    models : dict of str to Module
    """
    experts = [Expert(name, model, max(model.routes)) for name, model in models.items()]
    return sorted(experts, key=lambda expert: products(expert, scale))


def products(expert, scale, patch=PATCH):
    """Products of an expert per LR pixel of a patch."""
    side = patch_size(scale, patch)
    return count(expert.model, side, side, scale, expert.route).macs / side**2


@torch.inference_mode()
def measure(experts, pairs, scale, *, patch=PATCH, alone=False, device=torch.device("cpu")):
    """Errors of all patches, cut from the result of each expert on the whole image.

    So no patch has a border of its own: what is compared is the choice, not the seams.

    Parameters
    ----------
    experts : list of Expert, the cheapest first
    pairs : iterable of (str, `pipeline.evaluation.protocol.Pair`)
        Name and images.
    scale : int
    patch : int, HR pixels a side
    alone : bool
        Each patch computed alone, with the paper's borders or those of the model, instead.

    Returns
    -------
    Patches
    """
    names, image, pixels, errors, lrs, side = [], [], [], [], [], patch_size(scale, patch)
    for name, pair in pairs:
        lr = pair.lr_y
        h, w = lr.shape[-2:]
        patches = cut(lr, side)
        p, q = patches.shape[-2:]
        owner = assemble(torch.arange(len(patches))[:, None, None, None].expand(-1, 1, scale * p, scale * q),
                         h, w, side, scale)[0, 0].numpy()
        scored = np.s_[scale:-scale, scale:-scale]
        truth, owner = luma(pair.hr)[scored], owner[scored].ravel()
        found = []
        for expert in experts:
            some, use = ((cut(lr, side, expert.model.halo), expert.model.on_patches) if alone else (lr, expert.model))
            sr = torch.cat([use(x.to(device), scale, expert.route).cpu() for x in some.split(BATCH)])
            sr = compose(assemble(sr, h, w, side, scale) if alone else sr, pair)
            squares = (luma(sr)[scored] - truth) ** 2
            found.append(np.bincount(owner, squares.ravel(), len(patches)))
        image += [len(names)] * len(patches)
        names.append(name)
        pixels.append(truth.size)
        errors.append(np.stack(found, 1))
        lrs.append(F.pad(patches, (0, side - q, 0, side - p), mode="replicate"))
    macs = np.array([products(expert, scale, patch) for expert in experts])
    return Patches([expert.name for expert in experts], names, np.array(image), np.array(pixels),
                   np.concatenate(errors), macs, torch.cat(lrs), scale)
