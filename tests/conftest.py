"""All tests run in the root of the repository, wherever pytest was started."""

import os
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"  # not that of a notebook, which need not exist here
os.chdir(Path(__file__).parents[1])
