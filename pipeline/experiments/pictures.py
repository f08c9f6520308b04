"""Pixels of the visual comparisons (Fig. 8-11), routes over them, feature maps (Fig. 3)."""

import numpy as np
import torch

from pipeline.evaluation.protocol import compose, load, score, super_resolve
from pipeline.sr.routing import priors
from pipeline.sr.patches import grid, patch_size
from pipeline.sr.prior import classify

WHOLE = ("bicubic", "fsrcnn", "prn")  # methods whose whole images the report lays over each other


def compare(path, scale, crop, models, device):
    """One image by every method.

    Parameters
    ----------
    path : Path
    scale : int
    crop : (int, int, int)
        y, x and side in HR pixels.
    models : dict of str to (Module, Routing or None)
    device : torch.device

    Returns
    -------
    arrays : dict of str to ndarray, uint8
        ``full``, the truth; ``truth`` and each method: their crops; ``whole/<method>``, the whole
        image by the methods of `WHOLE`.
    scores : dict of str to [psnr_db, ssim] of the full image

    Raises
    ------
    ValueError
        The crop leaves the image.
    """
    pair = load(path, scale)
    y, x, side = crop
    h, w = pair.hr.shape[:2]
    if y < 0 or x < 0 or y + side > h or x + side > w:
        raise ValueError(f"pictures: {path.name}: crop {list(crop)} leaves the image of {w}x{h} "
                         "pixels; crop is y, x, side")
    box = np.s_[y:y + side, x:x + side]
    arrays, scores = {"full": pair.hr, "truth": pair.hr[box]}, {}
    for name, (model, routing) in models.items():
        image = compose(super_resolve(model, pair, routing, device)[0], pair)
        arrays[name], scores[name] = image[box], list(score(image, pair))
        if name in WHOLE:
            arrays[f"whole/{name}"] = image
    return arrays, scores


def route_map(path, scale, routing):
    """Where PRN sends each patch of an image (Eq. 2).

    Returns
    -------
    dict of ndarray
        ``prior``, shape (ny, nx), float32; ``route``, shape (ny, nx), int64 of MILD, MODERATE,
        SEVERE; ``rows``, shape (ny + 1,), and ``columns``, shape (nx + 1,): the HR pixels where the
        patches begin, and the end of the image. Where two patches overlap, the later one begins.
    """
    pair = load(path, scale)
    size = patch_size(scale)
    rows, columns = ([*(scale * n for n in grid(length, size)), scale * length]
                     for length in pair.lr.shape[:2])
    prior = priors(pair.lr_y, scale, routing, pair.hr_y).reshape(len(rows) - 1, len(columns) - 1)
    route = classify(prior, routing.gamma_low, routing.gamma_upper)
    return {"prior": prior.numpy(), "route": route.numpy(), "rows": np.array(rows),
            "columns": np.array(columns)}


@torch.inference_mode()
def response(model, path, scale, device):
    """Largest response over channels in the middle of a network (Fig. 3).

    Returns
    -------
    image : ndarray, shape (H, W[, 3]), uint8
    response : ndarray, shape (H, W), float32
    """
    pair = load(path, scale)
    features = model.features(pair.lr_y.to(device), scale)
    return pair.hr, features.amax(1)[0].cpu().numpy()
