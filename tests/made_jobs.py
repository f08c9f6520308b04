"""A module with jobs for `stages.common.workers`, of many kinds, told apart by their names."""

import os
import signal
import time
from pathlib import Path

from pipeline.io import atomic


def one(name, share, say):
    Path(f"{name}.began").write_text(str(os.getpid()))
    if name.startswith("bad"):
        raise ValueError("use another name")
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("stopped"):
        os.kill(os.getpid(), signal.SIGTERM)
    if name.startswith("long"):
        with atomic(Path(f"{name}.txt")) as partial:
            partial.write_text("half")
            Path(f"{name}.writes").touch()
            time.sleep(60)
    if name.startswith("pair"):  # ends when the other one has begun as well
        other = Path(f"pair{3 - int(name[4:])}.began")
        while not other.exists():
            time.sleep(0.01)
    share(0.5)
    say(f"{name} is half done")
    return f"{name}: finished"
