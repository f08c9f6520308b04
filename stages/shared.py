"""What every stage needs: errors as one line, progress bars, paths."""

import sys
from pathlib import Path

ROOT = Path("artifacts")


def run(main):
    """Call a stage; an error that the user can mend is one line, not a traceback."""
    try:
        main()
    except (ValueError, RuntimeError, FileNotFoundError, ArithmeticError) as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")


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
