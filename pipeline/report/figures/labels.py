"""Names beside points, placed so that they cover neither each other nor a point nor a line."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

_ANGLES = np.deg2rad(np.arange(0, 360, 22.5))
_RADII = (2, 4, 8, 14, 21, 29, 38, 48, 60)  # points, between marker and label
_CLEARANCE = 1.5  # points, around each label
_NEAR = 7  # points; a label farther from its point gets a line to it


def place(axes, points, texts, *, lines=(), size=4.0, bold=()):
    """Label the points of a finished plot.

    Each label goes, in turn and then again until none moves, where it costs least: a place inside
    the axes that covers nothing, and of those the one nearest to its point.

    Parameters
    ----------
    axes : Axes
        With its final limits and scales.
    points : sequence of (x, y), in data units
    texts : sequence of str
    lines : sequence of ((x, y), ...)
        Polylines, in data units, that no label should cover.
    size : float or sequence of float
        Radius of the markers, points.
    bold : collection of str
        Texts to emphasise.

    Returns
    -------
    list of Annotation
    """
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    notes = [axes.annotate(text, point, (0, 0), textcoords="offset points", ha="center",
                           va="center", fontsize=7, annotation_clip=False,
                           fontweight="bold" if text in bold else "normal")
             for point, text in zip(points, texts)]
    for note in notes:
        note.set_in_layout(False)  # the layout must not move once the labels are placed
    figure = axes.get_figure(root=True)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    unit = figure.dpi / 72  # pixels in a point; from here on all lengths are in points
    centres = axes.transData.transform(points) / unit
    halves = [np.array(note.get_window_extent(renderer).size) / 2 / unit for note in notes]
    frame = axes.get_window_extent(renderer).extents / unit
    sizes = np.broadcast_to(np.asarray(size, dtype=float), len(notes))
    discs = [_disc(centre, radius) for centre, radius in zip(centres, sizes)]
    ink = [_along(axes.transData.transform(line) / unit) for line in lines]

    offsets = [_candidates(half, radius) for half, radius in zip(halves, sizes)]
    # one order of settling may lock itself in where another does not
    orders = [range(len(notes)), range(len(notes))[::-1], np.argsort(centres[:, 0]),
              np.argsort(centres[:, 1]), np.argsort(-centres[:, 1])]
    best = min((_settle(order, centres, halves, offsets, sizes, discs, ink, frame)
                for order in orders), key=lambda result: result[0])
    for i, (centre, leader) in best[1].items():
        notes[i].set_position(centre - centres[i])
        if len(leader):
            ends = axes.transData.inverted().transform(leader[[0, -1]] * unit)
            axes.plot(*ends.T, color="0.55", linewidth=0.5, zorder=1, scalex=False, scaley=False)
    return notes


def _settle(order, centres, halves, offsets, sizes, discs, ink, frame):
    """Place the labels in that order, again until none moves: the cost, and centre and leader."""
    taken = {}
    for _ in range(6):
        total = 0
        before = {i: tuple(centre) for i, (centre, _) in taken.items()}
        for i in order:
            others = [(centre, halves[j] + _CLEARANCE)
                      for j, (centre, _) in taken.items() if j != i]
            apart = [(discs[j][0], sizes[j]) for j in range(len(discs)) if j != i]
            leaders = [leader for j, (_, leader) in taken.items() if j != i]
            drawn = np.concatenate([*discs, *ink, *leaders])
            shifts, distances = offsets[i]
            costs = (distances + _box_costs(centres[i] + shifts, halves[i], others, drawn, frame)
                     + _doubt(centres[i] + shifts, halves[i], discs[i][0], apart))
            for k in np.argsort(costs, kind="stable"):  # leaders only where they can matter
                if costs[k] >= costs.min() + 200:
                    break
                leader = _leader(centres[i], halves[i], shifts[k], sizes[i])
                costs[k] += _leader_cost(leader, others, apart)
            k = int(np.argmin(costs))
            total += costs[k]
            taken[i] = centres[i] + shifts[k], _leader(centres[i], halves[i], shifts[k], sizes[i])
        if before == {i: tuple(centre) for i, (centre, _) in taken.items()}:
            break
    return total, taken


def _candidates(half, size):
    """Where a label's centre may lie, relative to its point, and what the distance costs."""
    radius, angle = (grid.ravel() for grid in np.meshgrid(_RADII, _ANGLES, indexing="ij"))
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1).round(6)
    # out to where the box clears the marker, whichever side it is on
    offsets = (direction * (size + radius)[:, None]
               + np.sign(direction) * half * np.minimum(1, np.abs(direction) * 1.5))
    return offsets, radius + 0.5 * (1 - direction[:, 0])  # the right side reads best


def _leader(centre, half, offset, size):
    """Points of the line from a marker to its label, none where the label is near."""
    edge = np.clip(0, offset - half, offset + half)  # of the label's box, nearest to the point
    if np.hypot(*edge) <= size + _NEAR:
        return np.empty((0, 2))
    return _along(np.stack([centre, centre + edge]))


def _box_costs(centres, half, others, drawn, frame):
    """What a label of that half size covers at each of the centres; 0 where all is free."""
    low, high = centres - half, centres + half
    costs = 1e4 * (np.maximum(frame[:2] - low, 0) + np.maximum(high - frame[2:], 0)).sum(1)
    for other, size in others:
        overlap = np.minimum(high, other + size) - np.maximum(low, other - size)
        costs += 100 * np.maximum(overlap, 0).prod(1)
    covered = (np.abs(drawn - centres[:, None]) < half + _CLEARANCE).all(2)
    return costs + 20 * covered.sum(1)


def _doubt(centres, half, own, others):
    """How far a label at each of the centres seems to belong to a marker that is not its own."""
    def gap(point):
        return np.hypot(*np.maximum(np.abs(centres - point) - half, 0).T)

    nearest = np.min([gap(point) for point, _ in others], axis=0, initial=np.inf)
    return 3 * np.maximum(0, gap(own) + 4 - nearest)


def _leader_cost(leader, others, discs):
    """What a leader crosses: other labels and other markers."""
    cost = sum((np.abs(leader - other) < half).all(1).sum() for other, half in others)
    for centre, radius in discs:
        cost += (np.hypot(*(leader - centre).T) < radius + 1).sum()
    return 20 * cost


def _disc(centre, radius):
    """Points on and in a marker; the first is its centre."""
    angles = np.deg2rad(np.arange(0, 360, 45))
    rim = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return centre + np.concatenate([[[0, 0]], rim * radius, rim * radius / 2])


def _along(polyline):
    """Points on a polyline, some 2 pt apart."""
    parts = [np.empty((0, 2))]
    for start, end in zip(polyline[:-1], polyline[1:]):
        steps = max(2, int(np.hypot(*(end - start)) // 2))
        parts.append(start + np.linspace(0, 1, steps)[:, None] * (end - start))
    return np.concatenate(parts)
