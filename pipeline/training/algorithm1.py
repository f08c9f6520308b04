"""Algorithm 1: multi-scale training of every network, resumable to the bit.

Needs torch, numpy and the standard library only.  Everything that a step needs lives on the device:
images, patches, flips, learning rate, step counter.  On a GPU the whole step is one CUDA graph.
"""

import math
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pipeline.training import checkpoints
from pipeline.training.cuda_graph import capture
from pipeline.training.precision import convolve_in
from pipeline.sr.prior import SEVERE
from pipeline.training.sampling import build_table, draw

LOG_POINTS = 20  # of a learning curve, and looks for NaN
SAVE_SECONDS = 20.0


@dataclass(frozen=True)
class Phase:
    """A stretch of training on one set of images."""

    name: str
    images: dict  # of str to ndarray, shape (H, W), uint8: Y
    steps: int
    augment: bool


@dataclass(frozen=True)
class Recipe:
    """How to optimise (decision D9); the fields are those of params.yaml."""

    learning_rate: float
    decay: str  # "step": divided by ten at three quarters of a phase; "cosine": to a thousandth
    batch: int  # patches a scale and step
    crop: int  # HR pixels
    clip: float  # largest norm of the gradient, 0: none
    ema: float  # decay of averaged weights, 0: none
    precision: str = "float32"  # of wide convolutions, in a step


@dataclass(frozen=True)
class Result:
    """What a training gives, finished or not.

    Attributes
    ----------
    finished : bool
    weights : dict of str to Tensor, on the CPU; the averaged ones where the recipe averages
    curve : list of dict: step, loss, psnr_db_x2... on held-out training patches
    steps : int
    seconds : float, over all parts of an interrupted training
    where : list of str, the devices that took the steps, in order
    """

    finished: bool
    weights: dict
    curve: list
    steps: int
    seconds: float
    where: list


class NotFinite(ArithmeticError):
    """The loss became NaN or infinite."""


def train(model, phases, recipe, *, scales, label, seed, name, device, state_path, tag,
          limit_s=0.0, progress=lambda step, steps: None):
    """Train a network, going on from `state_path` if that holds a state of the same `tag`.

    Killed at any moment and started again it ends with the same weights, bit for bit, on the same
    device and with the same number of threads.

    Parameters
    ----------
    model : Module of `pipeline.models`, freshly built from `seed`
        Trained in place.
    phases : sequence of Phase
    recipe : Recipe
    scales : sequence of int
        Every step has one batch of each (decision D12).
    label : dict
        ``norm, domain, gamma_low, gamma_upper`` of the training labels (decision D13).
    seed : int
    name : str
        For messages.
    device : torch.device
    state_path : Path
    tag : str
        Identifies everything that the weights depend on; a state with another tag is ignored.
    limit_s : float
        Stop cleanly after so many seconds, state saved; 0: no limit.
    progress : callable
        Called with (step, steps) now and then.

    Returns
    -------
    Result

    Raises
    ------
    NotFinite
        Names the step and the network.
    """
    started = last_save = time.monotonic()
    total = sum(phase.steps for phase in phases)
    if not total:  # bicubic has nothing to learn
        return Result(True, {}, [], 0, 0.0, [])
    every = max(1, total // LOG_POINTS)
    run = Run(model.to(device).train(), recipe, scales, label, seed, device)
    state = checkpoints.load(state_path, tag)
    step, curve, earlier, where = 0, [], 0.0, []
    if state:
        step, curve, earlier = state["step"], state["curve"], state["seconds"]
        where = state["where"]
        run.restore(state)
    if step < total:
        where = list(dict.fromkeys([*where, describe(device)]))

    def result():
        seconds = earlier + time.monotonic() - started
        return Result(step == total, run.weights(), curve, step, seconds, where)

    while step < total:
        first, phase = _phase_at(phases, step)
        run.enter(phase, first, total)
        while step < first + phase.steps:
            count = min(every - step % every, first + phase.steps - step)
            run.advance(count)
            step += count
            progress(step, total)
            if step % every == 0 or step == total:
                curve.append({"step": step, **run.measure(name)})
            now = time.monotonic()
            out_of_time = limit_s and now - started > limit_s
            if out_of_time or step == total or now - last_save > SAVE_SECONDS:
                checkpoints.save(state_path, {"tag": tag, "step": step, "curve": curve, "where": where,
                                         "seconds": earlier + now - started,
                                         **run.state(finished=step == total)})
                last_save = now
            if out_of_time:
                return result()
    return result()


class Run:
    """Model, optimiser and data of one training; the step is captured once a phase on a GPU."""

    def __init__(self, model, recipe, scales, label, seed, device):
        self.model = model.to(memory_format=torch.channels_last)  # the faster layout of wide convolutions
        self.recipe, self.scales, self.seed = recipe, scales, seed
        self.device = device
        self.routes = getattr(model, "routes", (SEVERE,))
        self.learns = getattr(model, "learns", scales)  # x3 of some networks is their x4, shrunk
        self.apart = getattr(model, "apart", (model,))  # networks that share nothing
        self.label = label if len(self.routes) > 1 else None
        self.rate = torch.tensor(recipe.learning_rate, device=device)
        self.step = torch.zeros((), dtype=torch.int64, device=device)
        self.loss = torch.zeros((), device=device)
        self.bad_step = torch.full((), -1, dtype=torch.int64, device=device)
        self.average = [p.detach().clone() for p in model.parameters()] if recipe.ema else []
        self.adam = torch.optim.Adam(model.parameters(), lr=self.rate, fused=True,
                                     capturable=device.type == "cuda")

    def enter(self, phase, first, total=None):
        """Put the images of a phase on the device; `total` steps have all phases together."""
        self.phase, self.first, self.graph = phase, first, None
        self.total = total or phase.steps
        names = sorted(phase.images)
        held_out = names[::20]
        kept = [n for n in names if n not in held_out] or names
        kwargs = {"crop": self.recipe.crop, "device": self.device}
        self.tables = {s: build_table([phase.images[n] for n in kept], s, label=self.label,
                                      augment=phase.augment, **kwargs) for s in self.learns}
        validation = {s: build_table([phase.images[n] for n in held_out], s, label=None,
                                     augment=False, **kwargs) for s in self.scales}
        nothing = torch.zeros((), dtype=torch.int64, device=self.device)
        self.validation = {s: draw(t, 0, 32, 0, nothing, flip=False)
                           for s, t in validation.items()}

    def advance(self, count):
        """Take `count` steps; nothing waits for the device."""
        if self.device.type != "cuda":
            for _ in range(count):
                self._take_step()
            return
        if self.graph is None:
            self.graph = capture(self._take_step, self)
        for _ in range(count):
            self.graph.replay()

    def _take_step(self):
        """Algorithm 1, lines 3 to 8, for all scales at once (the losses are summed)."""
        self.rate.copy_(self._learning_rate())
        self.adam.zero_grad(set_to_none=False)
        loss = 0.0
        with convolve_in(self.recipe.precision, self.model):
            for scale in self.learns:
                loss = loss + self._loss(self.tables[scale], scale)
        loss.backward()
        if self.recipe.clip:
            for part in self.apart:
                torch.nn.utils.clip_grad_norm_(part.parameters(), self.recipe.clip)
        self.adam.step()
        self.step += 1
        self.loss.copy_(loss.detach())
        wrong = ~self.loss.isfinite() & (self.bad_step < 0)
        self.bad_step.copy_(torch.where(wrong, self.step, self.bad_step))
        if self.recipe.ema:
            # a young average follows faster, so that it does not remember the start
            weight = torch.clamp(1 / (self.step + 1.0), min=1 - self.recipe.ema)
            for mean, p in zip(self.average, self.model.parameters()):
                mean.lerp_(p.detach(), weight)

    def _loss(self, table, scale):
        """Mean squared error, summed over the classes; or the loss that a network brings along."""
        loss = 0.0
        for which, count in zip(range(len(table.classes)), self.counts()):
            # another stream of random numbers for each scale and class
            lr, hr = draw(table, which, count, self.seed * 64 + scale * 8 + which, self.step,
                          flip=self.phase.augment)
            route = self.routes[which]
            if hasattr(self.model, "loss"):
                loss = loss + self.model.loss(lr, hr, scale, self.step / self.total)
            else:
                loss = loss + F.mse_loss(self.model(lr, scale, route), hr)
        return loss

    def counts(self):
        """Patches of each class in a batch: half of them severe."""
        batch = self.recipe.batch
        return (batch // 4, batch // 4, batch - 2 * (batch // 4)) if self.label else (batch,)

    def _learning_rate(self):
        done = (self.step - self.first) / self.phase.steps  # of the phase, 0..1
        if self.recipe.decay == "step":
            factor = torch.where(done < 0.75, 1.0, 0.1)
        else:
            factor = 0.001 + 0.999 * 0.5 * (1 + torch.cos(math.pi * done))
        return self.recipe.learning_rate * factor

    @torch.no_grad()
    def measure(self, name):
        """Loss, and PSNR of the severe path on held-out training patches; stops at a NaN."""
        bad = int(self.bad_step)
        if bad >= 0:
            raise NotFinite(f"{name}: the loss is not finite at step {bad}; use a smaller "
                            "learning_rate or a clip above 0 in train.*.recipes")
        row = {"loss": float(self.loss)}
        for scale, (lr, hr) in self.validation.items():
            mse = (self.model(lr, scale).clamp(0, 1) - hr).square().mean((1, 2, 3))
            row[f"psnr_db_x{scale}"] = float(-10 * mse.clamp(min=1e-10).log10().mean())
        return row

    def weights(self):
        """The result: averaged weights where the recipe averages them."""
        values = dict(self.model.state_dict())
        if self.recipe.ema:
            values |= dict(zip((n for n, _ in self.model.named_parameters()), self.average))
        return {n: v.detach().cpu().clone() for n, v in values.items()}

    def state(self, finished=False):
        """All that changes from step to step; a finished training needs no optimiser any more."""
        return {"model": self.model.state_dict(), "average": self.average, "counter": self.step,
                "bad_step": self.bad_step, "adam": {} if finished else self.adam.state_dict()}

    def restore(self, state):
        self.model.load_state_dict(state["model"])
        if state["adam"]:
            self.adam.load_state_dict(state["adam"])
        for group in self.adam.param_groups:
            group["lr"] = self.rate  # loading made a copy; the step writes to this one
        for mine, saved in zip(self.average, state["average"]):
            mine.copy_(saved)
        self.step.copy_(state["counter"])
        self.bad_step.copy_(state["bad_step"])


def _phase_at(phases, step):
    """The phase that holds a step, and its first step."""
    first = 0
    for phase in phases:
        if step < first + phase.steps:
            return first, phase
        first += phase.steps
    raise IndexError(step)


def describe(device):
    """Device and torch version, for the provenance."""
    name = (torch.cuda.get_device_name(device) if device.type == "cuda"
            else f"CPU, {torch.get_num_threads()} threads")
    return f"{name}, torch {torch.__version__}"
