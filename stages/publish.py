"""Publish trained weights of the paper profile into weights/: python -m stages.publish VARIANT..."""

import shutil
import sys

from pipeline.config import params
from pipeline.io import atomic, read_json, sha256, write_json
from stages.common.outputs import PUBLISHED
from stages.common.shell import argument, folder, run


def main():
    p = params.load()
    index = read_json(PUBLISHED / "published.json")
    argument(p.variants)
    for name in sys.argv[1:]:
        for suffix in ("safetensors", "json"):
            with atomic(PUBLISHED / f"{name}.{suffix}") as partial:
                shutil.copyfile(folder(p) / "models" / f"{name}.{suffix}", partial)
        index[name] = sha256(PUBLISHED / f"{name}.safetensors")
    write_json(PUBLISHED / "published.json", index, sort_keys=True)
    return "; ".join(f"{name}, sha256 {index[name]}" for name in sys.argv[1:])


run(main)
