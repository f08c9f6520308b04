"""Files that appear complete or not at all, whatever kills the writer or fills the disk; names in a .npz."""

import csv
import hashlib
import json
import os
from contextlib import contextmanager


@contextmanager
def atomic(path):
    """A name to write to; the file gets its own at the end, and nothing is left after a failure.

    Raises
    ------
    OSError
        Names the file that could not be written and why.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        yield partial
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # RuntimeError: torch's word for a full disk
        raise OSError(f"{path} could not be written ({error}); is the disk full?") from error
    finally:
        partial.unlink(missing_ok=True)


def write_text(path, text):
    """Write a text as UTF-8, complete or not at all."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path, value, **how):
    """The same for JSON, with a line for each key and value."""
    write_text(path, json.dumps(value, indent=1, **how) + "\n")


def write_rows(path, rows):
    """The same for a table of dicts, as CSV, in any machine's Python; what a row lacks stays empty."""
    with atomic(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, dict.fromkeys(key for row in rows for key in row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_json(path):
    """The value in a file of JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path):
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unflatten(arrays):
    """{"a/b": x, "a/c/d": y} -> {"a": {"b": x, "c/d": y}}, from a dict or an open .npz."""
    found = {}
    for key in arrays:
        first, rest = key.split("/", 1)
        found.setdefault(first, {})[rest] = arrays[key]
    return found
