"""What params.yaml and the packed images say about the training of a variant."""

from dataclasses import dataclass

from pipeline.training import algorithm1, checkpoints
from pipeline.data import pack
from pipeline.training.fit.run import FITTERS
from stages.common.networks import fresh
from stages.common.shell import folder


@dataclass(frozen=True)
class Setup:
    """Arguments of `pipeline.training.algorithm1.train`, or of `pipeline.training.fit.run.fit`."""

    model: object
    phases: list
    recipe: object  # of `training` or of a fitter
    scales: tuple
    label: dict
    seed: int
    tag: str
    too_small: list  # images with no place for a patch at some scale: they take no part


def read(p, name):
    """`Setup` of a variant; the tag covers all that its weights depend on."""
    model = fresh(p, name)
    variant, settings = p.variants[name], p.train[p.profile]
    images = pack.unpack(folder(p) / "train.npz")
    phases = [algorithm1.Phase(key, {n: y for n, y in images.items() if n.split("/")[0] in phase.sets},
                             max(1, round(phase.steps * variant.effort)), phase.augment)
              for key, phase in settings.phases.items()]
    maker = FITTERS.get(variant.network, algorithm1)
    recipe = maker.Recipe(**vars(settings.recipes[variant.recipe]))
    if maker is not algorithm1:
        found = {n: y for n, y in images.items() if n.split("/")[0] in recipe.sets}
        phases = [algorithm1.Phase("fit", found, 0, False)]
    low, upper = variant.train_gammas or (settings.gamma_low, settings.gamma_upper)
    label = {"norm": p.prior.norm, "domain": "bicubic" if p.prior.domain == "hr" else p.prior.domain,
             "gamma_low": low, "gamma_upper": upper}
    scales, seed = p.scales_of(name), p.seed + variant.seed
    code = maker.__name__.removeprefix("pipeline."), f"models.{variant.network}"
    tag = checkpoints.make_tag(code, variant=variant, recipe=recipe, label=label, seed=seed, scales=scales,
                          phases=settings.phases, images=checkpoints.digest_images(images))
    too_small = sorted({n for phase in phases for n, y in phase.images.items() if maker is algorithm1
                        and any(min(y.shape) // s < recipe.crop // s for s in scales)})
    learns = any(True for _ in model.parameters())
    return Setup(model, phases if learns else [], recipe, scales, label, seed, tag, too_small)
