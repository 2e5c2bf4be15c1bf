"""Closed meshes of real outlines: thin vessels, ribs, and structures cut by the border of the image."""

from __future__ import annotations

import pytest

from cryoplan.scene.closed_mesh import structure_surface
from cryoplan.workflow import load_case


@pytest.mark.parametrize(
    ("folder", "image", "labels"),
    [
        ("liver_ct_crlm1006", "dicom", "labels.nii.gz"),
        ("abdomen_ct_totalseg", "ct.nii.gz", "labels.nii.gz"),
        ("abdomen_mr_totalseg", "mr.nii.gz", "labels.nii.gz"),
    ],
)
def test_every_real_structure_is_watertight_and_keeps_its_volume(data_root, folder, image, labels):
    case = load_case(data_root / folder / image, structures=[data_root / folder / labels])
    assert len(case.structures) > 5
    for structure in case.structures:
        mesh = structure_surface(structure, case)
        assert mesh.is_watertight, structure.name
        assert mesh.volume_ml() == pytest.approx(structure.volume_ml, rel=0.01), structure.name
