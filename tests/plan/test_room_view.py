"""Angles, slices and tilt by hand in five positions, the same however the image is stored; hubs and bore."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.clash import clash_findings, needle
from cryoplan.plan.limits import placement_limits
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.room import Room
from cryoplan.plan.room_view import bore_room_mm, room_line, slice_words, treatment_position
from cryoplan.plan.rules import check_plan, needles_of
from cryoplan.plan.tool import Tool, ToolKind
from cryoplan.workflow.paths_out import describe_paths
from tests.support.cases import OBLIQUE, ball, box, case, grid, scan, structure

CATALOGUE = load_catalogue()
WHERE = grid(size=(112, 124, 90), spacing=(0.8, 0.8, 0.8))
LIMITS = placement_limits()
# Tip at the origin; 60 mm towards the front, 30 mm to the left and 20 mm to the head of it the entry.
PROBE = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(30, -60, 20))


def patient(where: Grid = WHERE, position: str = "HFS") -> Case:
    made = [
        structure("tumour", ball(where, (0, -4, 2), 9), Role.TUMOUR, "tumour"),
        structure("bowel", ball(where, (10, -24, 7), 8), Role.BOWEL),
        structure("body", box(where, (-40, -46, -32), (40, 46, 32)), Role.BODY),
    ]
    return case(scan(where, position=position), *made, target="tumour")


def line(probe=PROBE, room=None, position="HFS"):
    limits = LIMITS
    return room_line(patient(position=position), needle(probe, "probe", 1.83, 175.0, limits), room or Room())


# By hand: d = tip - entry = (-30, 60, -20). Supine, down is the back (+y): across 30, down 60, so the angle
# in the slice is atan(30 / 60) = 26.565 and that of the tilt atan(-20 / 60) = -18.435. Prone, down is the
# front: the path rises, so the tilt changes sides. On the left side down is +x: across 60, "down" -30, so
# atan(60 / 30) = 63.435, and atan(20 / 30) is more than 30 degrees. On the right side the same, the other way
# up. Out of the slice it is atan(20 / hypot(30, 60)) = 16.601 towards the feet in all of them.
BY_HAND = {
    "HFS": (26.565, "right", -18.435),
    "FFS": (26.565, "right", -18.435),
    "HFP": (26.565, "right", 18.435),
    "HFDL": (63.435, "posterior", None),
    "HFDR": (63.435, "posterior", None),
}


@pytest.mark.parametrize("position", BY_HAND)
def test_angles_and_tilt_are_those_worked_out_by_hand(position):
    in_plane, toward, tilt = BY_HAND[position]
    for found in (line(position=position), line(room=Room(position=position))):
        lie = found.angles
        assert lie.in_plane_deg == pytest.approx(in_plane, abs=1e-3)
        assert lie.in_plane_toward == toward
        assert lie.cranio_caudal_deg == pytest.approx(-16.601, abs=1e-3)
        assert lie.gantry_tilt_deg == (None if tilt is None else pytest.approx(tilt, abs=1e-3))
        assert found.depth_mm == pytest.approx(70.0)
        assert (found.entry_z_mm, found.tip_z_mm) == (20.0, 0.0)
        assert found.entry_from_target_mm - found.tip_from_target_mm == pytest.approx(20.0)


def test_what_the_gantry_cannot_do_is_said_with_its_reason():
    assert "18.4°, lower edge to the feet" in line().tilt_text
    assert "33 mm of table shift for each 10 cm" in line().tilt_text
    low = line(room=Room(gantry_tilt_limit_deg=15))
    assert low.angles.gantry_tilt_deg is None
    assert low.tilt_text == "cannot (more than 15°): entry and tip 20.0 mm apart head to feet"
    assert "does not tilt" in line(room=Room(gantry_tilt_limit_deg=0)).tilt_text
    flat = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(30, -60, 0))
    assert line(flat, Room(gantry_tilt_limit_deg=0)).tilt_text == "none needed: within one slice"


def test_slices_have_the_letter_of_their_side():
    assert slice_words(12.34) == "H 12.3"
    assert slice_words(-294.1) == "F 294.1"


def restored(image_case: Case, how: str) -> Case:
    """Return the case with image and masks stored another way; what lies where is the same."""
    old = image_case.scan.volume.grid
    if how == "oblique":
        turn = np.reshape(OBLIQUE, (3, 3))
        new = Grid(
            size=(161, 161, 141),
            spacing_mm=(0.8, 0.8, 0.8),
            origin_mm=tuple(-turn @ np.array([64.0, 64.0, 56.0])),
            direction=tuple(turn.ravel()),
        )

        def stored(volume: Volume) -> Volume:
            k, j, i = np.indices(new.shape)
            at = old.mm_to_index(new.index_to_mm(np.stack([i, j, k], axis=-1)))[..., ::-1]
            outside = -1000.0 if volume.values.dtype != bool else 0.0
            order = 0 if volume.values.dtype == bool else 1
            values = map_coordinates(
                volume.values.astype(float),
                np.moveaxis(at, -1, 0),
                order=order,
                cval=outside,
                mode="constant",
            )
            return Volume(grid=new, values=values.astype(volume.values.dtype))

        return moved(image_case, stored)
    axes = {"flipped": (0, 1, 2), "permuted": (2, 0, 1)}[how]
    flips = (True, False, True) if how == "flipped" else (False, True, False)
    turn = np.reshape(old.direction, (3, 3))
    last = np.array([old.size[a] - 1 if flips[a] else 0 for a in range(3)], float)
    columns = [turn[:, a] * (-1.0 if flips[a] else 1.0) for a in axes]
    new = Grid(
        size=tuple(old.size[a] for a in axes),
        spacing_mm=tuple(old.spacing_mm[a] for a in axes),
        origin_mm=tuple(old.index_to_mm(last)),
        direction=tuple(np.stack(columns, axis=1).ravel()),
    )

    def turned(volume: Volume) -> Volume:
        ijk = volume.values.transpose(2, 1, 0)
        ijk = ijk[tuple(slice(None, None, -1 if flips[a] else 1) for a in range(3))].transpose(axes)
        return Volume(grid=new, values=np.ascontiguousarray(ijk.transpose(2, 1, 0)))

    return moved(image_case, turned)


def moved(old: Case, stored) -> Case:
    image = scan(WHERE, position=old.scan.facts.patient_position)
    volume = stored(old.scan.volume)
    made = [structure(s.name, stored(s.mask), s.role, s.tissue) for s in old.structures]
    return case(type(image)(volume=volume, facts=old.scan.facts), *made, target=old.target_name)


PLAN = Plan(
    probes=(
        Probe(name="1", model="generic-15g", tip_mm=(1.3, 9.1, 3.2), entry_mm=(14.0, -45.4, 11.0)),
        Probe(name="2", model="icesphere-17g", tip_mm=(-8.2, 7.4, -1.7), entry_mm=(-4.1, -45.6, 2.0)),
    ),
    tools=(
        Tool(name="TC1", kind=ToolKind.THERMOCOUPLE, tip_mm=(5, -10, -9), entry_mm=(22.0, -45.5, -12.0),
             diameter_mm=1.3, length_mm=150.0),
    ),
)  # fmt: skip


def numbers(found: object, path: str = "") -> dict[str, float | str]:
    """Return every number and word of a JSON tree by its path."""
    if isinstance(found, dict):
        return {k: v for key in found for k, v in numbers(found[key], f"{path}.{key}").items()}
    if isinstance(found, list):
        return {k: v for n, one in enumerate(found) for k, v in numbers(one, f"{path}[{n}]").items()}
    return {path: found}


@pytest.mark.parametrize("position", ["HFS", "HFP", "HFDL", "HFDR", "FFS"])
@pytest.mark.parametrize(("how", "within"), [("flipped", 0.2), ("permuted", 0.2), ("oblique", 0.8)])
def test_every_number_is_the_same_however_the_image_is_stored(how, within, position):
    old = patient(position=position)
    before = numbers(describe_paths(old, PLAN, CATALOGUE).to_json())
    after = numbers(describe_paths(restored(old, how), PLAN, CATALOGUE).to_json())
    assert len(before) > 60
    # Words hold rounded numbers; those are compared as numbers beside them.
    words = {k for k in before if isinstance(before[k], str) and not k.endswith(("text", "path"))}
    assert set(before) == set(after)
    assert {k: before[k] for k in words} == {k: after[k] for k in words}
    values = [k for k in before if isinstance(before[k], float)]
    for key in values:
        # Where a straight wall is least far from a straight shaft is not a matter of one place.
        loose = 4.0 if key.endswith("at_depth_mm") else within
        assert after[key] == pytest.approx(before[key], abs=loose), key
    # What only the needles decide is the same to the last digit.
    exact = [k for k in values if any(w in k for w in ("_deg", "depth_mm", "_z_mm", "pairs", "outside_mm"))]
    for key in exact:
        if not key.endswith("at_depth_mm"):
            assert after[key] == before[key], key


def test_another_position_than_that_of_the_scan_is_said():
    plan = Plan(probes=(PROBE,), room=Room(position="HFP"))
    found = {f.code: f for f in check_plan(patient(), plan, CATALOGUE)}
    assert "Re-plan after turning" in found["position-differs"].text
    assert treatment_position(patient(), plan.room) == "HFP"
    for same in (Room(), Room(position="HFS")):
        codes = {f.code for f in check_plan(patient(), Plan(probes=(PROBE,), room=same), CATALOGUE)}
        assert "position-differs" not in codes


def test_the_room_in_the_bore_is_the_radius_less_hub_and_its_distance():
    # The hub begins 175 mm behind the tip and is 60 mm long: straight up from the middle of the body.
    up = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(0, -46, 0))
    one = needle(up, "probe", 1.83, 175.0, LIMITS)
    hub_end, hub_radius = 175.0 + 60.0, 0.5 * LIMITS["hub_diameter"]
    assert bore_room_mm(patient(), one, Room()) == pytest.approx(350 - hub_end - hub_radius, abs=0.6)
    lifted = bore_room_mm(patient(), one, Room(lift_mm=40))
    assert lifted == pytest.approx(350 - hub_end - 40 - hub_radius, abs=0.6)
    prone = bore_room_mm(patient(), one, Room(lift_mm=40, position="HFP"))
    assert prone == pytest.approx(350 - hub_end + 40 - hub_radius, abs=0.6)
    tight = Plan(probes=(up,), room=Room(bore_mm=460))
    found = next(f for f in check_plan(patient(), tight, CATALOGUE) if f.code == "bore-tight")
    assert "lacks" in found.text
    assert "a guess" in found.text
    assert found.place == "room"
    both = Plan(probes=(up, replace(up, name="2")), room=tight.room)
    told = [f.text for f in check_plan(patient(), both, CATALOGUE) if f.code == "bore-tight"]
    assert len(told) == 1
    assert "and 1 more like it" in told[0]


def test_hubs_that_touch_are_a_warning_and_shafts_that_touch_are_not_said_twice():
    beside = [
        Probe(name=str(n), model="generic-15g", tip_mm=(x, 0, 0), entry_mm=(x, -60, 0))
        for n, x in enumerate((0.0, 6.0, 40.0))
    ]
    found = list(clash_findings(needles_of(Plan(probes=tuple(beside)), CATALOGUE)))
    assert [(f.code, f.level, f.place) for f in found] == [("hubs-collide", Level.WARN, "probes 0 and 1")]
    crossing = Probe(name="c", model="generic-15g", tip_mm=(-20, -30, 0), entry_mm=(20, -31, 0))
    found = list(clash_findings(needles_of(Plan(probes=(beside[0], crossing)), CATALOGUE)))
    assert [f.code for f in found] == ["shafts-collide"]
    assert found[0].text == "Probe 0 and probe c run into one another inside the body."


def test_a_tool_is_checked_for_what_it_passes_and_for_its_length_but_may_be_near():
    through = Tool(
        name="BX1",
        kind=ToolKind.BIOPSY,
        tip_mm=(14, -10, 0),
        entry_mm=(14, -46, 0),
        diameter_mm=1.0,
        length_mm=30.0,
    )
    near = replace(
        through,
        name="TC1",
        kind=ToolKind.THERMOCOUPLE,
        tip_mm=(2, -20, 0),
        entry_mm=(2, -46, 0),
        length_mm=150.0,
    )
    found = [f for f in check_plan(patient(), Plan(tools=(through, near)), CATALOGUE) if f.place]
    assert {(f.code, f.place) for f in found} >= {
        ("shaft-too-short", "tool BX1"),
        ("path-through-bowel", "tool BX1"),
    }
    assert not any(f.place == "tool TC1" for f in found)
