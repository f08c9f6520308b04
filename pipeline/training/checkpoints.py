"""Training states on disk: complete or absent, each with the identity of what it was made from."""

import hashlib
import os
import zipfile

import torch

from pipeline.io import atomic


def load(path, identity, warn=lambda message: None, aside=True):
    """The state at `path`, or None if there is none, it is damaged or belongs to another training.

    Parameters
    ----------
    path : Path
    identity : dict
        What the state has to have been made from; it holds text, numbers, lists and dicts alone.
    warn : callable
        Told why a state that exists is not used.
    aside : bool
        Keep such a state as ``NAME.unused``, so that the next one does not overwrite it.
    """
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():  # torch.load looks at no check sum
                raise ValueError("a check sum is wrong")
        state = torch.load(path, map_location="cpu", weights_only=True)
        why = "; ".join(differences(identity, state["identity"]))
    except Exception as error:  # zipfile, pickle and torch each have their own kinds
        why = f"damaged: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    if not why:
        return state
    warn(f"{path} is not used ({why})" + (f"; it is kept as {path.name}.unused" if aside else ""))
    if aside:
        os.replace(path, path.with_name(f"{path.name}.unused"))
    return None


def save(path, state):
    """Write all or nothing: a kill leaves the old state."""
    with atomic(path) as partial, open(partial, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def differences(wanted, found, prefix=""):
    """What differs between two identities, as text: "recipe.batch: 16, was 8"."""
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        return [] if wanted == found else [f"{prefix}: {wanted}, was {found}"]
    return [line for key in dict.fromkeys([*wanted, *found])
            for line in differences(wanted.get(key), found.get(key), f"{prefix}.{key}".lstrip("."))]


def digest_images(images):
    """Hash of names and pixels of a dict of str to ndarray."""
    digest = hashlib.sha256()
    for name, image in sorted(images.items()):
        digest.update(f"{name} {image.shape}".encode() + image.tobytes())
    return digest.hexdigest()
