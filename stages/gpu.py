"""What a GPU adds, in so many minutes: its tests, its times, trainings: python -m stages.gpu MINUTES OUT [PART...].

Parts: tests, timing, engine, train.  It goes on where it was stopped, and needs torch, numpy, PyYAML, pydantic
and tqdm, with variants.json and the packed images of `stages.pack`.  OUT has zip files of at most 15 MB, to be
unpacked at home in the root of the repository.
"""

import sys
import time
from pathlib import Path

from pipeline.io import read_json
from pipeline.models.authors import unpublished
from pipeline.training.fit.run import FITTERS
from stages.common import setup
from stages.common.gpu_results import command, pack_up
from stages.common.shell import axes, run
from stages.common.workers import STREAMS, each

TESTS = [str(path) for path in sorted(Path("tests").glob("test_*.py"))
         if "pytest.mark.gpu" in path.read_text(encoding="utf-8")]
PARTS = {"tests": ["pytest", "-q", "-m", "gpu", *TESTS], "timing": ["stages.timing"], "engine": ["stages.engine"]}


def main():
    global deadline
    deadline = time.monotonic() + 60 * float(sys.argv[1])
    out, parts = Path(sys.argv[2]), sys.argv[3:] or [*PARTS, "train"]
    out.mkdir(parents=True, exist_ok=True)
    said = [f"{part}: {command(PARTS[part], out / f'{part}.log', deadline)}" for part in PARTS if part in parts]
    if "train" in parts:
        names = [name for name, v in read_json(axes()[0] / "variants.json").items() if v["network"] not in FITTERS
                 and setup.learns(setup.fresh(v)) and unpublished(name, v["scales"])]
        each("__main__", {name: float(len(names) - k) for k, name in enumerate(names)}, STREAMS, streams=True)
    return "; ".join([*said, pack_up(out)])


def one(name, share, say):
    """Train a variant until the time is up; a failure leaves the others alone."""
    left = deadline - time.monotonic()
    if left < 5:
        return f"{name}: no time left"
    try:
        _, rungs = setup.train(axes()[0], name, left, lambda step, steps: share(step / steps), say)
    except Exception as error:
        return f"{name}: {type(error).__name__}: {error}"
    return f"{name}: {rungs[-1].patches:,} patches in {rungs[-1].seconds:.0f} s" if rungs else f"{name}: no rung yet"


if __name__ == "__main__":
    run(main)
