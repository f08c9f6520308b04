"""Which tests `make check` leaves out."""

from pathlib import Path

import pytest

# files that run stages, train, fit or open a browser: more than five seconds of a core each
SLOW = {"any_params", "claims", "determinism", "drills", "figures", "fit", "full_disk", "page", "pipeline", "rehearsal",
        "selfex", "timed", "training", "upscale"}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.path).stem.removeprefix("test_") in SLOW:
            item.add_marker(pytest.mark.slow)
