"""Which patches a CNN helps, and whether their gradient tells (section III; Fig. 2 and Fig. 4)."""

import numpy as np
import torch

from pipeline.evaluation.protocol import load
from pipeline.sr.colour import luma
from pipeline.sr.routing import priors
from pipeline.evaluation.metrics import psnr
from pipeline.sr.patches import patch_size
from pipeline.sr.prior import gradient_prior

GAIN_DB = 1.0  # "more than 1dB improvement over Bicubic": severe; less: mild


@torch.inference_mode()
def gains(model, bicubic, paths, scale, stride, *, norm, domain, device,
          progress=lambda items, total: items):
    """Gain of a network over bicubic, and the prior, of every patch of some images.

    Parameters
    ----------
    model, bicubic : Module of `pipeline.models`
    paths : list of Path
    scale : int
    stride : int
        HR pixels between patches; rounded down to a multiple of the scale.
    norm, domain : str
        As for `gradient_prior`.

    Returns
    -------
    list of dict
        image, y, x (HR pixels), psnr_bicubic_db, psnr_cnn_db, gain_db, prior, prior_hr.

    Raises
    ------
    ValueError
        An image is smaller than a patch, or no patch has a detail.
    """
    p, step, rows = patch_size(scale), max(1, stride // scale), []
    side = p * scale
    for path in progress(paths, len(paths)):
        pair = load(path, scale)
        lr = pair.lr_y.to(device)
        images = [luma(pair.hr), *((m(lr, scale)[0, 0].clamp(0, 1).double() * 255).round().cpu().numpy()
                                   for m in (bicubic, model))]
        h, w = lr.shape[-2:]
        places = [(y, x) for y in range(0, h - p + 1, step) for x in range(0, w - p + 1, step)]
        if not places:
            raise ValueError(f"{path}: {w * scale}x{h * scale} is smaller than a patch of {side}x{side}; "
                             "leave it out")
        lrs = torch.cat([lr[..., y:y + p, x:x + p] for y, x in places])
        hrs = torch.cat([pair.hr_y[..., y * scale:y * scale + side, x * scale:x * scale + side]
                         for y, x in places])
        seen = hrs.to(device) if domain == "hr" else lrs
        prior = gradient_prior(seen, scale, norm=norm, domain=domain).tolist()
        oracle = gradient_prior(hrs, scale, norm=norm, domain="hr").tolist()
        for (y, x), value, value_hr in zip(places, prior, oracle):
            box = np.s_[y * scale:y * scale + side, x * scale:x * scale + side]
            truth, low, high = (image[box] for image in images)
            before, after = psnr(truth, low), psnr(truth, high)
            if not np.isfinite([before, after]).all():  # a patch of one grey level
                continue
            rows.append({"image": path.stem, "y": y * scale, "x": x * scale,
                         "psnr_bicubic_db": before, "psnr_cnn_db": after, "gain_db": after - before,
                         "prior": value, "prior_hr": value_hr})
    if not rows:
        raise ValueError(f"{paths[0].parent}: every patch is of one grey level; use other images")
    return rows


def sample(rows, count, seed):
    """At most `count` severe and `count` mild patches, drawn without replacement, in order.

    Parameters
    ----------
    rows : DataFrame with column gain_db
    count, seed : int

    Returns
    -------
    DataFrame with a column kind: "severe" where the gain exceeds 1 dB, else "mild"
    """
    rows = rows.assign(kind=np.where(rows.gain_db > GAIN_DB, "severe", "mild"))
    parts = [group.sample(min(count, len(group)), random_state=seed)
             for _, group in rows.groupby("kind")]
    return rows.loc[sorted(index for part in parts for index in part.index)]


def image_priors(paths, scale, routing):
    """P of every test patch: list of dict with image, patch (rows first) and prior."""
    rows = []
    for path in paths:
        pair = load(path, scale)
        values = priors(pair.lr_y, scale, routing, pair.hr_y).tolist()
        rows += [{"image": path.stem, "patch": i, "prior": p} for i, p in enumerate(values)]
    return rows


@torch.inference_mode()
def examples(model, bicubic, rows, paths, scale, count, device):
    """Pixels of the patches with the most and the least gain, one an image at most (Fig. 2).

    Returns
    -------
    dict of "severe" and "mild" to dict
        hr, bicubic, cnn: (count, P, P) uint8; psnr: (count, 2), dB of bicubic and of the network.
    """
    by_name = {path.stem: path for path in paths}
    side = patch_size(scale) * scale
    each = max(1, -(-count // rows.image.nunique()))  # few images: several patches of one
    found = {}
    for kind, order in (("severe", rows[rows.gain_db > GAIN_DB].sort_values("gain_db", ascending=False)),
                        ("mild", rows[rows.gain_db.between(0, GAIN_DB)].sort_values("gain_db"))):
        chosen = _apart(order, side, each, count)
        patches = {"hr": [], "bicubic": [], "cnn": []}
        for row in chosen:
            pair = load(by_name[row.image], scale)
            lr = pair.lr_y.to(device)
            box = np.s_[row.y:row.y + side, row.x:row.x + side]
            patches["hr"].append(np.rint(luma(pair.hr)[box]).astype(np.uint8))
            for name, net in (("bicubic", bicubic), ("cnn", model)):
                y = (net(lr, scale)[0, 0].clamp(0, 1) * 255).round().cpu().numpy()
                patches[name].append(y[box].astype(np.uint8))
        # reshaped, so that no patch at all is an empty array of the right shape
        found[kind] = {k: np.array(v, np.uint8).reshape(-1, side, side) for k, v in patches.items()}
        found[kind]["psnr"] = np.array(
            [[r.psnr_bicubic_db, r.psnr_cnn_db] for r in chosen]).reshape(-1, 2)
    return found


def _apart(rows, side, each, count):
    """The first rows that do not overlap, at most `each` of one image."""
    chosen = []
    for row in rows.itertuples():
        near = [c for c in chosen if c.image == row.image]
        if len(near) < each and all(abs(c.y - row.y) >= side or abs(c.x - row.x) >= side
                                    for c in near):
            chosen.append(row)
        if len(chosen) == count:
            break
    return chosen
