"""What an experiment changed: python -m stages.compare [A [B]], by default HEAD and the newest experiment.

A and B are commits, branches or names of experiments.  Reads only what git has: parameters and metrics.
"""

import json
import subprocess
import sys

import yaml

from pipeline.analysis import compare

FILES = ("metrics", "times", "verdicts")


def git(*words):
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def experiments():
    """Names of the experiments, the newest first, and their commits."""
    refs = git("for-each-ref", "--sort=-creatordate", "--format=%(refname) %(objectname)", "refs/exps").split("\n")
    found = [(line.split()[0].split("/"), line.split()[1]) for line in refs if line]
    return {path[4]: commit for path, commit in found if len(path) == 5 and path[2] not in ("exec", "celery")}


def read(revision):
    """Parameters and numbers of a revision: {"params": {...}, "metrics": {...}, "times": ..., "verdicts": ...}."""
    params = yaml.safe_load(git("show", f"{revision}:params.yaml"))
    home, found = f"reports/{params['profile']}", {"params": compare.flat(params)}
    have = git("ls-tree", "--name-only", revision, f"{home}/").split()
    if f"{home}/metrics.json" not in have:
        raise ValueError(f"{revision[:12]} has no {home}/metrics.json: commit the results of a run, or name an "
                         "experiment that has some")
    for name in FILES:
        path = f"{home}/{name}.json"
        found[name] = compare.flat(json.loads(git("show", f"{revision}:{path}"))) if path in have else {}
    return found


def main(words):
    known = experiments()
    if len(words) < 2 and not known:
        raise ValueError("no experiment yet; make one with: dvc exp run -n low20 -S gamma_low=20")
    names = [*words, *["HEAD", next(iter(known), None)][len(words):]][:2]
    old, new = (read(known.get(name, name)) for name in names)
    print("\n".join(compare.lines(*names, old, new)))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, OSError) as error:
        sys.exit(f"compare: {error}")
