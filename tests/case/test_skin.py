"""The skin is found where it is: on outlined bodies and on CT with a table, gas, lungs and arms."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case import skin as skin_module
from cryoplan.case.skin import body_mask, body_of_ct, body_source, sample_mask, skin_entry
from cryoplan.case.structure import Role
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from tests.support.cases import AIR, OBLIQUE, WATER, ball, case, grid, points_of, scan, structure

LEFT, BACK = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
WHERE = grid(size=(120, 100, 40), spacing=(1.5, 1.5, 4))


def ct(values: np.ndarray, where=WHERE, modality="CT") -> Scan:
    facts = ScanFacts(path="x", kind="nifti", code="P", modality=modality)
    return Scan(volume=Volume(grid=where, values=values.astype(np.int16)), facts=facts)


def cylinder(radius: float, where=WHERE, centre=(0.0, 0.0)) -> np.ndarray:
    p = points_of(where)
    return np.hypot(p[..., 0] - centre[0], p[..., 1] - centre[1]) <= radius


def test_an_outlined_body_is_the_body():
    body = structure("outline", ball(WHERE, (0, 0, 0), 50), Role.BODY)
    made = case(scan(WHERE), body)
    assert body_mask(made) is body.mask
    assert body_source(made) == "the structure outline"


@pytest.mark.parametrize("direction", [(1, 0, 0), (-0.3, 1, 0), (0.5, -0.5, 0.1)])
def test_the_skin_of_an_outlined_ball_lies_at_its_radius(direction):
    made = case(scan(WHERE), structure("body", ball(WHERE, (3, 4, 0), 50), Role.BODY))
    entry = skin_entry(made, (3, 4, 0), np.add((3, 4, 0), direction))
    assert np.linalg.norm(np.subtract(entry, (3, 4, 0))) == pytest.approx(50, abs=1.5)


def test_the_skin_of_a_ct_is_right_below_a_voxel():
    # A smooth edge: partial volume moves the threshold within the voxel.
    p = points_of(WHERE)
    radius = np.hypot(p[..., 0], p[..., 1])
    edge = np.clip((55.3 - radius) / 1.5 + 0.5, 0, 1)
    made = case(ct(AIR + edge * (WATER - AIR)))
    for angle in np.radians([0, 33, 90, 140, 250]):
        entry = skin_entry(made, (0, 0, 0), (np.cos(angle), np.sin(angle), 0))
        assert np.hypot(entry[0], entry[1]) == pytest.approx(55.3, abs=0.5)


def test_gas_and_lungs_inside_are_body_and_the_table_is_not():
    values = np.full(WHERE.shape, AIR)
    values[cylinder(55)] = WATER
    values[cylinder(20, centre=(15, 0))] = AIR  # bowel gas, open at the end slices
    p = points_of(WHERE)
    table = (np.abs(p[..., 1] - 57) < 2) & (np.abs(p[..., 0]) < 80)
    values[table] = 100
    body = body_of_ct(ct(values))
    inside = sample_mask(body, np.array([[15.0, 0, 0], [0, 50, 0], [0, -50, 40]]))
    outside = sample_mask(body, np.array([[70.0, 57, 0], [-70, 57, 20], [0, -70, 0], [0, 66, 0]]))
    assert inside.all()
    assert not outside.any()
    truth = cylinder(55).sum() * WHERE.voxel_volume_ml
    assert body.values.sum() * body.grid.voxel_volume_ml == pytest.approx(truth, rel=0.03)


def test_the_arm_beside_the_body_is_not_the_way_out():
    values = np.full(WHERE.shape, AIR)
    values[cylinder(40)] = WATER
    values[cylinder(14, centre=(65, 0))] = WATER
    entry = skin_entry(case(ct(values)), (0, 0, 0), (1, 0, 0))
    assert entry[0] == pytest.approx(40, abs=1.2)


def test_an_oblique_ct_gives_the_same_skin():
    where = grid(size=(110, 110, 50), spacing=(1.5, 1.5, 3), direction=OBLIQUE)
    values = np.where(np.linalg.norm(points_of(where), axis=-1) <= 45, WATER, AIR)
    entry = skin_entry(case(ct(values, where)), (0, 0, 0), (1, 1, 1))
    assert np.linalg.norm(entry) == pytest.approx(45, abs=1.5)


def test_no_entry_from_outside_or_beyond_the_image_or_without_a_body():
    made = case(ct(np.where(cylinder(55), WATER, AIR)))
    assert skin_entry(made, (80, 0, 0), (0, 0, 0)) is None
    assert skin_entry(made, (0, 0, 0), (0, 0, 1)) is None  # leaves the image first
    assert skin_entry(case(ct(np.zeros(WHERE.shape), modality="MR")), (0, 0, 0), (1, 0, 0)) is None


def test_a_skin_at_the_very_edge_of_the_image_is_still_found():
    p = points_of(WHERE)
    values = np.where(np.abs(p[..., 0]) <= 86.5, WATER, AIR)
    entry = skin_entry(case(ct(values)), (0, 0, 0), (1, 0, 0))
    assert entry[0] == pytest.approx(86.5, abs=2.0)


def test_where_gas_hides_the_edge_the_coarse_skin_stands():
    # Noise that never falls through the threshold near the coarse edge: nothing to refine with.
    coarse = case(ct(np.where(cylinder(55), WATER, AIR)))
    made = case(ct(np.full(WHERE.shape, WATER)))
    start, direction = np.zeros(3), np.array([1.0, 0, 0])
    assert skin_module._refined(made.scan.volume, start, direction, 55.0) == 55.0
    assert skin_module._refined(coarse.scan.volume, start, direction, 56.0) == pytest.approx(55.3, abs=0.6)


def test_an_mr_without_an_outline_has_no_body():
    made = case(scan(WHERE, modality="MR"))
    assert body_mask(made) is None
    assert body_source(made) == ""


def test_the_body_of_a_ct_is_found_once():
    image = ct(np.where(cylinder(55), WATER, AIR))
    assert body_of_ct(image) is body_of_ct(image)
    assert body_source(case(image)) == "CT values above -300 HU"


def test_an_entry_needs_a_direction():
    with pytest.raises(ValueError, match="no direction"):
        skin_entry(case(scan(WHERE)), (0, 0, 0), (0, 0, 0))


def test_sampling_outside_a_mask_gives_false():
    mask = Volume(grid=grid(size=(2, 2, 2)), values=np.ones((2, 2, 2), bool))
    points = np.array([[0.0, 0, 0], [5, 0, 0], [0, -5, 0], [0, 0, 50]])
    assert sample_mask(mask, points).tolist() == [True, False, False, False]


def test_the_patient_of_the_real_ct_has_a_plausible_size(liver_case):
    body = body_of_ct(liver_case.scan)
    assert 15_000 < body.values.sum() * body.grid.voxel_volume_ml < 20_000
    tumour = np.array([-93.4, 35.0, -302.1])
    right, back = (
        skin_entry(liver_case, tumour, tumour - LEFT),
        skin_entry(liver_case, tumour, tumour + BACK),
    )
    assert 45 < tumour[0] - right[0] < 65
    assert 85 < back[1] - tumour[1] < 110


def test_a_body_that_leaves_out_its_organs_is_whole_again():
    """A label map has one label per voxel: the label of the body has a hole wherever an organ is."""
    from cryoplan.case.structure import Role, Structure
    from tests.support.scenes import make_case

    case = make_case()
    body, tumour = case.structures
    grid = body.mask.grid
    without = body.mask.values & ~tumour.mask.values
    without[:, 40:44, 60:70] = False  # an organ that nobody outlined
    holed = Structure(
        name="body", role=Role.BODY, tissue="fat", mask=Volume(grid=grid, values=without), source="made"
    )
    assert body_mask(case) is body.mask
    whole = body_mask(case.changed(structures=(holed, tumour)))
    assert np.array_equal(whole.values, body.mask.values)
    assert body_mask(case.changed(structures=(holed, tumour))) is whole
    assert not np.array_equal(body_mask(case.changed(structures=(holed,), target_name="")).values, without)
