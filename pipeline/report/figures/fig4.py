"""Fig. 4: the gradient prior of severe and of mild patches, and how well it tells them apart."""

import numpy as np
from matplotlib.figure import Figure

from pipeline.report.figures import style
from pipeline.report.figures.roc import roc

_BINS = 40
_KINDS = {"severe": "gain > 1 dB", "mild": "gain ≤ 1 dB"}
_PRIOR = "gradient prior P (54 × 54 patch, Y in [0, 1])"


@style.rc()
def histograms(gains, gamma_low, gamma_upper):
    """Histograms of P by kind, shares of the classes of Eq. 2, ROC curve of P.

    Parameters
    ----------
    gains : DataFrame
        Columns gain_db (dB, CNN over bicubic), prior (P of Eq. 1, for a 54x54 patch, Y in [0, 1])
        and kind ("severe": gain above 1 dB, "mild": the others).
    gamma_low, gamma_upper : float
        Thresholds of Eq. 2, in units of P.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(style.PAGE, 3.9), layout="constrained")
    figure.get_layout_engine().set(wspace=0.06, hspace=0.05)
    panels = figure.subplot_mosaic([["a", "c"], ["b", "d"]], width_ratios=[1.25, 1])
    priors = {kind: gains.prior[gains.kind == kind].to_numpy() for kind in _KINDS}
    _distributions(panels["a"], panels["b"], priors, gamma_low, gamma_upper)
    _classes(panels["c"], priors, gamma_low, gamma_upper)
    _curve(panels["d"], priors, gamma_low, gamma_upper)
    for letter, axes in panels.items():
        axes.set_title(f"({letter}) " + axes.get_title("left"))
    return figure


def shares(prior, gamma_low, gamma_upper):
    """Shares of mild, moderate and severe by Eq. 2; ndarray, shape (3,), of nan where N is 0."""
    if len(prior) == 0:
        return np.full(3, np.nan)
    mild, severe = np.mean(prior <= gamma_low), np.mean(prior >= gamma_upper)  # Eq. (2)
    return np.array([mild, 1 - mild - severe, severe])


def _distributions(top, bottom, priors, gamma_low, gamma_upper):
    everything = np.concatenate(list(priors.values()))
    # a few very rough patches would squeeze all others into a corner: they are counted, not drawn
    bulk = np.quantile(everything, 0.995, method="higher") if len(everything) else 0
    end = max(1.8 * gamma_upper, bulk)
    edges = np.linspace(0, end, _BINS + 1)
    bottom.sharex(top)
    bottom.sharey(top)
    for axes, (kind, prior) in zip((top, bottom), priors.items()):
        axes.set_title(_KINDS[kind])
        axes.hist(prior, edges, weights=np.full(len(prior), 100 / max(1, len(prior))),
                  color=style.ROUTE_COLOURS[kind], alpha=0.8)
        for value, name, dash in ((gamma_low, "low", (0, (2, 1.5))),
                                  (gamma_upper, "upper", (0, (5, 2)))):
            axes.axvline(value, color=style.BLUE, linestyle=dash,
                         label=rf"$\gamma_\mathrm{{{name}}}$ = {value:g}")
        beyond = 100 * np.mean(prior > end) if len(prior) else 0
        note = f"n = {len(prior)}" + (f"\n{beyond:.1f} % beyond the axis" if beyond else "")
        key = axes.legend(loc="upper right", title=note, title_fontsize=style.SMALL)
        key.set_alignment("left")
        axes.set_ylabel("patches (%)")
    top.set(xlim=(0, end), ylim=(0, None))
    top.tick_params(labelbottom=False)
    bottom.set_xlabel(_PRIOR)


def _classes(axes, priors, gamma_low, gamma_upper):
    axes.set_title("classes of Eq. 2")
    table = np.array([shares(prior, gamma_low, gamma_upper) for prior in priors.values()]) * 100
    left = np.zeros(len(table))
    for route, column in zip(style.ROUTES, np.nan_to_num(table).T):
        axes.barh(list(_KINDS.values()), column, 0.62, left, label=route,
                  color=style.ROUTE_COLOURS[route], edgecolor="white", linewidth=0.6)
        for y, (share, start) in enumerate(zip(column, left)):
            if share >= 9:  # narrower ones have no room for a number
                axes.text(start + share / 2, y, f"{share:.0f} %", color="white", ha="center",
                          va="center", fontsize=style.SMALL, fontweight="bold")
        left += column
    axes.set(xlim=(0, 100), ylim=(1.45, -0.85), xlabel="share of the patches (%)")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="upper center", ncols=3, handlelength=1, columnspacing=1.2, borderaxespad=0)


def _curve(axes, priors, gamma_low, gamma_upper):
    severe, mild = priors["severe"], priors["mild"]
    axes.set_title("severe or mild by P alone")
    if not (len(severe) and len(mild)):
        style.nothing(axes, "needs patches of both kinds")
        return
    fpr, tpr, auc = roc(np.concatenate([severe, mild]),
                        np.repeat([True, False], [len(severe), len(mild)]))
    axes.plot([0, 100], [0, 100], color="0.7", linewidth=0.8, linestyle=(0, (3, 2)), label="chance")
    axes.plot(100 * fpr, 100 * tpr, color=style.BLACK, label=f"P, AUC = {auc:.3f}")
    for marker, name, passed in (("o", "low", lambda p: p > gamma_low),
                                 ("s", "upper", lambda p: p >= gamma_upper)):
        axes.plot(100 * passed(mild).mean(), 100 * passed(severe).mean(), marker,
                  color=style.BLUE, clip_on=False, label=rf"at $\gamma_\mathrm{{{name}}}$")
    axes.set(xlim=(0, 100), ylim=(0, 102), xlabel="false positive rate (%)",
             ylabel="true positive rate (%)")
    axes.legend(loc="lower right")
