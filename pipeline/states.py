"""Training states on disk: written whole, tagged with all that they depend on."""

import ast
import hashlib
import os
import zipfile
from pathlib import Path

import torch

from pipeline.whole import whole

CODE = ("training", "graphs", "sampling", "prior", "degrade")  # and the models


def load(path, tag):
    """The state at `path`, or None if there is none, it is broken or belongs to another training."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():  # torch.load looks at no check sum
                return None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except Exception:  # a damaged file: the training starts again, which costs time but no truth
        return None
    return state if isinstance(state, dict) and state.get("tag") == tag else None


def save(path, state):
    """Write all or nothing: a kill leaves the old state."""
    with whole(path) as partial, open(partial, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def make_tag(**settings):
    """Hash of everything that trained weights depend on, the code that makes them included.

    Comments and docstrings do not count, so that a better sentence costs no training.
    """
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    here = Path(__file__).parent
    for path in [*(here / f"{name}.py" for name in CODE), *sorted((here / "models").glob("*.py"))]:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
                    node, clean=False) is not None:
                node.body[0] = ast.Pass()
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()


def digest_images(images):
    """Hash of names and pixels of a dict of str to ndarray."""
    digest = hashlib.sha256()
    for name, image in sorted(images.items()):
        digest.update(f"{name} {image.shape}".encode() + image.tobytes())
    return digest.hexdigest()
