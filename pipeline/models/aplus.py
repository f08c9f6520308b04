"""A+: adjusted anchored neighbourhood regression (Timofte et al., ACCV 2014)."""

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.models.protocol import Network
from pipeline.models.release import unfold_taps
from pipeline.models.zeyde import COMPONENTS, assemble, features, grouped_product
from pipeline.sr.cost import Cost
from pipeline.sr.prior import SEVERE

CHUNK = 512  # patches compared with the anchors at a time: their products stay in the cache


class APlus(Network):
    """Each patch goes to the anchor of the largest absolute correlation, which has a linear map.

    `pipeline.training.fit.aplus` finds components, anchors and maps; fresh ones give bicubic.
    """

    version = 1
    uses_bicubic = True

    def __init__(self, scales, anchors=1024):
        super().__init__(scales)
        self.tables = nn.ModuleDict({f"x{s}": _fresh(s, anchors) for s in scales})

    def forward(self, x, scale, route=SEVERE):
        """Map LR Y (N, 1, h, w) to Y (N, 1, scale * h, scale * w)."""
        table = self.tables[f"x{scale}"]
        mid, found = features(x, scale, table["components"])
        nearest = torch.cat([(part @ table["anchors"].T).abs_().argmax(1)
                             for part in found.split(CHUNK)])
        residual = grouped_product(found, nearest, table["maps"])
        return mid + assemble(residual, len(x), *x.shape[-2:], scale)

    def cost(self, height, width, scale):
        """`pipeline.sr.cost.Cost` of one image: bicubic, components, anchors, one map a patch."""
        table = self.tables[f"x{scale}"]
        patches, (count, size, out) = height * width, table["maps"].shape
        macs = patches * (16 * scale**2 + table["components"].numel() + count * size + size * out)
        values = patches * (1 + 5 * scale**2 + size + count + out)
        return Cost(macs, 4 * (values + sum(p.numel() for p in table.values())))


def _fresh(scale, anchors):
    size = COMPONENTS[scale]
    basis = nn.init.orthogonal_(torch.empty(size, 4 * (3 * scale)**2))
    shapes = {"components": basis.view(size, 4, 3 * scale, 3 * scale),
              "anchors": F.normalize(torch.randn(anchors, size)),
              "maps": torch.zeros(anchors, size, 9 * scale**2)}
    return nn.ParameterDict({k: nn.Parameter(v, requires_grad=False) for k, v in shapes.items()})


def from_release(scales, files):
    """State of an `APlus` at x2 from the authors' files: dict of "maps_x2", "components_x2" to `Mat`.

    They published no maps of x3 and x4.  Their features are the first differences along x and y, then the
    second ones, and patches are read column by column.
    """
    if 2 not in scales:
        return {}
    zeyde, size, side = files["components_x2"], COMPONENTS[2], 6
    components = unfold_taps(zeyde.array("conf.V_pca", 4 * side**2, size).T.unflatten(1, (4, -1)), side)
    maps = torch.stack([files["maps_x2"].array(f"Aplus_PPs.{i}", side**2, size).T for i in range(1024)])
    return {"tables.x2.components": components[:, [0, 2, 1, 3]],
            "tables.x2.anchors": zeyde.array("conf.dict_lores", size, 1024).T,
            "tables.x2.maps": unfold_taps(maps, side).flatten(-2)}
