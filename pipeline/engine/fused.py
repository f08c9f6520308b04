"""Networks laid out for inference: fused convolutions, and no deconvolution.

A deconvolution of stride s is a convolution with s^2 outputs, one for each phase of the HR grid
(Shi et al., ESPCN, CVPR 2016): the same products, but an ordinary convolution, which every library
does well.  On a CPU, oneDNN adds bias and activation in the convolution itself, from weights that
are laid out for it once.
"""

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.sr.degrade import phase_kernels

TILES = (16, 13, 13)  # a batch of them: the shape for which oneDNN lays the weights out


class Conv:
    """A convolution of stride 1 with its leaky ReLU; zeros around the image keep its size.

    Parameters
    ----------
    weight : Tensor, shape (C_out, C_in, k, l), odd k and l
    bias : Tensor, shape (C_out,)
    dilation : int
    slope : float or None
        Of the negative side; None: no activation.
    dtype : torch.dtype
    macs : int or None
        Products at one pixel that are not by a zero of `subpixel`; None: all.
    """

    def __init__(self, weight, bias, dilation=1, slope=None, dtype=torch.float32, macs=None):
        self.outputs, self.inputs, *kernel = weight.shape
        self.reach = tuple(k // 2 * dilation for k in kernel)  # LR pixels, y and x
        self.dilation, self.slope, self.dtype = dilation, slope, dtype
        self.macs = weight.numel() if macs is None else macs
        self.key = (weight.data_ptr(), slope)  # the same for convolutions that are shared
        self.bias = bias.detach().to(dtype).contiguous()
        weight = weight.detach().to(dtype)
        self.weight = _lay_out(weight, self.reach, dilation)
        rows = weight.permute(0, 2, 3, 1).reshape(self.outputs, -1, 1, 1)  # taps, then channels
        self.rows = _lay_out(rows, (0, 0), 1)

    def __call__(self, x, padding=None):
        """(N, C_in, h, w) to (N, C_out, h, w), channels last; `padding` (y, x) for another border."""
        return self._apply(x, self.weight, self.reach if padding is None else padding, self.dilation)

    def gathered(self, taps):
        """The same at single pixels: what each reads, (N, k l C_in), to (N, C_out)."""
        x = taps.view(1, 1, *taps.shape).permute(0, 3, 1, 2)  # a 1x1 convolution of one line
        return self._apply(x, self.rows, (0, 0), 1)[0, :, 0].T

    def _apply(self, x, weight, padding, dilation):
        if weight.is_mkldnn:
            act = ("none", []) if self.slope is None else ("leaky_relu", [self.slope])
            return torch.ops.mkldnn._convolution_pointwise(
                x, weight, self.bias, padding, [1, 1], [dilation] * 2, 1, *act, "")
        y = F.conv2d(x, weight, self.bias, padding=padding, dilation=dilation)
        return y if self.slope is None else F.leaky_relu_(y, self.slope)


def precisions(device):
    """The dtypes in which a device computes: a CPU without bfloat16 would only imitate it, slowly."""
    offered = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return (torch.float32, torch.bfloat16) if device.type == "cuda" or offered else (torch.float32,)


def _lay_out(weight, padding, dilation):
    """Weights as the device's library wants them."""
    if (weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
            and weight.dtype in precisions(weight.device)):
        return torch._C._nn.mkldnn_reorder_conv2d_weight(
            weight.contiguous().to_mkldnn(), padding, [1, 1], [dilation] * 2, 1,
            [TILES[0], weight.shape[1], *TILES[1:]])
    return weight.contiguous(memory_format=torch.channels_last)


class Path:
    """The layers of one route at one scale: LR luma to the phases of HR luma.

    Parameters
    ----------
    modules : sequence of Module
        Conv2d, LeakyReLU or PReLU of one slope, in the end a ConvTranspose2d.  All wide ones pad with
        zeros, or all repeat the border (padding mode ``replicate``).

    halo : int
        Pixels around its input that the first layer reads in place of a border.

    Attributes
    ----------
    margin : int
        Where the border is repeated: pixels around each feature map, as many as the last layer reads.
    """

    def __init__(self, modules, dtype, halo=0):
        modules = [*modules]
        self.convs, self.dtype, self.halo = [], dtype, halo
        for layer, after in zip(modules, [*modules[1:], None]):
            if isinstance(layer, nn.Conv2d):
                self.convs.append(Conv(layer.weight, layer.bias, layer.dilation[0], _slope(after), dtype))
            elif isinstance(layer, nn.ConvTranspose2d):
                self.convs.append(Conv(*subpixel(layer), dtype=dtype, macs=layer.weight.numel()))
        wide = [layer for layer in modules if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
                and layer.kernel_size != (1, 1)]
        modes = {layer.padding_mode for layer in wide}
        self.margin = self.convs[-1].reach[0] if modes == {"replicate"} else 0
        if len(modes) > 1 or self.margin and any(conv.reach[0] > self.margin for conv in self.convs[1:]):
            raise ValueError(f"{modes}: a fused network pads with zeros everywhere, or repeats the border "
                             "everywhere and reads no more of it than its deconvolution does")
        self.links = [self.convs[:1]]  # a convolution with the 1x1 ones after it
        for conv in self.convs[1:]:
            if conv.reach == (0, 0) and len(self.links) > 1:
                self.links[-1].append(conv)
            else:
                self.links.append([conv])

    def __call__(self, x):
        """Phases (N, s^2, h, w) of a batch (N, 1, h + 2 halo, w + 2 halo)."""
        if self.margin:
            return self._repeat_borders(x)
        first, *others = self.convs
        x = first(x.to(self.dtype).contiguous(memory_format=torch.channels_last), [r - self.halo for r in first.reach])
        for conv in others:
            x = conv(x)
        return x

    def _repeat_borders(self, x):
        """Every map keeps its margin: to write it anew costs less than to copy the map into a wider one."""
        (n, _, h, w), (first, *inner, last) = x.shape, self.convs
        by = self.margin + first.reach[0]
        wide = x.new_empty(n, 1, h + 2 * by, w + 2 * by, dtype=self.dtype)
        wide[..., by:-by, by:-by] = x
        x = first(_repeat(wide, by), padding=(0, 0))
        for conv in inner:
            x = conv(x if conv.reach == (0, 0) else _repeat(x, self.margin))
        return last(_repeat(x, self.margin), padding=(0, 0))


class Fused:
    """A trained network at one scale, for `pipeline.engine.adaptive`.

    Attributes
    ----------
    paths : dict of route to Path
    scale : int
    halo : int
        LR pixels of the image that a path reads around its input, as of `pipeline.models.protocol.Model`.
    bicubic : bool
        Whether the bicubic enlargement is added to the output.
    """

    def __init__(self, model, scale, dtype=torch.float32):
        self.paths = {route: Path(model.path(scale, route), dtype, model.halo) for route in model.routes}
        self.scale, self.bicubic, self.dtype = scale, model.uses_bicubic, dtype
        self.halo = model.halo
        self.width = max(conv.inputs for path in self.paths.values() for conv in path.convs)
        weight = next(model.parameters())
        kernels = phase_kernels(scale).to(weight.device, torch.float32)
        self._bicubic = Conv(kernels, kernels.new_zeros(scale**2))

    def enlarge(self, x):
        """Phases of the bicubic enlargement: mirrored (N, 1, h + 4, w + 4) to (N, s^2, h, w), float32."""
        return self._bicubic(x.contiguous(memory_format=torch.channels_last), padding=(0, 0))


def passes(indices, most, step):
    """Split indices into parts of at most `most`, each padded with its last to a multiple of `step`.

    A library prepares its code for each new shape: with few shapes, it does so seldom.
    """
    for part in indices.split(most):
        if len(part):
            yield torch.cat([part, part[-1:].expand(-len(part) % step)])


def subpixel(deconv):
    """Weight (s^2 C, C_in, k, k) and bias of the convolution whose phases are those of a deconvolution.

    Output line s q + f takes input line q + o with tap f + p - s o, where p is the padding; the
    phases of one channel are rows first, as ``pixel_shuffle`` reads them.
    """
    taps, s, p = deconv.kernel_size[0], deconv.stride[0], deconv.padding[0]
    if deconv.out_channels != 1 or deconv.output_padding[0] != s + 2 * p - taps:
        raise ValueError(f"{deconv}: a fused network ends in a deconvolution to one channel that "
                         "multiplies the size by its stride")
    reach = max((s - 1 + p) // s, (taps - 1 - p) // s)
    offset = torch.arange(-reach, reach + 1, device=deconv.weight.device)
    tap = torch.arange(s, device=offset.device)[:, None] + p - s * offset  # (s, k)
    inside = (tap >= 0) & (tap < taps)
    w = deconv.weight[:, 0][:, tap.clamp(0, taps - 1)] * inside[..., None]  # (C, s, k, taps)
    w = w[..., tap.clamp(0, taps - 1)] * inside  # (C, s, k, s, k)
    w = w.permute(1, 3, 0, 2, 4).reshape(s * s, -1, len(offset), len(offset))
    return w, deconv.bias.expand(s * s)


def shuffle(phases, scale):
    """``pixel_shuffle`` of phases (N, s^2, h, w), channels last, in half of its time on a CPU."""
    n, _, h, w = phases.shape
    x = phases.permute(0, 2, 3, 1).reshape(n, h, w, scale, scale).transpose(2, 3)
    return x.reshape(n, 1, scale * h, scale * w)


def _repeat(x, margin):
    """Write the outermost pixels inside of the margin over it; channels last, in place."""
    n, c, h, w = x.shape
    x = x.contiguous(memory_format=torch.channels_last)
    row, inside = w * c, 2 * margin + 1
    # both sides at once: top and bottom, then left and right
    x.as_strided((n, 2, margin, row), (h * row, (h - margin) * row, row, 1)).copy_(
        x.as_strided((n, 2, 1, row), (h * row, (h - inside) * row, row, 1), margin * row))
    x.as_strided((n * h, 2, margin, c), (row, (w - margin) * c, c, 1)).copy_(
        x.as_strided((n * h, 2, 1, c), (row, (w - inside) * c, c, 1), margin * c))
    return x


def _slope(layer):
    """Slope of an activation, None without one."""
    if isinstance(layer, nn.LeakyReLU):
        return layer.negative_slope
    if isinstance(layer, nn.PReLU) and layer.num_parameters == 1:
        return float(layer.weight.detach())
    if layer is None or isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        return None
    raise ValueError(f"{layer}: a fused network has leaky ReLU or PReLU of one slope")
