"""DICOM shapes of a scan that was resampled when it was opened have planes of their own, and it is said."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from cryoplan.image.labels import read_structures
from cryoplan.image.read import read_scan
from cryoplan.workflow.export.dicom import write_dicom
from cryoplan.workflow.export.segments import segments_of
from tests.support.dicom_exports import GRIDS, needs, run, slices_of, subject_of, write_slices
from tests.support.enhanced import enhanced, save
from tests.support.exports import make_subject

GAP, TILT = "missing-slice", "gantry-tilt"


def come_back(subject, out):
    """Check that every segment is read back voxel by voxel, and that other readers find no fault."""
    back = {m.name: m.mask for m in read_structures(out / "seg.dcm", subject.case.scan).masks}
    outlined = {m.name: m.mask for m in read_structures(out / "rtstruct.dcm", subject.case.scan).masks}
    for segment in segments_of(subject):
        if segment.mask.values.any():
            assert np.array_equal(back[segment.name].values, segment.mask.values), segment.name
            if segment.threshold_degc is None:
                assert np.array_equal(outlined[segment.name].values, segment.mask.values), segment.name
    program = needs("dciodvfy")
    for name in ("seg.dcm", "rtstruct.dcm"):
        assert "Error" not in run(program, out / name), name


@pytest.mark.parametrize("grid", GRIDS)
def test_a_scan_in_one_file_of_many_frames_is_exported_beside_it(tmp_path, grid):
    made = enhanced(slices_of(GRIDS[grid]))
    (tmp_path / "scan").mkdir()
    save(made, tmp_path / "scan")
    subject = subject_of(tmp_path / "scan")
    out = tmp_path / "out"
    out.mkdir()
    (finding,) = write_dicom(subject, ["seg", "rtstruct", "sr", "keyimages"], out)
    assert "many frames" in finding.text
    seg = pydicom.dcmread(out / "seg.dcm")
    assert seg.FrameOfReferenceUID == made.FrameOfReferenceUID
    assert seg.StudyInstanceUID == made.StudyInstanceUID
    come_back(subject, out)


def test_a_scan_with_a_tilted_gantry_is_exported_on_the_upright_planes_it_was_planned_on(tmp_path):
    slices = slices_of(GRIDS["axial"])
    tilt = np.deg2rad(12.0)
    for header in slices:
        header.ImageOrientationPatient = [
            1,
            0,
            0,
            0,
            round(float(np.cos(tilt)), 9),
            round(float(-np.sin(tilt)), 9),
        ]
    scan = read_scan(write_slices(tmp_path / "scan", slices), accept={TILT})
    subject = make_subject(scan.volume.grid, scan=scan)
    out = tmp_path / "out"
    out.mkdir()
    (finding,) = write_dicom(subject, ["seg", "rtstruct"], out)
    assert "resampled" in finding.text
    come_back(subject, out)


def test_a_scan_with_a_gap_is_exported_on_the_planes_it_was_planned_on(tmp_path):
    slices = slices_of(GRIDS["axial"])
    del slices[5]
    scan = read_scan(write_slices(tmp_path / "scan", slices), accept={GAP})
    subject = make_subject(scan.volume.grid, scan=scan)
    out = tmp_path / "out"
    out.mkdir()
    (finding,) = write_dicom(subject, ["seg", "rtstruct"], out)
    assert finding.code == "dicom-own-planes"
    assert "resampled" in finding.text
    seg = pydicom.dcmread(out / "seg.dcm")
    assert seg.FrameOfReferenceUID == slices[0].FrameOfReferenceUID
    back = {m.name: m.mask for m in read_structures(out / "seg.dcm", subject.case.scan).masks}
    for segment in segments_of(subject):
        if segment.mask.values.any():
            assert np.array_equal(back[segment.name].values, segment.mask.values), segment.name
    contour = pydicom.dcmread(out / "rtstruct.dcm").ROIContourSequence[0].ContourSequence[0]
    assert "ContourImageSequence" not in contour
    program = needs("dciodvfy")
    for name in ("seg.dcm", "rtstruct.dcm"):
        assert "Error" not in run(program, out / name), name
