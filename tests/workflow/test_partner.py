"""A second image passes when patient and frame of reference are the same; each difference needs a yes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from cryoplan import workflow
from cryoplan.core.errors import ImageError
from cryoplan.core.volume import Volume
from cryoplan.image.read import read_scan
from cryoplan.image.scan import ScanFacts
from cryoplan.image.write import write_volume
from cryoplan.scene.fusion import lay_over
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slices import SliceSampler
from cryoplan.workflow.partner import ANOTHER_FRAME, ANOTHER_PATIENT, UNKNOWN_FRAME, partner_differences
from tests.support.scenes import grid_around, turned

CT = ScanFacts(path="a/ct", kind="dicom-series", code="P-1", modality="CT", frame_of_reference_uid="1.2.3")
MR = replace(CT, path="a/mr.dcm", modality="MR")


def test_another_series_of_the_same_patient_and_frame_passes():
    workflow.check_partner(CT, MR)


def test_another_patient_is_named_first_and_needs_a_yes_of_its_own():
    with pytest.raises(ImageError, match="another patient") as refused:
        workflow.check_partner(CT, replace(MR, code="P-2", frame_of_reference_uid="9"))
    assert refused.value.code == ANOTHER_PATIENT
    assert "mr.dcm" in refused.value.what
    assert "P-2" in refused.value.what
    assert "P-1" in refused.value.what
    with pytest.raises(ImageError, match="another patient"):
        workflow.check_partner(CT, replace(MR, code="P-2"), accept=(ANOTHER_FRAME, UNKNOWN_FRAME))
    both = replace(MR, code="P-2", frame_of_reference_uid="9")
    with pytest.raises(ImageError, match="frame of reference"):
        workflow.check_partner(CT, both, accept=(ANOTHER_PATIENT,))
    workflow.check_partner(CT, both, accept=(ANOTHER_PATIENT, ANOTHER_FRAME))
    assert [f.code for f in partner_differences(CT, both)] == [ANOTHER_PATIENT, ANOTHER_FRAME]


def test_another_frame_of_reference_needs_a_yes():
    moved = replace(MR, frame_of_reference_uid="1.2.4")
    with pytest.raises(ImageError, match="another frame of reference") as refused:
        workflow.check_partner(CT, moved, accept=(ANOTHER_PATIENT,))
    assert refused.value.code == ANOTHER_FRAME
    assert refused.value.place == "mr.dcm"
    workflow.check_partner(CT, moved, accept=(ANOTHER_FRAME,))


@pytest.mark.parametrize("which", ["first", "second"])
def test_a_file_that_names_no_frame_needs_a_yes(which):
    pair = {"first": CT, "second": MR}
    pair[which] = replace(pair[which], kind="nifti", frame_of_reference_uid="", code="F-9")
    with pytest.raises(ImageError, match="Nothing tells") as refused:
        workflow.check_partner(pair["first"], pair["second"])
    assert refused.value.code == UNKNOWN_FRAME
    workflow.check_partner(pair["first"], pair["second"], accept=(UNKNOWN_FRAME,))


def test_the_real_t2_and_adc_of_one_examination_lie_on_each_other(data_root):
    folder = data_root / "liver_mr_cmb"
    t2 = read_scan(folder / "t2", accept=_codes(folder / "t2"))
    adc = workflow.load_partner(t2, folder / "adc", accept=_codes(folder / "adc"))
    assert adc.facts.series_uid != t2.facts.series_uid
    sampler = SliceSampler(t2.volume)
    picture = sampler.extract(SlicePlane.through(Orientation.AXIAL, t2.volume.grid.centre_mm()))
    overlay = lay_over(adc.volume, picture)
    assert overlay.inside.mean() > 0.5
    # SimpleITK, which reads both series by itself, finds the same values at the same places.
    itk_adc = _read_with_itk(folder / "adc")
    checked = 0
    for row in range(5, overlay.values.shape[0], 23):
        for column in range(5, overlay.values.shape[1], 23):
            point = picture.plane.plane_to_mm(*picture.pixel_to_plane(column, row))
            index = itk_adc.TransformPhysicalPointToContinuousIndex(point.tolist())
            if all(0.0 <= x <= n - 1 for x, n in zip(index, itk_adc.GetSize(), strict=True)):
                expected = itk_adc.EvaluateAtPhysicalPoint(point.tolist(), sitk.sitkLinear)
                assert overlay.values[row, column] == pytest.approx(expected, abs=0.5)
                checked += 1
    assert checked > 200


def test_the_image_itself_is_no_second_image(tmp_path):
    path = _written(tmp_path / "a.nii.gz", (0.0, 0.0, 0.0))
    first = read_scan(path)
    with pytest.raises(ImageError, match="planned on") as refused:
        workflow.read_partner(first, path)
    assert refused.value.code == "second-image-is-first"


@pytest.mark.parametrize("far", [(100.0, 0.0, 0.0), (0.0, -90.0, 0.0), (0.0, 0.0, 61.0)])
def test_an_image_that_shares_no_place_with_the_first_is_refused_whatever_is_accepted(tmp_path, far):
    first = read_scan(_written(tmp_path / "a.nii.gz", (0.0, 0.0, 0.0)))
    path = _written(tmp_path / "b.nii.gz", far)
    with pytest.raises(ImageError, match="no place in common") as refused:
        workflow.load_partner(first, path, accept=(ANOTHER_FRAME, UNKNOWN_FRAME))
    assert refused.value.code == "second-image-elsewhere"
    assert refused.value.place == "b.nii.gz"


def test_an_oblique_image_that_only_pierces_the_first_with_its_middle_is_let_through(tmp_path):
    first = read_scan(_written(tmp_path / "a.nii.gz", (0.0, 0.0, 0.0)))
    path = tmp_path / "rod.nii.gz"
    grid = grid_around((0.0, 0.0, 0.0), (300.0, 6.0, 6.0), (3.0, 1.5, 1.5), turned((20.0, 30.0, 40.0)))
    write_volume(Volume(grid=grid, values=np.ones(grid.shape, np.int16)), path)
    partner = workflow.read_partner(first, path)
    assert [f.code for f in partner.differences] == [UNKNOWN_FRAME]


def _written(path, centre):
    grid = grid_around(centre, (60.0, 60.0, 60.0), (2.0, 3.0, 4.0))
    values = np.random.default_rng(int(abs(sum(centre)))).integers(-900, 900, grid.shape).astype(np.int16)
    write_volume(Volume(grid=grid, values=values), path)
    return path


def _read_with_itk(folder):
    reader = sitk.ImageSeriesReader()
    names = reader.GetGDCMSeriesFileNames(str(folder))
    reader.SetFileNames(names)
    return reader.Execute()


def test_the_liver_ct_is_no_partner_of_the_liver_mr(data_root):
    folder = data_root / "liver_mr_cmb" / "t2"
    t2 = read_scan(folder, accept=_codes(folder))
    other = data_root / "liver_ct_crlm1006"
    with pytest.raises(ImageError, match=r"another patient|no place in common"):
        workflow.load_partner(t2, other, series_uid=_series(other), accept=_codes(other))


def _series(path):
    return next(s.uid for s in workflow.list_series(path).series if s.kind == "dicom-series")


def _codes(path):
    return {f.code for s in workflow.list_series(path).series for f in s.findings}
