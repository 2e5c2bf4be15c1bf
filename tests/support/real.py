"""The real liver CT as a case, read by SimpleITK alone: plan and case are tested without the reader."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK

from cryoplan.case.build import build_case
from cryoplan.case.case import Case
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan, ScanFacts


@lru_cache(maxsize=1)
def liver_ct_case(data_root: Path) -> Case:
    """Return the case with target 1 as its target."""
    folder = data_root / "liver_ct_crlm1006"
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / "dicom")))
    image = _volume(reader.Execute(), np.int16)
    labels = _volume(SimpleITK.ReadImage(str(folder / "labels.nii.gz")), np.uint8)
    names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))["labels"]
    masks = [
        NamedMask(
            name=row["name"],
            mask=Volume(grid=image.grid, values=labels.values == int(value)),
            source=f"labels.nii.gz: {value}",
        )
        for value, row in names.items()
    ]
    facts = ScanFacts(
        path=str(folder), kind="dicom-series", code="P-1", modality="CT", patient_position="FFS"
    )
    return build_case(Scan(volume=image, facts=facts), masks, target="target_1")


def _volume(image: SimpleITK.Image, dtype: type) -> Volume:
    where = Grid(
        size=image.GetSize(),
        spacing_mm=image.GetSpacing(),
        origin_mm=image.GetOrigin(),
        direction=image.GetDirection(),
    )
    return Volume(grid=where, values=SimpleITK.GetArrayFromImage(image).astype(dtype))
