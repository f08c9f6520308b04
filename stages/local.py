"""State of the folders of the user's images: DVC fetches them again when it changes.

Runs at every `dvc repro`, since DVC does not see these folders; reads no image.
"""

import json
from pathlib import Path

from pipeline.config import params
from pipeline.data.sources import state
from stages.common.shell import ROOT, run


def main():
    p = params.load()
    used = sorted({*p.training_sets(), *p.sets[p.profile].test} & p.local.keys())
    found = {name: state(name, Path(p.local[name])) for name in used}
    (ROOT / "local.json").write_text(json.dumps(found, indent=1) + "\n")


run(main)
