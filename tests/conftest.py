"""All tests run in the root of the repository, wherever pytest was started; which `make check` leaves out."""

import os
from pathlib import Path

import pytest

os.environ["MPLBACKEND"] = "Agg"  # not that of a notebook, which need not exist here
os.chdir(Path(__file__).parents[1])

# files that run stages, train, fit or open a browser: more than five seconds of a core each
SLOW = {"any_params", "claims", "determinism", "drills", "figures", "fit", "full_disk", "names", "page", "pipeline",
        "rehearsal", "routers", "selfex", "timed", "training", "upscale", "authors", "export",
        "environment", "campaign", "first_use", "models", "precision", "publish", "deep", "probes"}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.path).stem.removeprefix("test_") in SLOW:
            item.add_marker(pytest.mark.slow)
