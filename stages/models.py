"""Networks, thresholds, images and the device, as params.yaml names them."""

import torch

from pipeline import weights
from pipeline.images import list_images
from pipeline.inference import Routing
from pipeline.models import build
from stages.shared import folder


def device():
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fresh(params, name):
    """The network of a variant with its first weights, a function of the seed."""
    variant = params.variants[name]
    torch.manual_seed(params.seed)
    return build(variant.network, params.scales_of(name), **variant.options)


def trained(params, name):
    """The network of a variant with its trained weights, on the device."""
    path = folder(params) / "models" / f"{name}.safetensors"
    return weights.load(fresh(params, name), path).to(device())


def routing(params, gamma_low=None, gamma_upper=None):
    """Thresholds and prior of params.yaml, or other thresholds."""
    low = params.gamma_low if gamma_low is None else gamma_low
    upper = params.gamma_upper if gamma_upper is None else gamma_upper
    return Routing(low, upper, params.prior.norm, params.prior.domain)


def test_images(params):
    """dict of test set to list of image files."""
    return {name: list_images(folder(params) / "datasets" / "test" / name)
            for name in params.sets[params.profile].test}
