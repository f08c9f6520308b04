"""What every stage needs: errors as one line, progress bars, paths."""

import sys
from pathlib import Path

ROOT = Path("artifacts")


def run(main):
    """Call a stage; an error that the user can put right is one line, not a traceback."""
    name = Path(sys.argv[0]).stem
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted; the same command goes on from here")
    except (ValueError, RuntimeError, OSError, ArithmeticError, MemoryError) as error:
        sys.exit(f"{name}: {str(error) or type(error).__name__}")


def argument(legal=()):
    """The first word of the command line; a ValueError if there is none or it is not in `legal`."""
    word = sys.argv[1] if len(sys.argv) > 1 else "nothing"
    if word == "nothing" or legal and word not in legal:
        expected = "one of " + ", ".join(legal) if legal else "a variant"
        raise ValueError(f"expected {expected}; got {word}")
    return word


def bar(description):
    """A progress bar as `pipeline` wants it: wraps an iterable of known length."""
    from tqdm import tqdm  # not on a machine that only trains

    return lambda items, total: tqdm(items, total=total, desc=description, mininterval=1)


def folder(params):
    """Where this profile's intermediate results are."""
    return ROOT / params.profile


def reports(params):
    """Where this profile's reports are."""
    return Path("reports") / params.profile
