"""Training states on disk: written whole, tagged with all that they depend on."""

import ast
import hashlib
import os
import zipfile
from pathlib import Path

import torch

from pipeline.io import atomic


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
    with atomic(path) as partial, open(partial, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def make_tag(roots, **settings):
    """Hash of everything that a result depends on, its code included.

    Parameters
    ----------
    roots : sequence of str
        Modules of `pipeline` that make the result, such as ``models.prn``; what they import counts
        too. Comments and docstrings do not, so that a better sentence costs no training.
    """
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for path in _closure(roots):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
                    node, clean=False) is not None:
                node.body[0] = ast.Pass()
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()


def _closure(roots):
    """Files of some modules and of those that they import; packages' own files and this one left out."""
    here, seen, todo = Path(__file__).parent, set(), list(roots)
    while todo:
        path = here.joinpath(*todo.pop().split(".")).with_suffix(".py")
        if path in seen or not path.exists() or path == Path(__file__):
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "pipeline":
                inner = node.module.split(".")[1:]
                todo += [".".join([*inner, alias.name]) for alias in node.names] + [".".join(inner)]
    return sorted(seen)


def digest_images(images):
    """Hash of names and pixels of a dict of str to ndarray."""
    digest = hashlib.sha256()
    for name, image in sorted(images.items()):
        digest.update(f"{name} {image.shape}".encode() + image.tobytes())
    return digest.hexdigest()
