"""Trained networks and test images of the profile."""

from pipeline.models import weights
from pipeline.data.images import list_images
from pipeline.io import read_json
from stages.common.networks import fresh, placed
from stages.common.shell import folder


def trained(params, name):
    """The network of a variant with its trained weights, on the device.

    It is built with the options that its weights need, as their provenance has them.
    """
    path = folder(params) / "models" / f"{name}.safetensors"
    options = read_json(path.with_suffix(".json")).get("options", {})
    return placed(weights.load(fresh(params, name, **options), path))


def test_images(params, names=None):
    """dict of test set to list of image files: of all sets of the profile, or of those named."""
    return {name: list_images(folder(params) / "datasets" / "test" / name)
            for name in (params.images.test if names is None else names)}
