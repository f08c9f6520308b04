"""Patches of training images for A+ and RFL: features of the bicubic image, residual to the truth."""

import torch
import torch.nn.functional as F

from pipeline.sr.degrade import imresize, upsample
from pipeline.models.zeyde import COMPONENTS, gradients

SHRINK = 0.98  # from one level of the training pyramid to the next (release of A+)


def pairs(images, scale, level=0):
    """(truth, bicubic), Tensors of shape (1, 1, H, W) in [0, 1], of each image.

    Parameters
    ----------
    images : list of ndarray, shape (H, W), uint8: Y
    level : int
        The images are shrunk by 0.98 to this power first.
    """
    for image in images:
        y = torch.from_numpy(image)[None, None].float() / 255
        if level:
            y = imresize(y, SHRINK**level)
        y = y[..., :y.shape[2] // scale * scale, :y.shape[3] // scale * scale]
        if min(y.shape[2:]) >= 5 * scale:
            yield y, upsample(imresize(y, 1 / scale), scale)


def gradient_patches(images, scale):
    """Differences of every second patch in both directions: (n, 36 scale^2), for the components."""
    parts = [F.unfold(_inner(mid, scale), 3 * scale, stride=2 * scale)
             for _, mid in pairs(images, scale)]
    return torch.cat([part[0].T for part in parts])


def principal_components(patches, scale):
    """Largest eigenvectors of the second moments, mean not removed: (d, 4, 3 scale, 3 scale)."""
    moments = sum(part.T.double() @ part.double() for part in patches.split(2**14))
    basis = torch.linalg.eigh(moments).eigenvectors.flip(1)[:, :COMPONENTS[scale]].float()
    return basis.T.reshape(-1, 4, 3 * scale, 3 * scale).contiguous()


def collect(images, scale, components, levels, limit, progress=lambda share: None):
    """Features and residuals of all patches inside the images.

    Parameters
    ----------
    images : list of ndarray, shape (H, W), uint8
    scale : int
    components : Tensor, as of `principal_components`
    levels : int
        Sizes of each image: 1, 0.98, 0.98^2...
    limit : int
        Patches at most; later levels are left out.
    progress : callable
        Called with the share that is done.

    Returns
    -------
    features : Tensor, shape (n, d)
    residuals : Tensor, shape (n, 9 scale^2)
        Truth less bicubic.
    """
    found, n = [], 0
    for level in range(levels):
        for truth, mid in pairs(images, scale, level):
            near = F.conv2d(_inner(mid, scale), components, stride=scale)
            far = F.unfold(truth - mid, 3 * scale, stride=scale)
            found.append((near[0].flatten(1).T, far[0].T))
            n += len(found[-1][0])
            if n >= limit:
                break
        progress(max(n / limit, (level + 1) / levels))
        if n >= limit:
            break
    return tuple(torch.cat(part)[:limit] for part in zip(*found))


def _inner(mid, scale):
    """Gradients without the margin, for patches that lie inside the image."""
    return gradients(mid, scale)[..., scale:-scale, scale:-scale]
