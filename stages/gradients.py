"""Fig. 2 and Fig. 4: gains of the 7-layer CNN and the prior; P of every test patch."""

import pandas as pd

from pipeline.experiments import gradient_gain
from pipeline.config import params
from pipeline.data import pack
from pipeline.models import build
from stages.common import csv_files
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import bar, folder, run


def main():
    p = params.load()
    out, where, images = folder(p), device(), test_images(p)
    settings = p.images.gradients
    cnn, bicubic = trained(p, "cnn7"), build("bicubic", p.scales)
    scale = p.scales_of("cnn7")[0]  # x3 in section III
    paths = images[p.images.ablation]
    rows = pd.DataFrame(gradient_gain.gains(
        cnn, bicubic, paths, scale, settings.stride, norm=p.prior.norm, domain=p.prior.domain,
        device=where, progress=bar("gains")))
    rows = gradient_gain.sample(rows, settings.patches, p.seed)
    csv_files.write(out / "gains.csv", rows)
    found = gradient_gain.examples(cnn, bicubic, rows, paths, scale, 6, where)
    pack.save(out / "examples.npz", {f"{kind}/{key}": value for kind, arrays in found.items()
                                     for key, value in arrays.items()})
    every = [{"dataset": name, "scale": s, **row} for name, files in images.items()
             for s in p.scales for row in gradient_gain.image_priors(files, s, routing(p, 0, 1))]
    csv_files.write(out / "priors.csv", every)
    return (f"{(rows.kind == 'severe').sum()} severe, {(rows.kind == 'mild').sum()} mild patches; P of "
            f"{sum(len(files) for files in images.values())} images")


run(main)
