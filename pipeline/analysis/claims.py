"""The ledger: each checkable claim of the paper (pipeline/paper/claims.csv), its measure and its verdict.

A criterion's numbers stand beside its measure here; those of tolerances and of the training budget are in
params.yaml, under ``claims``.  Intervals are 95 %; one "above zero" excludes it.
"""

from dataclasses import replace
from functools import partial

import pandas as pd

from pipeline import paper
from pipeline.analysis.measures import ablation, prior, quality, rolling, speed
from pipeline.analysis.outcome import missing
from pipeline.analysis.results import shortfall
from pipeline.analysis.verdicts import CELLS, CLAIMS

COLUMNS = ["id", "claim", "where", "criterion", "paper_value", "our_value", "ci_low", "ci_high",
           "verdict", "because"]
MEASURES = {
    "protocol": quality.protocol,
    "light-weight-printed": quality.printed_lead,
    "light-weight-measured": quality.measured_lead,
    "fsrcnn-x2": partial(quality.gain_over, other="fsrcnn", dataset="bsds100", scale=2, claimed=0.13),
    "fsrcnn-x3": partial(quality.gain_over, other="fsrcnn", dataset="bsds100", scale=3, claimed=0.19),
    "fsrcnn-manga109": partial(quality.gain_over, other="fsrcnn", dataset="manga109", scale=4,
                               claimed=0.69),
    "below-heavy": quality.below_heavy,
    "order": partial(quality.order, dataset="bsds100", scale=4),
    "twice-as-fast": partial(speed.faster_and_better, rivals=quality.LIGHT_WEIGHT, full=1.6, part=1),
    "several-times-faster": partial(speed.faster, rivals=quality.HEAVY, full=2.4, part=1),
    "prior-separates": partial(prior.separation, full=0.9, part=0.7),
    "severe-gains-more": prior.route_gain,
    "little-gain-high-psnr": prior.absolute_psnr,
    "response": prior.response,
    "gamma-low-psnr": partial(ablation.threshold_quality, which="gamma_low"),
    "gamma-upper-psnr": partial(ablation.threshold_quality, which="gamma_upper"),
    "gamma-low-speed": partial(ablation.threshold_time, which="gamma_low"),
    "gamma-upper-speed": partial(ablation.threshold_time, which="gamma_upper"),
    "early-depth-psnr": partial(ablation.depth_quality, stage="early", slight=0.1),
    "early-depth-time": partial(ablation.depth_time, stage="early"),
    "middle-depth-psnr": partial(ablation.shallower, stage="middle", claimed=0.07),
    "middle-depth-time": partial(ablation.depth_time, stage="middle"),
    "rolling-psnr": partial(rolling.rolling, claimed=0.09),
    "rolling-time": speed.rolling_time,
    "frequency-conflict": rolling.conflict,
    "receptive-field": rolling.receptive,
    "mild-and-moderate": rolling.mild_alone,
    "multi-scale": ablation.multi_scale,
    "reconstruction": partial(speed.reconstruction, full=0.1, part=0.5),
    "saving-bsds100": partial(speed.saving, full=1.5, part=1),
    "saving-by-dataset": prior.by_dataset,
    "saving-general100": prior.general100,
    "natural-images": partial(prior.natural, share=0.1, majority=0.5),
}
ON_TIMES = (speed.faster, speed.faster_and_better, speed.rolling_time, speed.reconstruction, speed.saving,
            ablation.threshold_time, ablation.depth_time)


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
    rows = [_row(claim, _judge(claim, results, cells))
            for claim in paper.read("claims").fillna("").itertuples()]
    if rows[0]["verdict"] == "contradicted":
        warning = f"The protocol is off ({rows[0]['our_value']} of Bicubic hold), so this may be wrong: "
        for row in rows[1:]:
            row["because"] = warning + row["because"]
    return pd.DataFrame(rows, columns=COLUMNS)


def counts(claims, cells):
    """verdicts.json: how many claims and cells have each verdict, and the claims by name.

    Returns
    -------
    dict
        ``claims_supported`` ...: int; ``cells_matches`` ...: int, without the cells of times; ``claim`` and
        ``timed``: dict of a verdict to names; timed has what rests on measured times, cells too.  (DVC shows
        numbers alone.)
    """
    times = cells.column.str.startswith("time")
    numbers = {f"{kind}_{verdict.replace(' ', '_')}": int((table.verdict == verdict).sum())
               for kind, table, words in (("claims", claims, CLAIMS), ("cells", cells[~times], CELLS))
               for verdict in words}
    rests = claims.id.map(timed).astype(bool)
    named = pd.concat([claims[rests], cells[times].assign(id="Table III, " + cells.row[times] + ", time")])
    return numbers | {kind: {verdict: list(rows.id) for verdict, rows in table.groupby("verdict", sort=False)}
                      for kind, table in (("claim", claims[~rests]), ("timed", named))}


def timed(name):
    """Whether a claim rests on measured times, which differ from run to run."""
    measure = MEASURES.get(name)
    return getattr(measure, "func", measure) in ON_TIMES


def trained(claim):
    """Networks whose trained quality a claim is about: a word of its column is a method or a group."""
    groups = {"light-weight": quality.LIGHT_WEIGHT, "heavy": quality.HEAVY}
    return [name for word in claim.trained.split() for name in groups.get(word, [word])]


def scales(claim, results):
    """Scales whose training a claim rests on; empty for all."""
    return [results.scale if word == "ablation" else int(word) for word in claim.scales.split()]


def _judge(claim, results, cells):
    """The outcome, held back where the training or the images cannot carry a verdict."""
    if claim.not_testable:
        return missing(claim.not_testable)
    outcome = MEASURES[claim.id](results, cells)
    if outcome.verdict == "not testable":
        return outcome
    images = (f"measured on {results.dataset}, not on BSDS100"
              if claim.on_bsds100 == "yes" and results.dataset != "bsds100" else "")
    names = trained(claim)
    if claim.scales == "ablation" and len(names) > 1:  # compared after equal patches
        names = [*map(results.compared, names)]
    reasons = [reason for reason in (images, shortfall(results, names, scales(claim, results))) if reason]
    if not reasons:
        return outcome
    return replace(outcome, verdict="inconclusive", because="; ".join([*reasons, outcome.because]))


def _row(claim, outcome):
    i = outcome.interval
    changed = f" ({claim.after_first_scores} after the first scores)" if claim.after_first_scores else ""
    return {"id": claim.id, "claim": claim.claim, "where": claim.where,
            "criterion": claim.criterion + changed, "paper_value": claim.paper_value,
            "our_value": outcome.value, "ci_low": i.low if i else None, "ci_high": i.high if i else None,
            "verdict": outcome.verdict, "because": outcome.because}
