"""Trained networks and test images of the profile."""

from pipeline.data import pack
from pipeline.data.images import list_images
from pipeline.io import read_json
from pipeline.models import build, weights
from pipeline.sr.patches import patch_size
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


def training_images(p, most):
    """Luma of images that networks are fine-tuned on, by name: at most so many, spread over the sets.

    An image that is smaller than a patch is left out; a ValueError if none is larger.
    """
    sets = p.images.train.finetune.sets
    found = {name: y for name, y in pack.unpack(folder(p) / "train.npz").items()
             if name.split("/")[0] in sets and min(y.shape) >= patch_size(1)}
    if not found:
        raise ValueError(f"{', '.join(sets)}: no image of {patch_size(1)} pixels a side, which routers are "
                         "set on; use larger images")
    return dict([*found.items()][::-(-len(found) // most)])


def expense(p, name, dataset, scale):
    """Operations of scoring a variant, roughly, to begin with the longest: those of the network, and of scoring."""
    macs = provenance(p, name)["macs_per_lr_pixel"][f"x{scale}"].values()
    pixels = sum(path.stat().st_size for path in test_images(p, [dataset])[dataset])  # about one a byte
    return (max(macs) / scale**2 + 5e4) * pixels
