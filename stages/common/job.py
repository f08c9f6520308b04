"""The life of one job of `stages.common.workers`: in its process, or on its stream of a GPU."""

import importlib
import os
import signal
import threading
import time
from multiprocessing import connection, parent_process

from stages.common.shell import USER_ERRORS, stop

GRACE = 5  # seconds in which a job that is stopped removes what it was writing
FREE = []  # CUDA streams of finished trainings: torch has 32, and a 33rd would be one that is in use


def in_process(module, name, pipe):
    """The life of a worker; it ends with its parent, however that ends, and removes what it was writing."""
    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_follow, args=(parent_process().sentinel,), daemon=True).start()
    _call(module, name, pipe)


def on_stream(module, name, pipe):
    import torch

    try:
        stream = FREE.pop()
    except IndexError:
        stream = torch.cuda.Stream() if torch.cuda.is_available() else None
    with torch.cuda.stream(stream):  # None changes nothing
        _call(module, name, pipe)
    FREE.append(stream)


def _call(module, name, pipe):
    try:
        words = importlib.import_module(module).one(
            name, lambda share: pipe.send(("share", share)), lambda words: pipe.send(("say", words)))
    except KeyboardInterrupt:
        pass
    except USER_ERRORS as error:
        pipe.send(("failed", str(error) or type(error).__name__))
    else:
        pipe.send(("done", words))


def _follow(parent):
    connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
