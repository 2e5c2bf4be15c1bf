"""Card: depth and gaps are those of the formulas within what the voxels allow; what is odd is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.card import make_card
from cryoplan.case.structure import Role
from cryoplan.case.surface import Drawn, signed_distance_mm
from cryoplan.case.surroundings import Relation, holder_of
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Level
from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from tests.support.bodies import FRONT_MM, SCAN_GRID, body, structure
from tests.support.bodies import ball as body_ball
from tests.support.cases import LEFT_HANDED, OBLIQUE, ball, box, case, grid, points_of, scan
from tests.support.cases import structure as made

GRIDS = {
    "plain": grid(size=(70, 70, 70), spacing=(1, 1, 1)),
    "oblique": grid(size=(70, 60, 36), spacing=(1.0, 1.2, 2.0), centre=(5, 6, 7), direction=OBLIQUE),
    "thick": grid(size=(70, 70, 15), spacing=(0.9, 0.9, 5.0), direction=LEFT_HANDED),
}
GRID_KINDS = pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS.keys())


def near(length, wanted_mm: float) -> bool:
    """Tell whether a length is what it should be within what it states, and a little for round shapes."""
    return abs(length.mm - wanted_mm) <= length.within_mm + 0.3


@GRID_KINDS
def test_the_gap_between_two_balls_is_what_lies_between_them(where):
    along = where.axes @ np.array([0.8, 0.5, 0.3])
    along /= np.linalg.norm(along)
    a = made("a", ball(where, where.centre_mm() - 15.0 * along, 8.0), Role.TUMOUR)
    b = made("b", ball(where, where.centre_mm() + 13.0 * along, 6.0), Role.VESSEL)
    found = make_card(case(scan(where), a, b), "a").neighbours
    assert [gap.name for gap in found] == ["b"]
    assert found[0].relation is Relation.APART
    assert near(found[0].length, 28.0 - 14.0)
    other = make_card(case(scan(where), a, b), "b").neighbours[0]
    assert other.length.mm == pytest.approx(found[0].length.mm, abs=0.35)
    # The place that is gone to lies on the neighbour.
    assert abs(signed_distance_mm(b.mask, [found[0].point_mm])[0]) < 1e-6


@GRID_KINDS
def test_depth_under_the_capsule_is_measured_to_the_organ_made_whole(where):
    centre, radius = where.centre_mm(), 30.0
    along = where.axes[:, 0]
    at, small = centre + 12.0 * along, 7.0
    other = ball(where, centre + 12.0 * along - 15.0 * where.axes[:, 1], 5.0)
    whole, tumour = ball(where, centre, radius), ball(where, at, small)
    rest = Volume(grid=where, values=whole.values & ~tumour.values & ~other.values)
    found = make_card(
        case(
            scan(where),
            made("liver", rest, Role.ORGAN),
            made("tumour 1", tumour, Role.TUMOUR),
            made("tumour 2", other, Role.TUMOUR),
        ),
        "tumour 1",
    )
    assert found.capsule.name == "liver"
    assert near(found.capsule.length, radius - 12.0 - small)
    assert "liver" not in [gap.name for gap in found.neighbours]


@GRID_KINDS
def test_a_tumour_that_bulges_out_of_its_organ_lies_at_its_capsule(where):
    centre = where.centre_mm()
    whole = ball(where, centre, 22.0)
    tumour = ball(where, centre + 19.0 * where.axes[:, 0], 6.0)
    rest = Volume(grid=where, values=whole.values & ~tumour.values)
    organ, lump = made("kidney", rest, Role.KIDNEY), made("t", tumour, Role.TUMOUR)
    found = make_card(case(scan(where), organ, lump), "t").capsule
    assert found.name == "kidney"
    assert found.length.mm == 0.0
    assert found.relation is Relation.TOUCHES


@pytest.mark.parametrize("role", [Role.ORGAN, Role.KIDNEY, Role.LUNG])
def test_every_role_that_holds_tumours_has_a_capsule(role):
    where = GRIDS["plain"]
    tumour = ball(where, (0.0, 0.0, 8.0), 6.0)
    rest = Volume(grid=where, values=ball(where, (0.0, 0.0, 0.0), 24.0).values & ~tumour.values)
    here = case(scan(where), made("holder", rest, role), made("t", tumour, Role.TUMOUR))
    assert make_card(here, "t").capsule.name == "holder"


def test_what_lies_beside_an_organ_is_not_held_by_it():
    where = GRIDS["plain"]
    organ = made("liver", ball(where, (-15.0, 0.0, 0.0), 14.0), Role.ORGAN)
    lump = made("t", ball(where, (8.0, 0.0, 0.0), 8.0), Role.TUMOUR)
    here = case(scan(where), organ, lump)
    assert holder_of(here, lump) is None
    assert make_card(here, "t").capsule is None


def test_an_organ_that_goes_on_beyond_the_image_has_no_capsule_there():
    where = GRIDS["plain"]
    # It fills the lower half of the image; the tumour lies nearer to the end of the image than to its top.
    organ = box(where, (-99, -99, -99), (99, 99, 10.0))
    lump = ball(where, (0.0, 0.0, -20.0), 6.0)
    rest = Volume(grid=where, values=organ.values & ~lump.values)
    here = case(scan(where), made("liver", rest, Role.ORGAN), made("t", lump, Role.TUMOUR))
    assert near(make_card(here, "t").capsule.length, 10.0 + 20.0 - 6.0)


def test_depth_under_the_skin_is_from_the_skin_not_from_the_end_of_the_image():
    radius, centre = 9.0, (10.0, 0.0, 35.0)
    here = body(body_ball("t", Role.TUMOUR, "tumour", centre, radius))
    found = make_card(here, "t")
    # The top of the image is 15 mm away, the skin 31 mm.
    assert near(found.skin.length, -FRONT_MM - radius)
    assert found.skin.point_mm[1] == pytest.approx(FRONT_MM, abs=2.5)


def test_an_mr_without_an_outlined_body_has_no_skin():
    here = body(body_ball("t", Role.TUMOUR, "tumour", (0.0, 0.0, 0.0), 9.0), modality="MR")
    assert make_card(here, "t").skin is None


@pytest.mark.parametrize(
    ("inside", "relation"),
    [
        (lambda p: np.linalg.norm(p - (0, 0, 0), axis=-1) <= 20.0, Relation.HOLDS_IT),
        (lambda p: np.linalg.norm(p - (0, 0, 0), axis=-1) <= 4.0, Relation.LIES_IN_IT),
        (lambda p: np.linalg.norm(p - (9, 0, 0), axis=-1) <= 7.0, Relation.OVERLAPS),
    ],
)
@pytest.mark.parametrize("other_grid", [False, True])
def test_structures_that_share_voxels_are_told_in_words(inside, relation, other_grid):
    where = GRIDS["plain"]
    there = grid(size=(60, 60, 50), spacing=(1.1, 1.2, 1.3), direction=OBLIQUE) if other_grid else where
    other = made("vein", Volume(grid=there, values=inside(points_of(there))), Role.VESSEL)
    lump = made("t", ball(where, (0.0, 0.0, 0.0), 9.0), Role.TUMOUR)
    found = make_card(case(scan(where), lump, other), "t").neighbours[0]
    assert found.relation is relation
    assert found.length.mm == 0.0


def test_neighbours_that_touch_are_0_mm_apart_and_stand_first():
    where = GRIDS["plain"]
    lump = made("t", box(where, (-10, -5, -5), (0, 5, 5)), Role.TUMOUR)
    beside = made("vein", box(where, (0, -5, -5), (6, 5, 5)), Role.VESSEL)
    away = made("bowel", box(where, (-30, -5, -5), (-20, 5, 5)), Role.BOWEL)
    found = make_card(case(scan(where), away, lump, beside), "t").neighbours
    assert [(g.name, g.relation) for g in found] == [
        ("vein", Relation.TOUCHES), ("bowel", Relation.APART),
    ]  # fmt: skip
    assert found[1].length.mm == pytest.approx(10.0, abs=1e-6)


def test_what_surrounds_everything_or_is_far_away_is_no_neighbour():
    where = grid(size=(80, 40, 40), spacing=(2, 2, 2))
    lump = made("t", ball(where, (-60.0, 0.0, 0.0), 9.0), Role.TUMOUR)
    far = made("far", ball(where, (60.0, 0.0, 0.0), 9.0), Role.BOWEL)
    around = made("body", ball(where, (0.0, 0.0, 0.0), 76.0), Role.BODY)
    assert make_card(case(scan(where), lump, far, around), "t").neighbours == ()


def codes(found) -> dict[str, Level]:
    return {f.code: f.level for f in found.findings}


def test_islands_and_holes_of_a_tumour_warn_and_those_of_a_vessel_are_only_told():
    where = GRIDS["plain"]
    shell = ball(where, (0, 0, 0), 10.0).values & ~ball(where, (0, 0, 0), 4.0).values
    two = Volume(grid=where, values=shell | ball(where, (22, 0, 0), 3.0).values)
    for role, level in ((Role.TUMOUR, Level.WARN), (Role.VESSEL, Level.OK)):
        found = make_card(case(scan(where), made("x", two, role)), "x")
        assert codes(found) == {"structure-islands": level, "structure-holes": level}
        assert all(f.place == "x" and f.text.startswith("x ") for f in found.findings)


def test_a_tumour_at_the_edge_of_the_image_and_one_of_two_slices_are_said():
    where = GRIDS["thick"]
    edge = np.zeros(where.shape, bool)
    edge[:5, 20:40, 20:40] = True
    flat = np.zeros(where.shape, bool)
    flat[9:11, 20:40, 20:40] = True
    for values, code in ((edge, "structure-at-image-edge"), (flat, "structure-few-voxels")):
        found = make_card(case(scan(where), made("t", Volume(grid=where, values=values), Role.TUMOUR)), "t")
        assert codes(found) == {code: Level.WARN}


def test_overlaps_stand_on_the_cards_of_both():
    where = GRIDS["plain"]
    a = made("a", ball(where, (0, 0, 0), 10.0), Role.TUMOUR)
    b = made("b", ball(where, (8, 0, 0), 10.0), Role.TUMOUR)
    for name in "ab":
        assert "structures-overlap" in codes(make_card(case(scan(where), a, b), name))


def test_volume_and_voxels_are_those_drawn():
    lump = structure(
        "t", Role.TUMOUR, "tumour", np.arange(np.prod(SCAN_GRID.shape)).reshape(SCAN_GRID.shape) < 5
    )
    found = make_card(body(lump), "t")
    assert found.voxels == 5
    assert found.volume_ml == pytest.approx(5 * 15.0 / 1000.0)


def test_an_unknown_structure_is_refused_and_a_cancelled_card_stops():
    here = body(body_ball("t", Role.TUMOUR, "tumour", (0.0, 0.0, 0.0), 9.0))
    with pytest.raises(StructureError) as caught:
        make_card(here, "u")
    assert caught.value.code == "structure-unknown"

    class Stop:
        def report(self, report) -> None:
            """Take it."""

        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        make_card(here, "t", progress=Stop())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), open_ends=st.booleans())
def test_the_nearest_point_is_that_of_trying_every_face(seed, open_ends):
    rng = np.random.default_rng(seed)
    here = grid(size=(14, 12, 10), spacing=(1.5, 1.0, 3.0), centre=(0, 0, 0), direction=OBLIQUE)
    there = grid(size=(12, 14, 9), spacing=(1.2, 1.0, 4.0), centre=tuple(rng.uniform(-25, 25, 3)))
    mask, other = (Volume(grid=g, values=rng.random(g.shape) < 0.02) for g in (here, there))
    if not (mask.values.any() and other.values.any()):
        return
    found = Drawn(mask).nearest(other, open_ends=open_ends)
    corners = []
    spacing = np.asarray(there.spacing_mm)
    for k, j, i in np.argwhere(other.values):
        for axis in range(3):
            for side in (-1, 1):
                at = np.array([i, j, k])
                at[axis] += side
                beyond = at[axis] < 0 or at[axis] >= there.size[axis]
                if (beyond and open_ends) or (not beyond and other.values[at[2], at[1], at[0]]):
                    continue
                # The same points on each face, by themselves: edges to edges, at most a millimetre apart.
                ticks = [np.linspace(-0.5, 0.5, int(np.ceil(s)) + 1) for s in spacing]
                ticks[axis] = np.array([0.5 * side])
                offsets = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1).reshape(-1, 3)
                corners.append(np.array([i, j, k]) + offsets)
    if not corners:
        assert found is None
        return
    points = there.index_to_mm(np.concatenate(corners))
    assert found.gap_mm == pytest.approx(float(signed_distance_mm(mask, points).min()), abs=1e-6)
