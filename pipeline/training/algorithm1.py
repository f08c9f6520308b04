"""Algorithm 1 on a ladder of budgets, resumable to the bit.

A training is a trunk at a constant rate, which can always go on, and at each rung (a number of
patches per scale) a branch: the last fifth of the rung's steps, in which the rate falls.  The branch
gives the network of that rung.  The trunk takes the images of the paper's pre-training, the branches
those of its fine-tuning (Implementation Details).

Needs torch, numpy and the standard library only.
"""

import copy
import math
import time
from dataclasses import asdict, dataclass
from functools import lru_cache

from pipeline.training import VERSION, checkpoints
from pipeline.training.cuda_graph import ALONE, clone
from pipeline.training.run import Run
from pipeline.training.sampling import build_table

COOLDOWN = 0.2  # of a rung's steps
SAVE_SECONDS, LOOK_SECONDS = 20.0, 1.0  # between states on disk; between looks at the clock and the loss
CHEAP_SECONDS = 600  # a trunk that took less is trained anew where it is past a rung; a longer one never


@dataclass(frozen=True, eq=False)
class Phase:
    """Images of the trunk or of the branches."""

    images: dict  # of str to ndarray, shape (H, W), uint8: Y
    augment: bool


@dataclass(frozen=True)
class Recipe:
    """How to optimise (decision D9); the fields are those of params.yaml."""

    learning_rate: float
    decay: str  # in a branch: "linear" to zero, or "step": a tenth
    warmup: int  # steps in which the rate rises from zero
    batch: int  # patches of one scale, a step
    crop: int  # HR pixels
    clip: float  # largest norm of the gradient, 0: none
    ema: float  # decay of averaged weights, 0: none
    precision: str = "float32"  # of wide convolutions, in a step


@dataclass(frozen=True)
class Rung:
    """The network of one budget.

    Attributes
    ----------
    patches : int, of each scale
    steps : int
    weights : dict of str to Tensor, on the CPU; the averaged ones where the recipe averages
    curve : list of dict: step, loss, psnr_db_x2... of held-out training images
    seconds : float, of trunk and branch, over all parts of an interrupted training
    conditions : list of dict, of the devices that took the steps, in order
    """

    patches: int
    steps: int
    weights: dict
    curve: list
    seconds: float
    conditions: list


def steps_of(patches, scales, batch):
    """Steps in which each of the scales, taken in turn, has seen so many patches."""
    return math.ceil(patches / batch) * len(scales)


def train(model, trunk, branch, recipe, *, rungs, scales, label, seed, name, device, folder, identity,
          conditions, limit_s=0.0, begin=None, progress=lambda step, steps: None, warn=lambda message: None):
    """Train a network up the ladder, going on from the states in `folder`.

    Killed at any moment and started again it ends with the same weights, bit for bit, on the same
    device and with the same number of threads.

    Parameters
    ----------
    model : Module of `pipeline.models`, freshly built from `seed`
        The trunk, trained in place.
    trunk, branch : Phase
    recipe : Recipe
    rungs : sequence of int
        Patches of each scale, ascending.
    scales : sequence of int
        A step has patches of one of them, in turn (decision D17).
    label : dict
        ``norm, domain, gamma_low, gamma_upper`` of the training labels (decision D13).
    seed : int
    name : str
        For messages.
    device : torch.device
    folder : Path
        Of trunk.pt and rung-PATCHES.pt.
    identity : dict
        What the weights depend on besides the other arguments, such as the network's options.
    conditions : dict
        Of this device, for the provenance.
    limit_s : float
        Stop cleanly after so many seconds, state saved; 0: no limit.
    begin : Path, optional
        Such a folder that was published, its trunk without the optimiser's moments.  Of the same settings,
        its rungs are not trained again, and its trunk takes the place of one in `folder` that has not come
        as far, for the rungs that leave it later.
    progress, warn : callable
        Called with (step, steps) about once a second; told why a state is not used.

    Returns
    -------
    list of Rung
        As many as `rungs`, or fewer if the limit stopped it.

    Raises
    ------
    NotFinite
        Names the step and the network.
    ValueError
        A rung lies before the step that a long training has reached.
    """
    stop, blank = time.monotonic() + (limit_s or math.inf), copy.deepcopy(model)
    learns = model.learns
    totals = [steps_of(patches, learns, recipe.batch) for patches in rungs]
    lengths = [max(1, round(COOLDOWN * total)) for total in totals]
    of_trunk, of_branch = _identities(identity, model, recipe, trunk, branch, scales, seed, label, totals[-1])
    held_out = sorted(branch.images)[::20]  # of both phases, so that a curve is of the same images throughout

    def start(model, state, identity):
        run = Run(model, recipe, learns, seed, device, conditions=conditions, steps=totals[-1],
                  held_out={n: branch.images[n] for n in held_out}, scales=scales, identity=identity)
        if state:
            run.restore(state)
        return run

    @lru_cache
    def patches_of(phase):
        return tables(phase, recipe, learns, label, model, device, frozenset(held_out))

    def advance(run, last, path, offset):
        """Take the steps up to `last`; False if the limit stopped them."""
        return _advance(run, last, path, stop, name, lambda step: progress(
            offset + step, totals[-1] + sum(lengths[:-1])))

    found, stem = [], None
    begun = checkpoints.load(begin / "trunk.pt", of_trunk, aside=False) if begin else None  # most often of other settings
    for k, (patches, total, length) in enumerate(zip(rungs, totals, lengths)):
        path, first = folder / f"rung-{patches}.pt", total - length
        state = checkpoints.load(path, of_branch | {"patches": patches}, warn)
        if state is None and begin:
            state = checkpoints.load(begin / path.name, of_branch | {"patches": patches}, aside=False)
        if state is None:
            if stem is None:
                state = checkpoints.load(folder / "trunk.pt", of_trunk, warn)
                stem = start(model, _not_past(state, first, patches, name, folder, warn), of_trunk)
            if begun and stem.done < begun["step"] <= first:
                stem = start(model, begun, of_trunk)
            stem.enter(patches_of(trunk), trunk.augment)
            if not advance(stem, first, folder / "trunk.pt", sum(lengths[:k])):
                break
            state = clone(stem.state(), "cpu")
        if state["step"] < total:
            run = start(copy.deepcopy(blank), state, of_branch | {"patches": patches})
            run.enter(patches_of(branch), branch.augment, cooldown=(first, total, recipe.decay))
            if not advance(run, total, path, sum(lengths[:k])):
                break
            state = run.finished()
            checkpoints.save(path, state)
        found.append(Rung(patches, total, state["model"], state["curve"], state["seconds"],
                          state["conditions"]))
    return found


def tables(phase, recipe, scales, label, model, device, held_out=frozenset()):
    """Patches of each scale, with as many places in a batch for each class as the recipe gives them."""
    b, classes = recipe.batch, len(model.routes) > 1
    counts = (b // 4, b // 4, b - 2 * (b // 4)) if classes else (b,)  # half of them severe
    with ALONE:
        return {s: _table(phase, held_out, s, recipe.crop, counts, tuple(sorted(label.items())) if classes else None,
                          device, model.halo) for s in scales}


@lru_cache(maxsize=None)
def _table(phase, held_out, scale, crop, counts, label, device, halo):
    """Once for all trainings that run side by side."""
    kept = [y for name, y in phase.images.items() if name not in held_out] or phase.images.values()
    return build_table(kept, scale, crop, augment=phase.augment, label=label and dict(label), counts=counts,
                       device=device, halo=halo)


def _advance(run, last, path, stop, name, progress):
    saved = looked = time.monotonic()
    count = 1
    while run.done < last:
        count = min(count, last - run.done, run.next_point() - run.done)
        run.advance(count)
        run.check(name)
        if run.done == last or run.done == run.next_point(run.done - 1):
            run.measure()
        now = time.monotonic()
        run.seconds += now - looked
        # looks about once a second, however fast the device; at most twice as many steps as before
        count = max(1, min(2 * count, int(count * LOOK_SECONDS / max(now - looked, 1e-9))))
        looked = now
        progress(run.done)
        if now > stop or run.done == last or now - saved > SAVE_SECONDS:
            checkpoints.save(path, run.state())
            saved = now
        if now > stop and run.done < last:
            return False
    return True


def _identities(identity, model, recipe, trunk, branch, scales, seed, label, steps):
    """What a trunk and what a branch depend on; the rungs are not among it, so that a trunk can go on."""
    settings = asdict(recipe)
    decay = settings.pop("decay")
    of_trunk = identity | {
        "code": VERSION, "scales": list(scales), "seed": seed, "recipe": settings,
        "label": label if len(model.routes) > 1 else None,
        "trunk": {"images": checkpoints.digest_images(trunk.images), "augment": trunk.augment},
        "held_out": sorted(branch.images)[::20]}
    if hasattr(model, "loss"):  # one that changes over the training
        of_trunk["steps"] = steps
    return of_trunk, of_trunk | {
        "decay": decay,
        "branch": {"images": checkpoints.digest_images(branch.images), "augment": branch.augment}}


def _not_past(state, first, patches, name, folder, warn):
    """The state of a trunk, or None for one that has gone past where a rung leaves it."""
    if state is None or state["step"] <= first:
        return state
    past = f"{name}: the trunk is at step {state['step']:,}, past {first:,}, where {patches:,} patches leave it"
    if state["seconds"] > CHEAP_SECONDS:
        raise ValueError(f"{past}; leave that number out of budgets.*.rungs, or remove {folder} to train anew")
    warn(f"{past}: trained anew")
    return None
