"""Pictures for the report: whole images, the route of each patch over them, what the page holds."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.report import embed
from pipeline.evaluation.protocol import degrade
from pipeline.report.figures.routes import routes
from pipeline.data.images import read
from pipeline.sr.routing import Routing, route_patches
from pipeline.models import build
from pipeline.sr.patches import assemble, patch_size
from pipeline.experiments.pictures import compare, route_map

ROUTING = Routing(10, 30)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Flat on the left, stripes on the right; no multiple of a patch."""
    pixels = np.full((130, 170, 3), 128, np.uint8)
    pixels[:, 80:] = 255 * (np.arange(130) // 8 % 2)[:, None, None]
    path = tmp_path_factory.mktemp("pictures") / "half.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("scale", [3, 4])
def test_the_map_paints_each_pixel_with_the_route_that_made_it(path, scale):
    found, pair = route_map(path, scale, ROUTING), degrade(read(path), scale)
    painted = np.empty(pair.hr.shape[:2], int)
    for i, row in enumerate(zip(found["rows"], found["rows"][1:])):
        for j, column in enumerate(zip(found["columns"], found["columns"][1:])):
            painted[slice(*row), slice(*column)] = found["route"][i, j]
    size = patch_size(scale)
    taken = route_patches(build("prn", (scale,), width=4), pair.lr_y, scale, ROUTING)
    patches = taken[:, None, None, None].expand(-1, 1, size * scale, size * scale)
    np.testing.assert_array_equal(painted, assemble(patches, *pair.lr.shape[:2], size, scale)[0, 0])
    assert painted[0, 0] == 0 and painted[0, -1] == 2


def test_a_page_has_the_truth_and_the_whole_image_by_each_shown_method(path):
    models = {name: (build(name, (4,)), None) for name in ("bicubic", "srcnn", "fsrcnn", "prn")}
    arrays, scores = compare(path, 4, (0, 0, 20), models, torch.device("cpu"))
    assert arrays["srcnn"].shape == (20, 20, 3) and "whole/srcnn" not in arrays
    arrays |= {f"map/{key}": value for key, value in route_map(path, 4, ROUTING).items()}
    shown = embed.comparison("noise", arrays, scores)
    assert [pane["name"] for pane in shown["panes"]] == ["bicubic", "fsrcnn", "prn", "hr"]
    assert shown["panes"][0]["label"] == f"Bicubic, {scores['bicubic'][0]:.2f} dB"
    for pane in shown["panes"]:
        with Image.open(io.BytesIO(base64.b64decode(pane["data"].split(",")[1]))) as image:
            assert image.size == (shown["width"], shown["height"]) == (168, 128)
    assert sum(patch["width"] * patch["height"] for patch in shown["patches"]) == 168 * 128
    assert {patch["route"] for patch in shown["patches"]} == {"mild", "severe"}


def test_the_figure_of_routes_names_the_share_of_each():
    image, edges = np.zeros((108, 108, 3), np.uint8), np.array([0, 54, 108])
    figure = routes([("a ×2", image, edges, edges, np.array([[0, 1], [2, 2]]))] * 3)
    assert len(figure.axes) == 3
    assert figure.axes[0].get_title("left") == "a ×2: 25% mild, 25% moderate, 50% severe"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mild", "moderate", "severe"]
    assert len({patch.get_hatch() for patch in figure.axes[0].patches}) == 2  # not by colour alone


def test_a_photograph_in_a_figure_is_compressed_and_a_drawing_is_not(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (400, 700, 3), np.uint8)
    drawing = np.full((400, 700, 3), 255, np.uint8)
    drawing[::40] = 0
    for name, pixels in (("noise", noise), ("drawing", drawing)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    shown = {name: embed.figure(tmp_path / f"{name}.png") for name in ("noise", "drawing")}
    assert len(shown["noise"]["data"]) < (tmp_path / "noise.png").stat().st_size
    with Image.open(io.BytesIO(base64.b64decode(shown["drawing"]["data"].split(",")[1]))) as image:
        np.testing.assert_array_equal(np.asarray(image), drawing)
    assert not shown["noise"]["broad"]
