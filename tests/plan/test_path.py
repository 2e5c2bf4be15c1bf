"""What a shaft passes and how near it comes, on shapes whose answers are formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cryoplan.case.structure import Role
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.clearance import clearances
from cryoplan.plan.path import (
    OUTSIDE,
    UNLABELLED,
    active_zone_gap_mm,
    overshoot_mm,
    owners,
    passes,
    sentence,
)
from cryoplan.plan.probe import Probe
from tests.support.cases import OBLIQUE, ball, box, case, grid, scan, structure

WHERE = grid(size=(100, 120, 60), spacing=(1, 1, 2))
SKEW = grid(size=(110, 130, 70), spacing=(1, 1.1, 1.9), direction=OBLIQUE)
GENERIC = load_catalogue()["generic-15g"]
DIAMETER_MM = 1.83


def shaft(tip=(0.0, 20.0, 0.0), entry=(0.0, -50.0, 0.0)) -> Probe:
    return Probe(name="1", model="generic-15g", tip_mm=tip, entry_mm=entry)


def layered(where):
    """Return a case with a liver from y = -30, a vein from -10 to -5 in it and a tumour from 10 on."""
    wide = (-25, 25)
    made = [
        structure("liver", box(where, (wide[0], -30, wide[0]), (wide[1], 30, wide[1])), Role.ORGAN, "liver"),
        structure("vein", box(where, (wide[0], -10, wide[0]), (wide[1], -5, wide[1])), Role.VESSEL, "blood"),
        structure("tumour", box(where, (-12, 10, -12), (12, 28, 12)), Role.TUMOUR, "tumour"),
    ]
    made.append(structure("body", box(where, (-40, -45, -40), (40, 45, 40)), Role.BODY))
    return case(scan(where), *made, target="tumour")


@pytest.mark.parametrize("where", [WHERE, SKEW], ids=["plain", "oblique"])
def test_the_passes_from_skin_to_tip_are_in_order_and_add_up(where):
    found = passes(layered(where), shaft())
    expected = [(OUTSIDE, 5), ("body", 15), ("liver", 20), ("vein", 5), ("liver", 15), ("tumour", 10)]
    assert [p.structure for p in found] == [name for name, _ in expected]
    assert [p.length_mm for p in found] == pytest.approx([length for _, length in expected], abs=1.7)
    assert sum(p.length_mm for p in found) == pytest.approx(70.0)
    starts = np.cumsum([0, *[p.length_mm for p in found[:-1]]])
    assert [p.from_mm for p in found] == pytest.approx(starts.tolist())
    assert found[0].to_json() == {"structure": OUTSIDE, "length_mm": found[0].length_mm}


def test_the_order_of_structures_in_the_case_changes_nothing():
    made = layered(WHERE)
    turned = made.changed(structures=made.structures[::-1])
    assert passes(made, shaft()) == passes(turned, shaft())


def test_without_an_outlined_body_the_ct_tells_where_it_ends():
    body = box(WHERE, (-40, -45, -50), (40, 45, 50))
    made = case(scan(WHERE, body=body))
    found = passes(made, shaft())
    assert [p.structure for p in found] == [OUTSIDE, UNLABELLED]
    assert found[0].length_mm == pytest.approx(5, abs=2.0)


def test_on_an_mr_without_a_body_all_is_unlabelled():
    found = passes(case(scan(WHERE, modality="MR")), shaft())
    assert [(p.structure, p.length_mm) for p in found] == [(UNLABELLED, pytest.approx(70.0))]


def test_of_two_alike_the_smaller_owns_a_place():
    small, large = ball(WHERE, (0, 0, 0), 10), ball(WHERE, (0, 0, 0), 20)
    a, b = structure("large cyst", large, Role.FLUID), structure("small cyst", small, Role.FLUID)
    assert [s.name for s in owners((a, b))] == ["small cyst", "large cyst"]
    names = [p.structure for p in passes(case(scan(WHERE, modality="MR"), a, b), shaft(tip=(0, 40, 0)))]
    assert names == [UNLABELLED, "large cyst", "small cyst", "large cyst", UNLABELLED]


def test_every_role_has_a_rank():
    mask = ball(WHERE, (0, 0, 0), 5)
    made = tuple(structure(role.value, mask, role) for role in Role)
    ranked = [s.role for s in owners(made)]
    assert len(ranked) == len(Role)
    assert ranked[0] is Role.TUMOUR
    assert ranked[-1] is Role.BODY


@pytest.mark.parametrize(
    ("tip", "gap"),
    [
        ((0, 14, 0), -8.0),  # the active zone runs through the middle of the ball
        ((20, 14, 0), 12.0),  # 20 mm beside its middle
        ((0, -10, 0), 16.0),  # the active zone ends at y = -14, the ball begins at y = 2
    ],
)
def test_the_gap_of_the_active_zone_to_the_target(tip, gap):
    target = structure("t", ball(WHERE, (0, 10, 0), 8), Role.TUMOUR)
    found = active_zone_gap_mm(shaft(tip=tip, entry=(tip[0], -50, 0)), GENERIC, target)
    assert found == pytest.approx(gap, abs=1.3)


def test_a_path_on_the_real_ct(liver_case):
    tumour = liver_case.target_name
    probe = shaft(tip=(-75.4, 35.0, -294.1), entry=(-141.5, 35.0, -294.1))
    names = [p.structure for p in passes(liver_case, probe)]
    liver = "liver (parenchyma outside the targets)"
    assert names[-4:] == [UNLABELLED, liver, tumour, liver]
    by_name = {c.structure: c for c in clearances(liver_case, probe, DIAMETER_MM)}
    assert by_name[tumour].mm < 0 < by_name["gallbladder"].mm
    assert 10 < by_name["gallbladder"].mm < 20


def test_unlabelled_tissue_is_named_by_its_hounsfield_values_and_noise_is_not():
    where = grid(size=(60, 140, 40), spacing=(1, 1, 2))
    values = np.full(where.shape, -1000, np.int16)
    y = where.index_to_mm(np.stack([np.zeros(140), np.arange(140), np.zeros(140)], axis=1))[:, 1]
    for low, high, hu in ((-50, -36, -100), (-36, -20, 50), (-20, -10, 600), (-10, 60, 40)):
        values[:, (y >= low) & (y < high)] = hu
    values[:, (y >= 5) & (y < 6)] = 400  # thinner than means anything
    facts = ScanFacts(path="made", kind="phantom", code="T", modality="CT")
    seen = Scan(volume=Volume(grid=where, values=values), facts=facts)
    found = passes(case(seen), shaft(entry=(0.0, -50.0, 0.0)))
    assert [p.looks_like for p in found] == ["fat", "soft tissue", "bone or dense", "soft tissue"]
    assert [p.length_mm for p in found] == pytest.approx([14, 16, 10, 30], abs=1.0)
    assert sum(p.length_mm for p in found) == pytest.approx(70.0)
    assert sentence(case(seen), found).startswith("fat (not outlined) 14, soft tissue (not outlined) 16")
    assert found[0].to_json()["looks_like"] == "fat"


def test_the_sentence_reads_as_it_is_dictated_and_says_pleura():
    made = layered(WHERE)
    words = sentence(made, passes(made, shaft(entry=(0.0, -44.0, 0.0))))
    assert words.endswith("liver 20, vein 5, liver 15, tumour 10 mm; pleura crossed: no lung outlined")
    lung = structure("left lung", box(WHERE, (-25, -40, -25), (25, -32, 25)), Role.LUNG)
    far = structure("left lung", box(WHERE, (30, 30, -25), (38, 40, 25)), Role.LUNG)
    for other, word in ((lung, "YES"), (far, "no")):
        breathing = made.changed(structures=(*made.structures, other))
        found = passes(breathing, shaft(entry=(0.0, -44.0, 0.0)))
        assert sentence(breathing, found).endswith(f"pleura crossed: {word}")


@pytest.fixture(scope="module")
def layered_once():
    return layered(WHERE)


@pytest.mark.parametrize(
    ("tip_y", "overshoot"), [(33, 5), (28, 0), (20, -8), (11, -17)], ids=["beyond", "at", "within", "before"]
)
def test_the_overshoot_is_how_far_the_tip_lies_beyond_the_target(tip_y, overshoot):
    assert overshoot_mm(layered(WHERE), shaft(tip=(0, tip_y, 0))) == pytest.approx(overshoot, abs=0.6)


@settings(max_examples=60, deadline=None)
@given(tip_y=st.floats(-20.0, 40.0), entry_y=st.floats(-60.0, -40.0), aside=st.floats(-3.0, 3.0))
@example(tip_y=28.0, entry_y=-50.0, aside=0.0)
@example(tip_y=28.5, entry_y=-50.0, aside=0.0)
def test_the_overshoot_is_right_wherever_the_tip_is(layered_once, tip_y, entry_y, aside):
    """Before, at, in and behind the target, where parts of a voxel decide between two ways to look."""
    depth_mm = float(np.hypot(tip_y - entry_y, aside))
    further = (28.0 - tip_y) / (tip_y - entry_y) * depth_mm
    found = overshoot_mm(layered_once, shaft(tip=(aside, tip_y, 0), entry=(0, entry_y, 0)))
    assert found == pytest.approx(-further, abs=0.6)


def test_an_axis_that_misses_the_target_has_no_overshoot():
    assert overshoot_mm(layered(WHERE), shaft(tip=(22, 33, 0), entry=(22, -50, 0))) is None
    assert overshoot_mm(layered(WHERE).changed(target_name=""), shaft()) is None


def test_half_air_beside_the_skin_is_not_lung():
    where = grid(size=(60, 140, 40), spacing=(1, 1, 2))
    values = np.full(where.shape, 40, np.int16)
    y = where.index_to_mm(np.stack([np.zeros(140), np.arange(140), np.zeros(140)], axis=1))[:, 1]
    values[:, y < -46.5] = -700
    facts = ScanFacts(path="made", kind="phantom", code="T", modality="CT")
    seen = case(Scan(volume=Volume(grid=where, values=values), facts=facts))
    body = structure("body", box(where, (-29, -50, -38), (29, 60, 38)), Role.BODY)
    found = passes(seen.changed(structures=(body,)), shaft(entry=(0.0, -50.0, 0.0)))
    assert {p.looks_like for p in found} <= {"", "soft tissue"}
    assert sentence(seen, found).endswith("pleura crossed: no lung outlined")
    values[:, (y > -20) & (y < -10)] = -700
    lung = case(Scan(volume=Volume(grid=where, values=values), facts=facts))
    assert sentence(lung, passes(lung, shaft())).endswith("pleura crossed: YES")
