"""One training step as a CUDA graph: a replay launches all its kernels at once.

Several trainings share a GPU as threads, each on a stream of its own: one network of this size leaves
most of a large GPU idle.
"""

import gc
import threading

import torch

ALONE = threading.RLock()  # held while a graph is captured: no other may begin a replay, and none works eagerly


def capture(take_step, run):
    """Capture one step in a CUDA graph; the warm-up steps that capturing needs are undone.

    Not by ``torch.cuda.graph``, which waits for the whole device and so for all other trainings.
    """
    with ALONE:
        keep, here = clone(run.tensors()), torch.cuda.current_stream()
        # on the training's own stream where it has one: torch has 32, and a new one may be in use by another
        stream = torch.cuda.Stream() if here == torch.cuda.default_stream() else here
        stream.wait_stream(here)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(stream):
            for _ in range(3):
                take_step()
            stream.synchronize()
            gc.disable()  # what is freed within a capture may ask the device
            graph.capture_begin(capture_error_mode="thread_local")
            try:
                take_step()
            finally:
                graph.capture_end()
                gc.enable()
        here.wait_stream(stream)
        _copy_into(run.tensors(), keep)
    return graph


def clone(value, device=None):
    """A state (dicts, lists, values) with copies of its tensors, where they are or on another device."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone() if device is None else value.detach().to(device, copy=True)
    if isinstance(value, dict):
        return {k: clone(v, device) for k, v in value.items()}
    return [clone(v, device) for v in value] if isinstance(value, list) else value


@torch.no_grad()
def _copy_into(target, source):
    """Write tensors back in place: the graph holds their addresses.

    Adam's state is empty before its first step; what the warm-up put there starts at zero.
    """
    for key, value in target.items() if isinstance(target, dict) else enumerate(target):
        old = source.get(key) if isinstance(source, dict) else source[key]
        if isinstance(value, torch.Tensor):
            value.copy_(old) if old is not None else value.zero_()
        elif isinstance(value, (dict, list)):
            _copy_into(value, old if old is not None else {})
