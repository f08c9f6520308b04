"""Timing: both clocks, what is inside the time, and the benchmark of the engine."""

import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from pipeline.analysis import time_tables
from pipeline.timing.jobs import Network, cost, luma_pairs, make_job
from pipeline.sr.cost import Cost
from pipeline.sr.routing import Routing, cost_of, patchwise, route_patches, whole
from pipeline.models import build
from pipeline.sr.prior import MILD, SEVERE
from pipeline.timing.clocks import Job, cpu_ms, cuda_ms, limit_ms, measure, other_work, peaks, timer
from tests.test_routing import picture, trained_like

ROUTING = Routing(10, 30)


def test_cpu_clock_measures_milliseconds():
    ms, host_ms = cpu_ms(lambda: time.sleep(0.02))
    assert 19 < ms < 200 and ms == host_ms
    assert timer(torch.device("cpu")) is cpu_ms and timer(torch.device("cuda")) is cuda_ms


def test_times_are_per_image_and_interleaved():
    order = []

    def job(name, seconds):
        def call():
            order.append(name)
            time.sleep(seconds)
        return Job({"method": name}, [call] * 3, [Cost(5, 7)] * 3)

    rows = pd.DataFrame(measure([job("slow", 0.02), job("fast", 0.002)], repeats=4, warmup=1,
                                device=torch.device("cpu")))
    median = rows.groupby("method").ms.median()
    assert 19 < median.slow < 40 and 1.9 < median.fast < 10
    assert order[-6:] == ["slow"] * 3 + ["fast"] * 3  # one repeat of each, in turn
    assert len(rows) == 8 and set(rows.repeat) == {0, 1, 2, 3}
    assert set(rows.images) == {3} and set(rows.macs) == {5} and set(rows.bytes) == {7}


def test_a_slow_job_has_fewer_images_and_repeats():
    def rows(images, budget_s):
        job = Job({}, [lambda: time.sleep(0.02)] * images, [Cost(1, 1)] * images)
        return pd.DataFrame(measure([job], repeats=5, warmup=1, device=torch.device("cpu"),
                                    budget_s=budget_s))
    assert rows(3, 10)[["images", "repeat"]].max().tolist() == [3, 4]
    assert rows(3, 0.34)[["images", "repeat"]].max().tolist() == [2, 4]  # of 20 to 28 ms a call on a busy machine
    assert rows(3, 0.01)[["images", "repeat"]].max().tolist() == [1, 2]


def test_a_job_of_minutes_warms_up_no_longer_than_the_budget():
    """Two calls plan it, one warms it up, three are timed."""
    calls = []
    job = Job({}, [lambda: (calls.append(0), time.sleep(0.02))], [Cost(1, 1)])
    measure([job], repeats=3, warmup=3, device=torch.device("cpu"), budget_s=0.01)
    assert len(calls) == 6


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("mode", ["paper", "grouped", "context", "whole"])
def test_the_job_holds_prior_routing_network_and_reconstruction(mode, batch):
    model = trained_like()
    ys = [(picture(108, 140, seed)[0, 0] * 255).byte().numpy() for seed in (0, 1)]
    pairs = luma_pairs(ys, 2, torch.device("cpu"))
    job = make_job(Network.of("prn", model, 2), mode, None if mode == "whole" else ROUTING, pairs,
                   batch and mode != "paper")
    lr, hr = pairs[0]
    assert lr.shape == (1, 1, 54, 70) and hr.shape == (1, 1, 108, 140)
    routes = route_patches(model, lr, 2, ROUTING)
    with torch.inference_mode():
        expected = whole(model, lr, 2) if mode == "whole" else patchwise(model, lr, 2, ROUTING)[0]
        found = job.calls[0]()
        found = found[0] if mode != "whole" else found
        found = found if mode == "paper" else found[0]
    if mode != "context":  # which has a test of its own
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        assert job.costs[0].macs >= cost_of(model, 54, 70, 2, None if mode == "whole" else routes).macs
    images = sum(len(call.args[0]) if batch and mode == "whole" else 1 for call in job.calls)
    assert len(job.calls) * job.batch == 2 and images in (1, 2)


def test_context_costs_between_the_patches_alone_and_with_their_halo():
    """Neighbours share their surroundings; one severe patch has a halo of its own."""
    net, lr = Network.of("prn", build("prn", (4,)).eval(), 4), picture(52, 52)
    severe = torch.full((16,), SEVERE)
    every = cost(net, "context", lr, severe).macs
    first = 52 * 52 * 25 * 64  # of the copy, which is computed everywhere
    assert every == cost_of(net.plain, 52, 52, 4).macs + first  # else that of the whole image
    one = torch.full((16,), MILD)
    mild = cost(net, "context", lr, one).macs
    one[5] = SEVERE
    tile = cost_of(net.plain, 13, 13, 4).macs
    assert mild + tile < cost(net, "context", lr, one).macs < mild + 3 * tile


def test_limit_is_the_slower_of_arithmetic_and_memory():
    model = build("fsrcnn", (2,))
    cost = cost_of(model, 100, 100, 2)
    assert limit_ms(cost, {"gflops": 1.0, "gbytes_s": 1e9}) == pytest.approx(2 * cost.macs / 1e6)
    assert limit_ms(cost, {"gflops": 1e9, "gbytes_s": 1.0}) == pytest.approx(cost.bytes / 1e6)
    peak = peaks(torch.device("cpu"))
    assert peak["gflops"] > 1 and peak["gbytes_s"] > 0.1 and "thread" in peak["device"]


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="a kernel without /proc/stat")
def test_the_work_of_another_process_is_seen():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        cores = other_work()
        time.sleep(1)
        beside = cores()
        other.kill()
    assert beside > 0.4


def test_its_own_work_is_no_other_work(monkeypatch):
    busy = iter([(100.0, 10.0, 50.0), (106.0, 14.0, 52.0), None, None])  # all cores, own, clock
    monkeypatch.setattr("pipeline.timing.clocks._busy", lambda: next(busy))
    assert other_work()() == 1.0  # 6 s of all cores, 4 of them its own, in 2 s
    assert other_work()() is None


def test_timing_table_is_median_and_percentiles():
    raw = pd.DataFrame({"method": "prn", "dataset": "d", "scale": 4, "mode": "grouped", "images": 2,
                        "gamma_low": 10.0, "gamma_upper": 30.0, "macs": 1e9, "bytes": 1e6,
                        "repeat": range(5), "ms": [1.0, 2, 3, 4, 100], "host_ms": 7.0})
    row = time_tables.timing(raw, {"device": "d", "gflops": 100.0, "gbytes_s": 10.0}).iloc[0]
    assert (row.ms_median, row.repeats, row.host_ms_median) == (3, 5, 7)
    assert row.ms_p10 == pytest.approx(1.4) and row.ms_p90 == pytest.approx(61.6)
    assert row.limit_ms == pytest.approx(20)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("mode", ["paper", "grouped", "context", "whole", "fsrcnn"])
def test_benchmark_modes(benchmark, mode, batch):
    """pytest-benchmark's table of the modes, and FSRCNN; no bound, machines differ."""
    torch.manual_seed(0)
    network = "fsrcnn" if mode == "fsrcnn" else "prn"
    net = Network.of(network, build(network, (4,)).eval(), 4)
    pairs = [(picture(80, 120, seed), None) for seed in range(batch)]
    mode = mode.replace("fsrcnn", "whole")
    job = make_job(net, mode, None if mode == "whole" else Routing(20, 50), pairs, mode != "paper")
    with torch.inference_mode():
        benchmark.pedantic(job.run, rounds=3, warmup_rounds=1)
    assert len(job.calls) * job.batch == batch


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
