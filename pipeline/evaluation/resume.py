"""Finished rows of a long evaluation on disk, so that an interrupted one goes on at the next image."""

import json

from pipeline.io import write_text


def read(path, tag):
    """Rows that were kept at `path` under the same tag: list of dict; empty for another tag.

    Parameters
    ----------
    path : Path
    tag : dict
        All that the rows depend on, as JSON has it.
    """
    rows = []
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        if json.loads(first) == tag:
            for line in lines:
                rows.append(json.loads(line))
    except (FileNotFoundError, ValueError):  # there is none, or it was cut off while being written
        pass
    return rows


def keeper(path, tag, rows):
    """Begin the file anew with some rows; the callable returned adds one more, at once."""
    write_text(path, "".join(json.dumps(x) + "\n" for x in [tag, *rows]))

    def keep(row):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    return keep
