"""What cropping and reassembling cost beside the network (section IV-C), as jobs to be timed."""

from functools import partial

import torch

from pipeline.sr.routing import BATCH, grouped, route_patches
from pipeline.sr.patches import assemble, cut, patch_size
from pipeline.timing.clocks import Job

PARTS = ("job", "network", "reconstruction")


@torch.inference_mode()
def part_jobs(model, scale, routing, images):
    """Three jobs on the same images: the whole, the network alone, cropping and reassembling alone.

    The whole also has the prior and the routing, which belong to neither of the other two.

    Parameters
    ----------
    model : PRN
    scale : int
    routing : Routing
    images : list of (LR, HR), as `pipeline.timing.jobs.luma_pairs`

    Returns
    -------
    list of Job, in the order of `PARTS`
    """
    size = patch_size(scale)
    classed, ready = [], []
    for lr, hr in images:
        patches, routes = cut(lr, size, model.halo), route_patches(model, lr, scale, routing, hr)
        classed.append(([patches[routes == route] for route in model.routes], None))
        ready.append((lr, patches.new_zeros(len(patches), 1, *(scale * min(size, n) for n in lr.shape[-2:]))))

    def network(groups, _):
        for route, group in zip(model.routes, groups):
            for part in group.split(BATCH):
                if len(part):
                    model.on_patches(part, scale, route)

    def reconstruct(lr, out):
        cut(lr, size, model.halo)
        assemble(out, *lr.shape[-2:], size, scale)

    calls = [(lambda lr, hr: grouped(model, lr, scale, routing, hr), images), (network, classed),
             (reconstruct, ready)]
    return [Job({"part": part}, [partial(call, *image) for image in data], costs=[])  # times alone
            for part, (call, data) in zip(PARTS, calls)]
