"""What the border of a patch costs: error by distance from it, and PSNR, of each border policy."""

from dataclasses import replace

import numpy as np
import torch

from pipeline.engine import adaptive
from pipeline.evaluation.protocol import compose, degrade, score_psnr
from pipeline.engine.fused import Fused, precisions
from pipeline.data.images import read
from pipeline.sr.colour import luma
from pipeline.sr.patches import assemble, cut, patch_size
from pipeline.sr.routing import route_patches

POLICIES = {"paper": torch.float32, "context": torch.float32, "whole": torch.float32,
            "paper bf16": torch.bfloat16}  # the last one where the device computes in it


def distances(height, width, scale):
    """Distance of each HR pixel from the nearest border between patches, in HR pixels (0: at it).

    Returns
    -------
    ndarray, shape (scale * height, scale * width), int
    """
    size = patch_size(scale)
    p, q = (min(size, n) * scale for n in (height, width))
    y, x = torch.arange(p), torch.arange(q)
    inside = torch.minimum(torch.minimum(y, p - 1 - y)[:, None], torch.minimum(x, q - 1 - x))
    patches = len(cut(torch.zeros(1, 1, height, width), size))
    return assemble(inside.expand(patches, 1, p, q), height, width, size, scale)[0, 0].numpy()


@torch.inference_mode()
def with_context(model, pair, routing, device):
    """`pipeline.evaluation.protocol.super_resolve` by the engine, each patch with its real surroundings."""
    net, lr = Fused(model, pair.scale), pair.lr_y.to(device)
    hr = pair.hr_y.to(device) if routing.domain == "hr" else None
    routes = route_patches(model, lr, pair.scale, routing, hr)
    (sr,), _ = adaptive.super_resolve(net, [lr], replace(routing, domain="lr"), "context", routes=[routes])
    return sr.cpu(), routes, adaptive.context_cost(net, lr, routes).macs


@torch.inference_mode()
def measure(model, paths, scale, routing, *, device=torch.device("cpu"),
            progress=lambda items, total: items):
    """Squared error of luma by distance from a border, and PSNR.

    Parameters
    ----------
    model : PRN, trained
    paths : list of Path
    scale : int
    routing : `pipeline.sr.routing.Routing`

    Returns
    -------
    profile : list of dict: policy, distance (HR pixels), rmse (8-bit levels)
    quality : list of dict: policy, image, psnr_db
    """
    nets = {dtype: Fused(model, scale, dtype) for dtype in precisions(device)}
    policies = {name: nets[dtype] for name, dtype in POLICIES.items() if dtype in nets}
    sums = {policy: np.zeros((2, 54)) for policy in policies}  # squared error, pixels
    quality = []
    for path in progress(paths, len(paths)):
        pair = degrade(read(path), scale)
        lr = pair.lr_y.to(device)
        where = distances(*lr.shape[-2:], scale)
        for policy, net in policies.items():
            sr = (adaptive.whole(net, lr) if policy == "whole" else
                  adaptive.super_resolve(net, [lr], routing, policy.split()[0])[0][0])
            image = compose(sr.cpu(), pair)
            error = (luma(image) - luma(pair.hr)) ** 2
            sums[policy][0] += np.bincount(where.ravel(), error.ravel(), 54)
            sums[policy][1] += np.bincount(where.ravel(), minlength=54)
            quality.append({"policy": policy, "image": path.stem, "psnr_db": score_psnr(image, pair)})
    profile = [{"policy": policy, "distance": d, "rmse": (total[0][d] / total[1][d]) ** 0.5}
               for policy, total in sums.items() for d in range(54) if total[1][d]]
    return profile, quality
