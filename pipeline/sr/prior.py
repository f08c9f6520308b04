"""The gradient prior P (Eq. 1) and the class of a patch (Eq. 2)."""

import torch

from pipeline.sr.degrade import upsample

MILD, MODERATE, SEVERE = 0, 1, 2
ROUTES = ("mild", "moderate", "severe")
NORMS = ("l1", "l2", "squared_both")
REFERENCE_AREA = 54 * 54  # thresholds are stated for a 54x54 patch (Implementation Details)


def gradient_prior(patches, scale, *, norm="l1", domain="bicubic"):
    """P(x) = ||G_ver(x)||, Eq. (1), for each patch; or another measure of its gradient.

    Parameters
    ----------
    patches : Tensor, shape (N, 1, p, p), Y in [0, 1]
        LR patches; HR patches of shape (N, 1, P, P) for the domain ``hr``.
    scale : int
    norm : {"l1", "l2", "squared_both"}
        Decision D3; ``squared_both`` is not the paper's: the root mean square of the differences along
        both axes, times the 54x54 pixels.  Each norm has thresholds of its own: 10 and 30 of l1 send as
        many patches of BSDS200 at x4 each way as 15.3 and 45.6 of squared_both.
    domain : {"bicubic", "lr", "hr"}
        The image whose gradient counts: the bicubic enlargement of each LR patch alone, the LR
        patch, or the HR patch (an oracle: nobody has it at test time).

    Returns
    -------
    Tensor, shape (N,), float
        In units of a 54x54 patch (decision D4), so that thresholds mean the same at each scale.
    """
    x = upsample(patches, scale) if domain == "bicubic" else patches
    vertical = x[..., 1:, :] - x[..., :-1, :]
    to_reference = REFERENCE_AREA / (x.shape[-1] * x.shape[-2])
    if norm == "l1":
        return vertical.abs().sum((1, 2, 3)) * to_reference  # Eq. (1)
    if norm == "squared_both":
        horizontal = x[..., 1:] - x[..., :-1]
        squares = vertical.square().sum((1, 2, 3)) + horizontal.square().sum((1, 2, 3))
        return (squares * to_reference * REFERENCE_AREA / 2).sqrt()
    return (vertical.square().sum((1, 2, 3)) * to_reference).sqrt()


def classify(prior, gamma_low, gamma_upper):
    """Class of each patch, Eq. (2) with the names of Table II (decision D1).

    Mild if P <= gamma_low, severe if P >= gamma_upper, moderate between them.

    Parameters
    ----------
    prior : Tensor, shape (N,)
    gamma_low, gamma_upper : float, gamma_low < gamma_upper

    Returns
    -------
    Tensor, shape (N,), int64 of MILD, MODERATE, SEVERE
    """
    return (prior > gamma_low).long() + (prior >= gamma_upper).long()  # Eq. (2)
