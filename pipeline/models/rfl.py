"""RFL: super-resolution forest (Schulter et al., CVPR 2015)."""

import torch
from torch import nn

from pipeline.models.protocol import Network
from pipeline.models.zeyde import COMPONENTS, assemble, features, grouped_product
from pipeline.sr.cost import Cost
from pipeline.sr.prior import SEVERE

NEVER = torch.finfo(torch.float32).max  # threshold of a node that is not split: all go left


class RFL(Network):
    """Mean over trees; the leaf of a patch has a linear map with an offset.

    A node compares the difference of two features with a threshold.  Nodes are numbered level by
    level, 2n + 1 and 2n + 2 below n, down to `depth` everywhere; below a node that is not split all
    patches go left.  Maps are kept as float16.  `pipeline.training.fit.rfl` grows the trees; fresh ones give
    bicubic.
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales, trees=10, depth=15, leaves=2048):
        super().__init__(scales)
        self.depth = depth
        self.tables = nn.ModuleDict({f"x{s}": _fresh(s, trees, depth, leaves) for s in scales})

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        table = self.tables[f"x{scale}"]
        mid, found = features(x, scale, table["components"])
        lifted = torch.cat([found, torch.ones_like(found[:, :1])], 1)
        residual = 0
        for pair, threshold, leaf, maps in zip(table["pairs"], table["thresholds"], table["leaves"],
                                               table["maps"]):
            bottom = descend(found, pair, threshold, self.depth)
            residual = residual + grouped_product(lifted, leaf[bottom].long(), maps)
        residual = residual / len(table["maps"])
        return mid + assemble(residual, len(x), *x.shape[-2:], scale)

    def cost(self, height, width, scale):
        """`pipeline.sr.cost.Cost` of one image: bicubic, components, one map a patch and tree."""
        table = self.tables[f"x{scale}"]
        patches, (trees, _, size, out) = height * width, table["maps"].shape
        macs = patches * (16 * scale**2 + table["components"].numel() + trees * size * out)
        values = patches * (1 + 5 * scale**2 + size + trees * out)
        tables = sum(p.numel() * p.element_size() for p in table.values())
        return Cost(macs, 4 * values + tables)


def descend(x, pairs, thresholds, depth):
    """Position at the bottom of a tree, 0..2^depth - 1, of each row of `x`.

    Parameters
    ----------
    x : Tensor, shape (n, d)
    pairs : Tensor, shape (2^depth - 1, 2), uint8: the features of a node
    thresholds : Tensor, shape (2^depth - 1,)
        A row whose difference of features is larger goes right.
    """
    node = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    for _ in range(depth):
        first, second = pairs[node].long().split(1, 1)
        right = (x.gather(1, first) - x.gather(1, second))[:, 0] > thresholds[node]
        node = 2 * node + 1 + right
    return node - (2**depth - 1)


def _fresh(scale, trees, depth, leaves):
    size, nodes = COMPONENTS[scale], 2**depth - 1
    pairs = torch.randint(size, (trees, nodes, 2), dtype=torch.uint8)
    bottom = torch.arange(2**depth) * leaves // 2**depth  # as if split evenly
    tables = {"components": nn.init.orthogonal_(torch.empty(size, 36 * scale**2)).view(
                  size, 4, 3 * scale, 3 * scale),
              "pairs": pairs, "thresholds": torch.zeros(trees, nodes),
              "leaves": bottom.to(torch.int16).expand(trees, -1).clone(),
              "maps": torch.zeros(trees, leaves, size + 1, 9 * scale**2, dtype=torch.float16)}
    return nn.ParameterDict({k: nn.Parameter(v, requires_grad=False) for k, v in tables.items()})
