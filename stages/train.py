"""Train one variant, or take its published weights: python -m stages.train VARIANT [MINUTES]."""

import sys

from pipeline import cost, packed, params, states, training
from stages.networks import device, fresh
from stages.shared import ROOT, folder, run


def main():
    name = sys.argv[1]
    p = params.load()
    if p.weights == "published":
        from stages.outputs import take
        return take(p, name)
    variant, settings = p.variants[name], p.train[p.profile]
    model = fresh(p, name)
    images = packed.unpack(folder(p) / "train.npz")
    phases = [training.Phase(key, {n: y for n, y in images.items() if n.split("/")[0] in phase.sets},
                             max(1, round(phase.steps * variant.effort)), phase.augment)
              for key, phase in settings.phases.items()]
    recipe = training.Recipe(**vars(settings.recipes[variant.recipe]))
    low, upper = variant.train_gammas or (settings.gamma_low, settings.gamma_upper)
    label = {"norm": p.prior.norm, "domain": "bicubic" if p.prior.domain == "hr" else p.prior.domain,
             "gamma_low": low, "gamma_upper": upper}
    scales, seed = p.scales_of(name), p.seed + variant.seed
    tag = states.make_tag(variant=variant, recipe=recipe, label=label, seed=seed, scales=scales,
                            phases=settings.phases, images=states.digest_images(images))
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else settings.limit_minutes
    result = training.train(
        model, phases if list(model.parameters()) else [], recipe, scales=scales, label=label,
        seed=seed, name=name, device=device(), tag=tag, limit_s=60 * limit,
        state_path=ROOT / "states" / f"{p.profile}-{name}.pt",
        progress=lambda step, steps: print(f"\r{name}: step {step} of {steps}", end="", flush=True))
    print()
    if not result.finished:
        raise RuntimeError(f"{name}: stopped at the limit of {limit:g} minutes; run the same "
                           "command again to go on from there")
    try:
        from stages.outputs import write
    except ImportError as missing:  # a GPU machine with torch alone: the state is the result
        return print(f"{name}: trained; {missing.name} is not here, so run this again where it is")
    write(p, name, result.weights, result.curve, {
        "variant": name, "steps": result.steps, "seconds": round(result.seconds, 1),
        "device": "; ".join(result.where), "recipe": vars(recipe), "tag": tag,
        **cost.summary(model.cpu(), scales),
        "phases": {phase.name: [phase.steps, len(phase.images)] for phase in phases}})


run(main)
