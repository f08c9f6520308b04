"""Names beside points, placed so that they cover neither each other nor a point nor a line."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

_ANGLES = np.deg2rad(np.arange(0, 360, 22.5))
_RADII = (2, 4, 8, 14, 21, 29, 38, 48)  # points, between marker and label
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
    size : float
        Radius of a marker, points.
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
    discs = [_disc(centre, size) for centre in centres]
    ink = [_along(axes.transData.transform(line) / unit) for line in lines]

    offsets = [_candidates(half, size) for half in halves]
    taken = {}  # of each label placed so far: its centre, and its leader
    for _ in range(8):
        before = {i: tuple(centre) for i, (centre, _) in taken.items()}
        for i, half in enumerate(halves):
            others = [(centre, halves[j] + _CLEARANCE)
                      for j, (centre, _) in taken.items() if j != i]
            apart = [disc for j, disc in enumerate(discs) if j != i]
            leaders = [leader for j, (_, leader) in taken.items() if j != i]
            drawn = np.concatenate([*discs, *ink, *leaders])
            costs = []
            for offset, distance in offsets[i]:
                leader = _leader(centres[i], half, offset, size)
                costs.append(distance + _box_cost(centres[i] + offset, half, others, drawn, frame)
                             + _leader_cost(leader, others, apart, size))
            offset = offsets[i][int(np.argmin(costs))][0]
            taken[i] = centres[i] + offset, _leader(centres[i], half, offset, size)
        if before == {i: tuple(centre) for i, (centre, _) in taken.items()}:
            break
    for i, (centre, leader) in taken.items():
        notes[i].set_position(centre - centres[i])
        if len(leader):
            ends = axes.transData.inverted().transform(leader[[0, -1]] * unit)
            axes.plot(*ends.T, color="0.55", linewidth=0.5, zorder=1, scalex=False, scaley=False)
    return notes


def _candidates(half, size):
    """Where a label's centre may lie, relative to its point, and what the distance costs."""
    candidates = []
    for radius in _RADII:
        for angle in _ANGLES:
            direction = np.array([np.cos(angle), np.sin(angle)]).round(6)
            # out to where the box clears the marker, whichever side it is on
            offset = (direction * (size + radius)
                      + np.sign(direction) * half * np.minimum(1, np.abs(direction) * 1.5))
            candidates.append((offset, radius + 0.5 * (1 - direction[0])))  # right reads best
    return candidates


def _leader(centre, half, offset, size):
    """Points of the line from a marker to its label, none where the label is near."""
    edge = np.clip(0, offset - half, offset + half)  # of the label's box, nearest to the point
    if np.hypot(*edge) <= size + _NEAR:
        return np.empty((0, 2))
    return _along(np.stack([centre, centre + edge]))


def _box_cost(centre, half, others, drawn, frame):
    """What a label of that centre and half size covers; 0 where it is free."""
    low, high = centre - half, centre + half
    cost = 1e4 * (np.maximum(frame[:2] - low, 0).sum() + np.maximum(high - frame[2:], 0).sum())
    for other, size in others:
        overlap = np.minimum(high, other + size) - np.maximum(low, other - size)
        cost += 100 * overlap.prod() if (overlap > 0).all() else 0
    covered = (drawn > low - _CLEARANCE) & (drawn < high + _CLEARANCE)
    return cost + 20 * covered.all(1).sum()


def _leader_cost(leader, others, discs, size):
    """What a leader crosses: other labels and other markers."""
    if not len(leader):
        return 0
    cost = sum((np.abs(leader - other) < half).all(1).sum() for other, half in others)
    for disc in discs:
        cost += (np.hypot(*(leader - disc[0]).T) < size + 1).sum()
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
