"""Large images in horizontal strips, so that the memory of a deep network stays bounded."""

import torch

MAP_BYTES = 2**28  # of one feature map; a convolution holds some four of them


def strips(network, x, *, reach, width):
    """Apply a network that keeps the size of its input, strip by strip where one is too large.

    The result is that of the whole image: a strip has `reach` rows of context on each side, and
    the rows that its cut edges spoil are dropped.

    Parameters
    ----------
    network : callable, (N, C, h, w) to (N, 1, h, w)
    x : Tensor, shape (N, C, h, w)
    reach : int
        How many rows away an input can act on an output.
    width : int
        Channels of the widest feature map (float32), for its size.

    Returns
    -------
    Tensor, shape (N, 1, h, w)
    """
    n, _, h, w = x.shape
    rows = max(1, MAP_BYTES // (4 * max(n, 1) * width * w))
    if rows >= h:
        return network(x)
    done = []
    for top in range(0, h, rows):
        first, last = max(0, top - reach), min(h, top + rows + reach)
        done.append(network(x[..., first:last, :])[..., top - first:top - first + rows, :])
    return torch.cat(done, -2)
