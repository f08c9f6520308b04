"""Networks with fresh weights, thresholds and the device: torch alone, for any GPU machine."""

import os

import torch
import torch.nn.functional as F

from pipeline.sr.routing import Routing
from pipeline.models import build


def device():
    """The GPU if there is one; PRN_DETERMINISTIC=1 makes its results the same bit for bit."""
    if os.environ.get("PRN_DETERMINISTIC") == "1":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.allow_tf32 = False  # on by default, and its labels of patches are not those of a CPU
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def conditions(where):
    """What numbers of a device rest on, for their provenance.

    The precision is measured on a convolution, since flags and environment variables of several
    libraries lower it in silence (TF32 errs by 1e-4, float32 by 1e-6).
    """
    x = torch.arange(64 * 16 * 16, device=where).sin().reshape(1, 64, 16, 16)
    w = torch.arange(64 * 64 * 9, device=where).cos().reshape(64, 64, 3, 3)
    exact = F.conv2d(x.double(), w.double())
    error = ((F.conv2d(x, w) - exact).abs().max() / exact.abs().max()).item()
    name = (torch.cuda.get_device_name(where) if where.type == "cuda"
            else f"CPU, {torch.get_num_threads()} threads")
    return {"device": f"{name}, torch {torch.__version__}", "kind": where.type,
            "precision": "float32" if error < 1e-5 else f"error {error:.0e}",
            "deterministic": torch.are_deterministic_algorithms_enabled() or where.type == "cpu"}


def fresh(params, name):
    """The network of a variant with its first weights, a function of its seed."""
    torch.manual_seed(params.seed + params.variants[name].seed)
    return build(params.variants[name].network, params.scales_of(name), **params.options_of(name))


def placed(model):
    """A network on the device, to be run: channels last, in which oneDNN needs two thirds of the time
    for convolutions of 64 channels, and in which the fused convolutions of the engine are."""
    return model.to(device(), memory_format=torch.channels_last).eval()


def routing(params, gamma_low=None, gamma_upper=None):
    """Thresholds and prior of params.yaml, or other thresholds."""
    low = params.gamma_low if gamma_low is None else gamma_low
    upper = params.gamma_upper if gamma_upper is None else gamma_upper
    return Routing(low, upper, params.prior.norm, params.prior.domain)
