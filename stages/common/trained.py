"""Trained networks and test images of the profile."""

from pipeline.data.images import list_images
from pipeline.io import read_json
from pipeline.models import build, weights
from stages.common.networks import placed
from stages.common.shell import folder


def provenance(params, name):
    """What is known of the weights of a variant: models/NAME.json."""
    return read_json(folder(params) / "models" / f"{name}.json")


def trained(params, name):
    """The network of a variant with its weights, on the device.

    It is built with the options of their provenance: weights by the authors of a method and weights by us
    may have the same shapes, and mean something else.
    """
    options = provenance(params, name)["options"]
    model = build(params.variants[name].network, params.scales_of(name), **options)
    return placed(weights.load(model, folder(params) / "models" / f"{name}.safetensors"))


def test_images(params, names=None):
    """dict of test set to list of image files: of all sets of the profile, or of those named."""
    return {name: list_images(folder(params) / "datasets" / "test" / name)
            for name in (params.images.test if names is None else names)}


def expense(p, name, dataset, scale):
    """Operations of scoring a variant, roughly, to begin with the longest: those of the network, and of scoring."""
    macs = provenance(p, name)["macs_per_lr_pixel"][f"x{scale}"].values()
    pixels = sum(path.stat().st_size for path in test_images(p, [dataset])[dataset])  # about one a byte
    return (max(macs) / scale**2 + 5e4) * pixels
