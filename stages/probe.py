"""What the claims need beside the tables: routes, classes, reconstruction, responses."""

from dataclasses import asdict

from pipeline.config import params
from pipeline.data import pack
from pipeline.timing.jobs import luma_pairs
from pipeline.experiments.frequency_conflict import class_psnr
from pipeline.experiments.receptive_field import receptive_fields
from pipeline.timing.parts import part_jobs
from pipeline.experiments.responses import responses
from pipeline.timing.clocks import measure
from pipeline.io import write_json
from stages.common import csv_files
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import bar, folder, run

PLAIN = ({}, {"rolling": False}, {"routing": False})  # variants whose classes are compared


def compared(p):
    """PRN with rolling, without it, and without routing: these variants and their seeds."""
    prn = [(name, p.variants[name]) for name in p.present(p.variants)]
    return [name for name, v in prn if v.network == "prn" and not v.recipe and v.options in PLAIN
            and not v.train_gammas and v.effort == 1 and not v.scales]


def main():
    p, where = params.load(), device()
    a, settings = p.ablation, p.amounts.timing
    paths = test_images(p)[p.images.ablation]
    labels = routing(p, *p.train_gammas)  # the classes as training knew them
    models = {name: trained(p, name) for name in compared(p)}
    rows = [row for name, model in models.items()
            for row in class_psnr(name, model, paths, a.scale, labels, device=where, progress=bar(name))]
    ys = list(pack.unpack(folder(p) / "timing.npz").values())[: settings.images]
    jobs = part_jobs(models["prn"], a.scale, routing(p, a.gamma_low, a.gamma_upper),
                     luma_pairs(ys, a.scale, where))
    times = measure(jobs, repeats=settings.repeats, warmup=settings.warmup, device=where,
                    progress=bar("reconstruction"))
    hole = p.present({"prn_dilation2"} & p.variants.keys())  # decision D5
    seeing = models | {name: trained(p, name) for name in hole}
    fields = {name: {route: asdict(field) for route, field in receptive_fields(model).items()}
              for name, model in seeing.items()}
    seen = responses(trained(p, "cnn7"), paths, p.scales_of("cnn7")[0], labels, device=where,
                     progress=bar("responses"))
    for name, table in (("classes", rows), ("reconstruction", times), ("responses", seen)):
        csv_files.write(folder(p) / f"{name}.csv", table)
    write_json(folder(p) / "receptive.json", fields)
    return (f"{len(models)} variants on {len(paths)} images: {len(rows)} scores by route, "
            f"{len(times)} times, {len(seen)} responses")


run(main)
