"""Routers on one ground: PSNR against mean products, and how much of the gap to the oracle each closes."""

from matplotlib.figure import Figure

from pipeline.paper import label
from pipeline.report.figures import style
from pipeline.report.routers import HALF, called

_BOUNDS = {"oracle": ("#262626", "--"), "random": (style.GREY, ":")}
_COLOURS = (style.BLACK, style.SKY, style.VERMILLION, style.ORANGE, style.GREEN, style.PURPLE, style.BLUE,
            "#8C564B")


@style.rc()
def routers(table):
    """A row a set of experts: PSNR by cost on the left, shares of the gap at half of the products beside it.

    The bars name the colours of the curves.

    Parameters
    ----------
    table : DataFrame, routers.csv

    Returns
    -------
    Figure
    """
    sets = list(dict.fromkeys(table.experts))
    figure = Figure(figsize=(style.PAGE, 2.6 * len(sets)), layout="constrained")
    panels = figure.subplots(len(sets), 2, squeeze=False, width_ratios=[1.5, 1])
    for (left, right), experts in zip(panels, sets):
        rows = table[table.experts == experts]
        fixed = rows.router.str.startswith("all ")
        names = [n for n in dict.fromkeys(rows.router[~fixed]) if n not in _BOUNDS]
        looks = {name: (_COLOURS[i % len(_COLOURS)], "-") for i, name in enumerate(names)} | _BOUNDS
        _curves(left, rows[~fixed], rows[fixed], looks, called(experts))
        _shares(right, rows[rows.router.isin(names) & (rows.cost == HALF)], looks)
    return figure


def _curves(axes, rows, fixed, looks, title):
    for name, (colour, line) in looks.items():
        part = rows[rows.router == name]
        axes.plot(part.cost, part.psnr_db, line, color=colour, label=name if name in _BOUNDS else None,
                  linewidth=1.8 if name == "vertical gradient" else 1)
    axes.plot(fixed.cost, fixed.psnr_db, "o", color="0.3", markersize=3.5)
    for row in fixed.itertuples():
        right = row.cost > 0.8
        axes.annotate(f"all {label(row.router[4:])}", (row.cost, row.psnr_db), (-4 if right else 5, -9),
                      textcoords="offset points", fontsize=style.SMALL, color="0.3",
                      ha="right" if right else "left")
    axes.set(title=title, xlabel="mean products, of the most expensive for all", ylabel="PSNR (dB)")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(True)
    axes.margins(0.06, 0.12)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.1))


def _shares(axes, rows, looks):
    rows = rows.sort_values("gap_share", na_position="first")
    values = 100 * rows.gap_share.astype(float).fillna(0)
    axes.barh(rows.router, values, color=[looks[name][0] for name in rows.router], height=0.65)
    axes.set(xlabel="closed of the gap from random\nto oracle, at half of the products (%)")
    axes.grid(True, axis="x")
