"""What every stage needs: errors as one line, progress bars, paths."""

import os
import pwd
import signal
import sys
import time
from pathlib import Path

import yaml

from stages.common import progress

ROOT = Path("artifacts")
GPU = Path("reports/gpu")  # what `stages.gpu` measured on such a machine
USER_ERRORS = (ValueError, RuntimeError, OSError, ArithmeticError, MemoryError)  # that the user can put right


def run(main):
    """Call a stage: say how far the run is, what it does, and what came out, which `main` returns.

    An error that the user can put right is one line, not a traceback.
    """
    name, started = Path(sys.argv[0]).stem, time.monotonic()
    command = " ".join([name, *sys.argv[1:]])
    _be_somebody()
    sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 loses no run
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores one
            signal.signal(number, stop)
    try:
        print(f"{progress.heading(command)}: {main.__globals__['__doc__'].splitlines()[0]}", flush=True)
        print(f"{name}: {main()}")
        progress.keep(command, time.monotonic() - started)
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted; the same command goes on from here")
    except USER_ERRORS as error:
        sys.exit(f"{name}: {str(error) or type(error).__name__}")


def _be_somebody():
    """A name and a home for a user id that has none, as in containers: DVC's libraries ask for them."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        os.environ.setdefault("USER", "user")
        os.environ.setdefault("HOME", str(ROOT.absolute()))


def stop(number, _):
    """As Ctrl-C: files in the making are removed on the way out."""
    raise KeyboardInterrupt(number)


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


def telling(name):
    """A function that is told which share of a job is done, and says it."""
    return lambda share: print(f"{name}: {share:.0%}", end="\r", flush=True)


def counted(share):
    """The same for `pipeline`, which wraps an iterable of known length: `share` is told what is done."""
    def progress(items, total):
        for count, item in enumerate(items, 1):
            yield item
            share(count / total)
    return progress


def axes():
    """Folder of the profile, weights and limit_minutes of params.yaml, which `stages.check` has checked.

    For a machine that only trains, which lacks what the checks need.
    """
    raw = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return ROOT / raw["profile"], raw["weights"], raw["budgets"][raw["budget"]]["limit_minutes"]


def folder(params):
    """Where this profile's intermediate results are."""
    return ROOT / params.profile


def reports(params):
    """Where this profile's reports are."""
    return Path("reports") / params.profile
