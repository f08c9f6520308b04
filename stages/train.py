"""Train or fit one variant, or take its published weights: python -m stages.train VARIANT [MINUTES]."""

import sys

from pipeline.training import algorithm1
from pipeline.config import params
from pipeline.sr import cost
from pipeline.training.fit.run import FITTERS, fit
from stages.common.networks import conditions, device
from stages.common.setup import read
from stages.common.shell import ROOT, argument, run


def main():
    name, p = argument(), params.load()
    if not p.present([name]):
        from stages.common.outputs import leave_out
        return leave_out(p, name)
    network = p.variants[name].network
    if p.weights == "published" and network not in params.UNLEARNT:  # fits take minutes and much room
        from stages.common.outputs import take
        return take(p, name)
    setup = read(p, name)
    if setup.too_small and setup.phases:
        print(f"{name}: {len(setup.too_small)} images are smaller than a patch of {setup.recipe.crop} "
              f"and take no part: {', '.join(setup.too_small[:5])}")
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else p.train[p.profile].limit_minutes
    how = {"scales": setup.scales, "seed": setup.seed, "tag": setup.tag, "limit_s": 60 * limit,
           "state_path": ROOT / "states" / f"{p.profile}-{name}.pt",
           "progress": lambda step, steps: print(f"\r{name}: step {step} of {steps}", end="",
                                                 flush=True)}
    if network in FITTERS:
        result = fit(network, setup.model, setup.phases[0].images, setup.recipe, **how)
    else:
        result = algorithm1.train(setup.model, setup.phases, setup.recipe, label=setup.label,
                                name=name, device=device(), **how)
    print()
    if not result.finished:
        raise RuntimeError(f"{name}: stopped at the limit of {limit:g} minutes; run the same "
                           "command again to go on from there")
    try:
        from stages.common.outputs import write
    except ImportError as missing:  # a GPU machine with torch alone: the state is the result
        return print(f"{name}: trained; {missing.name} is not here, so run this again where it is")
    write(p, name, result.weights, result.curve, {
        "variant": name, "steps": result.steps, "seconds": round(result.seconds, 1),
        "device": "; ".join(result.where), "recipe": vars(setup.recipe), "tag": setup.tag,
        **conditions(device()), **cost.summary(setup.model.cpu(), setup.scales),
        "too_small": setup.too_small,
        "phases": {phase.name: [phase.steps, len(phase.images)] for phase in setup.phases}})


run(main)
