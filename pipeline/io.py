"""Files that appear whole or not at all, whatever kills the writer or fills the disk."""

import os
from contextlib import contextmanager


@contextmanager
def whole(path):
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
