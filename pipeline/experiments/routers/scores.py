"""What a router can see of a patch without a network: one number a patch, larger for more to gain."""

import torch
import torch.nn.functional as F

from pipeline.sr.degrade import imresize, upsample
from pipeline.sr.prior import gradient_prior

# products of each score per HR pixel, beside those of the bicubic enlargement, which every route makes
PRODUCTS = {"vertical gradient": 0, "gradient": 0, "squared gradient": 2, "Laplacian": 1, "variance": 1,
            "bicubic residual": 17}


@torch.inference_mode()
def scores(patches, scale):
    """Scores of LR patches.

    Parameters
    ----------
    patches : Tensor, shape (N, 1, p, p), Y in [0, 1]
    scale : int

    Returns
    -------
    dict of str, the keys of PRODUCTS, to Tensor, shape (N,)
        The first three are of the bicubic enlargement of each patch alone, as P of Eq. (1): its L1
        gradient along the vertical axis (the paper's router), along both axes, and squared along both.
        Of the LR patch: absolute Laplacian (the router of ARM), variance, and squared residual of the
        patch enlarged by bicubic and shrunk again.
    """
    large, side = upsample(patches, scale), patches.shape[-1]
    vertical = gradient_prior(patches, scale)
    kernel = patches.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    residual = imresize(large, 1 / scale)[..., :side, :side] - patches
    found = [vertical, vertical + gradient_prior(patches.mT, scale),
             gradient_prior(patches, scale, norm="squared_both"),
             F.conv2d(patches, kernel).abs().mean((1, 2, 3)),
             patches.var((1, 2, 3)), residual.square().mean((1, 2, 3))]
    return dict(zip(PRODUCTS, found))
