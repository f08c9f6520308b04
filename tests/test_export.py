"""The severe path leaves PyTorch with the same numbers, and the process as it was."""

import numpy as np
import pytest
import torch

from pipeline.engine.adaptive import super_resolve
from pipeline.engine.fused import Fused
from pipeline.models import build
from pipeline.sr import degrade
from pipeline.sr.routing import Routing
from tests.test_routing import trained_like

SIZES = {"x": {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}}
CACHES = (degrade.resize_matrix, degrade.phase_kernels, degrade._placed, degrade._placed_kernels)


class Severe(torch.nn.Module):
    """A network at one scale, by its deepest route."""

    def __init__(self, model, scale):
        super().__init__()
        self.model, self.scale = model, scale

    def forward(self, x):
        return self.model(x, self.scale)


def fsrcnn():
    torch.manual_seed(0)
    return build("fsrcnn", (2, 3, 4)).eval()


@pytest.fixture
def cold():
    """Caches as in a new process, before and after: what was traced first is what could spoil them."""
    yield [cache.cache_clear() for cache in CACHES]


@pytest.mark.parametrize("make", [trained_like, fsrcnn])
def test_torch_export_gives_the_same_and_leaves_caches_usable(cold, make):
    net = Severe(make(), 3)
    program = torch.export.export(net, (torch.rand(1, 1, 20, 24),), dynamic_shapes=SIZES)
    x = torch.rand(1, 1, 31, 26)
    with torch.inference_mode():
        torch.testing.assert_close(program.module()(x), net(x), rtol=0, atol=1e-5)
        (sr,), _ = super_resolve(Fused(trained_like(), 3), [x], Routing(10, 30))
    assert type(sr) is torch.Tensor and sr.isfinite().all()


def test_caches_keep_no_placeholder(cold):
    from torch._subclasses.fake_tensor import FakeTensorMode

    for context in (FakeTensorMode(), torch.device("meta")):
        with context:
            degrade.resize_matrix(7, 14, 2.0)
            degrade.phase_kernels(2)
            degrade.upsample(torch.empty(1, 1, 5, 5), 2)
        x = torch.rand(1, 1, 7, 7)
        torch.testing.assert_close(degrade.upsample(x, 2), degrade.imresize(x, 2.0))


@pytest.mark.filterwarnings("ignore")  # the exporter's own
@pytest.mark.parametrize("make", [trained_like, fsrcnn])
def test_onnx_runtime_gives_the_same(cold, make):
    runtime = pytest.importorskip("onnxruntime", reason="needs pip install onnx onnxscript onnxruntime")
    pytest.importorskip("onnxscript", reason="needs pip install onnx onnxscript onnxruntime")
    net = Severe(make(), 3).eval()
    x = torch.rand(1, 1, 31, 26)
    program = torch.onnx.export(net, (x,), dynamo=True)  # of one size: its `remainder` takes no other
    session = runtime.InferenceSession(program.model_proto.SerializeToString(),
                                       providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.inference_mode():
        np.testing.assert_allclose(found, net(x), rtol=0, atol=1e-5)
    Fused(trained_like(), 3)  # the engine still finds plain kernels
