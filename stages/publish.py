"""Publish trained weights of the paper profile into weights/: python -m stages.publish VARIANT..."""

import json
import shutil
import sys

from pipeline.config import params
from pipeline.io import sha256
from stages.common.outputs import PUBLISHED
from stages.common.shell import argument, folder, run


def main():
    p = params.load()
    index = json.loads((PUBLISHED / "published.json").read_text())
    argument(p.variants)
    for name in sys.argv[1:]:
        for suffix in ("safetensors", "json"):
            shutil.copyfile(folder(p) / "models" / f"{name}.{suffix}", PUBLISHED / f"{name}.{suffix}")
        index[name] = sha256(PUBLISHED / f"{name}.safetensors")
    text = json.dumps(index, indent=1, sort_keys=True)
    (PUBLISHED / "published.json").write_text(text + "\n")
    return "; ".join(f"{name}, sha256 {index[name]}" for name in sys.argv[1:])


run(main)
