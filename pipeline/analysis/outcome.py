"""What measuring a claim comes to, and the words that all measures share."""

import re
from dataclasses import dataclass, replace

from pipeline.analysis.statistics import Interval


@dataclass(frozen=True)
class Outcome:
    """The result of measuring one claim.

    Attributes
    ----------
    value : str
        With its sign, its unit and words that say which way it points; empty if nothing was measured.
    interval : Interval or None
    verdict : str, of `verdicts.CLAIMS`
    because : str
    """

    value: str
    interval: Interval | None
    verdict: str
    because: str


def missing(because):
    """Nothing to measure."""
    return Outcome("", None, "not testable", because)


def signed(text, up, down):
    """A number with its sign and unit, and which way it points; nowhere if it prints as zero."""
    number = float(re.match(r"[+-][\d.]+", text)[0])
    return f"{text}, {up if number > 0 else down if number < 0 else 'no difference'}"


def db(value, above, below, digits=2):
    """A difference of PSNR in words: +0.30 dB, DRCN above PRN."""
    return signed(f"{value:+.{digits}f} dB", f"{above} above {below}", f"{above} below {below}")


def times(ratio, slow, fast):
    """A ratio of times in words: 2.00 times PRN's time, VDSR."""
    return f"{ratio:.2f} times {fast}'s time, {slow}"


def seeded(r, verdict, noise=None):
    """A verdict on trainings, held back where each was made once: it says nothing about another seed."""
    return verdict if noise or r.noise() else "inconclusive"


def seeds(noise):
    """How far seeds differ, in words."""
    if noise is None:
        return "one training each: the noise between seeds is not known"
    return f"seeds ±{noise.sd:.3f} dB ({noise.degrees} degrees of freedom)"


def setting(r):
    """What a time is of, in words; timing.csv and the report's box name the device."""
    return f"{r.dataset} x{r.scale}"


def against_weak(outcome, methods):
    """A lead over methods (text) that miss their own figures shows nothing."""
    if not methods or outcome.verdict not in ("supported", "partly supported"):
        return outcome
    return replace(outcome, verdict="inconclusive", because=f"{outcome.because}; below the paper's "
                   f"figure for it, so that a lead shows nothing: {methods}")
