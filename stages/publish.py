"""Publish what the paper profile trained: python -m stages.publish [--trunk] VARIANT...

Weights of the last rung, with their provenance, go to weights/.  With --trunk, unfinished trainings and
the rungs that they have left go to weights/trunks/, where the next training of the same settings takes
them up.
"""

import sys

from pipeline.config import params
from stages.common.published import trunk, weights
from stages.common.shell import argument, run


def main():
    p, trunks = params.load(), sys.argv[1:2] == ["--trunk"]
    if trunks:
        sys.argv.remove("--trunk")
    argument(p.variants)
    return "; ".join((trunk if trunks else weights)(p, name) for name in sys.argv[1:])


run(main)
