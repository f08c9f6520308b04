"""Finished rows of a long evaluation on disk, so that an interrupted one goes on at the next image."""

import json


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
        first, *lines = path.read_text().splitlines()
        if json.loads(first) == tag:
            for line in lines:
                rows.append(json.loads(line))
    except (FileNotFoundError, ValueError):  # there is none, or it was cut off while being written
        pass
    return rows


def keeper(path, tag, rows):
    """Begin the file anew with some rows; the callable returned adds one more, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(x) + "\n" for x in [tag, *rows]))

    def keep(row):
        with open(path, "a") as file:
            file.write(json.dumps(row) + "\n")

    return keep
