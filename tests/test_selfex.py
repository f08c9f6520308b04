"""SelfEx: sampling, search and growth on images whose answer is known; resuming an evaluation."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.evaluation import resume
from pipeline.sr.cost import count
from pipeline.sr.degrade import imresize, upsample
from pipeline.evaluation.protocol import evaluate
from pipeline.models import build
from pipeline.models.patchmatch import MOVES, Search, Sources
from pipeline.models.selfex import _gaussian, _project_back


def spokes(side):
    """A fan of black and white sectors: alike at every size around its centre; (1, 1, side, side)."""
    y, x = np.mgrid[:4 * side, :4 * side] / (2 * side) - 1
    fan = (np.sin(10 * np.arctan2(y - 0.013, x - 0.007)) > 0).astype(np.float64)
    return imresize(torch.from_numpy(fan), 0.25).float().clamp(0, 1)[None, None]


def ramp(height, width):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (0.2 + 0.003 * x + 0.005 * y)[None, None]


def searching(target, images, alpha=2**(-1 / 3)):
    sources = Sources(images, *target.shape[2:], alpha)
    return Search(target, sources, _gaussian(3.0, target), torch.Generator().manual_seed(0))


@pytest.mark.parametrize("angle, size", [(0.0, 1.3), (0.4, 2.0), (-1.1, 1.6)])
def test_patches_are_read_where_the_matrix_says(angle, size):
    """On a linear ramp bilinear sampling is exact, at every level of the pyramid."""
    images = [ramp(*(round(60 * 2**(-k / 3)) for _ in range(2))) for k in range(1, 5)]
    sources = Sources(images, 60, 60, 2**(-1 / 3))
    cos, sin = size * math.cos(angle), size * math.sin(angle)
    maps, inside = sources.place(torch.tensor([[31.0, cos, -sin], [27.5, sin, cos]])[..., None])
    level = min(4, max(1, round(math.log2(size) * 3)))
    h = images[level - 1].shape[2]
    expected = []
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            x = (31.5 + cos * dx - sin * dy) * h / 60 - 0.5
            y = (28.0 + sin * dx + cos * dy) * h / 60 - 0.5
            expected.append(0.2 + 0.003 * x + 0.005 * y)
    assert inside.item()
    torch.testing.assert_close(sources.read(maps)[:, 0], torch.tensor(expected), atol=1e-4, rtol=0)


def test_sources_outside_or_out_of_size_are_refused():
    sources = Sources([torch.rand(1, 1, 40, 40)], 50, 50, 0.8)
    cases = [(25, 25, 1.25, True), (1, 25, 1.25, False), (25, 49, 1.25, False), (25, 25, 1.0, False),
             (25, 25, 3.0, False), (25, 25, float("nan"), False)]
    for x, y, scale, expected in cases:
        _, inside = sources.place(torch.tensor([[x, scale, 0.0], [y, 0.0, scale]])[..., None])
        assert inside.item() == expected, (x, y, scale)


def test_brightness_is_made_good():
    target = 0.1 + torch.rand(1, 1, 30, 30) * 0.5
    coarse = imresize(target, 0.5)
    search = searching(target, [coarse + 0.2])
    other = searching(target, [coarse])
    torch.testing.assert_close(search.start(2.0).cost, other.start(2.0).cost, atol=1e-5, rtol=1e-3)


def test_search_finds_a_hidden_copy_and_never_gets_worse():
    """The target is a piece of the source, shifted and shrunk: PatchMatch finds where it came from."""
    torch.manual_seed(0)
    source = imresize(torch.rand(1, 1, 20, 20), 4).clamp(0, 1)
    target = imresize(source, 0.8)[..., 5:-5, 9:-1]  # (54, 54); moved by (4, 0)
    search = searching(target, [imresize(source, 0.8)[..., 5:, 9:][..., :43, :43], target[..., :40, :40]])
    field, before = search.start(1.6), None
    costs = []
    for k in range(4):
        costs.append(field.cost.mean().item())
        search.improve(field, k + 2)
        assert before is None or (field.cost <= before).all()
        before = field.cost.clone()
    assert before.mean() < 0.5 * costs[0]


def test_propagation_moves_along_the_matrix():
    target = torch.rand(1, 1, 40, 40)
    search = searching(target, [imresize(target, 0.8), imresize(target, 0.64)])
    field = search.start(1.5)
    good = search.pixels[0] == 10  # one column knows better: all others are worthless
    field.cost[~good] = 1e3
    matrix = torch.tensor([[1.3, 0.2], [-0.1, 1.4]])
    field.source[:, 0, good], field.source[:, 1:, good] = search.pixels[:, good] + 3, matrix[..., None]
    search.propagate(field, MOVES.index((1, 0)))
    source = field.source[..., 20 * 40 + 11]
    torch.testing.assert_close(source[:, 0], torch.tensor([13 + 1.3, 23 - 0.1]))
    torch.testing.assert_close(source[:, 1:], matrix)
    assert not (field.source[:, 1:, search.pixels[0] == 12] == matrix[..., None]).all((0, 1)).any()  # one step


def test_back_projection_agrees_with_the_input():
    lr = imresize(spokes(48), 0.5)
    start = torch.full((1, 1, 48, 48), 0.5)
    error = (imresize(_project_back(start, lr), 0.5) - lr).abs().mean()
    assert error < 0.1 * (lr - 0.5).abs().mean()


@pytest.mark.parametrize("scale", [2, 3])
def test_selfex_beats_bicubic_where_the_image_resembles_itself(scale):
    hr = spokes(96)
    lr = imresize(hr, 1 / scale)
    with torch.inference_mode():
        sr = build("selfex", (scale,), iterations=[3, 2, 1])(lr, scale)
    error, bicubic = ((x - hr).square().mean() for x in (sr, upsample(lr, scale)))
    assert 10 * (bicubic / error).log10() > 1.5


def test_cost_counts_every_comparison():
    """Two iterations compare more often than one, by as much on each level."""
    macs = [count(build("selfex", (2,), iterations=[n]), 40, 40, 2).macs for n in (1, 2, 3)]
    assert macs[2] - macs[1] == macs[1] - macs[0] > 0


def test_an_interrupted_evaluation_goes_on_at_the_next_image(tmp_path):
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 44, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    files = {"a": sorted(tmp_path.glob("*.png"))}
    model, kept = build("bicubic", ()), tmp_path / "kept.rows"
    whole = evaluate("bicubic", model, files, (2,))
    keep = resume.keeper(kept, "tag", [])
    for row in whole[:2]:
        keep(row)
    with open(kept, "a") as file:
        file.write('{"dataset": "a", "sc')  # killed while writing
    known, new = resume.read(kept, "tag"), []
    assert known == whole[:2] and resume.read(kept, "other") == []
    assert evaluate("bicubic", model, files, (2,), known=known, keep=new.append) == whole
    assert new == whole[2:]
    Image.fromarray(pixels).save(tmp_path / "0.bmp")
    with pytest.raises(ValueError, match="two images of one name"):
        evaluate("bicubic", model, {"a": sorted(tmp_path.glob("*.?m*")) + files["a"]}, (2,))
