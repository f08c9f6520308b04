"""The ledger: each checkable claim of the paper, the criterion fixed beforehand (or it says so), and the
verdict.

A criterion's numbers stand beside it, as arguments of what measures it; those of tolerances and of the
training budget are in params.yaml, under ``claims``.  Intervals are 95 %; one "above zero" excludes it.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Callable

import pandas as pd

from pipeline.analysis import ablations as t, measures as f
from pipeline.analysis.method_order import order
from pipeline.analysis.results import shortfall
from pipeline.analysis.verdicts import CELLS, CLAIMS

COLUMNS = ["id", "claim", "where", "criterion", "paper_value", "our_value", "ci_low", "ci_high",
           "verdict", "because"]
RETRAINED = "over images and seeds; networks that saw enough of the paper's budget"


@dataclass(frozen=True)
class Claim:
    """A claim and how it is judged.

    Attributes
    ----------
    trained : tuple of str
        Networks whose trained quality it is about: no verdict where their budget was far too small.
    on_bsds100 : bool
        Stated for BSDS100: no verdict from other images.
    """

    id: str
    where: str
    claim: str
    criterion: str
    paper: str
    measure: Callable
    trained: tuple = ()
    on_bsds100: bool = False


def _untested(because):
    return lambda results, cells: f.missing(because)


LEDGER = [
    Claim("protocol", "Table I",
          "Bicubic scores as in Table I",
          "all cells within the tolerances of Bicubic",
          "12 PSNR, 12 SSIM", f.protocol),
    Claim("light-weight-printed", "IV-A, Table I",
          "“superior performance among light-weight methods”, by the paper's figures",
          "PRN strictly first in each cell of Table I",
          "24 of 24 cells", f.printed_lead),
    Claim("light-weight-measured", "IV-A, Table I",
          "“superior performance among light-weight methods”, measured",
          "per cell of ten images or more: PRN above each measured method, interval above zero, and "
          f"above the printed figure of the others, {RETRAINED}; no lead counts over a method below "
          "its own figure",
          "24 of 24 cells", f.measured_lead, trained=("prn", *f.LIGHT)),
    Claim("fsrcnn-x2", "IV-A",
          "0.13 dB above FSRCNN on BSDS100 ×2",
          f"interval above zero that reaches 0.13 dB, {RETRAINED}",
          "+0.13 dB", partial(f.gain_over, other="fsrcnn", dataset="bsds100", scale=2, claimed=0.13),
          trained=("prn", "fsrcnn")),
    Claim("fsrcnn-x3", "IV-A",
          "0.19 dB above FSRCNN on BSDS100 ×3",
          f"interval above zero that reaches 0.19 dB, {RETRAINED}",
          "+0.19 dB", partial(f.gain_over, other="fsrcnn", dataset="bsds100", scale=3, claimed=0.19),
          trained=("prn", "fsrcnn")),
    Claim("fsrcnn-manga109", "IV-A",
          "0.69 dB above FSRCNN on “Mangle109” ×4",
          f"interval above zero that reaches 0.69 dB, {RETRAINED}; Manga109 is the user's, under local",
          "+0.69 dB", partial(f.gain_over, other="fsrcnn", dataset="manga109", scale=4, claimed=0.69),
          trained=("prn", "fsrcnn")),
    Claim("below-heavy", "IV-A",
          "“weak than heavy inferences [17]–[19]”",
          f"LapSRN, VDSR, DRCN above PRN on BSDS100 ×4, interval above zero, {RETRAINED}",
          "lower", f.below_heavy, trained=("prn", *f.HEAVY)),
    Claim("order", "Fig. 1",
          "the order of the methods by PSNR on BSDS100 ×4",
          "each pair more than 0.01 dB apart in Table I, or in the networks' own papers, lies the same "
          f"way, interval above zero, {RETRAINED}; partly if some do (set after the first scores)",
          "all pairs", partial(order, dataset="bsds100", scale=4),
          trained=("prn", *f.LIGHT, *f.HEAVY)),
    Claim("twice-as-fast", "Fig. 1",
          "“twice as fast as state-of-the-art SR inferences with superior performance”",
          "time of each measured light-weight method (those that PRN is to surpass) over PRN's at its "
          "thresholds, on the device of this run: interval from 1.6 (twice, less 20 %); partly from 1",
          "2 times", partial(f.faster, rivals=f.LIGHT, full=1.6, part=1), on_bsds100=True),
    Claim("several-times-faster", "IV-A",
          "“our speed is accelerated about several times” against [17]–[19]",
          "time of LapSRN, VDSR, DRCN over PRN's: interval from 2.4 (three times, less 20 %); partly "
          "from 1",
          "several times", partial(f.faster, rivals=f.HEAVY, full=2.4, part=1), on_bsds100=True),
    Claim("prior-separates", "Fig. 4, III-A",
          "“easily distinguish successful and failure samples” by the vertical gradient",
          "AUC of P for a gain above 1 dB: interval from 0.9; partly from 0.7; contradicted below 0.7",
          "“easily”", partial(f.separation, full=0.9, part=0.7), trained=("cnn7",), on_bsds100=True),
    Claim("severe-gains-more", "Fig. 2, III",
          "“examples with rich texture can bring enormous gain”, mild ones do not",
          "gain of the 7-layer CNN on patches that P calls severe above that on mild ones, interval "
          "above zero",
          "more", f.class_gain, trained=("cnn7",), on_bsds100=True),
    Claim("little-gain-high-psnr", "Fig. 2",
          "samples of little gain “have higher absolute PSNR”",
          "PSNR on patches of at most 1 dB gain above that on the others, interval above zero",
          "higher", f.absolute_psnr, trained=("cnn7",), on_bsds100=True),
    Claim("response", "III, Fig. 3",
          "“responses around high-frequency places are strong”, low in mild places",
          "rank correlation of P and the response of the 7-layer CNN over the patches of an image: "
          "interval above zero; partly at most, and not contradicted, as the paper shows VDSR",
          "strong", t.response, trained=("cnn7",), on_bsds100=True),
    Claim("gamma-low-psnr", "IV-B, Fig. 7",
          "PSNR falls as gamma_low grows",
          "falls from end to end for each gamma_upper, interval above zero, and no step rises; partly "
          "if for some",
          "monotone", partial(t.threshold_quality, which="gamma_low"), trained=("prn",),
          on_bsds100=True),
    Claim("gamma-upper-psnr", "IV-B, Fig. 7",
          "PSNR falls as gamma_upper grows",
          "falls from end to end for each gamma_low, interval above zero, and no step rises; partly if "
          "for some",
          "monotone", partial(t.threshold_quality, which="gamma_upper"), trained=("prn",),
          on_bsds100=True),
    Claim("gamma-low-speed", "IV-B, Fig. 7",
          "speed rises with gamma_low",
          "time falls from end to end for each gamma_upper, interval above zero, and no step is "
          "slower; partly if for some",
          "monotone", partial(t.threshold_time, which="gamma_low")),
    Claim("gamma-upper-speed", "IV-B, Fig. 7",
          "speed rises with gamma_upper",
          "time falls from end to end for each gamma_low, interval above zero, and no step is slower; "
          "partly if for some",
          "monotone", partial(t.threshold_time, which="gamma_upper")),
    Claim("early-depth-psnr", "IV-B, Table III",
          "a deeper early stage: “sight PSNR promotion”",
          "PSNR rises from one to three layers, interval above zero, no step falls, and by 0.10 dB at "
          f"most, {RETRAINED}",
          "+0.03 dB", partial(t.depth_quality, stage="early", slight=0.1),
          trained=("prn", "prn_early2", "prn_early3"), on_bsds100=True),
    Claim("early-depth-time", "IV-B, Table III",
          "a deeper early stage: “slower efficiency”",
          "time rises from one to three layers, interval above zero, and no step falls",
          "+22.1%", partial(t.depth_time, stage="early")),
    Claim("middle-depth-psnr", "IV-B, Table III",
          "a shallower middle stage: “the performance becomes worse”",
          "PSNR of two layers above that of one: interval above zero that reaches 0.07 dB, "
          f"{RETRAINED}",
          "+0.07 dB", partial(t.shallower, stage="middle", claimed=0.07),
          trained=("prn", "prn_middle1"), on_bsds100=True),
    Claim("middle-depth-time", "Table III",
          "a deeper middle stage is slower",
          "time rises from one to three layers, interval above zero, and no step falls",
          "+34.5%", partial(t.depth_time, stage="middle")),
    Claim("rolling-psnr", "IV-B, Table IV",
          "“the model with a rolling strategy achieve 0.09 dB improvement”",
          f"interval above zero that reaches 0.09 dB, {RETRAINED}; three seeds each",
          "+0.09 dB", partial(f.rolling, claimed=0.09), trained=("prn", "prn_no_rolling"),
          on_bsds100=True),
    Claim("rolling-time", "IV-B",
          "rolling “maintains competitive efficiency” in spite of its parameters",
          "time with rolling over that without: interval within the tolerance of ratios of time",
          "as fast", t.rolling_time),
    Claim("frequency-conflict", "III-C",
          "“when we train mild samples in the early stage … the output of high level is influenced”: "
          "shared early layers hurt severe patches",
          "PSNR of severe patches on the severe path, with copies for the others above that "
          f"with shared layers: interval above zero, {RETRAINED}",
          "higher", f.conflict, trained=("prn", "prn_no_rolling"), on_bsds100=True),
    Claim("receptive-field", "III-C",
          "rolling increases “the receptive field of early stage”",
          "by gradients, mild and moderate route: side of what is seen, and of what carries 95 %, "
          "larger than without rolling; partly if with a hole between taps alone",
          "larger", f.receptive),
    Claim("reconstruction", "IV-C",
          "“The reconstruction cost is far less than the model computational cost”",
          "time of cropping and reassembling over the network's: interval to 10 %; partly to 50 %",
          "far less", partial(f.reconstruction, full=0.1, part=0.5)),
    Claim("saving-bsds100", "IV-C",
          "“our model can accelerate the speed greatly on BSDS100”",
          "time of the severe path for every patch over that with routing, same engine: interval from "
          "1.5; partly from 1",
          "greatly", partial(t.saving, full=1.5, part=1), on_bsds100=True),
    Claim("saving-by-dataset", "IV-C",
          "“the acceleration is influenced by datasets”",
          "MACs saved by routing differ between BSDS100 and another test set, interval without zero",
          "differs", t.by_dataset, on_bsds100=True),
    Claim("saving-general100", "IV-C",
          "“Similar acceleration can not occur in General-100”",
          "MACs saved on BSDS100 above those on General-100, interval above zero; without General-100, "
          "partly if above those on the quarter of all test images with the fewest mild patches",
          "less", t.general100),
    Claim("natural-images", "IV-C",
          "“the majority of nature images … certain percentage of the blank or mild region”",
          "images with a tenth of mild patches or more, on BSDS100: interval above half; contradicted "
          "below half",
          "majority", partial(t.natural, share=0.1, majority=0.5), on_bsds100=True),
    Claim("multi-scale", "IV",
          "multi-scale training “achieves better performance”",
          "PRN above variants that are trained for one scale each, interval above zero",
          "better",
          _untested("no figure in the paper, and no variant of this run is trained for one scale")),
    Claim("mild-and-moderate", "III-D",
          "training the dilated layers on mild and moderate samples “greatly improves the performance”",
          "PRN above a variant whose early dilated layer sees mild patches alone, interval above zero",
          "greatly", _untested("no figure in the paper, and no variant of this run trains so")),
    Claim("clearer-boundary", "IV-A, Fig. 8-11",
          "“clearer boundary and rich details”",
          "none: the paper names no measure",
          "clearer", _untested("a judgement by eye: Fig. 8-11 of this report show ours")),
]


def ledger(results, cells):
    """claims.csv: a row for each claim, the protocol's first.

    Parameters
    ----------
    results : Results
    cells : DataFrame, of `pipeline.analysis.table_verdicts.cells`

    Returns
    -------
    DataFrame with the columns `COLUMNS`; ci_low and ci_high are in the unit of our_value, NaN where
    there is no interval.
    """
    rows = [_row(claim, _judge(claim, results, cells)) for claim in LEDGER]
    if rows[0]["verdict"] == "contradicted":
        warning = f"The protocol is off ({rows[0]['our_value']} of Bicubic hold), so this may be wrong: "
        for row in rows[1:]:
            row["because"] = warning + row["because"]
    return pd.DataFrame(rows, columns=COLUMNS)


def counts(claims, cells):
    """How many claims and cells have each verdict: dict of name to int."""
    return {f"{kind}_{verdict.replace(' ', '_')}": int((table.verdict == verdict).sum())
            for kind, table, words in (("claims", claims, CLAIMS), ("cells", cells, CELLS))
            for verdict in words}


def _judge(claim, results, cells):
    """The finding, held back where the training or the images cannot carry a verdict."""
    finding = claim.measure(results, cells)
    if finding.verdict == "not testable":
        return finding
    reasons = []
    if claim.on_bsds100 and results.dataset != "bsds100":
        reasons.append(f"measured on {results.dataset}, not on BSDS100")
    if short := shortfall(results, claim.trained):
        reasons.append(short)
    if not reasons:
        return finding
    return replace(finding, verdict="inconclusive", because="; ".join([*reasons, finding.because]))


def _row(claim, finding):
    i = finding.interval
    return {"id": claim.id, "claim": claim.claim, "where": claim.where, "criterion": claim.criterion,
            "paper_value": claim.paper, "our_value": finding.value, "ci_low": i.low if i else None,
            "ci_high": i.high if i else None, "verdict": finding.verdict, "because": finding.because}
