"""PSNR of mild, moderate and severe patches, each class on its own route (section III-C).

What Table IV does not show: whether the severe path itself suffers when milder patches train its first
layers, which the paper calls a frequency conflict.
"""

import torch

from pipeline.evaluation.protocol import degrade
from pipeline.data.images import read
from pipeline.sr.routing import priors
from pipeline.sr.patches import cut, patch_size
from pipeline.sr.prior import ROUTES, classify


@torch.inference_mode()
def class_psnr(method, model, paths, scale, routing, *, device=torch.device("cpu"),
               progress=lambda items, total: items):
    """PSNR over all pixels of the patches of one class, per image.

    Parameters
    ----------
    method : str
        For the table.
    model : PRN
        One without routes takes its single path for every class.
    paths : list of Path
    scale : int
    routing : Routing
        Its thresholds name the classes.

    Returns
    -------
    list of dict: method, image, kind, patches, psnr_db
        No row for a class that an image has no patch of, or that is restored without error.
    """
    rows, size = [], patch_size(scale)
    for path in progress(paths, len(paths)):
        pair = degrade(read(path), scale)
        lr, hr = pair.lr_y.to(device), pair.hr_y.to(device)
        patches, truth = cut(lr, size, model.halo), cut(hr, size * scale)
        kinds = classify(priors(lr, scale, routing, hr), routing.gamma_low, routing.gamma_upper)
        for kind, name in enumerate(ROUTES):
            chosen = kinds == kind
            if not chosen.any():
                continue
            route = kind if kind in model.routes else model.routes[0]
            sr = (model.on_patches(patches[chosen], scale, route).clamp(0, 1) * 255).round()
            mse = (sr - truth[chosen] * 255).double().square().mean()
            if mse > 0:
                rows.append({"method": method, "image": path.stem, "kind": name,
                             "patches": int(chosen.sum()),
                             "psnr_db": float(10 * torch.log10(255**2 / mse))})
    return rows
