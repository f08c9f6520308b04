"""One training on one device: what a step does (Algorithm 1, lines 3 to 8) and what it needs.

Everything that a step needs lives on the device: images, patches, flips, learning rate, step
counter.  On a GPU the step of each scale is one CUDA graph.
"""

import torch
import torch.nn.functional as F
from torch.func import functional_call

from pipeline.sr.colour import shave
from pipeline.sr.degrade import imresize
from pipeline.training.cuda_graph import ALONE, capture
from pipeline.training.precision import convolve_in
from pipeline.training.sampling import draw

# an H100 takes 1.24 times the steps so and with the kernels searched, a CPU fewer
FORMATS = {"cuda": torch.contiguous_format, "cpu": torch.channels_last}
LARGEST = 192  # HR pixels a side of a held-out image, its centre


class NotFinite(ArithmeticError):
    """The loss became NaN or infinite."""


class Run:
    """Model, optimiser and data.

    Parameters
    ----------
    model : Module of `pipeline.models`
    recipe : `pipeline.training.algorithm1.Recipe`
    learns : sequence of int
        Scales that are trained, one a step, in turn.
    seed : int
    device : torch.device
    conditions : dict
        Of the device, for the provenance.
    steps : int
        Of the whole training, for a loss that changes over it.
    held_out : dict of str to ndarray, shape (H, W), uint8
    scales : sequence of int
        Those that are measured on `held_out`.
    identity : dict
        As `pipeline.training.checkpoints.load`.
    """

    def __init__(self, model, recipe, learns, seed, device, *, conditions=None, steps=1, held_out=None,
                 scales=(), identity=None):
        torch.backends.cudnn.benchmark = device.type == "cuda"
        torch.backends.cudnn.allow_tf32 = recipe.precision == "tf32"
        self.model = model.to(device, memory_format=FORMATS[device.type]).train()
        self.recipe, self.learns, self.seed, self.steps = recipe, tuple(learns), seed, steps
        self.device, self.conditions, self.identity = device, conditions, identity
        self.routes = model.routes
        self.apart = model.apart
        self.names = [name for name, _ in model.named_parameters()]
        self.rate = torch.tensor(recipe.learning_rate, device=device)
        self.step, self.restarted = (torch.zeros((), dtype=torch.int64, device=device) for _ in range(2))
        self.loss = torch.zeros(len(learns), device=device)  # the last of each scale
        self.bad_step = torch.full((), -1, dtype=torch.int64, device=device)
        self.average = [p.detach().clone() for p in model.parameters()] if recipe.ema else []
        self.adam = torch.optim.Adam(model.parameters(), lr=self.rate, fused=True,
                                     capturable=device.type == "cuda")
        self.done, self.curve, self.seconds, self.where = 0, [], 0.0, []
        self.patches = None
        self.held_out = {s: [_pair(y, s, device) for y in (held_out or {}).values()] for s in scales}

    def enter(self, patches, flip, cooldown=None):
        """Begin a trunk, or with `cooldown` (first step, last step, decay) a branch."""
        if self.patches is not patches:  # a trunk that goes on keeps its graphs
            self.patches, self.flip, self.cooldown, self.graphs = patches, flip, cooldown, {}
        if self.conditions not in self.where:
            self.where = [*self.where, self.conditions]

    def advance(self, count):
        """Take `count` steps, one scale each; waits for the device at the end."""
        for _ in range(count):
            index = self.done % len(self.learns)
            if self.device.type != "cuda":
                self._take_step(index)
            else:
                if index not in self.graphs:
                    self.graphs[index] = capture(lambda: self._take_step(index), self)
                with ALONE:  # torch refuses a replay while another thread captures
                    self.graphs[index].replay()
            self.done += 1
        if self.device.type == "cuda":
            torch.cuda.current_stream().synchronize()

    def _take_step(self, index):
        """Algorithm 1, lines 3 to 8, for one scale."""
        scale = self.learns[index]
        self.rate.copy_(self._learning_rate())
        self.adam.zero_grad()  # no gradient, not zero: Adam leaves the other scales' deconvolutions alone
        with convolve_in(self.recipe.precision, self.model):
            loss = self._loss(scale)
        loss.backward()
        if self.recipe.clip:
            for part in self.apart:
                torch.nn.utils.clip_grad_norm_(part.parameters(), self.recipe.clip)
        self.adam.step()
        self.step += 1
        self.loss[index].copy_(loss.detach())
        wrong = ~loss.detach().isfinite() & (self.bad_step < 0)
        self.bad_step.copy_(torch.where(wrong, self.step, self.bad_step))
        if self.recipe.ema:  # EMA warm-up: the mean of all steps while they are few
            weight = torch.clamp(1 / (self.step - self.restarted + 1.0), min=1 - self.recipe.ema)
            for mean, p in zip(self.average, self.model.parameters()):
                mean.lerp_(p.detach(), weight)

    def _loss(self, scale):
        """Mean squared error, summed over the classes; or the loss that a network brings along."""
        # another stream of random numbers for each scale, the same with other scales beside it
        table, turn = self.patches[scale], self.step // len(self.learns)
        lr, hr = draw(table, self.seed * 8 + scale, turn, flip=self.flip)
        if hasattr(self.model, "loss"):
            return self.model.loss(lr, hr, scale, self.step / self.steps)
        return sum(F.mse_loss(self.model.on_patches(x, scale, route), y) for route, x, y in zip(
            self.routes, lr.split(table.counts), hr.split(table.counts)))

    def _learning_rate(self):
        rate = self.recipe.learning_rate * torch.ones((), device=self.device)
        if self.recipe.warmup:  # again after a restart without moments
            rate = rate * ((self.step - self.restarted + 1) / self.recipe.warmup).clamp(max=1)
        if self.cooldown is None:
            return rate
        first, last, decay = self.cooldown
        return rate * (0.1 if decay == "step" else 1 - (self.step - first) / (last - first))

    def next_point(self, step=None):
        """The first step after the current one that the curve has: they lie a factor of 1.4 apart."""
        step = self.done if step is None else step
        return next(p for k in range(100) if (p := round(50 * 2 ** (k / 2))) > step)

    def check(self, name):
        """Stop at a loss that is not finite (NotFinite)."""
        bad = int(self.bad_step)
        if bad >= 0:
            raise NotFinite(f"{name}: the loss is not finite at step {bad}; use a smaller learning_rate or a "
                            "clip above 0 in recipes")

    @torch.no_grad()
    def measure(self):
        """Add to the curve: the loss, and PSNR of the severe path on the centres of held-out images."""
        weights = dict(zip(self.names, self.average))
        with ALONE:
            row = {"step": self.done, "loss": float(self.loss.mean())}
            for scale, pairs in self.held_out.items():
                scores = []
                for lr, hr in pairs:
                    sr = functional_call(self.model, weights, (lr, scale)).clamp(0, 1)
                    mse = shave((sr - hr)[0, 0], scale).square().mean()
                    scores.append(-10 * mse.clamp(min=1e-10).log10())
                row[f"psnr_db_x{scale}"] = float(torch.stack(scores).mean())
        self.curve = [*self.curve, row]

    def tensors(self):
        """What a step changes."""
        return {"model": self.model.state_dict(), "average": self.average, "adam": self.adam.state_dict(),
                "counters": [self.step, self.restarted, self.bad_step, self.loss]}

    def state(self):
        """All that goes to disk: a training continues from it to the bit."""
        return self.tensors() | {"identity": self.identity, "step": self.done, "curve": self.curve,
                                 "seconds": self.seconds, "conditions": self.where}

    def finished(self):
        """The result, on the CPU: averaged weights where the recipe averages them, and no optimiser."""
        values = self.model.state_dict() | dict(zip(self.names, self.average))
        return {"identity": self.identity, "step": self.done, "curve": self.curve, "seconds": self.seconds,
                "conditions": self.where, "model": {n: v.detach().cpu().clone() for n, v in values.items()}}

    def restore(self, state):
        """Go on from `state`, or from one of `finished`, whose moments start anew with a warm-up."""
        self.model.load_state_dict(state["model"])
        self.done, self.curve, self.seconds = state["step"], state["curve"], state["seconds"]
        self.where = state["conditions"]
        if "adam" not in state:
            self.step.fill_(self.done), self.restarted.fill_(self.done)
            for mean, p in zip(self.average, self.model.parameters()):
                mean.copy_(p.detach())
            return
        self.adam.load_state_dict(state["adam"])
        for group in self.adam.param_groups:  # loading made copies, and brings the other device's way
            group["lr"], group["capturable"] = self.rate, self.device.type == "cuda"
        with torch.no_grad():
            for p, moments in self.adam.state.items():  # in the layout of this device
                moments |= {key: torch.empty_like(p).copy_(moments[key]) for key in ("exp_avg", "exp_avg_sq")}
            for mine, saved in zip(self.average, state["average"]):
                mine.copy_(saved)
            for mine, saved in zip((self.step, self.restarted, self.bad_step, self.loss), state["counters"]):
                mine.copy_(saved)


def _pair(y, scale, device):
    """LR and HR, (1, 1, h, w) and (1, 1, H, W) in [0, 1], of the centre of an image."""
    h, w = (min(n, LARGEST) // scale * scale for n in y.shape)
    top, left = (y.shape[0] - h) // 2, (y.shape[1] - w) // 2
    hr = torch.from_numpy(y[top:top + h, left:left + w] / 255)[None, None]
    return imresize(hr, 1 / scale).float().to(device), hr.float().to(device)
