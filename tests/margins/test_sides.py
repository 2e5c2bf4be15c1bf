"""Sides that are left out of the margins, on a sphere at a plane capsule and beside a plane bone."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.left_out import LeftOut, Side, sides_from_json, sides_to_json
from cryoplan.case.structure import Role
from cryoplan.core.errors import LimitError, StructureError
from cryoplan.core.finding import Level
from cryoplan.core.volume import Volume
from cryoplan.margins.assess import assess, judge_again
from cryoplan.margins.case_sides import describe_sides, with_side
from cryoplan.margins.margin_map import map_margins
from cryoplan.margins.outline import outline
from cryoplan.margins.sides import left_out_points, offered_sides
from tests.support.analytic import (
    ball,
    catalogue,
    centres_mm,
    cube,
    ice_ball,
    plan,
    result_of,
    structure,
)
from tests.support.analytic import case as case_of

GRID = cube(60)
RADIUS = 12.0
CAPSULE_X, BONE_Y = 10.5, 13.5
"""Between voxel centres, where the faces of the voxels are."""

HERE = centres_mm(GRID)
TUMOUR = ball(GRID, (0.0, 0.0, 0.0), RADIUS)


def mask(inside: np.ndarray) -> Volume:
    return Volume(grid=GRID, values=inside)


LIVER = mask((HERE[..., 0] <= CAPSULE_X) & ~TUMOUR.values)
"""Outlined without the tumour, which grows 1.5 mm out of it."""

BONE = mask(HERE[..., 1] >= BONE_Y)
AWAY = mask(HERE[..., 2] >= 25.0)


def patient(*sides: LeftOut):
    structures = (
        structure("tumour", Role.TUMOUR, TUMOUR),
        structure("liver", Role.ORGAN, LIVER),
        structure("rib", Role.BONE, BONE),
        structure("lung", Role.LUNG, AWAY),
    )
    return case_of(GRID, *structures).changed(left_out=sides)


def capsule(within_mm: float = 5.0) -> LeftOut:
    return LeftOut(structure="liver", side=Side.CAPSULE, within_mm=within_mm)


def rib(within_mm: float = 5.0) -> LeftOut:
    return LeftOut(structure="rib", side=Side.BESIDE, within_mm=within_mm)


def share_above(level: float) -> float:
    """Share of a sphere's area beyond a plane (Archimedes: the height of the cap over the diameter)."""
    return (RADIUS - level) / (2.0 * RADIUS)


@pytest.fixture(scope="module")
def surface():
    return outline("tumour", TUMOUR)


@pytest.mark.parametrize("within", [3.0, 5.0, 9.0])
def test_at_a_capsule_the_cap_of_the_sphere_is_left_out(surface, within):
    found = left_out_points(patient(), capsule(within), surface.surface, GRID)
    share = float(surface.area_mm2[found].sum() / surface.area_mm2.sum())
    assert share == pytest.approx(share_above(CAPSULE_X - within), abs=0.02)
    assert surface.surface.points_mm[found][:, 0].min() > CAPSULE_X - within - 0.5
    assert not found[surface.surface.points_mm[:, 0] < CAPSULE_X - within - 0.5].any()


def test_a_hole_for_a_vessel_in_the_outline_of_the_organ_is_no_capsule(surface):
    vein = np.hypot(HERE[..., 0] + 15.0, HERE[..., 1]) <= 4.0
    made = case_of(
        GRID,
        structure("tumour", Role.TUMOUR, TUMOUR),
        structure("liver", Role.ORGAN, mask(LIVER.values & ~vein)),
        structure("vein", Role.VESSEL, mask(vein)),
    )
    found = left_out_points(made, capsule(), surface.surface, GRID)
    assert not found[surface.surface.points_mm[:, 0] < 0.0].any()
    assert found[surface.surface.points_mm[:, 0] > CAPSULE_X - 4.5].all()


@pytest.mark.parametrize("within", [4.0, 8.0])
def test_beside_bone_the_cap_of_the_sphere_is_left_out(surface, within):
    found = left_out_points(patient(), rib(within), surface.surface, GRID)
    share = float(surface.area_mm2[found].sum() / surface.area_mm2.sum())
    assert share == pytest.approx(share_above(BONE_Y - within), abs=0.02)


def test_a_capsule_that_the_solver_grid_cuts_off_is_no_capsule(surface):
    """The liver goes on beyond the grid: only its border in front is one."""
    found = left_out_points(patient(), capsule(30.0), surface.surface, GRID)
    assert found[surface.surface.points_mm[:, 0] > CAPSULE_X - 29.0].all()
    near = left_out_points(patient(), capsule(15.0), surface.surface, GRID)
    assert not near[surface.surface.points_mm[:, 0] < CAPSULE_X - 15.5].any()


def test_margins_leave_a_side_out_and_say_so():
    # The ice misses the side of the capsule by 3 mm and has 4 mm and more everywhere else.
    field = ice_ball(GRID, (-7.0, 0.0, 0.0), 16.0)
    whole = patient()
    judged = assess(whole, plan(), catalogue(), result_of(field))
    all_of_it = judged.margin(0.0)
    assert all_of_it.minimum_mm == pytest.approx(-3.0, abs=0.3)
    without = judge_again(judged, patient(capsule(7.0)), result_of(field))
    margin = without.margin(0.0)
    assert margin.fraction_left_out == pytest.approx(share_above(CAPSULE_X - 7.0), abs=0.02)
    # On the cap's rim at x = 3.5: distance from the ice's centre to it.
    rim = np.hypot(10.5, np.sqrt(RADIUS**2 - 3.5**2))
    assert margin.minimum_mm == pytest.approx(16.0 - rim, abs=0.5)
    assert margin.worst_point_mm[0] < 4.0
    total = margin.fraction_below_0 + margin.fraction_0_to_5 + margin.fraction_5_up
    assert total == pytest.approx(1.0)
    said = [f for f in without.findings if f.code == "left-out"]
    assert len(said) == 1
    assert "capsule of liver within 7 mm" in said[0].text
    # And back again: the same numbers as before, nothing measured anew.
    assert judge_again(without, whole, result_of(field)) == judged


def test_a_warm_inside_is_still_told_when_the_warm_side_is_left_out():
    """No margin is asked of the side of the capsule, but tumour that stays warm there is not treated."""
    field = ice_ball(GRID, (-10.0, 0.0, 0.0), 16.5)
    judged = assess(patient(capsule(11.5)), plan(), catalogue(), result_of(field))
    assert judged.margin(0.0).minimum_mm > 0.0
    core = [f for f in judged.findings if f.code == "warm-core"]
    assert [f.level for f in core] == [Level.FAIL]
    assert "that counts" in core[0].text


def test_a_side_that_the_tumour_has_not_is_warned_of(surface):
    far = LeftOut(structure="lung", side=Side.CAPSULE)
    assert not left_out_points(patient(), far, surface.surface, GRID).any()
    judged = assess(patient(far), plan(), catalogue(), result_of(ice_ball(GRID, (0.0, 0.0, 0.0), 20.0)))
    assert [f.level for f in judged.findings if f.code == "left-out-elsewhere"] == [Level.WARN]
    assert judged.margin(0.0).fraction_left_out == 0.0


def test_where_all_would_be_left_out_the_margins_are_of_all():
    around = LeftOut(structure="liver", side=Side.BESIDE, within_mm=20.0)
    judged = assess(patient(around), plan(), catalogue(), result_of(ice_ball(GRID, (0.0, 0.0, 0.0), 20.0)))
    assert judged.margin(0.0).minimum_mm == pytest.approx(8.0, abs=0.3)
    assert judged.margin(0.0).fraction_left_out == 0.0
    assert [f.level for f in judged.findings if f.code == "left-out-everything"] == [Level.WARN]
    assert not judged.margin_map.left_out.any()  # nor is any of it drawn as left out
    with pytest.raises(ValueError, match="not all of them"):
        judged.margin_map.without(~judged.margin_map.left_out)


def test_what_is_near_is_offered_and_what_is_left_out_stays_there(surface):
    made = map_margins(surface, ice_ball(GRID, (0.0, 0.0, 0.0), 20.0), (0.0,), outside_degc=37.0)
    offered = offered_sides(patient(), made, GRID)
    assert [side.structure for side, _ in offered] == ["liver", "rib"]
    assert [side.side for side, _ in offered] == [Side.CAPSULE, Side.BESIDE]
    assert offered[0][1] == pytest.approx(share_above(CAPSULE_X - 5.0), abs=0.02)
    chosen = patient(LeftOut(structure="lung", side=Side.CAPSULE))
    assert [side.structure for side, _ in offered_sides(chosen, made, GRID)] == [
        "liver",
        "rib",
        "lung",
    ]


def test_a_side_is_chosen_changed_and_taken_back():
    before = patient()
    one = with_side(before, "liver", 5.0)
    assert one.left_out == (capsule(),)
    assert describe_sides(before, one) == "Left out of the margins: capsule of liver within 5 mm"
    two = with_side(one, "rib", 3.0)
    assert {s.structure for s in two.left_out} == {"liver", "rib"}
    assert describe_sides(one, two) == "Left out of the margins: rib within 3 mm"
    back = with_side(two, "liver", None)
    assert [s.structure for s in back.left_out] == ["rib"]
    assert describe_sides(two, back) == "Counts in the margins again: liver"
    assert with_side(one, "liver", 6.0).left_out == (capsule(6.0),)
    assert one.digest() == before.digest()
    assert not one.is_like(before)


@pytest.mark.parametrize("within", [0.0, -1.0, 31.0, float("nan")])
def test_a_distance_that_cannot_be_is_refused(within):
    with pytest.raises(LimitError) as caught:
        with_side(patient(), "liver", within)
    assert caught.value.code == "left-out-distance"
    assert caught.value.place == "liver"
    with pytest.raises(ValueError, match="0 to 30 mm"):
        capsule(within)


def test_an_unknown_structure_is_refused():
    with pytest.raises(StructureError):
        with_side(patient(), "spleen", 5.0)


def test_the_json_of_sides_says_all_of_them():
    sides = (capsule(), rib(2.5))
    assert sides_from_json(sides_to_json(sides)) == sides
    with pytest.raises(TypeError):
        sides_from_json({})
    with pytest.raises(ValueError, match="same structure"):
        sides_from_json(sides_to_json([capsule(), capsule(3.0)]))


def test_the_map_holds_every_point_and_isotherm(surface):
    field = ice_ball(GRID, (0.0, 0.0, 0.0), 20.0)
    made = map_margins(surface, field, (0.0, -20.0), outside_degc=37.0)
    assert made.signed_mm.shape == (2, len(surface.area_mm2))
    np.testing.assert_allclose(made.signed(0.0), 8.0, atol=0.5)
    np.testing.assert_allclose(made.signed(-20.0), 3.0, atol=0.5)
    np.testing.assert_allclose(made.lowest_degc, -32.0, atol=2.5)
    with pytest.raises(ValueError, match="not in tuple"):
        made.signed(-30.0)
