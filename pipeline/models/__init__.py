"""The networks, by the names that params.yaml uses."""

from pipeline.models.aplus import APlus
from pipeline.models.bicubic import Bicubic
from pipeline.models.cnn7 import CNN7
from pipeline.models.drcn import DRCN
from pipeline.models.fsrcnn import FSRCNN
from pipeline.models.lapsrn import LapSRN
from pipeline.models.prn import PRN
from pipeline.models.rfl import RFL
from pipeline.models.selfex import SelfEx
from pipeline.models.scn import SCN
from pipeline.models.srcnn import SRCNN
from pipeline.models.vdsr import VDSR

NETWORKS = {
    "bicubic": lambda scales: Bicubic(),
    "aplus": APlus,
    "rfl": RFL,
    "selfex": SelfEx,
    "cnn7": CNN7,
    "srcnn": SRCNN,
    "fsrcnn": FSRCNN,
    "vdsr": VDSR,
    "drcn": DRCN,
    "lapsrn": LapSRN,
    "scn": SCN,
    "prn": PRN,
}


def build(network, scales, **options):
    """A network with fresh weights, from a variant of params.yaml."""
    return NETWORKS[network](scales, **options)
