"""Fig. 3: where a CNN responds."""

from matplotlib.figure import Figure

from pipeline.report.figures import style


@style.rc()
def features(maps):
    """Pictures, and beside each the response of a middle layer.

    Parameters
    ----------
    maps : list of (name, image, response)
        str; ndarray, shape (H, W), uint8; ndarray, shape (H, W), float, maximum over the channels
        (no unit).

    Returns
    -------
    Figure
    """
    ratios = [image.shape[0] / image.shape[1] for _, image, _ in maps]
    # a picture is some 1.35 in wide beside the colour bar and its label
    heights = [1.35 * ratio + 0.2 for ratio in ratios]
    figure = Figure(figsize=(style.COLUMN, sum(heights) + 0.1), layout="constrained")
    rows = figure.subplots(len(maps), 2, squeeze=False, height_ratios=heights)
    for letter, (name, image, response), (left, right) in zip("abcdefgh", maps, rows):
        left.imshow(image, cmap="gray", vmin=0, vmax=255)
        left.set_title(f"({letter}) {style.plain(name)}")
        drawn = right.imshow(response, cmap="viridis")
        bar = figure.colorbar(drawn, ax=right, fraction=0.06, pad=0.03, aspect=18)
        bar.set_label("response (no unit)", fontsize=style.SMALL)
        bar.outline.set_linewidth(0.4)
        for axes in (left, right):
            style.bare(axes)
        left.set_anchor("W")
    return figure
