"""DICOM shapes of a scan that was resampled when it was opened have planes of their own, and it is said."""

from __future__ import annotations

import numpy as np
import pydicom

from cryoplan.image.labels import read_structures
from cryoplan.image.read import read_scan
from cryoplan.workflow.export.dicom import write_dicom
from cryoplan.workflow.export.segments import segments_of
from tests.support.dicom_exports import GRIDS, needs, run, slices_of, write_slices
from tests.support.exports import make_subject

GAP = "missing-slice"


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
