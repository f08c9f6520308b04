"""A folder with params.yaml and a few images, in which the stages run in this process."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from pipeline.config import params

KEPT = ["bicubic", "cnn7", "fsrcnn", "prn", "prn_no_rolling"]
ROOT = Path(__file__).parents[1]
SHIPPED = {"profile": "embedded", "budget": "smoke", "weights": "trained", "seed": 0, "gamma_low": 10, "gamma_upper": 30}


def shipped():
    """The text of params.yaml, without what `dvc exp run -S` left there of the keys that README overrides."""
    text = (ROOT / "params.yaml").read_text()
    for key, value in SHIPPED.items():
        text = re.sub(rf"^({key}:) [^\s#]+", rf"\1 {value}", text, flags=re.M)
    return text


def raw_params():
    """params.yaml as plain data, as it ships."""
    return yaml.load(shipped(), Loader=params._Loader)


def small_params():
    """The same with five variants, few steps, and folders of the user in place of registered sets."""
    raw = raw_params()
    raw["local"] = {"mine": "train", "held": "test"}
    raw["methods"], raw["routed"] = KEPT[:3], KEPT[3:]
    raw["variants"] = {name: raw["variants"][name] for name in KEPT}
    use_folders(raw)
    for picture in raw["profiles"]["embedded"]["pictures"].values():
        picture |= {"image": "camera", "crop": {"y": 8, "x": 16, "side": 32}}
    raw["profiles"]["embedded"]["gradients"]["patches"] = 50
    raw["budgets"]["smoke"] |= {"rungs": [16], "timing": {"images": 1, "repeats": 1, "warmup": 1},
                                "engine": {"images": 1, "repeats": 1}}
    return raw


def use_folders(raw):
    """Train and test on ``local`` mine and held in place of the embedded sets."""
    images = raw["profiles"]["embedded"]
    images |= {"test": ["held"], "ablation": "held"}
    images["engine"]["sets"] = ["held"]
    for phase in images["train"].values():
        phase["sets"] = ["mine"]
    for picture in images["pictures"].values():
        picture["dataset"] = "held"


def fill(folder, raw):
    """Write params.yaml, and crops of embedded photographs as the user's images."""
    for role in ("train", "test"):
        (folder / role).mkdir()
        for path in sorted((ROOT / "embedded" / role).glob("*.*")):
            image = np.asarray(Image.open(path))[100:244, 100:260]
            Image.fromarray(image).save(folder / role / f"{path.stem}.png")
    shutil.copytree(ROOT / "reports/gpu", folder / "reports/gpu", dirs_exist_ok=True)
    write(folder, raw)


def write(folder, raw):
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))


def stage(command, monkeypatch):
    """Run ``python -m stages.COMMAND`` in this process; its last words if it fails."""
    name, *words = command.split()
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
    try:
        runpy.run_module(f"stages.{name}", run_name="__main__")
    except SystemExit as stop:
        return str(stop.code)
    return None


def first_words(commands, monkeypatch):
    """Run stages until one fails; its last words, or None if all run."""
    return next(filter(None, (stage(c, monkeypatch) for c in commands)), None)


def whole_pipeline(raw):
    """Every command of dvc.yaml, in order."""
    scored = [*raw["methods"], *raw["routed"]]
    return ["check", "download train", "download test", "pack",
            *(f"train {name}" for name in raw["variants"]), "gradients",
            *(f"evaluate {name}" for name in [*scored, "prn_context"]), "ablation", "timing", "probe", "engine",
            "seams", "routers", "front", "pictures", "tables", "claims", "figures", "report"]
