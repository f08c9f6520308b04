"""Cross-field checks of params.yaml, so that each legal file runs to its report."""

from pipeline.config.options import FITTED, OPTIONS, resolve
from pipeline.config.validation import ParameterError, one_of, read, unique

PROFILES, BUDGETS = ("embedded", "paper"), ("smoke", "cpu", "gpu", "paper")
ALWAYS = ("bicubic", "cnn7", "fsrcnn", "prn")  # every profile's figures need them
FIGURES = ("fig8", "fig9", "fig10", "fig11")
# tables and claims name these variants: with other options the name would lie
MEANT = {"prn": {}, "prn_short": {}, "prn_no_rolling": {"rolling": False}, "prn_no_routing": {"routing": False},
         "prn_dilation2": {"dilation": 2}, "prn_identity": {"start": "identity"},
         "prn_plain": {"start": "plain"}, "prn_seed0": {}, "prn_no_rolling_seed0": {"rolling": False}}


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
    _exactly(p.profiles, PROFILES, "profiles")
    _exactly(p.budgets, BUDGETS, "budgets")
    _names(p.scales, (2, 3, 4), "scales")
    _gammas(p.gamma_low, p.gamma_upper, "")
    _gammas(*p.train_gammas, "train_gammas: ")
    _ablation(p)
    _recipes(p)
    for name, variant in p.variants.items():
        one_of(variant.network, networks, f"variants.{name}.network")
    plain = [k for k, v in p.variants.items() if v.network != "prn"]
    prn = [k for k, v in p.variants.items() if v.network == "prn"]
    _names(p.variants, p.variants, "variants", needed=ALWAYS)
    if "prn_context" in p.variants:
        raise ParameterError("variants.prn_context: is a row of Table I already, of prn; use another name")
    _names(p.methods, plain, "methods", needed=("bicubic",))
    _names(p.routed, prn, "routed", needed=("prn",))
    for name, variant in p.variants.items():
        _check_variant(p, f"variants.{name}", name, variant, networks)
    for profile, images in p.profiles.items():
        where = f"profiles.{profile}"
        _exactly(images.pictures, FIGURES, f"{where}.pictures")
        _names(images.engine.scales, p.scales, f"{where}.engine.scales")
        one_of(p.ablation.scale, images.engine.scales, f"ablation.scale: {where}.engine.scales")
        for figure, picture in images.pictures.items():
            one_of(picture.scale, p.scales, f"{where}.pictures.{figure}.scale: scales")


def _ablation(p):
    a = p.ablation
    one_of(a.scale, p.scales, "ablation.scale: scales")
    _gammas(a.gamma_low, a.gamma_upper, "ablation.")
    for key in ("lows", "uppers"):
        unique(getattr(a, key), f"ablation.{key}")
    if not a.pairs():
        raise ParameterError(f"ablation.lows={a.lows}, uppers={a.uppers}: no pair has low < upper, need one")


def _recipes(p):
    for name in p.recipes:
        resolve(p, name)
    for budget, amounts in p.budgets.items():
        where = f"budgets.{budget}"
        if amounts.rungs != sorted({*amounts.rungs}):
            raise ParameterError(f"{where}.rungs: {amounts.rungs} is not legal; use numbers that grow")
        if amounts.further and amounts.further <= amounts.rungs[-1]:
            raise ParameterError(f"{where}.further: {amounts.further:,} is not legal; use more than the last of rungs")
        for name in amounts.recipes:
            one_of(name, p.recipes, f"{where}.recipes: recipes")
            resolve(p, name, budget)


def _check_variant(p, where, name, variant, networks):
    fitted = {k for k in p.recipes if isinstance(resolve(p, k), FITTED.get(variant.network, ()))}
    learnt = {k for k in p.recipes if not isinstance(resolve(p, k), (*FITTED.values(),))}
    legal = fitted if variant.network in FITTED else learnt
    one_of(p.recipe_name(name), [k for k in p.recipes if k in legal], f"{where}.recipe: recipes")
    if variant.network in OPTIONS:
        read(OPTIONS[variant.network], variant.options, f"{where}.options")
        if name in p.routed and variant.options.get("border") == "replicate":
            raise ParameterError(f"{where}.options.border: replicate is not legal: the engine has no real context for it, "
                                 "in which it is timed; take it out of routed")
    elif variant.options:
        raise ParameterError(f"{where}: network {variant.network} takes no options, got "
                             f"{', '.join(variant.options)}; use them with one of {', '.join(OPTIONS)}")
    if variant.train_gammas:
        _gammas(*variant.train_gammas, f"{where}.train_gammas: ")
    _names(variant.scales or (), p.scales, f"{where}.scales")
    _names(variant.profiles or (), PROFILES, f"{where}.profiles")
    everywhere = name in (*p.routed, *MEANT, "bicubic", "fsrcnn", "vdsr")
    if everywhere and variant.scales and set(variant.scales) != set(p.scales):
        raise ParameterError(f"{where}.scales: {variant.scales} is not legal; use all of {p.scales}, where "
                             "it is compared")
    if everywhere and name != "vdsr" and variant.sets:
        raise ParameterError(f"{where}.sets: {variant.sets} is not legal: it is compared on all test sets; "
                             "leave the key out")
    shown = {images.ablation for images in p.profiles.values() if {*images.test} & {*(variant.sets or images.test)}}
    if name == "vdsr" and variant.sets and not shown <= {*variant.sets}:
        raise ParameterError(f"{where}.sets: {variant.sets} is not legal; it needs {', '.join(sorted(shown))}, where "
                             "Fig. 1 shows it")
    if variant.profiles and name in ALWAYS:
        raise ParameterError(f"{where}.profiles: {variant.profiles} is not legal: every profile needs "
                             f"{name}; leave the key out")
    if name in networks and variant.network != name:
        raise ParameterError(f"{where}.network: {variant.network!r} is not legal; use {name}, or another "
                             "name for the variant")
    if variant.further and name in {f"{v}_seed0" for v in p.variants}:
        raise ParameterError(f"{where}.further: is not legal: it stands for {name.removesuffix('_seed0')} where that is "
                             "compared after fewer patches; leave the key out")
    if name in MEANT and (variant.options != MEANT[name] or variant.train_gammas or variant.seed):
        raise ParameterError(
            f"{where}: options={variant.options}, train_gammas={variant.train_gammas}, seed={variant.seed} "
            f"is not legal; the name means options={MEANT[name]} alone: use another name for another network")


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
            raise ParameterError(f"local.{name}: {folder!r} would stand in for the registered data set; use "
                                 f"a name other than {', '.join(known)}")
    legal = sorted({*known, *p.local})
    for name, variant in p.variants.items():
        _names(variant.sets or (), legal, f"variants.{name}.sets")
    for profile, images in p.profiles.items():
        where = f"profiles.{profile}"
        _names(images.test, legal, f"{where}.test")
        one_of(images.ablation, images.test, f"{where}.ablation: {where}.test")
        _names(images.engine.sets, images.test, f"{where}.engine.sets: {where}.test")
        for figure, picture in images.pictures.items():
            one_of(picture.dataset, images.test, f"{where}.pictures.{figure}.dataset: {where}.test")
        for key in ("pretrain", "finetune", "fit"):
            sets = getattr(images.train, key).sets
            _names(sets, legal, f"{where}.train.{key}.sets")
            for name in sets:
                if name in images.test:
                    raise ParameterError(f"{where}.train.{key}.sets: {name!r} is not legal, it is in "
                                         f"{where}.test: nothing is trained on and tested on")


def _gammas(low, upper, prefix):
    """Eq. 2 with the names of Table II (decision D1)."""
    if not 0 <= low < upper:
        raise ParameterError(
            f"{prefix}gamma_low={low:g}, {prefix}gamma_upper={upper:g}: need 0 <= gamma_low < gamma_upper. "
            "Eq. (2) of the paper swaps the two names; here, as in Table II, a patch is mild up to gamma_low "
            "and severe from gamma_upper")


def _names(found, legal, where, needed=()):
    unique(list(found), where)
    for name in found:
        one_of(name, legal, where)
    for name in needed:
        if name not in found:
            raise ParameterError(f"{where}: {name} is missing from {', '.join(found)}; the tables need it")


def _exactly(found, names, where):
    for key in found:
        one_of(key, names, where)
    for name in names:
        if name not in found:
            raise ParameterError(f"{where}.{name}: missing; legal: {', '.join(names)}")
