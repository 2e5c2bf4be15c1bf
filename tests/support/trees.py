"""Trees of DICOM files as hospitals export them: patients, studies, phases, and what is no image."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset
from pydicom.fileset import FileSet

from tests.support.hostile import COLUMNS, ROWS, SPACING_MM, Series

PHASES = ("native", "arterial phase", "portal venous phase")


class Halves(Series):
    """A series that is bright where the patient's left, back or head is, dark elsewhere."""

    bright = (1.0, 0.0, 0.0)

    def pixels(self, position: np.ndarray) -> np.ndarray:
        i, j = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
        points = (
            position
            + (i * SPACING_MM[1])[..., None] * np.array(self.row)
            + (j * SPACING_MM[0])[..., None] * np.array(self.column)
        )
        middle = position + np.array(self.row) * COLUMNS * SPACING_MM[1] / 2
        middle = middle + np.array(self.column) * ROWS * SPACING_MM[0] / 2
        is_bright = (points - middle) @ np.array(self.bright) > 0
        return np.where(is_bright, 200 + 1024, -160 + 1024).astype("<i2")


def phases(folder: Path, patient: str = "A", count: int = 5) -> list[Series]:
    """Write one study with three phases, each in a folder of its own."""
    made = []
    for number, name in enumerate(PHASES):
        uid = f"1.2.826.0.1.{ord(patient[0])}"
        series = Series(
            series_uid=f"{uid}.{number + 1}", study_uid=uid, frame_uid=f"{uid}.99", description=name,
            patient_id=patient, patient_name=f"Name{patient}^Given",
        )  # fmt: skip
        series.write(folder / f"S{number}", range(count), SeriesNumber=number + 2, StudyDescription="Liver")
        made.append(series)
    return made


def disc(folder: Path, files: Sequence[Path]) -> Path:
    """Write a disc with a DICOMDIR of some files and return that."""
    fileset = FileSet()
    for file in files:
        dataset: FileDataset = pydicom.dcmread(file)
        fileset.add(dataset)
    folder.mkdir(parents=True)
    fileset.write(folder)
    with warnings.catch_warnings():  # it keeps a temporary folder until it is gone
        warnings.simplefilter("ignore", ResourceWarning)
        del fileset
        gc.collect()
    return folder / "DICOMDIR"
