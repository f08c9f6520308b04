"""Arrays whose names in a .npz are paths."""


def nested(arrays):
    """{"a/b": x, "a/c/d": y} -> {"a": {"b": x, "c/d": y}}, from a dict or an open .npz."""
    found = {}
    for key in arrays:
        first, rest = key.split("/", 1)
        found.setdefault(first, {})[rest] = arrays[key]
    return found
