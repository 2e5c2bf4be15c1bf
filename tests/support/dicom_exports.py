"""A case whose scan was read from DICOM files, and what other programs make of the objects written for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from cryoplan.core.grid import Grid
from cryoplan.image.read import read_scan
from cryoplan.workflow.export import Subject
from tests.support.exports import OBLIQUE, make_subject
from tests.support.foreign_structures import source_slices
from tests.support.scenes import make_case

AXIAL = Grid(
    size=OBLIQUE.size,
    spacing_mm=OBLIQUE.spacing_mm,
    origin_mm=tuple(np.subtract(OBLIQUE.centre_mm(), np.multiply(OBLIQUE.spacing_mm, np.subtract(OBLIQUE.size, 1)) / 2)),
)
GRIDS = {"axial": AXIAL, "oblique": OBLIQUE}


def slices_of(grid: Grid, **changes: object) -> list[FileDataset]:
    """Return CT slices with the voxels of the made-up case on a grid."""
    values = make_case(grid).scan.volume.values
    found = source_slices(grid)
    for header, voxels in zip(found, values, strict=True):
        header.RescaleIntercept, header.RescaleSlope = 0, 1
        header.PixelRepresentation = 1
        header.PixelData = np.ascontiguousarray(voxels, np.int16).tobytes()
        for word, value in changes.items():
            setattr(header, word, value)
    return found


def write_slices(folder: Path, slices: list[FileDataset]) -> Path:
    """Write slices into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, header in enumerate(slices):
        header.save_as(folder / f"{number:03d}.dcm", enforce_file_format=True)
    return folder


def subject_of(folder: Path) -> Subject:
    """Return the case that is planned on the series of a folder."""
    scan = read_scan(folder)
    return make_subject(scan.volume.grid, scan=scan)


@cache
def dicom_subject(name: str) -> Subject:
    """Return the case on one of `GRIDS`; its files stay until the tests end."""
    return subject_of(write_slices(Path(mkdtemp(prefix="cryoplan-test-")) / "scan", slices_of(GRIDS[name])))


def needs(program: str) -> str:
    """Return the path of a program, or skip the test."""
    own = str(Path(sys.executable).parent)  # programs that came as packages of Python
    path = next((p for p in (shutil.which(program, path=place) for place in (own, None, "/usr/sbin")) if p), None)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def run(*words: object) -> str:
    """Run a program to its end and return what it said, on either stream."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
