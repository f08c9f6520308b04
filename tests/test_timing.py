"""Timing: both clocks, what is inside the time, and the benchmark of the engine."""

import time

import pandas as pd
import pytest
import torch

from pipeline import tables
from pipeline.benchmark import luma_pairs, make_job
from pipeline.inference import Routing, cost_of, grouped, patchwise, whole
from pipeline.models import build
from pipeline.timing import Job, cpu_ms, cuda_ms, limit_ms, measure, peaks, timer
from tests.test_routing import picture

ROUTING = Routing(10, 30)


def test_cpu_clock_measures_milliseconds():
    ms, host_ms = cpu_ms(lambda: time.sleep(0.02))
    assert 19 < ms < 200 and ms == host_ms
    assert timer(torch.device("cpu")) is cpu_ms and timer(torch.device("cuda")) is cuda_ms


def test_times_are_per_image_and_interleaved():
    order = []

    def job(name, seconds):
        def call(lr, hr):
            order.append(name)
            time.sleep(seconds)
        return Job({"method": name}, call, [(None, None)] * 3)

    rows = pd.DataFrame(measure([job("slow", 0.02), job("fast", 0.002)], repeats=4, warmup=1,
                                device=torch.device("cpu")))
    median = rows.groupby("method").ms.median()
    assert 19 < median.slow < 40 and 1.9 < median.fast < 10
    assert order[-6:] == ["slow"] * 3 + ["fast"] * 3  # one repeat of each, in turn
    assert len(rows) == 8 and set(rows.repeat) == {0, 1, 2, 3}


@pytest.mark.parametrize("mode", ["paper", "grouped", "whole"])
def test_the_job_holds_prior_routing_network_and_reconstruction(mode):
    model = build("prn", (2,), width=8).eval()
    ys = [(picture(108, 140)[0, 0] * 255).byte().numpy()]
    images = luma_pairs(ys, 2, torch.device("cpu"))
    routing = None if mode == "whole" else ROUTING
    job = make_job("prn", model, 2, mode, routing, images)
    lr, hr = images[0]
    assert lr.shape == (1, 1, 54, 70) and hr.shape == (1, 1, 108, 140)
    with torch.inference_mode():
        result = job.call(lr, hr)
        expected = {"paper": patchwise, "grouped": grouped}.get(mode)
        if expected:
            torch.testing.assert_close(result[0], expected(model, lr, 2, ROUTING)[0])
            assert job.labels["macs"] == cost_of(model, 54, 70, 2, result[1]).macs
        else:
            torch.testing.assert_close(result, whole(model, lr, 2))
            assert job.labels["macs"] == cost_of(model, 54, 70, 2).macs


def test_limit_is_the_slower_of_arithmetic_and_memory():
    model = build("fsrcnn", (2,))
    cost = cost_of(model, 100, 100, 2)
    assert limit_ms(cost, {"gflops": 1.0, "gbytes_s": 1e9}) == pytest.approx(2 * cost.macs / 1e6)
    assert limit_ms(cost, {"gflops": 1e9, "gbytes_s": 1.0}) == pytest.approx(cost.bytes / 1e6)
    peak = peaks(torch.device("cpu"))
    assert peak["gflops"] > 1 and peak["gbytes_s"] > 0.1 and "threads" in peak["device"]


def test_timing_table_is_median_and_percentiles():
    raw = pd.DataFrame({"method": "prn", "dataset": "d", "scale": 4, "mode": "grouped", "images": 2,
                        "gamma_low": 10.0, "gamma_upper": 30.0, "macs": 1e9, "bytes": 1e6,
                        "repeat": range(5), "ms": [1.0, 2, 3, 4, 100], "host_ms": 7.0})
    row = tables.timing(raw, {"device": "d", "gflops": 100.0, "gbytes_s": 10.0}).iloc[0]
    assert (row.ms_median, row.repeats, row.host_ms_median) == (3, 5, 7)
    assert row.ms_p10 == pytest.approx(1.4) and row.ms_p90 == pytest.approx(61.6)
    assert row.limit_ms == pytest.approx(20)


@pytest.mark.parametrize("way", [patchwise, grouped, whole], ids=lambda f: f.__name__)
def test_benchmark_modes(benchmark, way):
    """pytest-benchmark's table of the three modes; no bound, machines differ."""
    model, lr = build("prn", (4,)).eval(), picture(80, 120)
    args = (model, lr, 4) if way is whole else (model, lr, 4, ROUTING)
    with torch.inference_mode():
        result = benchmark.pedantic(way, args, rounds=3, warmup_rounds=1)
    assert (result if way is whole else result[0]).shape == (1, 1, 320, 480)


@pytest.mark.gpu
def test_cuda_events_agree_with_the_host_clock():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    a = torch.rand(4096, 4096, device="cuda")

    def work():
        for _ in range(20):
            a @ a

    work()
    ms, host_ms = cuda_ms(work)
    assert 0 < ms <= host_ms * 1.05 and ms > 0.5 * host_ms  # long kernels: the device is the bound
