"""How far `dvc repro` is: which stage of how many, and the time left as the last run took it."""

from pathlib import Path

from pipeline.io import read_json, write_json

# in the order in which DVC runs them
STAGES = ("check", "download train", "download test", "pack", "train", "gradients", "evaluate", "ablation",
          "timing", "probe", "engine", "seams", "routers", "front", "pictures", "tables", "claims", "figures", "report")
KEPT = Path("artifacts/seconds.json")


def heading(command):
    """The first words of a stage: ``stage 5 of 17, 4 min left: train``.

    The time is what this stage and those after it took last, unless one of them has never run: it is too
    long where DVC leaves some out.
    """
    if command not in STAGES:  # one variant or one method, by hand
        return command.split()[0]
    k, seconds = STAGES.index(command), _seconds()
    times = [seconds.get(stage) for stage in STAGES[k:]]
    left = "" if None in times else f", at most {_words(sum(times))} left"
    return f"stage {k + 1} of {len(STAGES)}{left}: {command}"


def keep(command, seconds):
    """Remember how long a stage took."""
    if command in STAGES:
        KEPT.parent.mkdir(exist_ok=True)
        write_json(KEPT, {**_seconds(), command: round(seconds, 1)})


def _seconds():
    try:
        return read_json(KEPT)
    except (OSError, ValueError):  # the first run, or one that was killed here
        return {}


def _words(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
