"""All tests run in the root of the repository, wherever pytest was started."""

import os
from pathlib import Path

os.chdir(Path(__file__).parents[1])
