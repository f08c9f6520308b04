"""The engine: time by the share of severe patches, and error by the distance from a patch's border."""

from matplotlib.figure import Figure

from pipeline.report.figures import style

_MODES = {"grouped": (style.VERMILLION, "o", "borders of the paper"),
          "context": (style.BLUE, "s", "real context")}
_POLICIES = {"paper": (style.VERMILLION, "-", "borders of the paper"),
             "context": (style.BLUE, "-", "real context"),
             "whole": ("#262626", "--", "severe path on the whole image")}


@style.rc()
def engine(shares, seams):
    """Two panels; times are relative to the severe path on the whole image, in the same run.

    Parameters
    ----------
    shares : DataFrame
        Raw repeats of `pipeline.timing.engine_jobs.by_share`: mode, severe (0..1), ms, macs.
    seams : DataFrame
        policy, distance (HR pixels), rmse (8-bit levels) of `pipeline.experiments.seams`.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(style.PAGE, 2.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    _time(left, shares)
    _error(right, seams)
    return figure


def _time(axes, shares):
    whole = shares[shares["mode"] == "whole"]
    base, work = whole.ms.median(), whole.macs.iloc[0]
    for mode, (colour, marker, label) in _MODES.items():
        rows = shares[shares["mode"] == mode]
        by = rows.groupby("severe")
        x = 100 * by.ms.median().index
        low, high = (by.ms.quantile(q) / base for q in (0.1, 0.9))
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, by.ms.median() / base, color=colour, marker=marker, label=label)
        axes.plot(x, by.macs.first() / work, color=colour, linestyle=":", linewidth=1)
    axes.plot([], [], color="0.3", linestyle=":", linewidth=1, label="in proportion to the MACs")
    axes.axhline(1, color="0.5", linewidth=0.8, linestyle="--", label="whole image")
    axes.set(title="(a)", xlabel="severe patches, the others mild (%)", ylim=(0, None),
             ylabel="time, relative to\nthe whole image")
    axes.grid(True)
    axes.legend(loc="lower right")


def _error(axes, seams):
    for policy, (colour, line, label) in _POLICIES.items():
        rows = seams[seams.policy == policy]
        axes.plot(rows.distance, rows.rmse, line, color=colour, label=label)
    axes.set(title="(b)", xlabel="distance from the border of the patch (HR pixels)",
             ylabel="error of luma\n(RMS, 8-bit levels)")
    axes.grid(True)
    axes.legend(loc="upper right")
