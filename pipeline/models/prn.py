"""PRN, the patch-wise rolling network (section III, Fig. 5 and 6)."""

import torch
from torch import nn

from pipeline.models.deconv import ReplicatingDeconvolution, bicubic_kernel, deconvolution, end_on_bicubic, pass_on
from pipeline.models.protocol import Network
from pipeline.sr.degrade import mirror, upsample_inner
from pipeline.sr.prior import MILD, MODERATE, SEVERE


REACH = 2  # LR pixels that bicubic reads around a patch, and an ordinary first layer


class PRN(Network):
    """Early, middle and late stages, an exit after each, one deconvolution shared by the exits.

    Parameters
    ----------
    scales : sequence of int
        One deconvolution each; the rest is shared over scales (multi-scale training).
    width : int
        Channels.
    early, middle, late : int
        Convolutions of Theta_l (the first is 5x5, the others 3x3), Theta_m and Theta_s (Table III).
    rolling : bool
        Mild and moderate patches use copies of their own, Theta_l^D and Theta_m^D (Table IV).
    routing : bool
        Without it every patch takes the severe path.
    separate : bool
        Moderate patches have an early copy of their own, so that Theta_l^D sees mild patches alone (III-D).
    dilation : int
        Of the copies: 1 is an ordinary convolution, 2 leaves one hole between taps (decision D5).
    start : {"skip", "identity", "plain"}
        How "initialised with bicubic" is read (decision D7): bicubic is added to the output; or the
        first channel carries the image to a bicubic deconvolution; or every channel has one.
    border : {"zeros", "replicate", "real"}
        What a patch has around it: zeros around each map (the paper, decision D10); each map's own border,
        repeated; or for the first layer and bicubic the image itself, and zeros around the other maps.
    """

    version = 1

    def __init__(self, scales, width=64, early=1, middle=2, late=2, rolling=True, routing=True,
                 separate=False, dilation=1, start="skip", border="zeros"):
        super().__init__(scales)
        self.routes = (MILD, MODERATE, SEVERE) if routing else (SEVERE,)
        self.rolling = rolling and routing
        self.start, self.width = start, width
        self.uses_bicubic = start == "skip"
        self.halo = REACH if border == "real" else 0
        early, middle, late = [1] + [width] * early, [width] * (middle + 1), [width] * (late + 1)
        self.early = _stage(early, border, first=5, halo=self.halo)  # Theta_l
        self.middle = _stage(middle, border)  # Theta_m
        self.late = _stage(late, border)  # Theta_s
        if self.rolling:
            self.early_dilated = _stage(early, border, dilation, 5, self.halo)  # Theta_l^D
            self.middle_dilated = _stage(middle, border, dilation)  # Theta_m^D
        self.separate = separate and self.rolling
        if self.separate:
            self.early_moderate = _stage(early, border, dilation, 5, self.halo)
        self.shrink = _stage([width, width], first=1)  # of Theta_up
        last = ReplicatingDeconvolution if border == "replicate" else deconvolution
        self.upsample = nn.ModuleDict({f"x{s}": last(s, width) for s in scales})
        self._initialise()

    def path(self, scale, route=SEVERE):
        """The layers that a patch of one class passes, in order, Eq. (3), (4), (5)."""
        rolled = self.rolling and route != SEVERE
        stages = [self.early_moderate if self.separate and route == MODERATE else
                  self.early_dilated if rolled else self.early]
        if route >= MODERATE:
            stages.append(self.middle_dilated if rolled else self.middle)
        if route == SEVERE:
            stages.append(self.late)
        return [*(layer for stage in [*stages, self.shrink] for layer in stage),
                self.upsample[f"x{scale}"]]

    def forward(self, x, scale, route=SEVERE):
        """Super-resolve patches of one class.

        Parameters
        ----------
        x : Tensor, shape (N, 1, h, w), Y in [0, 1]
        scale : int
        route : {MILD, MODERATE, SEVERE}

        Returns
        -------
        Tensor, shape (N, 1, scale * h, scale * w)
        """
        return self.on_patches(mirror(x, self.halo) if self.halo else x, scale, route)

    def on_patches(self, x, scale, route=SEVERE):
        """As `forward`, of patches (N, 1, h + 2 halo, w + 2 halo) with the image around them."""
        y = x
        for layer in self.path(scale, route):
            y = layer(y)
        return y + upsample_inner(x if self.halo else mirror(x), scale) if self.uses_bicubic else y

    @torch.no_grad()
    def _initialise(self):
        convs = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        for conv in convs:
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)
        for deconv in self.upsample.values():
            nn.init.zeros_(deconv.bias)
            nn.init.zeros_(deconv.weight)  # "skip": the output is bicubic, exactly
            if self.start == "plain":
                kernel = bicubic_kernel(deconv) / deconv.in_channels
                deconv.weight.copy_(kernel.expand_as(deconv.weight))
            if self.start == "identity":
                end_on_bicubic(deconv)
        if self.start == "identity":
            for conv in convs:
                pass_on(conv)


def _stage(channels, border="zeros", dilation=1, first=3, halo=0):
    """Convolutions with leaky ReLU 0.2; padding keeps the size, but for the halo that the first one reads."""
    layers = []
    for i, (a, b) in enumerate(zip(channels, channels[1:])):
        k = first if i == 0 else 3
        padding = k // 2 * dilation - (halo if i == 0 else 0)
        layers += [nn.Conv2d(a, b, k, padding=padding, dilation=dilation,
                             padding_mode="replicate" if border == "replicate" else "zeros"), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)
