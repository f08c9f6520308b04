"""Check params.yaml, resolve its variants, look at the user's folders of images.

Runs at every `dvc repro`, since DVC does not see these folders.  What it writes depends on the values
alone, and so a new comment reruns nothing.
"""

import json
from pathlib import Path

from pipeline.config import params
from pipeline.config.resolved import training
from pipeline.data import sources
from pipeline.io import write_text
from stages.common import first_use
from stages.common.shell import ROOT, folder, run


def main():
    first_use.refuse()
    p = params.load()
    p.check_sets(sources.known())
    used = sorted({*p.training_sets(), *p.images.test} & p.local.keys())
    found = {name: sources.state(name, Path(p.local[name])) for name in used}
    variants = {name: training(p, name) for name in p.present(p.variants)}
    first_use.tell(p, variants, first=not (folder(p) / "models").exists())
    write(ROOT / "local.json", found)
    write(folder(p) / "variants.json", variants)
    return (f"profile {p.profile}, budget {p.budget}, weights {p.weights}: {len(variants)} variants of "
            f"{len(p.variants)}; {len(used)} folders of your own")


def write(path, content):
    text = json.dumps(content, indent=1) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


run(main)
