"""The ladder of trainings: quality against patches seen."""

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from pipeline.report.figures import style


@style.rc()
def ladder(rungs, names=("prn", "prn_no_rolling", "fsrcnn_ours", "fsrcnn")):
    """PSNR on held-out training images against the patches of each scale, a panel a scale.

    Beside the last rung: what the last doubling of the patches gained.

    Parameters
    ----------
    rungs : DataFrame
        method, scale, patches, psnr_db, doubling_db (dB, nan at a first rung).
    names : sequence of str
        Variants to draw, of those that are there.

    Returns
    -------
    Figure
    """
    rungs = rungs[rungs.method.isin(names)]
    scales = sorted(rungs.scale.unique())
    figure = Figure(figsize=(style.PAGE, 2.4), layout="constrained")
    if not scales:
        style.nothing(figure.subplots(), "no training in this run")
        return figure
    for axes, scale in zip(figure.subplots(1, len(scales), squeeze=False)[0], scales):
        for name in names:
            part = rungs[(rungs.method == name) & (rungs.scale == scale)].sort_values("patches")
            if part.empty:
                continue
            drawn, last = style.method(name), part.iloc[-1]
            axes.plot(part.patches, part.psnr_db, color=drawn.colour, marker=drawn.marker, label=drawn.label)
            if last.doubling_db == last.doubling_db:  # not nan
                axes.annotate(f"{last.doubling_db:+.3f}", (last.patches, last.psnr_db), xytext=(4, 0),
                              textcoords="offset points", fontsize=style.SMALL, va="center")
        axes.set(title=f"×{scale}", xlabel="patches of the scale", xscale="log")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter("")
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.margins(x=0.18)
        axes.grid(True)
    figure.axes[0].set_ylabel("PSNR on held-out\ntraining images (dB)")
    figure.axes[0].legend(loc="lower right")
    return figure
