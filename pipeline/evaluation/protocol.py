"""Method x image -> PSNR and SSIM, by the protocol of the compared papers.

A method sees the LR luma and the scale, nothing else; colour, rounding, cropping and scores are
done here, once for all.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from pipeline.sr.degrade import imresize
from pipeline.data.images import read_for
from pipeline.sr.colour import luma, modcrop, rgb_to_ycbcr, shave, ycbcr_to_rgb
from pipeline.sr.routing import choose, cost_of, every_route, grouped, route_patches, whole
from pipeline.evaluation.metrics import psnr, ssim

COLUMNS = ["method", "dataset", "scale", "image", "psnr_db", "ssim", "share_mild", "share_moderate",
           "share_severe", "macs"]  # of quality.csv


@dataclass(frozen=True)
class Pair:
    """An HR image and what the protocol makes of it.

    Attributes
    ----------
    hr : ndarray, shape (H, W[, 3]), uint8, cropped to a multiple of the scale
    lr : ndarray, shape (h, w[, 3]), float64, 0..255, not rounded
        YCbCr of a colour image, grey levels of a grey one.
    scale : int
    """

    hr: np.ndarray
    lr: np.ndarray
    scale: int

    @property
    def lr_y(self):
        """Input of the methods: Tensor, shape (1, 1, h, w), float32, Y in [0, 1]."""
        y = self.lr[..., 0] if self.lr.ndim == 3 else self.lr
        return torch.from_numpy(np.ascontiguousarray(y) / 255).float()[None, None]

    @property
    def hr_y(self):
        """Y of the truth, Tensor of shape (1, 1, H, W), float32 in [0, 1]."""
        return torch.from_numpy(luma(self.hr) / 255).float()[None, None]


def degrade(image, scale):
    """HR image (H, W[, 3]), uint8 -> Pair."""
    hr = modcrop(image, scale)
    lr = _resize(hr.astype(np.float64), 1 / scale)
    return Pair(hr, rgb_to_ycbcr(lr) if lr.ndim == 3 else lr, scale)


def load(path, scale):
    """`degrade` of an image file; a ValueError names one that is damaged, unfit or too small."""
    return degrade(read_for(path, scale), scale)


def compose(sr_y, pair):
    """The SR image in 8 bits: the method's luma with bicubic chrominance.

    Parameters
    ----------
    sr_y : Tensor, shape (1, 1, H, W), Y in [0, 1]
    pair : Pair

    Returns
    -------
    ndarray, shape of ``pair.hr``, uint8
    """
    y = sr_y[0, 0].double().cpu().numpy() * 255
    if pair.lr.ndim == 3:
        chroma = _resize(pair.lr[..., 1:], pair.scale)
        y = ycbcr_to_rgb(np.concatenate([y[..., None], chroma], axis=2))
    return np.rint(np.clip(y, 0, 255)).astype(np.uint8)


def score(image, pair):
    """PSNR in dB and SSIM of the luma of an 8-bit SR image, ``scale`` pixels shaved."""
    truth, result = (shave(luma(x), pair.scale) for x in (pair.hr, image))
    return psnr(truth, result), ssim(truth, result)


def score_psnr(image, pair):
    """The first of `score`, which is much the cheaper one."""
    return psnr(*(shave(luma(x), pair.scale) for x in (pair.hr, image)))


def super_resolve(model, pair, routing=None, device=torch.device("cpu")):
    """SR luma of one image, the route of each patch (None for a method without routes), and what it costs.

    Parameters
    ----------
    model : Module of `pipeline.models`
    pair : Pair
    routing : Routing or None
        None: the network on the whole image.

    Returns
    -------
    sr_y : Tensor, shape (1, 1, H, W), on the CPU
    routes : Tensor, shape (N,), or None
    macs : int
    """
    lr = pair.lr_y.to(device)
    with torch.inference_mode():
        if routing is None:
            sr, routes = whole(model, lr, pair.scale), None
        else:
            hr = pair.hr_y.to(device) if routing.domain == "hr" else None
            sr, routes = grouped(model, lr, pair.scale, routing, hr)
    return sr.cpu(), routes, cost_of(model, *pair.lr.shape[:2], pair.scale, routes).macs


def evaluate(method, model, datasets, scales, routing=None, *, device=torch.device("cpu"), by=super_resolve,
             known=(), keep=lambda row: None, progress=lambda items, total: items):
    """Rows of quality.csv for one method.

    Parameters
    ----------
    method : str
        Its name in the table.
    model : Module of `pipeline.models`, in evaluation mode
    datasets : dict of str to list of Path
    scales : sequence of int
    routing : Routing or None
    by : callable
        `super_resolve`, or another way to use the same network.
    known : list of dict
        Rows of an interrupted evaluation: not measured again.
    keep : callable
        Called with each new row.
    progress : callable
        Wraps an iterable of known length, such as ``tqdm``.

    Returns
    -------
    list of dict, the columns of quality.csv, in the order of the arguments

    Raises
    ------
    ValueError
        An image is too small, or two of a set have one name.
    """
    found = {(row["dataset"], row["scale"], row["image"]): row for row in known}
    jobs = [(name, scale, path) for name, paths in datasets.items() for scale in scales
            for path in paths]
    if len({(name, scale, path.stem) for name, scale, path in jobs}) < len(jobs):
        raise ValueError(f"{method}: two images of one name in a set of {', '.join(datasets)}; "
                         "rename one")
    todo = [(name, scale, path) for name, scale, path in jobs if (name, scale, path.stem) not in found]
    work = partial(_evaluate_image, by, method, model, routing, device)
    threads = torch.get_num_threads()
    # an image a thread: scoring (numpy) and networks (torch) then share the cores well
    with ThreadPoolExecutor(threads, initializer=partial(torch.set_num_threads, 1)) as pool:
        for row in progress(pool.map(work, *zip(*todo)) if todo else (), len(todo)):
            keep(row)
            found[row["dataset"], row["scale"], row["image"]] = row
    torch.set_num_threads(threads)
    return [found[name, scale, path.stem] for name, scale, path in jobs]


def _evaluate_image(by, method, model, routing, device, dataset, scale, path):
    pair = load(path, scale)
    sr_y, routes, macs = by(model, pair, routing, device)
    psnr_db, structure = score(compose(sr_y, pair), pair)
    return {"method": method, "dataset": dataset, "scale": scale, "image": path.stem,
            "psnr_db": psnr_db, "ssim": structure, **shares_of(routes), "macs": macs}


def sweep(method, model, dataset, paths, scale, routings, *, device=torch.device("cpu"),
          progress=lambda items, total: items):
    """PSNR of one variant at many thresholds (Fig. 7, Tables II, III, IV).

    Each route runs once over all patches; a pair of thresholds only chooses between the results.

    Parameters
    ----------
    method, dataset : str
        For the table.
    model : Module of `pipeline.models`
    paths : list of Path
    scale : int
    routings : list of Routing

    Returns
    -------
    list of dict
        method, dataset, scale, gamma_low, gamma_upper, image, psnr_db, shares, macs.
    """
    rows = []
    for path in progress(paths, len(paths)):
        pair = load(path, scale)
        lr = pair.lr_y.to(device)
        with torch.inference_mode():
            outputs = every_route(model, lr, scale)
            for routing in routings:
                routes = route_patches(model, lr, scale, routing, pair.hr_y.to(device))
                image = compose(choose(outputs, routes, lr, scale), pair)
                rows.append({
                    "method": method, "dataset": dataset, "scale": scale,
                    "gamma_low": routing.gamma_low, "gamma_upper": routing.gamma_upper,
                    "image": path.stem, "psnr_db": score_psnr(image, pair),
                    **shares_of(routes), "macs": cost_of(model, *lr.shape[-2:], scale, routes).macs})
    return rows


def shares_of(routes):
    """Share of the patches on each route; empty for a method without routes."""
    names = ("share_mild", "share_moderate", "share_severe")
    if routes is None:
        return dict.fromkeys(names, "")
    return {name: float((routes == k).float().mean()) for k, name in enumerate(names)}


def _resize(image, scale):
    """`imresize` for (H, W[, C]) arrays."""
    x = torch.from_numpy(image)
    if x.ndim == 2:
        return imresize(x, scale).numpy()
    return imresize(x.permute(2, 0, 1), scale).permute(1, 2, 0).numpy()
