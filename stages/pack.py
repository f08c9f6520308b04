"""Put the luma of training and timing images into one file each, for any machine with torch."""

import numpy as np

from pipeline.config import params
from pipeline.data import images, pack
from pipeline.sr.colour import luma
from stages.common.shell import folder, run


def luma8(rgb):
    return np.rint(luma(rgb)).astype(np.uint8)


def main():
    p = params.load()
    train = folder(p) / "datasets" / "train"
    files = {f"{name}/{path.stem}": path for name in p.training_sets()
             for path in images.list_images(train / name)}
    pack.pack(folder(p) / "train.npz",
                {name: luma8(images.read(path)) for name, path in files.items()})
    settings, count = p.images.engine, p.amounts.engine.images
    some = {}
    for name in settings.sets:  # spread over the set
        paths = images.list_images(folder(p) / "datasets" / "test" / name)
        for path in paths[::max(1, len(paths) // count)][:count]:
            some[f"{name}/{path.stem}"] = luma8(images.read_for(path, max(settings.scales)))
    pack.pack(folder(p) / "engine.npz", some)
    timed = images.list_images(folder(p) / "datasets" / "test" / p.images.ablation)
    pack.pack(folder(p) / "timing.npz", {
        path.stem: luma8(images.read_for(path, max(p.scales))) for path in timed})
    return f"{len(files)} training images, {len(timed)} images to time, {len(some)} for the engine"


run(main)
