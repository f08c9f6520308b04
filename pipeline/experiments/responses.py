"""Whether a CNN responds where P is large (section III, Fig. 3)."""

import torch

from pipeline.evaluation.protocol import degrade
from pipeline.data.images import read
from pipeline.sr.routing import priors
from pipeline.sr.patches import cut, patch_size

LAYER = 4  # the middle of the seven, as in our Fig. 3


@torch.inference_mode()
def responses(model, paths, scale, routing, *, device=torch.device("cpu"),
              progress=lambda items, total: items):
    """P and the response of every patch.

    Parameters
    ----------
    model : CNN7
    paths : list of Path
    scale : int
    routing : Routing
        For the norm and the image of P; its thresholds do not matter.

    Returns
    -------
    list of dict: image, patch, prior, response
        The response is the largest over channels, as in Fig. 3, and the mean over the patch.
    """
    rows, side = [], patch_size(scale) * scale
    for path in progress(paths, len(paths)):
        pair = degrade(read(path), scale)
        lr = pair.lr_y.to(device)
        largest = model.features(lr, scale, depth=LAYER).amax(1, keepdim=True)
        means = cut(largest, side).mean((1, 2, 3)).tolist()
        values = priors(lr, scale, routing, pair.hr_y.to(device)).tolist()
        rows += [{"image": path.stem, "patch": k, "prior": p, "response": mean}
                 for k, (p, mean) in enumerate(zip(values, means))]
    return rows
