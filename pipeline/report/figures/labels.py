"""Names beside points, placed by textalloc so that they cover neither each other nor a point nor a line."""

import numpy as np
import textalloc


def annotate(axes, points, texts, *, lines=(), bold=()):
    """Label the points of a finished plot, with a thin line from each label to its point.

    Parameters
    ----------
    axes : Axes
        With its final limits and scales.
    points : sequence of (x, y), in data units
    texts : sequence of str
    lines : sequence of ((x, y), ...)
        Polylines, in data units, that no label should cover.
    bold : collection of str
        Texts to emphasise.

    Returns
    -------
    list of Text
    """
    x, y = np.asarray(points, dtype=float).reshape(-1, 2).T
    axes.get_figure(root=True).draw_without_rendering()  # the layout is final from here on
    axes.autoscale(False)
    weights = ["bold" if text in bold else "normal" for text in texts]
    _, _, notes, _ = textalloc.allocate(
        axes, x, y, list(texts), x_scatter=x, y_scatter=y,
        x_lines=[np.array([a for a, _ in line]) for line in lines],
        y_lines=[np.array([b for _, b in line]) for line in lines],
        textsize=7, fontweight=weights, linecolor="0.55", linewidth=0.5,
        min_distance=0.022, max_distance=0.25, margin=0.014,  # of the axes' size
        nbr_candidates=2000, priority_strategy="largest",
        avoid_label_lines_overlap=True, avoid_crossing_label_lines=True)
    for note in notes:
        note.set_in_layout(False)
    return notes
