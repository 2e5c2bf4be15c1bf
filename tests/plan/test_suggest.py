"""A suggested layout keeps its rules, says them with their sources, and never takes probes away unasked."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.skin import body_mask, sample_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.geometry import angle_deg
from cryoplan.plan import layout as layout_module
from cryoplan.plan.approach import shortest_approach
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.edits import set_locked
from cryoplan.plan.layout import MOST, layout_rules, least_layout
from cryoplan.plan.placement import pair
from cryoplan.plan.plan import Plan
from cryoplan.plan.suggest import laid_out, suggest
from tests.support.scenes import TUMOUR_MM, TUMOUR_RADIUS_MM, ellipsoid, make_case, make_plan

CATALOGUE = load_catalogue()
MODEL = CATALOGUE["generic-15g"]
REACH_MM = layout_rules()["reach"].value


def ellipse(long: float, wide: float) -> np.ndarray:
    u, v = np.meshgrid(np.linspace(-long / 2, long / 2, 61), np.linspace(-wide / 2, wide / 2, 61))
    points = np.stack([u.ravel(), v.ravel()], axis=1)
    return points[(2 * points[:, 0] / long) ** 2 + (2 * points[:, 1] / wide) ** 2 <= 1.0 + 1e-9]


@settings(max_examples=30, deadline=None)
@given(st.floats(4, 40), st.floats(0.4, 1.0))
def test_every_part_is_within_reach_and_neighbours_keep_their_spacing(long, share):
    section = ellipse(long, share * long)
    layout = least_layout(section)
    gaps = np.linalg.norm(section[:, None] - layout.places_mm, axis=-1).min(axis=1)
    assert gaps.max() == pytest.approx(layout.farthest_mm, abs=1e-9)
    assert gaps.max() <= REACH_MM + 1e-9
    apart = [np.linalg.norm(a - b) for a, b in combinations(layout.places_mm, 2)]
    if apart:
        assert min(apart) >= 10.0 - 1e-6
        assert layout.spacing_mm[0] == pytest.approx(min(apart))
        assert layout.spacing_mm[1] <= 20.0 + 1e-6


@pytest.mark.parametrize(
    ("long", "wide", "count"),
    [(8, 8, 1), (14, 12, 2), (26, 8, 2), (20, 19, 3), (25, 25, 4), (33, 10, 2), (45, 10, 3)],
)
def test_the_number_follows_the_size(long, wide, count):
    assert len(least_layout(ellipse(long, wide)).places_mm) == count


def test_what_is_too_large_gets_many_probes_and_says_how_far_they_fall_short():
    layout = least_layout(ellipse(80, 75))
    assert len(layout.places_mm) >= MOST - 1
    assert layout.farthest_mm > REACH_MM


def test_the_suggestion_covers_the_target_from_the_skin_within_one_slice():
    case = make_case()
    suggestion = suggest(case, MODEL)
    plan = laid_out(Plan(), suggestion)
    assert suggestion.summary.startswith(f"{len(plan.probes)} probes")
    section = []
    for probe in plan.probes:
        assert angle_deg(probe.direction, plan.probes[0].direction) < 1e-4
        assert probe.direction[2] == pytest.approx(0.0, abs=1e-9)
        # From just outside the entry to just inside, the body begins.
        ends = np.array([probe.point_behind_tip_mm(probe.depth_mm + by) for by in (3.0, -3.0)])
        assert sample_mask(body_mask(case), ends).tolist() == [False, True]
        zone = np.mean(probe.active_zone_mm(MODEL), axis=0)
        assert (zone - TUMOUR_MM) @ probe.direction == pytest.approx(0.0, abs=2.1)
        section.append(zone)
    assert np.mean(section, axis=0) == pytest.approx(np.array(TUMOUR_MM), abs=2.5)
    rim = np.array(TUMOUR_MM) + TUMOUR_RADIUS_MM * np.array([[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    across = rim[:, None] - np.array(section)
    across -= (across @ plan.probes[0].direction)[..., None] * plan.probes[0].direction
    assert np.linalg.norm(across, axis=-1).min(axis=1).max() <= REACH_MM + 1.0
    for a, b in combinations(plan.probes, 2):
        assert pair(a, b, MODEL, MODEL).middle_mm >= 10.0 - 1e-6


def test_each_rule_comes_with_its_source():
    reasons = suggest(make_case(), MODEL).reasons
    assert any("Shah 2016" in r.source for r in reasons)
    assert any("Berger" in r.source for r in reasons)
    assert all(r.how in ("abstract", "derived") for r in reasons if r.source)


def test_a_probe_gives_the_direction_and_a_short_active_zone_is_said():
    case, lead = make_case(), make_plan().probes[0]
    lead = replace(lead, entry_mm=tuple(np.add(lead.entry_mm, (0, -30, 20))))
    suggestion = suggest(
        case, replace(MODEL, active_length=replace(MODEL.active_length, value=8.0)), along=lead
    )
    for tip, entry in suggestion.places_mm:
        assert angle_deg(np.subtract(tip, entry), lead.direction) < 1e-4
    assert any("pull back" in r.text for r in suggestion.reasons)
    assert suggestion.reasons[0].text == "Parallel to probe 1."


def test_probes_are_only_taken_away_by_name_and_locked_ones_never():
    suggestion = suggest(make_case(), MODEL)
    plan = laid_out(make_plan(), suggestion)
    assert [p.name for p in plan.probes][:2] == ["1", "2"]
    assert laid_out(make_plan(), suggestion, instead_of=["1", "2"]).probes[0].name == "1"
    with pytest.raises(PlanError, match="locked"):
        laid_out(set_locked(make_plan(), "1", True), suggestion, instead_of=["1"])


def test_no_target_no_freezing_model_and_no_skin_are_said():
    for case, model, code in (
        (make_case(with_target=False), MODEL, "suggest-no-target"),
        (make_case(), CATALOGUE["urethral-warmer"], "suggest-warmer"),
        (make_case().changed(structures=(), target_name=""), MODEL, "suggest-no-target"),
    ):
        with pytest.raises(PlanError) as caught:
            suggest(case, model)
        assert caught.value.code == code


def test_the_way_goes_round_what_a_shaft_must_not_pass():
    case = make_case()
    free = shortest_approach(case, TUMOUR_MM)
    middle = 0.5 * (np.asarray(free.entry_mm) + TUMOUR_MM)
    grid = case.scan.volume.grid
    bowel = Structure(
        name="colon", role=Role.BOWEL, tissue="fat", mask=ellipsoid(grid, middle, (9, 9, 20)), source="made"
    )
    other = shortest_approach(case.changed(structures=(*case.structures, bowel)), TUMOUR_MM)
    assert other.crossed == ()
    way = np.linspace(other.entry_mm, TUMOUR_MM, 200)
    assert not sample_mask(bowel.mask, way).any()
    depth, further = (np.linalg.norm(np.subtract(a.entry_mm, TUMOUR_MM)) for a in (free, other))
    assert further > depth
    shell = ellipsoid(grid, TUMOUR_MM, (30,) * 3).values & ~ellipsoid(grid, TUMOUR_MM, (22,) * 3).values
    around = replace(bowel, mask=replace(bowel.mask, values=shell))
    shut = shortest_approach(case.changed(structures=(*case.structures, around)), TUMOUR_MM)
    assert shut.crossed == ("colon",)
    assert "no way in this slice is free" in shut.text


def test_a_broken_file_of_rules_is_said(tmp_path, monkeypatch):
    (tmp_path / "layout.toml").write_text("schema = 1\n[layout]\n", encoding="utf-8")
    monkeypatch.setattr(layout_module, "resource", lambda *_: tmp_path / "layout.toml")
    layout_rules.cache_clear()
    with pytest.raises(StoreError, match="reach"):
        layout_rules()
    layout_rules.cache_clear()
