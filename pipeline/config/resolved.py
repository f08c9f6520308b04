"""What follows from params.yaml: what the weights of a variant depend on, and the rows of Table I."""

from dataclasses import asdict

from pipeline.config.options import FITTED


CONTEXT = "prn_context"  # no variant of its own


def scored(p):
    """Rows of Table I: dict of name to the variant whose network it is.

    PRN stands there twice: as the paper describes it, each patch computed alone, and with the real surroundings
    of each patch (`CONTEXT`), which the same weights can have.
    """
    return {name: name for name in p.present([*p.methods, *p.routed])} | {CONTEXT: "prn"}


def front(p):
    """Networks for the ablation's scale alone that differ in more than that from PRN: list of names.

    Those that differ in width and routes alone come first: the first of a width is what others of it are compared with.
    """
    names = [n for n in p.present(p.variants) if (v := p.variants[n]).network == "prn" and (v.options or v.recipe)
             and p.scales_of(n) == (p.ablation.scale,)]
    return sorted(names, key=lambda n: bool(p.variants[n].recipe or p.variants[n].options.keys() - {"width", "routing"}))


def training(p, name):
    """One entry of variants.json, all that a training or a fit of a variant reads besides images.

    Parameters
    ----------
    p : `pipeline.config.params.Params`
    name : str
        A key of variants.

    Returns
    -------
    dict
        network, options, scales, seed, recipe; phases: the images of the trunk and of its branches
        (pretrain and finetune); rungs: patches of each scale; label: how patches are classified
        (hr is an oracle that training does not have); budget: its name.
    """
    variant, train, amounts = p.variants[name], p.images.train, p.amounts
    low, upper = variant.train_gammas or p.train_gammas
    recipe = asdict(p.recipe_of(name))
    if variant.network in FITTED:
        recipe["sets"] = train.fit.sets
    return {
        "network": variant.network, "options": p.options_of(name), "scales": list(p.scales_of(name)),
        "seed": p.seed + variant.seed, "recipe": recipe,
        "phases": {"trunk": asdict(train.pretrain), "branch": asdict(train.finetune)},
        "rungs": sorted({max(1, round(patches * variant.effort)) for patches in
                         [*amounts.rungs, *[amounts.further] * bool(variant.further and amounts.further)]}),
        "label": {"norm": p.prior.norm, "domain": "bicubic" if p.prior.domain == "hr" else p.prior.domain,
                  "gamma_low": low, "gamma_upper": upper},
        "budget": p.budget,
    }
