"""What the repository publishes of a training: the weights of its last rung, or a trunk and its rungs."""

import shutil

import torch

from pipeline.config import params
from pipeline.io import atomic, read_json, sha256, write_json
from pipeline.training.checkpoints import save
from stages.common.networks import fresh
from stages.common.outputs import PUBLISHED
from stages.common.setup import PUBLISHED as TRUNKS
from stages.common.shell import ROOT, folder
from stages.common.trained import provenance

LARGEST = 1.4e6  # bytes of a trunk's weights: git keeps all that were ever published


def weights(p, name):
    if name in params.by_authors():
        raise ValueError(f"{name}: the model of its authors stands for it; publish a variant of another name")
    record = provenance(p, name)
    if record["weights"] != "ours" or record.get("published"):
        raise ValueError(f"{name}: not trained by this run, so not ours to publish; use weights: trained")
    for suffix in ("safetensors", "json"):
        with atomic(PUBLISHED / f"{name}.{suffix}") as partial:
            shutil.copyfile(folder(p) / "models" / f"{name}.{suffix}", partial)
    index = read_json(PUBLISHED / "published.json")
    index[name] = sha256(PUBLISHED / f"{name}.safetensors")
    write_json(PUBLISHED / "published.json", index, sort_keys=True)
    return f"{name}: {record['patches']:,} patches of each scale, sha256 {index[name]}"


def trunk(p, name):
    source, out = ROOT / "states" / f"{p.profile}-{p.budget}-{name}", TRUNKS / name
    state = torch.load(source / "trunk.pt", map_location="cpu", weights_only=True)
    names = [key for key, _ in fresh(p, name).named_parameters()]
    values = state["model"] | dict(zip(names, state.get("average", [])))  # averaged where the recipe averages
    small = {key: state[key] for key in ("identity", "step", "curve", "seconds", "conditions")}
    if (size := 4 * sum(value.numel() for value in values.values())) > LARGEST:
        raise ValueError(f"{name}: a trunk of {size:,} bytes is too large for git, more than {LARGEST:,.0f}")
    save(out / "trunk.pt", small | {"model": {key: v.float() for key, v in values.items()}})
    rungs = [path for path in sorted(source.glob("rung-*.pt"))
             if "adam" not in torch.load(path, map_location="cpu", weights_only=True)]  # finished
    for path in rungs:
        with atomic(out / path.name) as partial:
            shutil.copyfile(path, partial)
    return f"{name}: trunk of {state['step']:,} steps, {size:,} bytes, and {len(rungs)} rungs"
