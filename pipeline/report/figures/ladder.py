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
        ends = []
        for name in names:
            part = rungs[(rungs.method == name) & (rungs.scale == scale)].sort_values("patches")
            if part.empty:
                continue
            drawn, last = style.method(name), part.iloc[-1]
            axes.plot(part.patches, part.psnr_db, color=drawn.colour, marker=drawn.marker, label=drawn.label)
            if last.doubling_db == last.doubling_db:  # not nan
                ends.append((last.psnr_db, last.patches, f"  {last.doubling_db:+.3f}"))
        axes.set(title=f"×{scale}", xlabel="patches of the scale", xscale="log")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter("")
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.margins(x=0.18)
        axes.grid(True)
        _label(axes, sorted(ends))
    figure.axes[0].set_ylabel("PSNR on held-out\ntraining images (dB)")
    handles = {label: line for axes in figure.axes for line, label in zip(*axes.get_legend_handles_labels())}
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=len(handles))
    return figure


def _label(axes, ends):
    """Texts beside the ends of lines, from the lowest up, each clear of the one below."""
    low, high = axes.get_ylim()
    y = low
    for psnr, patches, text in ends:
        y = max(psnr, y)
        axes.annotate(text, (patches, y), fontsize=style.SMALL, va="center", annotation_clip=False)
        y += 0.09 * (high - low)
