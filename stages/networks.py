"""Networks with fresh weights, thresholds and the device: torch alone, for any GPU machine."""

import torch

from pipeline.inference import Routing
from pipeline.models import build


def device():
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fresh(params, name):
    """The network of a variant with its first weights, a function of its seed."""
    scales, variant = params.scales_of(name), params.variants[name]
    torch.manual_seed(params.seed + variant.seed)
    return build(variant.network, scales, **variant.options)


def routing(params, gamma_low=None, gamma_upper=None):
    """Thresholds and prior of params.yaml, or other thresholds."""
    low = params.gamma_low if gamma_low is None else gamma_low
    upper = params.gamma_upper if gamma_upper is None else gamma_upper
    return Routing(low, upper, params.prior.norm, params.prior.domain)
