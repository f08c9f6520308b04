"""Pixels of the visual comparisons (Fig. 8-11) and of the feature maps (Fig. 3)."""

import numpy as np
import torch

from pipeline.evaluation import compose, load, score, super_resolve


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
        ``full``, the truth; ``truth`` and each method: their crops.
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
    return arrays, scores


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
