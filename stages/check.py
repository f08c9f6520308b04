"""Check params.yaml, resolve its variants, look at the user's folders of images.

Runs at every `dvc repro`, since DVC does not see these folders.  What it writes depends on the values
alone, and so a new comment reruns nothing.
"""

import json
import os
from pathlib import Path

from pipeline.config import params
from pipeline.config.resolved import training
from pipeline.data import authors, sources
from pipeline.io import write_text
from stages.common.shell import ROOT, folder, run


def main():
    p = params.load()
    p.check_sets(sources.known())
    used = sorted({*p.training_sets(), *p.images.test} & p.local.keys())
    found = {name: sources.state(name, Path(p.local[name])) for name in used}
    variants = {name: training(p, name) for name in p.present(p.variants)}
    first = not (folder(p) / "models").exists()
    write(ROOT / "local.json", found)
    write(folder(p) / "variants.json", variants)
    if first and "DVC_EXP_BASELINE_REV" in os.environ:  # set by dvc exp run
        print('check: "No file hash info found" above: nothing of this profile is made yet; all is well')
    tell_missing(p, used, variants)
    return (f"profile {p.profile}, budget {p.budget}, weights {p.weights}: {len(variants)} variants of "
            f"{len(p.variants)}; {len(used)} folders of your own")


def tell_missing(p, used, variants):
    """Say what only the network has, before the first of it is asked for."""
    names = [n for n in dict.fromkeys([*p.images.test, *p.training_sets()]) if n not in used]
    wanted = [s for n in names for s in sources.files(n)]
    if p.weights == "published":
        wanted += [s for n in variants for s in authors.registry().get(n, ())]
    mirror = os.environ.get("PRN_MIRROR")
    absent = sources.missing(wanted, ROOT / "cache", Path(mirror) if mirror else None)
    if absent:
        print(f"check: to be downloaded: {len(absent)} files, {sum(s.bytes for s in absent) / 1e6:.0f} MB, "
              f"of {', '.join(dict.fromkeys(s.dataset for s in absent))}\n"
              "check: without a network: put them under DIR/host/path of their URLs (pipeline/data/*.csv)\n"
              "check: and set PRN_MIRROR=DIR, or use folders of your own (local in params.yaml)", flush=True)


def write(path, content):
    text = json.dumps(content, indent=1) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


run(main)
