"""What a run would only find out later, said or refused in its first second."""

import os
from pathlib import Path

from pipeline.data import authors, sources
from stages.common.revision import revision
from stages.common.shell import ROOT


def refuse():
    """Raise a ValueError where DVC would fail on the way."""
    if ROOT.is_symlink():
        raise ValueError(f"{ROOT} is a link, which DVC does not follow: make it a folder, and put DVC's cache on "
                         "the other disk (dvc config --local cache.dir DIR, and cache.type symlink)")
    if "no commit" in revision():
        raise ValueError("the git repository has no commit, which DVC needs: git add -A && git commit -m start")


def tell(p, variants, first):
    """Say what only the network has, before the first of it is asked for.

    Parameters
    ----------
    p : `pipeline.config.params.Params`
    variants : sequence of str, those of this profile
    first : bool
        Nothing of this profile has been made yet.
    """
    if first and "DVC_EXP_BASELINE_REV" in os.environ:  # set by dvc exp run
        print('check: "No file hash info found" above: nothing of this profile is made yet; all is well')
    names = [n for n in dict.fromkeys([*p.images.test, *p.training_sets()]) if n not in p.local]
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
