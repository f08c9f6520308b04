"""On a worker of a Dask cluster: code and images come once, states with each part of a training."""

import io
import os
import shutil
import sys
import threading
import uuid
import zipfile
from functools import lru_cache
from pathlib import Path

import cloudpickle
import torch
from distributed import WorkerPlugin, get_worker

from pipeline.io import atomic, read_json
from pipeline.training import algorithm1
from pipeline.training.fit.run import FITTERS
from stages.common import setup

CODE = ("pipeline", "stages")
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # no worker has it before `Bundle` is there


def bundle(home):
    """Code, images and settings of a profile, for all workers."""
    root, packed = Path(__file__).absolute().parents[2], io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in [path for top in CODE for path in (root / top).rglob("*.py")]:
            archive.write(path, path.relative_to(root))
        for path in (home / "train.npz", home / "variants.json", *setup.PUBLISHED.rglob("*.pt")):
            archive.write(path)
    return Bundle(f"prn-{uuid.uuid4().hex[:12]}", packed.getvalue())


class Bundle(WorkerPlugin):
    """Files in a folder of each worker, also of one that joins later."""

    def __init__(self, name, data):
        self.name, self.data = name, data

    def setup(self, worker):
        self.folder = str(Path(worker.local_directory) / self.name)
        zipfile.ZipFile(io.BytesIO(self.data)).extractall(self.folder)
        self.data = None
        os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")  # as `stages.common.workers`
        for name in [name for name in sys.modules if name.split(".")[0] in CODE]:
            del sys.modules[name]  # of an earlier campaign, whose code may be another
        sys.path.insert(0, self.folder)

    def teardown(self, worker):
        sys.path.remove(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def work(folder, home, name, states, kept, seconds, scales):
    """Go on with a training or a fit for some seconds.

    Parameters
    ----------
    folder : str, that of a `Bundle`
    home, states : Path, within it: of the profile, of the variant's states
    name : str
    kept : dict of str to bytes, the states so far
    seconds, scales : as `stages.common.setup.train`

    Returns
    -------
    dict of str to bytes : the states that are new
    float : the share that is done, 1 at the end alone
    list of str : what the user should know
    """
    root = Path(get_worker().local_directory) / folder
    setup.PUBLISHED = root / "weights" / "trunks"
    shutil.rmtree(root / states, ignore_errors=True)  # of a part that did not come home
    write(root / states, kept)
    torch.set_num_threads(1)
    if get_worker().state.nthreads == 1:
        _forget_others(name)
    shares, words = [0.0], []
    with torch.cuda.stream(_stream(threading.get_ident())):  # None changes nothing
        _, rungs = setup.train(root / home, name, seconds, lambda step, steps: shares.append(step / steps),
                               words.append, scales)
    variant = read_json(root / home / "variants.json")[name]
    complete = len(rungs) == (1 if variant["network"] in FITTERS else len(variant["rungs"]))
    new = {file: data for file, data in read(root / states, "*").items() if kept.get(file) != data}
    return new, 1.0 if complete else min(shares[-1], 0.999), words


@lru_cache(maxsize=1)
def _forget_others(name):
    """A worker of one thread keeps the patches of its last training alone: they take up to a gigabyte."""
    algorithm1._table.cache_clear()


@lru_cache
def _stream(thread):
    """Trainings that share a GPU have a stream each."""
    return torch.cuda.Stream() if torch.cuda.is_available() else None


def read(folder, pattern="*.pt"):
    """Files of a folder, dict of str to bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))}


def write(folder, files):
    """Write them, each complete or not at all."""
    for name, data in files.items():
        with atomic(folder / name) as partial:
            partial.write_bytes(data)
