"""An independent converter, dcm2niix, puts every accepted DICOM case at the same place."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from cryoplan.image.read import read_scan
from cryoplan.image.scan import Scan
from tests.support.enhanced import enhanced, item, save
from tests.support.hostile import SLICES
from tests.support.hostile_dicom import CASES, centred, marker_errors_mm

PROGRAM = shutil.which("dcm2niix")


def _why_not() -> str:
    """Return why the other program cannot be asked; a package without its libraries starts with an error."""
    if PROGRAM is None:
        return "dcm2niix is not installed"
    done = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=False, timeout=60)
    return "" if "Options" in done.stdout else f"dcm2niix does not start: {done.stderr.strip()[:100]}"


WHY_NOT = _why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def _each_once(slices: list[Dataset]) -> list[Dataset]:
    return list({tuple(ds.ImagePositionPatient): ds for ds in slices}.values())


def _no_localizers(slices: list[Dataset]) -> list[Dataset]:
    return [ds for ds in slices if "LOCALIZER" not in ds.ImageType and ds.Rows == slices[-1].Rows]


def _own_uids(slices: list[Dataset]) -> list[Dataset]:
    for ds in slices:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return slices


def _no_thickness(slices: list[Dataset]) -> list[Dataset]:
    for ds in slices:
        del ds.SliceThickness
    return slices


def _unpacked(slices: list[Dataset]) -> list[Dataset]:
    for ds in slices:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return slices


MADE_EASY: dict[str, Callable[[list[Dataset]], list[Dataset]]] = {
    "localizer inside": _no_localizers,  # it makes a volume of the localizers too
    "equal instance uids": _own_uids,  # it takes files of one instance UID for copies
    "folder copied into itself": _each_once,  # it keeps both copies
    "slice twice": _each_once,
    "slice thickness is infinite": _no_thickness,  # it takes the thickness for a slice distance
    "deflated": _unpacked,  # it reads no deflated files
}
"""Cases that the other program does otherwise by design: it gets the series without what it stumbles over."""


def made_easy(name: str, folder: Path, out: Path) -> Path:
    """Return the folder of a case for the other program."""
    if name not in MADE_EASY:
        return folder
    out.mkdir()
    slices = MADE_EASY[name]([dcmread(path) for path in sorted(folder.rglob("*.dcm"))])
    for number, ds in enumerate(slices):
        ds.save_as(out / f"{number:03d}.dcm", enforce_file_format=True)
    return out


REAL = (
    "liver_ct_crlm1006", "abdomen_ct_dicom_j2k/dicom", "liver_mr_cmb/t2", "liver_mr_cmb/adc",
    "sarcoma_ct_mr_sts003/CT", "sarcoma_ct_mr_sts003/MR_T1", "oblique_mr_prostate_adc", "prone_mr_sagittal",
)  # fmt: skip


def converted(folder: Path, out: Path) -> list[object]:
    """Return the volumes that dcm2niix makes of a folder, as images in LPS."""
    out.mkdir()
    assert PROGRAM is not None
    command = [
        PROGRAM,
        "-z",
        "n",
        "-b",
        "n",
        "-i",
        "n",
        "-m",
        "y",
        "-f",
        "%s_%p",
        "-o",
        str(out),
        str(folder),
    ]
    subprocess.run(command, check=False, capture_output=True, timeout=120)
    return [sitk.ReadImage(str(path), sitk.sitkFloat64) for path in sorted(out.glob("*.nii"))]


def check_agreement(scan: Scan, image: object) -> None:
    """The eight corners of the volume lie at the same places, whichever way each stores them."""
    grid = scan.volume.grid
    ends = [np.array([i, j, k]) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    ours = np.array([grid.index_to_mm(e * (np.array(grid.size) - 1)) for e in ends])
    size = np.array(image.GetSize())  # type: ignore[attr-defined]
    theirs = np.array(
        [image.TransformIndexToPhysicalPoint([int(n) for n in e * (size - 1)]) for e in ends]  # type: ignore[attr-defined]
    )
    apart = np.linalg.norm(ours[:, None] - theirs[None], axis=-1).min(axis=1)
    assert apart.max() < 0.1


@pytest.mark.parametrize("name", sorted(n for n, c in CASES.items() if c.verdict == "ok" and c.volumes == 1))
def test_an_accepted_case_lies_where_the_other_program_puts_it(tmp_path: Path, name: str):
    CASES[name].make(tmp_path / "in")
    images = converted(made_easy(name, tmp_path / "in", tmp_path / "easy"), tmp_path / "out")
    assert len(images) == 1
    scan = read_scan(tmp_path / "in")
    check_agreement(scan, images[0])
    grid = scan.volume.grid
    index = np.random.default_rng(2).integers(0, np.array(grid.size), (300, 3))
    for one in index:
        there = images[0].TransformPhysicalPointToIndex([float(x) for x in grid.index_to_mm(one)])
        assert images[0].GetPixel(*there) == pytest.approx(scan.volume.values[tuple(one[::-1])], abs=1.0)
    assert max(marker_errors_mm(scan.volume.values.astype(float), grid).values()) < 0.1


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_an_enhanced_image_lies_where_the_other_program_puts_it(tmp_path: Path, modality: str):
    more = {"sop_class": MRImageStorage, "modality": "MR"} if modality == "MR" else {}
    series = centred((0, 1, 0), (0, 0, -1), **more)
    # In order, and numbered: the other program goes by these numbers and not by positions alone.
    groups = [
        {
            "FrameContentSequence": item(
                StackID="1", InStackPositionNumber=k + 1, DimensionIndexValues=[1, k + 1]
            )
        }
        for k in range(SLICES)
    ]
    save(enhanced([series.slice(k) for k in range(SLICES)], groups), tmp_path / "in")
    images = converted(tmp_path / "in", tmp_path / "out")
    assert len(images) == 1
    check_agreement(read_scan(tmp_path / "in"), images[0])


@pytest.mark.parametrize("name", REAL)
def test_a_real_series_lies_where_the_other_program_puts_it(tmp_path: Path, data_root: Path, name: str):
    scan = read_scan(data_root / name)
    images = [
        image
        for image in converted(data_root / name, tmp_path / "out")
        if sorted(image.GetSize()) == sorted(scan.volume.grid.size)
    ]
    assert images
    check_agreement(scan, images[0])
