"""LapSRN (Lai et al., CVPR 2017)."""

import torch
from torch import nn

from pipeline.models.protocol import Network
from pipeline.models.release import Mat
from pipeline.sr.degrade import imresize
from pipeline.sr.prior import SEVERE

DEPTH, WIDTH = 10, 64
EPSILON = 1e-3  # of the Charbonnier loss, in [0, 1]


class LapSRN(Network):
    """A Laplacian pyramid of x2 levels: one network of one level, one of two.

    x3 is the x4 image, shrunk by bicubic, as in the release: it has no training of its own.
    """

    version = 1

    def __init__(self, scales):
        super().__init__(scales)
        self.learns = tuple(sorted({4 if s == 3 else s for s in scales}))
        self.nets = nn.ModuleDict({f"x{s}": Pyramid(s // 2) for s in self.learns})

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        if scale == 3:
            return imresize(self.nets["x4"](x)[-1], 3 / 4)
        return self.nets[f"x{scale}"](x)[-1]

    def loss(self, lr, hr, scale, done):
        """Charbonnier loss of every level, summed over pixels, per pixel of the last level.

        Parameters
        ----------
        lr, hr : Tensor, shapes (N, 1, p, p) and (N, 1, P, P)
            The truth of the other levels is bicubic of `hr`, as in the release.
        scale : {2, 4}
        done : Tensor, not used
        """
        loss = 0.0
        for level in self.nets[f"x{scale}"](lr):
            size = level.shape[-1] / hr.shape[-1]
            error = level - (hr if size == 1 else imresize(hr, size))
            loss = loss + (error.square() + EPSILON**2).sqrt().sum()
        return loss / hr.numel()


class Pyramid(nn.Module):
    """Levels that double the image: (N, 1, h, w) to a list of (N, 1, 2h, 2w), (N, 1, 4h, 4w)..."""

    def __init__(self, levels):
        super().__init__()
        self.first = nn.Conv2d(1, WIDTH, 3, padding=1)
        self.activate = nn.LeakyReLU(0.2)
        self.levels = nn.ModuleList(Level() for _ in range(levels))
        nn.init.normal_(self.first.weight, std=1e-3)  # as the release: starts next to bilinear
        nn.init.zeros_(self.first.bias)

    def forward(self, x):
        features, images = self.activate(self.first(x)), []
        for level in self.levels:
            features, x = level(features, x)
            images.append(x)
        return images


class Level(nn.Module):
    """Ten 3x3x64 and a deconvolution give a residual to the image, enlarged by a learnt bilinear."""

    def __init__(self):
        super().__init__()
        convs = [nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(DEPTH)]
        deconv = nn.ConvTranspose2d(WIDTH, WIDTH, 3, stride=2)
        self.body = nn.Sequential(*(layer for conv in convs for layer in (conv, nn.LeakyReLU(0.2))),
                                  deconv, nn.LeakyReLU(0.2))
        self.residual = nn.Conv2d(WIDTH, 1, 3, padding=1)
        self.enlarge = nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1, bias=False)
        for conv in (*convs, deconv, self.residual):
            nn.init.kaiming_normal_(conv.weight, a=0.2)
            nn.init.zeros_(conv.bias)
        line = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.enlarge.weight.copy_(torch.outer(line, line))

    def forward(self, features, image):
        features = self.body(features)[..., :-1, :-1]  # of 2h + 1 lines the last is dropped
        return features, self.enlarge(image) + self.residual(features)


def from_release(scales, files):
    """State of a `LapSRN` from the authors' files of x2 and x4: dict of "x2", "x4" to `Mat`.

    They number the levels from the last to the first.
    """
    state = {}
    for scale in {4 if s == 3 else s for s in scales}:
        mat, net = files[f"x{scale}"], f"nets.x{scale}"
        params = Mat(mat.path, {p["name"]: p["value"] for p in mat.item("net.params")})

        def take(ours, theirs, bias, *shape):
            state[f"{net}.{ours}.weight"] = params.array(f"{theirs}_f", *shape).permute(3, 2, 0, 1)
            if bias:
                state[f"{net}.{ours}.bias"] = params.array(f"{theirs}_b", shape[3])

        take("first", "input_conv", True, 3, 3, 1, WIDTH)
        for i in range(scale // 2):
            level, name = f"levels.{i}", f"level{scale // 2 - i}"
            for k in range(DEPTH):
                take(f"{level}.body.{2 * k}", f"{name}_conv{k + 1}", True, 3, 3, WIDTH, WIDTH)
            take(f"{level}.body.{2 * DEPTH}", f"{name}_upconv", True, 3, 3, WIDTH, WIDTH)
            take(f"{level}.residual", f"{name}_residual_conv", True, 3, 3, WIDTH, 1)
            take(f"{level}.enlarge", f"{name}_img_up", False, 4, 4, 1, 1)
    return state
