"""SCN (Wang et al., ICCV 2015): sparse coding as a network."""

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.models.protocol import Network
from pipeline.models.release import unfold_taps
from pipeline.sr.degrade import imresize, mirror, upsample
from pipeline.sr.prior import SEVERE
from pipeline.sr.strips import strips

SIDE, WINDOW = 5, 9  # of a patch, and of what is seen of it
REACH = WINDOW // 2 + SIDE // 2
FEATURES, ATOMS = 100, 128
LEAST = 1e-3  # of a norm: a flat patch has none; 1e-6 in the release


class SCN(Network):
    """Passes that double the image, each with weights of its own: one for x2, two for x4.

    x3 is the x4 image, shrunk by bicubic, as in the release: it has no training of its own.

    Parameters
    ----------
    scales : sequence of int
    release : bool
        As the authors' test code, for their weights: the border is mirrored with its edge, and norms
        have a smaller least value.
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales, release=False):
        super().__init__(scales)
        self.release = release
        self.learns = (2,) if set(scales) == {2} else (2, 4)
        self.passes = nn.ModuleList(Doubling(release) for _ in self.learns)

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        x = self.passes[0](x)
        if scale > 2:
            x = self.passes[1](x)
        return imresize(x, 3 / 4) if scale == 3 else x

    def loss(self, lr, hr, scale, done):
        """Mean squared error; x2 trains the first pass, x4 the second on what the first makes.

        Parameters
        ----------
        lr, hr : Tensor, shapes (N, 1, p, p) and (N, 1, P, P)
        scale : {2, 4}
        done : Tensor, not used
        """
        if scale == 2:
            return F.mse_loss(self.passes[0](lr), hr)
        with torch.no_grad():
            lr = self.passes[0](lr)
        return F.mse_loss(self.passes[1](lr), hr)


class Doubling(nn.Module):
    """Bicubic x2, then a sparse code of every 9x9 window gives its 5x5 patch, without their mean.

    The code is LISTA with one recurrence and unit thresholds; the patch gets the norm of the bicubic
    one, and overlapping patches are summed.  No training code is public, so that the start is ours:
    25 features and atoms hand the bicubic patch on, the others are random.
    """

    def __init__(self, release=False):
        super().__init__()
        self.release, self.least = release, 1e-6 if release else LEAST
        places = SIDE * SIDE
        self.see = _conv(1, FEATURES, WINDOW)
        self.encode = _conv(FEATURES, ATOMS)  # W
        self.recur = _conv(ATOMS, ATOMS)  # S
        self.decode = _conv(ATOMS, places)  # the dictionary of HR patches
        self.patch = _conv(1, places, WINDOW)  # the bicubic patch, without the mean of its window
        self.weigh = _conv(places, places, groups=places)  # of the pixels of a patch in the sum
        self.mean = _conv(1, 1, WINDOW + SIDE - 1)  # what the patches lack
        self.register_buffer("places", torch.eye(places).view(places, 1, SIDE, SIDE), persistent=False)
        self._initialise()

    def forward(self, x):
        """(N, 1, h, w) to (N, 1, 2h, 2w)."""
        return strips(self._restore, upsample(x, 2), reach=REACH, width=ATOMS)

    def _restore(self, x):
        x = mirror(x, REACH) if self.release else F.pad(x, [REACH] * 4, mode="reflect")
        seen = self.encode(self._unit(self.see(x)))  # (N, atoms, h + 4, w + 4)
        code = F.softshrink(self.recur(F.softshrink(seen, 1.0)) + seen, 1.0)
        blurred = self.patch(x)  # (N, 25, h + 4, w + 4)
        sharp = self._unit(self.decode(code)) * self._squares(blurred).sqrt()
        summed = F.conv_transpose2d(self.weigh(1.1 * sharp), self.places, padding=SIDE - 1)
        return summed + self.mean(x)

    def _squares(self, x):
        """Each pixel's norm, squared."""
        return x.square().sum(1, keepdim=True) + self.least**2

    def _unit(self, x):
        """Each pixel's channels over their norm."""
        return x * self._squares(x).rsqrt()

    @torch.no_grad()
    def _initialise(self):
        places = SIDE * SIDE
        box = torch.full((1, 1, WINDOW, WINDOW), 1 / WINDOW**2)
        pixel = F.pad(self.places, [(WINDOW - SIDE) // 2] * 4)
        self.patch.weight.copy_(pixel - box)
        self.weigh.weight.fill_(1 / places)
        self.mean.weight.copy_(F.conv2d(box, torch.full((1, 1, SIDE, SIDE), 1 / places),
                                        padding=SIDE - 1))
        self.see.weight[:places] = self.patch.weight
        self.see.weight -= self.see.weight.mean((2, 3), keepdim=True)
        for layer, gain in ((self.encode, 30.0), (self.decode, 1.0)):
            layer.weight[:places] = 0
            layer.weight[:places, :places, 0, 0] = gain * torch.eye(places)


def _conv(channels, out, side=1, groups=1):
    conv = nn.Conv2d(channels, out, side, bias=False, groups=groups)
    nn.init.normal_(conv.weight, std=conv.weight[0].numel() ** -0.5)
    return conv


def from_release(scales, files):
    """State of an `SCN` from the authors' file of x2: dict of "x2" to `Mat`.

    Table I has both passes with the same weights.
    """
    mat, places, wide = files["x2"], SIDE * SIDE, WINDOW + SIDE - 1
    one = {"see": unfold_taps(mat.array("model.conv", WINDOW**2, FEATURES).T, WINDOW)[:, None],
           "encode": mat.array("model.wd", FEATURES, ATOMS).T[..., None, None],
           "recur": mat.array("model.usd1", ATOMS, ATOMS).T[..., None, None],
           "decode": mat.array("model.ud", ATOMS, places).T[..., None, None],
           "patch": unfold_taps(mat.array("model.diffms", WINDOW**2, places).T, WINDOW)[:, None],
           "weigh": mat.array("model.addp", places)[:, None, None, None],
           "mean": unfold_taps(mat.array("model.mean2", wide**2), wide)[None, None]}
    passes = range(1 if set(scales) == {2} else 2)
    return {f"passes.{i}.{name}.weight": value for i in passes for name, value in one.items()}
