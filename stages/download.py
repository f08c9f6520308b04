"""Fetch the training or test sets of the profile: python -m stages.download {train,test}."""

import os
import shutil
from pathlib import Path

from pipeline.config import params
from pipeline.data import sources
from stages.common.shell import ROOT, argument, bar, folder, run


def main():
    role, p = argument(("train", "test")), params.load()
    names = p.training_sets() if role == "train" else p.images.test
    mirror = os.environ.get("PRN_MIRROR")
    out = folder(p) / "datasets" / role
    shutil.rmtree(out, ignore_errors=True)
    said = []
    for name in names:
        count = sources.fetch(name, out / name, cache=ROOT / "cache", local=p.local,
                              mirror=Path(mirror) if mirror else None, progress=bar(name),
                              scale=max(p.scales) if role == "test" else None)
        said.append(f"{name}, {count} images of your own" if name in p.local else
                    f"{name}, {count} images, all hashes as registered")
    return "; ".join(said)


run(main)
