"""Models of the compared methods from the files that their authors published."""

from inspect import signature
from pathlib import Path

from pipeline.models import aplus, build, fsrcnn, lapsrn, network, scn, srcnn, vdsr
from pipeline.models.release import Mat

# to (scales, files) -> state dict
CONVERTERS = {module.__name__.rsplit(".", 1)[1]: module.from_release
              for module in (aplus, srcnn, scn, fsrcnn, vdsr, lapsrn)}
# of networks that compute as their authors' code does only where they are asked to
OPTIONS = {name: {"release": True} for name in CONVERTERS if "release" in signature(network(name)).parameters}
SCALES = {"aplus": (2,)}  # that the authors published, where these are not all


def load(name, scales, files, model=None):
    """A compared method with its authors' weights, in evaluation mode.

    Parameters
    ----------
    name : str, of a network in `CONVERTERS`
    scales : sequence of int
    files : dict of str to path
        Part of the release, a column of ``pipeline/data/authors.csv``, to its .mat file.
    model : Module, optional
        Built for the same scales; it keeps its weights of what the authors did not publish, A+ at x3
        and x4, for which it is needed.

    Raises
    ------
    ValueError
        A file is not readable, or lacks an array, or has one of another shape: names both; or `model`
        was built without what the weights need, or is needed.
    """
    if model is None:
        if unpublished(name, scales):
            known = ", ".join(f"x{s}" for s in SCALES[name])
            raise ValueError(f"{name}: its authors published {known} alone; fit the other scales first")
        model = build(name, scales, **OPTIONS.get(name, {}))
    if name in OPTIONS and not model.release:
        raise ValueError(f"{name}: its authors' weights need options: {{release: true}}")
    weights = CONVERTERS[name](scales, {part: read(path) for part, path in files.items()})
    model.load_state_dict({**model.state_dict(), **weights})
    return model.eval()


def unpublished(name, scales):
    """Those of some scales at which the authors of a network published nothing: list of int."""
    return [s for s in scales if name not in CONVERTERS or s not in SCALES.get(name, scales)]


def read(path):
    """A .mat file as `Mat`; a ValueError names one that is damaged."""
    from scipy.io import loadmat  # not on a machine that only trains

    try:
        return Mat(str(path), loadmat(Path(path), simplify_cells=True, verify_compressed_data_integrity=True))
    except Exception as error:  # scipy raises many kinds; all mean: damaged
        raise ValueError(f"{path}: no readable MATLAB file ({error}); delete it and run again") from error
