"""Crops and route maps for Fig. 8-11, feature maps for Fig. 3."""

from pipeline.config import params
from pipeline.data import pack
from pipeline.experiments.pictures import compare, response, route_map
from pipeline.io import write_json
from stages.common.trained import test_images, trained
from stages.common.networks import device, routing
from stages.common.shell import folder, run


def main():
    p, where = params.load(), device()
    images, arrays, scores = test_images(p), {}, {}
    names = p.present([*p.methods, *p.routed])
    models = {n: (trained(p, n), routing(p) if n in p.routed else None) for n in names}
    for figure, picture in p.images.pictures.items():
        path = find(images[picture.dataset], picture, figure)
        usable = {n: m for n, m in models.items() if picture.scale in p.scales_of(n)}
        pixels, scores[figure] = compare(path, picture.scale, picture.box, usable, where)
        pixels |= {f"map/{k}": v for k, v in route_map(path, picture.scale, routing(p)).items()}
        arrays |= {f"{figure}/{name}": value for name, value in pixels.items()}
    seen = "vdsr" if "vdsr" in models else "cnn7"  # the paper shows VDSR
    scores["fig3"] = {"method": seen, "scale": p.scales_of("cnn7")[0]}
    for figure in ("fig8", "fig9"):  # butterfly and bird, as in the paper
        picture = p.images.pictures[figure]
        image, map_ = response(models[seen][0], find(images[picture.dataset], picture, figure),
                               scores["fig3"]["scale"], where)
        arrays |= {f"fig3/{figure}/image": image, f"fig3/{figure}/response": map_}
    pack.save(folder(p) / "pictures.npz", arrays)
    write_json(folder(p) / "pictures.json", scores)
    return f"{len(p.images.pictures)} pictures by {len(models)} methods, responses of {seen}"


def find(paths, picture, figure):
    for path in paths:
        if path.stem == picture.image:
            return path
    raise ValueError(f"pictures: {figure}: no image {picture.image} in {picture.dataset}; there are "
                     f"{', '.join(path.stem for path in paths[:20])}")


run(main)
