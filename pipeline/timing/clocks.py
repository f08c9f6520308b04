"""Time of the per-image job: CUDA events on a GPU, ``time.perf_counter`` on a CPU.

The job is all that a user waits for once the LR luma is on the device: prior, routing, cropping,
network, reconstruction.  Methods are interleaved: a repeat runs each once over all images, so that a
drift of the machine hits all alike.
"""

import ctypes
import os
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

STABLE = 0.1  # a warm-up ends when two passes differ by less than this


@dataclass(frozen=True)
class Job:
    """One thing to time.

    Attributes
    ----------
    labels : dict
        Columns of its rows: method, scale, mode, gamma_low, gamma_upper.
    calls : list of callable
        Each does one image, or one batch of images, that lie on the device.
    costs : list of Cost, one a call
    batch : int
        Images of a call.
    """

    labels: dict
    calls: list
    costs: list
    batch: int = 1

    def run(self):
        for call in self.calls:
            call()


def cpu_ms(call):
    """Time of a call in ms, twice: as `cuda_ms`, whose device and host times differ."""
    start = time.perf_counter()
    call()
    elapsed = 1e3 * (time.perf_counter() - start)
    return elapsed, elapsed


def cuda_ms(call):
    """Time of a call between CUDA events, and on the host with the device synchronised, in ms.

    Where the second is hardly above the first and the device idles between kernels, launches are
    the bound.
    """
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start = time.perf_counter()
    begin.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end), 1e3 * (time.perf_counter() - start)


def timer(device):
    """`cuda_ms` or `cpu_ms`."""
    return cuda_ms if device.type == "cuda" else cpu_ms


@torch.inference_mode()
def measure(jobs, *, repeats, warmup, device, budget_s=60.0, progress=lambda items, total: items):
    """Time all jobs.

    Parameters
    ----------
    jobs : sequence of Job
    repeats : int
    warmup : int
        Least passes over the images before the first repeat; up to four more until two agree
        within 10 %, but none after `budget_s`.
    device : torch.device
    budget_s : float
        A job that would take longer than this, warm-up and all, has fewer images, and then fewer
        repeats (at least three): methods of seconds or minutes an image.
    progress : callable
        Wraps an iterable of known length, such as ``tqdm``.

    Returns
    -------
    list of dict
        The labels, ``images``, mean ``macs`` and ``bytes`` per image, ``repeat``, and ``ms`` and
        ``host_ms`` per image: raw repeats, not yet averaged.
    """
    clock = timer(device)
    plans = []
    for job in progress(jobs, len(jobs)):
        plans.append(_plan(job, clock, repeats, warmup, budget_s))
        _warm_up(plans[-1][0], clock, warmup, budget_s)
    rows = []
    for repeat in progress(range(repeats), repeats):
        for job, times in plans:
            if repeat < times:
                ms, host_ms = clock(job.run)
                n = len(job.calls) * job.batch
                rows.append({**job.labels, "images": n, "macs": sum(c.macs for c in job.costs) / n,
                             "bytes": sum(c.bytes for c in job.costs) / n, "repeat": repeat,
                             "ms": ms / n, "host_ms": host_ms / n})
    return rows


def _plan(job, clock, repeats, warmup, budget_s):
    """As much of a job as the budget allows, by its first call, and how often."""
    job.calls[0]()  # prepares code for its shapes
    seconds = 1e-3 * clock(job.calls[0])[1]
    some = max(1, int(min(len(job.calls), budget_s / (seconds * (warmup + repeats)))))
    times = int(min(repeats, max(3, budget_s / (seconds * some) - warmup)))
    return replace(job, calls=job.calls[:some], costs=job.costs[:some]), times


def _warm_up(job, clock, least, budget_s):
    before, spent = None, 0.0
    for i in range(least + 4):  # a busy machine never settles
        ms, _ = clock(job.run)
        spent += ms / 1000
        settled = i + 1 >= least and before is not None and abs(ms - before) < STABLE * before
        if settled or spent > budget_s:
            return
        before = ms


@torch.inference_mode()
def peaks(device):
    """What the device can do at best, measured: a matrix product and a copy, float32.

    Returns
    -------
    dict
        ``device`` (name and threads), ``gflops`` (2 operations a MAC), ``gbytes_s`` (read and
        written), ``torch``.
    """
    n = 8192 if device.type == "cuda" else 2048
    a = torch.rand(n, n, device=device)
    b = torch.rand(n, n, device=device)
    big = torch.rand(2**26, device=device)
    clock = timer(device)
    product = min(clock(lambda: a @ b)[0] for _ in range(5))
    out = torch.empty_like(big)
    copy = min(clock(lambda: out.copy_(big))[0] for _ in range(5))
    threads = torch.get_num_threads()
    name = (torch.cuda.get_device_name(device) if device.type == "cuda"
            else f"{_cpu_name()}, {threads} thread{'s' * (threads > 1)}")
    return {"device": name, "gflops": 2 * n**3 / product / 1e6,
            "gbytes_s": 2 * 4 * big.numel() / copy / 1e6, "torch": torch.__version__}


def peak_bytes(call, device):
    """Memory that a call needs beyond what is held before it; None where nothing can tell.

    On a GPU PyTorch counts it; on Linux the kernel does, in resident pages.
    """
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what the allocator keeps would hide what the call needs
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts anew
        call()
        return max(0, _resident("VmHWM") - before)
    except (OSError, AttributeError):
        return None


def _resident(name):
    for line in Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise OSError(name)


def other_work():
    """Begin to watch the machine.

    Returns
    -------
    callable
        () to the number of cores that other processes have kept busy since, on average; None where
        the kernel does not tell.
    """
    first = _busy()

    def cores():
        now = _busy()
        if None in (first, now):
            return None
        (busy, own, wall), (busy_now, own_now, wall_now) = first, now
        return max(0.0, (busy_now - busy - own_now + own) / (wall_now - wall))

    return cores


def _busy():
    """Seconds that all cores have worked, that this process has, and of the clock."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal, *_ = map(int, file.readline().split()[1:])
    except (OSError, ValueError):
        return None
    ticks = user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK"), time.process_time(), time.monotonic()


def limit_ms(cost, peak):
    """The time that a cost takes at the measured peak of the device: the larger of both limits."""
    return max(2 * cost.macs / peak["gflops"], cost.bytes / peak["gbytes_s"]) / 1e6


def _cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
