"""The same parameters give the same bytes; other thread counts and versions stay within a bound.

The bound is a share of what training changes at most, on the fixed training of tests/fingerprint.py.
Measured between 1 and 2 threads: 4e-6. Of seven seeds six gave less than 1e-4 and one 2.3e-2: Adam
makes full steps of gradients that are nearly zero, whose sign a rounding may turn. The fixed training
has a seed where that does not happen, so that what breaks the bound is code; a rate that is 1 % off
does.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import fingerprint, workspace

BOUND = 5e-3  # of the largest change that training makes to a weight
MOVED = 0.00784
STORED = {  # the first three values of a layer
    "early.0.weight": (0.116452, -0.017196, -0.003728),
    "middle.2.weight": (-0.091428, -0.012086, -0.111706),
    "late.2.weight": (0.182937, 0.152708, -0.076414),
    "early_dilated.0.weight": (0.078253, 0.011420, 0.067308),
    "middle_dilated.2.weight": (0.157881, 0.036382, -0.090237),
    "shrink.0.weight": (-0.577236, 0.115619, -0.070710),
    "upsample.x2.weight": (-0.000566, -0.000244, -0.000583),
    "upsample.x3.weight": (0.000764, -0.000425, -0.000325),
}
COMMANDS = ["check", "download train", "download test", "pack", "train prn", "train bicubic",
            "train cnn7", "gradients", "evaluate prn", "evaluate bicubic"]


@pytest.fixture(scope="module")
def here():
    return fingerprint.weights(threads=1)


def test_this_version_gives_the_stored_weights(here):
    for name, stored in STORED.items():
        np.testing.assert_allclose(here[name].ravel()[:3], stored, atol=BOUND * MOVED, rtol=0)


def test_thread_counts_agree_within_the_bound_and_a_repeat_to_the_bit(here):
    again = fingerprint.weights(threads=1)
    assert all(np.array_equal(here[name], again[name]) for name in here)
    assert fingerprint.distance(here, fingerprint.weights(threads=2)) < BOUND


def test_the_bound_notices_a_rate_that_is_one_percent_off(here, monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr(fingerprint, "RECIPE", replace(fingerprint.RECIPE, learning_rate=1.01e-3))
    assert fingerprint.distance(here, fingerprint.weights(threads=1)) > BOUND


def hashes(folder):
    """Of weights, scores and pixels; provenance holds wall times."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted((folder / "artifacts/embedded").rglob("*"))
            if p.suffix in (".safetensors", ".csv", ".npz", ".png")}


def test_the_same_parameters_give_the_same_files_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        workspace.fill(folder, workspace.small_params())
        monkeypatch.chdir(folder)
        assert workspace.first_words(COMMANDS, monkeypatch) is None
        found.append(hashes(folder))
    assert found[0] == found[1] and len(found[0]) >= 10


@pytest.mark.drill
@pytest.mark.parametrize("threads", [1, 2])
def test_versions_of_pytorch_agree_within_the_bound(here, tmp_path, threads):
    """PRN_TORCHES=DIR:DIR names folders of ``pip install --target DIR torch==2.11.0`` and the like."""
    sites = os.environ.get("PRN_TORCHES", "").split(":")
    if sites == [""]:
        pytest.skip("PRN_TORCHES is not set")
    for site in sites:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fingerprint", str(threads), str(tmp_path / "w.npz")],
            env={**os.environ, "PYTHONPATH": site, "OMP_NUM_THREADS": str(threads)},
            cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
        with np.load(tmp_path / "w.npz") as file:
            distance = fingerprint.distance(here, dict(file))
        print(done.stdout.strip(), threads, "threads:", distance)
        assert distance < BOUND


@pytest.mark.gpu
def test_a_gpu_with_the_flag_repeats_to_the_bit(tmp_path):
    """PRN_DETERMINISTIC=1, in processes of their own, since CUDA reads it once."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    code = ("import sys, numpy as np; from stages.common.networks import device; from tests import fingerprint\n"
            "np.savez(sys.argv[1], **fingerprint.weights(device=device()))")
    found = []
    for name in ("a.npz", "b.npz"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True,
                       cwd=Path(__file__).parents[1], env={**os.environ, "PRN_DETERMINISTIC": "1"})
        with np.load(tmp_path / name) as file:
            found.append(dict(file))
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert fingerprint.distance(found[0], fingerprint.weights()) < 0.1  # the CPU's, for comparison
