"""Check params.yaml before any work; write a constant, so that a good value reruns nothing."""

from pipeline.config import params
from pipeline.data import sources
from stages.common.shell import ROOT, run


def main():
    params.load().check_sets(sources.known())
    ROOT.mkdir(exist_ok=True)
    (ROOT / "params.ok").write_text("params.yaml is valid\n")


run(main)
