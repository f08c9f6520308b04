"""What the claims measure on networks: receptive fields, classes on their routes, reconstruction."""

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.experiments.frequency_conflict import class_psnr
from pipeline.evaluation.protocol import degrade
from pipeline.data.images import read
from pipeline.sr.routing import Routing, grouped, route_patches
from pipeline.evaluation.metrics import psnr
from pipeline.models import build
from pipeline.sr.patches import cut
from pipeline.sr.prior import MILD, MODERATE, ROUTES, SEVERE
from pipeline.experiments.receptive_field import receptive_field, receptive_fields
from pipeline.timing.parts import PARTS, part_jobs
from pipeline.experiments.responses import responses
from pipeline.timing.clocks import measure


@pytest.fixture
def image(tmp_path):
    """Quiet on the left and busy on the right, so that each class has patches."""
    rng = np.random.default_rng(0)
    steps = np.repeat(np.repeat(rng.random((20, 30)), 8, 0), 8, 1) - 0.5
    pixels = 128 + 250 * steps * np.linspace(0, 1, 240) ** 2
    path = tmp_path / "image.png"
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
    return path


def spread(model):
    """The network with a deconvolution that does something."""
    torch.manual_seed(0)
    for deconv in model.upsample.values():
        torch.nn.init.normal_(deconv.weight, std=0.01)
    return model.eval()


@pytest.mark.parametrize("options, sides", [
    ({}, {MILD: 5, MODERATE: 9, SEVERE: 13}), ({"rolling": False}, {MILD: 5, MODERATE: 9, SEVERE: 13}),
    ({"dilation": 2}, {MILD: 9, MODERATE: 17, SEVERE: 13}),
    ({"early": 3, "middle": 1, "dilation": 2}, {MILD: 17, MODERATE: 21, SEVERE: 15})])
def test_gradients_reach_as_far_as_kernels_and_holes_say(options, sides):
    """1 + the sum of dilation (k - 1) over the layers of a route."""
    torch.manual_seed(0)
    model = build("prn", (2,), **options)
    for route, side in sides.items():
        field = receptive_field(model, route, inputs=2)
        assert field.side == side and field.side_95 <= side
    assert set(receptive_fields(build("prn", (2,), routing=False))) == {"severe"}


def test_a_layer_that_passes_nothing_on_is_not_seen():
    model = build("prn", (2,))
    with torch.no_grad():
        model.early[0].weight[..., 0, :] = 0
        model.early[0].weight[..., -1, :] = 0
        model.early[0].weight[..., 0] = 0
        model.early[0].weight[..., -1] = 0
    assert receptive_field(model, SEVERE, inputs=2).side == 11


def test_each_class_is_scored_on_its_route(image):
    model, routing = spread(build("prn", (4,))), Routing(10, 30)
    rows = class_psnr("prn", model, [image], 4, routing)
    assert [row["kind"] for row in rows] == list(ROUTES)
    pair = degrade(read(image), 4)
    lr, hr = cut(pair.lr_y, 13), cut(pair.hr_y, 52)
    routes = route_patches(model, pair.lr_y, 4, routing)
    for route, row in enumerate(rows):
        with torch.no_grad():
            sr = model(lr[routes == route], 4, route).clamp(0, 1).mul(255).round().numpy()
        assert row["patches"] == int((routes == route).sum()) == len(sr)
        assert row["psnr_db"] == pytest.approx(psnr(hr[routes == route].numpy() * 255, sr), abs=1e-3)
    single = class_psnr("alone", spread(build("prn", (4,), routing=False)), [image], 4, routing)
    assert [row["patches"] for row in single] == [row["patches"] for row in rows]


def test_parts_of_the_job_are_timed_side_by_side(image):
    model, pair = spread(build("prn", (4,))), degrade(read(image), 4)
    seen = []
    model.shrink[0].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    jobs = part_jobs(model, 4, Routing(10, 30), [(pair.lr_y, pair.hr_y)])
    rows = measure(jobs, repeats=2, warmup=1, device=torch.device("cpu"))
    assert [row["part"] for row in rows] == [*PARTS, *PARTS] and all(row["ms"] > 0 for row in rows)
    counts = {}
    for job in jobs:
        seen.clear()
        with torch.inference_mode():
            job.calls[0]()
        counts[job.labels["part"]] = list(seen)
    assert counts["network"] == counts["job"] and counts["reconstruction"] == []
    assert sum(counts["network"]) == len(grouped(model, pair.lr_y, 4, Routing(10, 30))[1])


def test_responses_are_those_of_the_patches_that_p_is_of(image):
    """A first channel that carries the image on, and nothing else: the response is the mean luma."""
    model = build("cnn7", (3,)).eval()
    with torch.no_grad():
        for conv in model.nets["x3"][:4]:
            conv.weight.zero_()
            conv.bias.zero_()
            conv.weight[0, 0, 1, 1] = 1
    rows = responses(model, [image], 3, Routing(10, 30))
    pair = degrade(read(image), 3)
    means = cut(pair.hr_y, 54).mean((1, 2, 3))
    assert [row["patch"] for row in rows] == list(range(len(means)))
    assert np.allclose([row["response"] for row in rows], means, atol=0.01)
    assert rows[0]["prior"] < rows[4]["prior"]  # quiet on the left
