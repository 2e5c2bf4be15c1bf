"""A short run of the import fuzzer: every mutant is refused in a sentence or is what its bytes say."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cryoplan.image.memory import peak_bytes
from cryoplan.image.read import read_scan
from tests.support.import_fuzz import FORMATS, MEMORY_BYTES, judge, mutants, run
from tests.support.import_oracle import Stated, stated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child's limits are of POSIX")


@pytest.mark.parametrize("name", FORMATS)
def test_a_good_image_is_accepted_by_reader_and_judge(name: str, tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    assert judge(FORMATS[name](folder)) == ("accepted", "")


def _turned_round(truth: Stated) -> Stated:
    return replace(truth, values=truth.values[:, :, ::-1])


def _exchanged(truth: Stated) -> Stated:
    return replace(truth, columns=truth.columns[:, [1, 0, 2]])


def _shifted(truth: Stated) -> Stated:
    return replace(truth, origin=truth.origin + np.array([0.0, 0.2, 0.0]))


def _shifted_by_a_voxel(truth: Stated) -> Stated:
    return replace(truth, origin=truth.origin + truth.columns[:, 2])


def _other_slope(truth: Stated) -> Stated:
    return replace(truth, values=truth.values * 1.001)


def _one_voxel_off(truth: Stated) -> Stated:
    values = truth.values.copy()
    values[3, 4, 5] += 1.0
    return replace(truth, values=values)


def _mirrored_in_place(truth: Stated) -> Stated:
    """Turn the axis and what is along it: the corners are the same places, the voxels are not."""
    far = truth.origin + truth.columns[:, 0] * (truth.values.shape[2] - 1)
    turned = truth.columns * np.array([-1.0, 1.0, 1.0])
    return Stated(turned, far, truth.values)


@pytest.mark.parametrize(
    "wrong",
    [
        _turned_round,
        _exchanged,
        _shifted,
        _shifted_by_a_voxel,
        _other_slope,
        _one_voxel_off,
        _mirrored_in_place,
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_the_judge_notices(wrong, name, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.support.import_fuzz.stated", lambda *a: wrong(stated(*a)))
    assert judge(FORMATS[name](tmp_path))[0] == "FAULT"


def test_the_judge_does_not_mind_in_which_order_voxels_are_kept(tmp_path):
    path = FORMATS["nifti"](tmp_path)
    scan = read_scan(path)
    grid, values = scan.volume.grid, scan.volume.values
    last = values.shape[0] - 1
    # Our [k, j, i] kept as [j, last - k, i]: index (i, k, j) there is (i, j, last - k) here.
    turned = values[::-1].transpose(1, 0, 2)

    def place(index: np.ndarray) -> np.ndarray:
        i, k, j = np.moveaxis(np.asarray(index, float), -1, 0)
        return grid.index_to_mm(np.stack([i, j, last - k], axis=-1))

    assert stated(path, "nifti", "").difference(turned, place) == ""


_PRINT_DIGEST = "from tests.fuzz.test_import_fuzz import digest_of_mutants; print(digest_of_mutants())"


def digest_of_mutants() -> str:
    """Return a digest of all bytes and names of some mutants of each format."""
    import tempfile

    sha = hashlib.sha256()
    with tempfile.TemporaryDirectory() as top:
        for name, path, how in mutants(5 * len(FORMATS), 3, Path(top)):
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                sha.update(f"{name} {how} {file.name}".encode() + file.read_bytes())
    return sha.hexdigest()


def test_a_seed_names_the_same_bytes_in_every_process():
    root = Path(__file__).resolve().parents[2]
    found = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {digest_of_mutants()}


_PRINT_PEAK = "from cryoplan.image.memory import peak_bytes; print(peak_bytes())"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process its own peak")
def test_the_memory_of_a_child_is_its_own_and_not_that_of_the_suite_around_it():
    much = np.ones(1 << 26)  # 512 MB
    assert peak_bytes() > much.nbytes
    del much
    said = subprocess.run(
        [sys.executable, "-c", _PRINT_PEAK],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert 0 < int(said) < 1 << 29


def test_sixty_mutants_are_refused_by_name_or_are_what_their_bytes_say():
    tally = run(60, seed=11)
    assert tally.faults == []
    assert tally.hangs == 0
    assert sum(sum(v.values()) for v in tally.verdicts.values()) == 60
    assert tally.peak_bytes < MEMORY_BYTES
