"""The engine against the whole image, FSRCNN and the paper's mode: what is timed side by side."""

from itertools import product

import torch

from pipeline.timing.jobs import Network, make_job, share_job
from pipeline.engine.fused import precisions
from pipeline.timing.clocks import peak_bytes

SHARES = (0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1)  # of severe patches
KINDS = [("prn", mode, batch) for mode, batch in product(("whole", "grouped", "context", "routing"), (False, True))]
KINDS += [("fsrcnn", "whole", False), ("fsrcnn", "whole", True)]


def against(models, pairs, scale, routing, dataset):
    """Jobs on the images of one data set, one by one and as a batch, in the precisions of the device.

    Parameters
    ----------
    models : dict of "prn", "fsrcnn" to Module
    pairs : list of (LR, HR), as `pipeline.timing.jobs.luma_pairs`
    scale : int
    routing : `pipeline.sr.routing.Routing`
    dataset : str, for the labels

    Returns
    -------
    list of Job, with the labels dataset, precision, batch (images of a call) and peak_bytes (of the
    first call)
    """
    jobs, device = [], pairs[0][0].device
    for dtype in precisions(device):
        nets = {name: Network.of(name, model, scale, dtype) for name, model in models.items()}
        kinds = [*KINDS, ("prn", "paper", False)] if dtype == torch.float32 else KINDS
        for name, mode, batch in kinds:
            job = make_job(nets[name], mode, None if mode == "whole" else routing, pairs, batch)
            peak = peak_bytes(job.calls[0], device)
            job.labels.update(dataset=dataset, precision=str(dtype).removeprefix("torch."),
                              batch=job.batch, peak_bytes=peak)
            jobs.append(job)
    return jobs


def by_share(model, pair, scale):
    """Jobs on one image whose patches are severe or mild at random, at each share, and the whole image."""
    net = Network.of("prn", model, scale)
    whole = make_job(net, "whole", None, [pair])
    return [whole, *(share_job(net, mode, share, pair[0])
                     for mode in ("grouped", "context") for share in SHARES)]
