"""Frozen dataclasses from YAML, every value checked against its annotation."""

import math
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Literal, get_args, get_origin, get_type_hints


class ParameterError(ValueError):
    """A bad value in params.yaml, in one line whatever the file holds."""

    def __init__(self, words):
        super().__init__(" ".join(words.split()))


def build(cls, raw, where):
    """A dataclass from a mapping, every value checked against its annotation."""
    if not isinstance(raw, dict):
        raise ParameterError(f"params.yaml: {where or 'the file'}: expected keys, got {raw!r}")
    hints = get_type_hints(cls)
    prefix = f"{where}." if where else ""
    for key in raw:
        if key not in hints:
            raise ParameterError(f"params.yaml: {prefix}{key}: unknown key; legal: {', '.join(hints)}")
    for f in fields(cls):
        if f.name not in raw and f.default is MISSING and f.default_factory is MISSING:
            raise ParameterError(f"params.yaml: {prefix}{f.name}: missing")
    return cls(**{key: _typed(hints[key], value, prefix + key) for key, value in raw.items()})


def _typed(hint, value, where):
    if isinstance(hint, types.UnionType):  # of dataclasses: the one that has most of the keys
        keys = set(value) if isinstance(value, dict) else set()
        hint = max(get_args(hint), key=lambda c: len({f.name for f in fields(c)} & keys))
    if is_dataclass(hint):
        return build(hint, value, where)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        one_of(value, args, where)
        return value
    if origin is list and isinstance(value, list) and value:
        return [_typed(args[0], v, f"{where}[{i}]") for i, v in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        for key in value:  # DVC and file names are made of them
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(key)) or not isinstance(key, str):
                raise ParameterError(f"params.yaml: {where}: {key!r} is no name; use letters, digits, "
                                     "_ and -, at most 64")
        return {k: _typed(args[1], v, f"{where}.{k}") for k, v in value.items()}
    if hint is float and type(value) in (int, float):
        if not math.isfinite(value) or abs(value) > 1e9:
            raise ParameterError(f"params.yaml: {where}: {value!r} is not legal; use -1e9 to 1e9")
        return float(value)
    if hint is object or (not isinstance(hint, types.GenericAlias) and type(value) is hint):
        return value
    raise ParameterError(f"params.yaml: {where}: expected {_words(hint)}, got {value!r}")


def _words(hint):
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return names.get(hint) or ("a list with at least one entry" if get_origin(hint) is list else "keys")


def one_of(value, legal, where):
    if value not in legal:
        raise ParameterError(
            f"params.yaml: {where}: {value!r} is not legal; use one of {', '.join(map(str, legal))}")


def at_least(value, least, where, most=10**6):
    if not least <= value <= most:
        size = "small" if value < least else "large"
        raise ParameterError(f"params.yaml: {where}: {value} is too {size}; legal: {least} to {most}")


def unique(values, where):
    for i, value in enumerate(values):
        if value in values[:i]:
            raise ParameterError(f"params.yaml: {where}: {value!r} stands there twice; once is legal")
