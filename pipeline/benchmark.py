"""The jobs that are timed: a method on images in one of three modes (design, section 8)."""

import torch

from pipeline.degrade import imresize
from pipeline.inference import cost_of, grouped, patchwise, route_patches, whole
from pipeline.timing import Job

MODES = ("paper", "grouped", "whole")


def luma_pairs(ys, scale, device):
    """(LR, HR) luma on the device, of HR lumas (H, W), uint8."""
    hrs = [torch.from_numpy(y[:y.shape[0] // scale * scale, :y.shape[1] // scale * scale] / 255)
           [None, None] for y in ys]
    return [(imresize(hr, 1 / scale).float().to(device), hr.float().to(device)) for hr in hrs]


@torch.inference_mode()
def make_job(name, model, scale, mode, routing, images):
    """A method in one mode, with what it costs: means of MACs and bytes over the images.

    Parameters
    ----------
    name : str
    model : Module of `pipeline.models`
    scale : int
    mode : {"paper", "grouped", "whole"}
        Patch by patch; each route as a batch; the severe path on the whole image.
    routing : Routing or None
        None for the mode ``whole``.
    images : list of (LR, HR), as `luma_pairs`

    Returns
    -------
    Job
    """
    costs = [cost_of(model, *lr.shape[-2:], scale,
                     None if mode == "whole" else route_patches(model, lr, scale, routing, hr))
             for lr, hr in images]
    way = {"paper": patchwise, "grouped": grouped}.get(mode)

    def call(lr, hr):
        return way(model, lr, scale, routing, hr) if way else whole(model, lr, scale)

    return Job({"method": name, "scale": scale, "mode": mode,
                "gamma_low": routing.gamma_low if routing else "",
                "gamma_upper": routing.gamma_upper if routing else "",
                "images": len(images), "macs": sum(c.macs for c in costs) / len(costs),
                "bytes": sum(c.bytes for c in costs) / len(costs)}, call, images)
