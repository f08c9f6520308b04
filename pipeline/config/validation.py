"""Frozen dataclasses from YAML by pydantic, the first bad value named in one line."""

import re
from dataclasses import fields, is_dataclass
from typing import Annotated, get_args, get_type_hints

from pydantic import Field, Strict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

def whole(least, most):
    """The type of a whole number in a range."""
    return Annotated[int, Strict(), Field(ge=least, le=most)]


def real(**limits):
    """The type of a number in a range, neither infinite nor NaN."""
    return Annotated[float, Strict(), Field(allow_inf_nan=False, **limits)]


# strict: 1 is not true, "1" is no number
Count = whole(1, 10**6)
Number = real(ge=-1e9, le=1e9)
Positive = real(ge=0, le=1e9)
Flag = Annotated[bool, Strict()]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # DVC and file names are made of them

section = dataclass(frozen=True, kw_only=True, config={"extra": "forbid"})


class ParameterError(ValueError):
    """A bad value in params.yaml, in one line whatever the file holds."""

    def __init__(self, words):
        super().__init__(" ".join(f"params.yaml: {words}".split()))


def read(cls, raw, where=""):
    """An instance of a `section` class from a mapping.

    Raises
    ------
    ParameterError
        Names the key, its value and what is legal.
    """
    try:
        return TypeAdapter(cls).validate_python(raw)
    except ValidationError as bad:
        # an unknown key first: what is missing then is most often the same key, spelt right
        error = min(bad.errors(include_url=False), key=lambda e: e["type"] not in UNKNOWN)
        path = [str(key) for key in error["loc"] if key != "[key]"]
        name = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join([where, *path] if where else path))
        raise ParameterError(f"{name or 'the file'}: {_words(error, cls)}") from None


def one_of(value, legal, where):
    """Refuse a value that is not among the legal ones."""
    if value not in legal:
        raise ParameterError(f"{where}: {value!r} is not legal; use one of {', '.join(map(str, legal))}")


def unique(values, where):
    """Refuse a list with a duplicate entry."""
    for i, value in enumerate(values):
        if value in values[:i]:
            raise ParameterError(f"{where}: {value!r} is a duplicate entry; use it once")


UNKNOWN = ("unexpected_keyword_argument", "invalid_key")
EXPECTED = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "text",
            "list": "a list with at least one entry", "dict": "keys", "dataclass": "keys"}


def _words(error, cls):
    """One of pydantic's errors with the value and the remedy."""
    kind, value, limits = error["type"], error["input"], error.get("ctx", {})
    if kind in UNKNOWN:
        return f"unknown key; legal: {', '.join(_keys(cls, error['loc'][:-1]))}"
    if kind == "missing":
        return "missing"
    if kind == "value_error":  # of a __post_init__, which has said it all
        return str(limits["error"])
    if kind == "literal_error":
        legal = ", ".join(re.findall(r"'(.*?)'", limits["expected"]) or [limits["expected"]])
        return f"{value!r} is not legal; use one of {legal}"
    if kind == "string_pattern_mismatch":
        return f"{value!r} is no name; use letters, digits, _ and -, at most 64"
    if {"ge", "gt"} & limits.keys():
        least = f"at least {limits['ge']:g}" if "ge" in limits else f"above {limits['gt']:g}"
        return f"{value} is too small; use a number {least}"
    if {"le", "lt"} & limits.keys():
        most = f"at most {limits['le']:g}" if "le" in limits else f"below {limits['lt']:g}"
        return f"{value} is too large; use a number {most}"
    name = "list" if kind in ("too_short", "too_long") else kind.removesuffix("_type")
    size = f"a list of {limits['max_length']}" if "max_length" in limits else EXPECTED.get(name, "a number")
    return f"expected {size}, got {value!r}"


def _keys(cls, path):
    """Legal keys at a path of dataclasses and dicts of them."""
    for key in path:
        cls = get_type_hints(cls)[key] if is_dataclass(cls) else get_args(cls)[1]
    return [f.name for f in fields(cls)]
