"""What the keys of params.yaml owe one another, so that each legal file runs to its report."""

from pipeline.config.options import FITTED
from pipeline.config.typed import ParameterError, one_of, unique

PROFILES = ("embedded", "paper")
ALWAYS = ("bicubic", "cnn7", "fsrcnn", "prn")  # every profile's figures need them
FIGURES = ("fig8", "fig9", "fig10", "fig11")
# tables and evidence name these variants: with other options the name would lie
MEANT = {"prn": {}, "prn_no_rolling": {"rolling": False}, "prn_no_routing": {"routing": False},
         "prn_dilation2": {"dilation": 2}, "prn_identity": {"start": "identity"}, "prn_plain": {"start": "plain"}}


def check(p, networks):
    """Refuse names that nobody knows, that are missing, or that mean something else.

    Parameters
    ----------
    p : `pipeline.config.params.Params`
    networks : sequence of str
        Legal values of ``variants.NAME.network``.

    Raises
    ------
    ParameterError
    """
    for section in ("sets", "train", "gradients", "timing", "engine", "pictures"):
        _exactly(getattr(p, section), PROFILES, section)
    for profile, pictures in p.pictures.items():
        _exactly(pictures, FIGURES, f"pictures.{profile}")
    _names(p.scales, (2, 3, 4), "scales")
    one_of(p.ablation.scale, p.scales, "ablation.scale: scales")
    plain = [k for k, v in p.variants.items() if v.network != "prn"]
    prn = [k for k, v in p.variants.items() if v.network == "prn"]
    _names(p.variants, p.variants, "variants", needed=ALWAYS)
    _names(p.methods, plain, "methods", needed=("bicubic",))
    _names(p.routed, prn, "routed", needed=("prn",))
    for profile, train in p.train.items():
        fetched = {name for phase in train.phases.values() for name in phase.sets}
        for key, recipe in train.recipes.items():
            _names(getattr(recipe, "sets", []), sorted(fetched),
                   f"train.{profile}.recipes.{key}.sets: those of the phases")
    for profile, engine in p.engine.items():
        _names(engine.scales, p.scales, f"engine.{profile}.scales")
        one_of(p.ablation.scale, engine.scales, f"ablation.scale: engine.{profile}.scales")
    for name, variant in p.variants.items():
        _check_variant(p, f"variants.{name}", name, variant, networks)


def _check_variant(p, where, name, variant, networks):
    _names(variant.scales, p.scales, f"{where}.scales")
    everywhere = variant.network == "prn" or name in ("bicubic", "fsrcnn", "vdsr")
    if everywhere and variant.scales and set(variant.scales) != set(p.scales):
        raise ParameterError(f"params.yaml: {where}.scales: {variant.scales} is not legal; use all of "
                             f"{p.scales}, where it is compared")
    if everywhere and variant.sets:
        raise ParameterError(f"params.yaml: {where}.sets: {variant.sets} is not legal: it is compared on all "
                             "test sets; leave the key out")
    for profile, train in p.train.items():
        fitted = [k for k, r in train.recipes.items() if isinstance(r, FITTED.get(variant.network, ()))]
        learnt = [k for k, r in train.recipes.items() if not isinstance(r, (*FITTED.values(),))]
        one_of(variant.recipe, fitted if variant.network in FITTED else learnt,
               f"{where}.recipe: train.{profile}.recipes")
    _names(variant.profiles, PROFILES, f"{where}.profiles")
    if variant.profiles and name in ALWAYS:
        raise ParameterError(f"params.yaml: {where}.profiles: {variant.profiles} is not legal: every profile "
                             f"needs {name}; leave the key out")
    if name in networks and variant.network != name:
        raise ParameterError(f"params.yaml: {where}.network: {variant.network!r} is not legal; use "
                             f"{name}, or another name for the variant")
    if name in MEANT and (variant.options != MEANT[name] or variant.train_gammas or variant.seed):
        raise ParameterError(
            f"params.yaml: {where}: options={variant.options}, train_gammas={variant.train_gammas}, "
            f"seed={variant.seed} is not legal; the name means options={MEANT[name]} alone: use another "
            "name for another network")


def check_sets(p, known):
    """Refuse unknown data sets, images trained on and tested on, and stand-ins under a known name.

    Parameters
    ----------
    p : `pipeline.config.params.Params`
    known : sequence of str
        Registered data sets.
    """
    for name, folder in p.local.items():
        if name in known:
            raise ParameterError(f"params.yaml: local.{name}: {folder!r} would stand in for the "
                                 f"registered data set; use a name other than {', '.join(known)}")
    legal = sorted({*known, *p.local})
    for name, variant in p.variants.items():
        _names(variant.sets, legal, f"variants.{name}.sets")
    for profile, sets in p.sets.items():
        _names(sets.test, legal, f"sets.{profile}.test")
        one_of(sets.ablation, sets.test, f"sets.{profile}.ablation")
        _names(p.engine[profile].sets, sets.test, f"engine.{profile}.sets: sets.{profile}.test")
        for figure, picture in p.pictures[profile].items():
            one_of(picture.dataset, sets.test, f"pictures.{profile}.{figure}.dataset: sets.{profile}.test")
            one_of(picture.scale, p.scales, f"pictures.{profile}.{figure}.scale: scales")
        for phase, settings in p.train[profile].phases.items():
            where = f"train.{profile}.phases.{phase}.sets"
            _names(settings.sets, legal, where)
            for name in settings.sets:
                if name in sets.test:
                    raise ParameterError(f"params.yaml: {where}: {name!r} is not legal, it is in "
                                         f"sets.{profile}.test: nothing is trained on and tested on")


def _names(found, legal, where, needed=()):
    unique(list(found), where)
    for name in found:
        one_of(name, legal, where)
    for name in needed:
        if name not in found:
            raise ParameterError(f"params.yaml: {where}: {name} is missing from {', '.join(found)}; the "
                                 "tables need it")


def _exactly(found, names, where):
    for key in found:
        one_of(key, names, where)
    for name in names:
        if name not in found:
            raise ParameterError(f"params.yaml: {where}.{name}: missing; legal: {', '.join(names)}")
