"""The whole assessment on spheres of ice around spheres of tumour, beside organs and vessels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.alerts import first_below_s
from cryoplan.margins.assess import assess, assess_block
from cryoplan.margins.assessment import DEFAULT_THRESHOLDS_DEGC
from cryoplan.margins.region import grid_around, window
from cryoplan.plan.edit_warmers import set_flow
from cryoplan.plan.plan import Plan
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from cryoplan.simulation.result import Frame
from tests.support.analytic import (
    SENSOR_MM,
    SLOPE_K_PER_MM,
    ball,
    ball_distance_mm,
    case,
    catalogue,
    centres_mm,
    cube,
    ice,
    ice_ball,
    plan,
    result_of,
    structure,
)

GRID = cube(64)
TUMOUR = structure("tumour", Role.TUMOUR, ball(GRID, (0, 0, 0), 10.2))


def _assess(*structures, minimum=None, target="tumour", **kwargs):
    minimum = minimum if minimum is not None else ice_ball(GRID, (0, 0, 0), 18.0)
    return assess(case(GRID, *structures, target=target), plan(), catalogue(), result_of(minimum), **kwargs)


def _find(assessment, code: str, place: str | None = None) -> list[Finding]:
    return [f for f in assessment.findings if f.code == code and place in (None, f.place)]


def test_isotherms_are_told_for_the_minimum_each_freeze_and_asked_times_only():
    minimum = ice_ball(GRID, (0, 0, 0), 18.0)
    frames = [
        Frame(time_s=60.0, label="", temperature_degc=minimum),
        Frame(time_s=600.0, label="end_freeze_1", temperature_degc=ice_ball(GRID, (0, 0, 0), 14.0)),
        Frame(time_s=700.0, label="asked", temperature_degc=ice_ball(GRID, (0, 0, 0), 12.0)),
    ]
    found = assess(
        case(GRID, TUMOUR),
        plan(),
        catalogue(),
        result_of(minimum, frames=frames),
        thresholds_degc=(-25.0, 0.0),
    )
    rows = [(i.when, i.threshold_degc) for i in found.isotherms]
    thresholds = (0.0, -20.0, -25.0, -30.0, -40.0)
    assert rows == [(when, t) for when in ("minimum", "end_freeze_1", 700.0) for t in thresholds]
    for when, radius in (("minimum", 18.0), ("end_freeze_1", 14.0), (700.0, 12.0)):
        assert found.volume_ml(0.0, when) == pytest.approx(4 / 3 * np.pi * radius**3 / 1000.0, rel=0.01)
    assert [m.threshold_degc for m in found.margins] == list(thresholds)
    assert found.key == "k" * 64


def test_both_margins_are_told_apart_and_judged_by_their_own_limits():
    found = _assess(TUMOUR)
    ice_edge, lethal = found.margin(0.0), found.margin(-40.0)
    assert ice_edge is not None
    assert lethal is not None
    assert ice_edge.minimum_mm == pytest.approx(7.8, abs=0.3)
    assert lethal.minimum_mm == pytest.approx(-2.2, abs=0.3)
    (ice_finding,) = _find(found, "ice-margin")
    assert ice_finding.level is Level.OK
    assert ice_finding.text.startswith("Ice edge (0 °C), worst margin of tumour: +7.")
    lethal_levels = [(f.level, f.text[:4]) for f in _find(found, "lethal-margin")]
    assert lethal_levels == [(Level.WARN, "−40 "), (Level.OK, "−20 ")]


def test_coverage_is_judged_and_a_shrunken_ice_ball_fails():
    good = _assess(TUMOUR)
    assert {f.level for f in _find(good, "coverage")} == {Level.OK, Level.WARN}
    bad = _assess(TUMOUR, minimum=ice_ball(GRID, (4.0, 0, 0), 9.0))
    assert max(f.level.rank for f in _find(bad, "coverage")) == 2
    assert _find(bad, "ice-margin")[0].level is Level.FAIL
    assert "(right)" in _find(bad, "ice-margin")[0].text
    covered = bad.covered(0.0)
    assert covered is not None
    assert 0.0 < covered.fraction < 0.8


def test_what_two_freezes_brought_below_is_a_share_of_the_tumour_and_never_more_than_once():
    minimum = ice_ball(GRID, (0, 0, 0), 30.0)
    distance = ball_distance_mm(GRID, (0, 0, 0), 8.0)
    counts = np.where(distance < 0.0, 2, 1).astype(np.uint8)
    everywhere = np.full(GRID.shape, 3, np.uint8)
    below = tuple(
        (degc, Volume(grid=GRID, values=values))
        for degc, values in ((0.0, everywhere), (-20.0, everywhere), (-40.0, counts))
    )
    result = replace(result_of(minimum), freezes_below=below)
    two = Protocol(
        phases=tuple(
            Phase(kind=kind, duration_s=300.0)
            for kind in (PhaseKind.FREEZE, PhaseKind.THAW, PhaseKind.FREEZE)
        )
    )
    twice = replace(plan(), protocol=two)
    found = assess(case(GRID, TUMOUR), twice, catalogue(), result)
    shares = dict(found.twice_below)
    whole_mm3 = 4.0 / 3.0 * np.pi * 10.2**3
    assert shares[-40.0] == pytest.approx(np.count_nonzero(counts == 2) / whole_mm3, rel=0.01)
    assert shares[0.0] == pytest.approx(1.0)
    assert found.to_json()["twice_below"] == {"0": shares[0.0], "-20": shares[-20.0], "-40": shares[-40.0]}
    # Whole voxels of a ball of ice that ends within the tumour: not more than what was reached at all.
    small = replace(result_of(ice_ball(GRID, (0, 0, 0), 9.0)), freezes_below=below)
    covered = assess(case(GRID, TUMOUR), twice, catalogue(), small)
    once = covered.covered(0.0)
    assert once is not None
    assert 0.0 < dict(covered.twice_below)[0.0] == once.fraction < 1.0
    single = replace(twice, protocol=Protocol(phases=two.phases[:1]))
    assert assess(case(GRID, TUMOUR), single, catalogue(), result).twice_below == ()
    assert assess(case(GRID, target=""), twice, catalogue(), result).twice_below == ()


def test_heaviest_findings_come_first_and_nothing_is_said_twice():
    note = Finding(level=Level.OK, code="assumed-tissue", text="Tissue of tumour is assumed.", place="tumour")
    fail = Finding(level=Level.FAIL, code="energy", text="The energy does not close.")
    minimum = ice_ball(GRID, (0, 0, 0), 12.0)
    found = assess(case(GRID, TUMOUR), plan(), catalogue(), result_of(minimum, findings=(note, fail, note)))
    ranks = [f.level.rank for f in found.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert found.findings[0] == fail
    assert found.findings.count(note) == 1


def test_no_ice_at_all_is_said_and_survives_json():
    found = _assess(TUMOUR, minimum=ice(GRID, ball_distance_mm(GRID, (0, 0, 0), -3.0)))
    margin = found.margin(0.0)
    assert margin is not None
    assert margin.no_ice
    assert "not reached anywhere" in _find(found, "ice-margin")[0].text
    text = json.dumps(found.to_json(), allow_nan=False)
    row = json.loads(text)["margins"][0]
    assert (row["minimum_mm"], row["median_mm"], row["no_ice"]) == (None, None, True)


def test_warm_core_is_found_although_the_surface_margin_looks_good():
    shell = np.abs(ball_distance_mm(GRID, (0, 0, 0), 12.0)) - 6.0
    found = _assess(TUMOUR, minimum=ice(GRID, shell))
    margin = found.margin(0.0)
    assert margin is not None
    assert margin.minimum_mm > 3.0
    warm = _find(found, "warm-core")
    assert warm[0].level is Level.FAIL
    assert "within the ice edge (0 °C), but 0.9 ml inside it" in warm[0].text  # a ball of 6 mm
    # The isotherms inside the shell are colder; their margins are positive too and only warn.
    assert {f.level for f in warm[1:]} <= {Level.WARN}
    assert not _find(_assess(TUMOUR), "warm-core")


def test_without_a_target_there_is_no_margin_and_it_is_said():
    found = _assess(TUMOUR, target="")
    assert (found.margins, found.coverage, found.healthy_frozen_ml) == ((), (), None)
    assert found.margin(0.0) is None
    assert found.covered(0.0) is None
    assert _find(found, "no-target")[0].level is Level.WARN
    assert len(found.structures) == 1


def test_ice_at_the_border_warns_and_names_the_isotherms():
    found = _assess(TUMOUR, minimum=ice_ball(GRID, (20.0, 0, 0), 16.0))
    (border,) = _find(found, "isotherm-at-border")
    assert border.level is Level.WARN
    assert "0 °C" in border.text
    assert "−20 °C" not in border.text
    assert not _find(_assess(TUMOUR), "isotherm-at-border")


def test_target_beyond_the_computed_region_fails_and_counts_as_missed():
    wide = cube(100)
    half_out = structure("tumour", Role.TUMOUR, ball(wide, (32.5, 0, 0), 8.0))
    found = assess(
        case(wide, half_out), plan(), catalogue(), result_of(ice(GRID, np.full(GRID.shape, -20.0)))
    )
    (outside,) = _find(found, "target-outside-grid")
    assert outside.level is Level.FAIL
    covered = found.covered(0.0)
    assert covered is not None
    assert covered.fraction == pytest.approx(0.5, abs=0.05)
    assert covered.missed_ml == pytest.approx(2 / 3 * np.pi * 8.0**3 / 1000.0, rel=0.1)
    margin = found.margin(0.0)
    assert margin is not None
    assert margin.minimum_mm == pytest.approx(-8.0, abs=1.0)
    assert margin.worst_direction == "left"


def test_healthy_frozen_volume_is_ice_in_the_body_less_ice_in_the_tumour():
    body = structure("body", Role.BODY, Volume(grid=GRID, values=centres_mm(GRID)[..., 1] < 0.5))
    with_body = _assess(TUMOUR, body)
    without = _assess(TUMOUR)
    whole = 4 / 3 * np.pi * (18.0**3 - 10.2**3) / 1000.0
    assert without.healthy_frozen_ml == pytest.approx(whole, rel=0.01)
    # The body ends at the voxel face at y = 0.5: half of the ice and a disc more, less half of the tumour
    # and a disc of it.
    disc = np.pi * (18.0**2 - 10.2**2) * 0.5 / 1000.0
    assert with_body.healthy_frozen_ml == pytest.approx(whole / 2.0 + disc, rel=0.02)


def test_lowest_temperature_of_an_organ_has_value_time_place_volumes_and_minute_of_alert():
    bowel = structure("colon", Role.BOWEL, ball(GRID, (0.0, 22.0, 0.0), 6.0))
    minimum = ice_ball(GRID, (0, 0, 0), 18.0)
    late = ice_ball(GRID, (0, 0, 0), 20.0)
    frames = [
        Frame(time_s=60.0, label="", temperature_degc=ice_ball(GRID, (0, 0, 0), 10.0)),
        Frame(time_s=780.0, label="", temperature_degc=ice_ball(GRID, (0, 0, 0), 16.0)),
        Frame(time_s=900.0, label="end_freeze_1", temperature_degc=late),
    ]
    found = assess(
        case(GRID, TUMOUR, bowel),
        plan(),
        catalogue(),
        result_of(minimum, frames=frames, at_s=lambda g: np.full(g.shape, 875.0)),
    )
    organ = next(o for o in found.structures if o.name == "colon")
    # The nearest voxel of the organ is at 16 mm from the middle of the ice.
    assert organ.minimum_degc == pytest.approx(-2.0 * SLOPE_K_PER_MM)
    assert organ.at_mm == (0.0, 16.0, 0.0)
    assert organ.at_s == 875.0
    assert organ.role == "bowel"
    lens = dict(organ.volume_below_ml)
    assert set(lens) == set(DEFAULT_THRESHOLDS_DEGC)
    d, big, r = 22.0, 18.0, 6.0
    exact = (
        np.pi
        * (big + r - d) ** 2
        * (d * d + 2 * d * (r + big) - 3 * (r * r + big * big) + 6 * r * big)
        / 12
        / d
    )
    assert lens[0.0] == pytest.approx(exact / 1000.0, rel=0.35)
    assert lens[-20.0] == 0.0
    (finding,) = _find(found, "organ-temperature")
    assert finding.level is Level.FAIL
    assert finding.text == (
        "Lowest temperature of colon: −8.0 °C at 14:35, below 5 °C from 10:30 on; wanted at least 5.0 °C, "
        "never below 0.0 °C (assumed)."
    )


def test_an_organ_that_stays_warm_is_ok_and_one_without_a_limit_says_nothing():
    nerve = structure("nerve", Role.NERVE, ball(GRID, (0.0, 29.0, 0.0), 1.5))
    liver = structure("liver", Role.ORGAN, ball(GRID, (0.0, 0.0, 0.0), 20.0))
    found = _assess(TUMOUR, nerve, liver)
    (finding,) = _find(found, "organ-temperature")
    assert (finding.level, finding.place) == (Level.OK, "nerve")
    assert "below" not in finding.text.split(";")[0]


def test_an_organ_cold_between_two_frames_only_has_no_minute_of_alert():
    skin = structure("skin", Role.SKIN, ball(GRID, (0.0, 20.0, 0.0), 3.0))
    warm = ice_ball(GRID, (0, 0, 0), 3.0)
    frames = [Frame(time_s=900.0, label="end_freeze_1", temperature_degc=warm)]
    found = assess(
        case(GRID, TUMOUR, skin),
        plan(),
        catalogue(),
        result_of(ice_ball(GRID, (0, 0, 0), 18.0), frames=frames),
    )
    (finding,) = _find(found, "organ-temperature")
    assert finding.level is Level.FAIL
    assert "from" not in finding.text


def test_organs_beyond_the_computed_region_are_taken_warm_and_it_is_said():
    wide = cube(140)
    out = structure("ureter", Role.URETER, ball(wide, (60.0, 0.0, 0.0), 4.0))
    half = structure("stomach", Role.STOMACH, ball(wide, (0.0, 32.5, 0.0), 8.0))
    # A ring around the grid: its box covers the grid, its voxels do not.
    ring_values = ball_distance_mm(wide, (0, 0, 0), 64.0)
    ring = structure("coil", Role.BOWEL, Volume(grid=wide, values=np.abs(ring_values) < 1.5))
    found = assess(
        case(wide, TUMOUR, out, half, ring), plan(), catalogue(), result_of(ice_ball(GRID, (0, 0, 0), 18.0))
    )
    organs = {o.name: o for o in found.structures}
    assert organs["ureter"].inside_grid_fraction == 0.0
    assert organs["ureter"].minimum_degc == 37.0
    assert organs["ureter"].at_mm == pytest.approx((60.0, 0.0, 0.0))
    assert organs["coil"].inside_grid_fraction == 0.0
    assert dict(organs["coil"].volume_below_ml) == dict.fromkeys(DEFAULT_THRESHOLDS_DEGC, 0.0)
    assert organs["stomach"].inside_grid_fraction == pytest.approx(0.5, abs=0.02)
    assert "all of it beyond the computed region" in _find(found, "organ-temperature", "ureter")[0].text
    assert "in the computed region" in _find(found, "organ-temperature", "stomach")[0].text
    assert organs["tumour"].inside_grid_fraction == 1.0
    assert first_below_s(out, result_of(ice_ball(GRID, (0, 0, 0), 18.0)), 50.0) is None


def test_a_vessel_beside_the_tumour_is_named_and_blamed_for_the_worst_margin_on_its_side():
    near = structure("portal vein", Role.VESSEL, ball(GRID, (14.2, 0, 0), 2.0))
    far = structure("cava", Role.VESSEL, ball(GRID, (-28.0, 0, 0), 3.0))
    away = structure("aorta", Role.VESSEL, ball(GRID, (-20.0, 0, 0), 1.8))
    dented = ice_ball(GRID, (-3.0, 0, 0), 18.0)
    found = _assess(TUMOUR, near, far, away, minimum=dented)
    (vessel,) = _find(found, "warm-vessel")
    assert (vessel.level, vessel.place) == (Level.WARN, "portal vein")
    assert "(left)" in vessel.text
    assert "worst margin lies on its side" in vessel.text
    other_side = _find(_assess(TUMOUR, near, minimum=ice_ball(GRID, (3.0, 0, 0), 18.0)), "warm-vessel")
    assert other_side[0].level is Level.OK


def test_a_vessel_whose_blood_stands_still_is_not_said_to_bite():
    near = structure("portal vein", Role.VESSEL, ball(GRID, (14.2, 0, 0), 2.0))
    clot = structure("vein thrombus", Role.VESSEL, ball(GRID, (-14.2, 0, 0), 2.0))
    made, ice = case(GRID, TUMOUR, near, clot), result_of(ice_ball(GRID, (0, 0, 0), 18.0))
    flowing = assess(made, plan(), catalogue(), ice)
    assert [f.place for f in _find(flowing, "warm-vessel")] == ["portal vein"]
    clamped = assess(made, set_flow(plan(), "portal vein", 0.0), catalogue(), ice)
    assert _find(clamped, "warm-vessel") == []


def test_a_vessel_within_the_tumour_is_at_zero_distance():
    inside = structure("vein", Role.VESSEL, ball(GRID, (2.0, 0, 0), 2.0))
    (vessel,) = _find(_assess(TUMOUR, inside), "warm-vessel")
    assert "runs 0.0 mm from tumour" in vessel.text


def test_thermocouple_curves_are_plain_numbers():
    (curve,) = _assess(TUMOUR).thermocouples
    assert (curve.name, curve.time_s, curve.temperature_degc) == ("T1", (0.0, 1500.0), (37.0, 4.5))
    assert not curve.each_minute
    assert curve.position_mm == SENSOR_MM


def test_temperatures_that_are_not_numbers_are_refused():
    values = ice_ball(GRID, (0, 0, 0), 18.0).values.copy()
    values[3, 3, 3] = np.nan
    with pytest.raises(SimulationError):
        _assess(TUMOUR, minimum=Volume(grid=GRID, values=values))


def test_block_has_isotherms_thermocouples_and_border_findings_only():
    found = assess_block(plan(), catalogue(), result_of(ice_ball(GRID, (0, 20.0, 0), 16.0)))
    assert found.margins == found.coverage == found.structures == ()
    assert found.healthy_frozen_ml is None
    assert len(found.isotherms) == 3 * len(DEFAULT_THRESHOLDS_DEGC)
    assert len(found.thermocouples) == 1
    assert [f.code for f in found.findings] == ["isotherm-at-border"]
    lone = assess_block(Plan(), catalogue(), result_of(ice_ball(GRID, (0, 0, 0), 9.0)))
    assert lone.findings == ()
    assert lone.isotherms[0].length_mm is None


def test_json_has_the_keys_and_numbers_of_the_contract():
    bowel = structure("colon", Role.BOWEL, ball(GRID, (0.0, 22.0, 0.0), 6.0))
    found = _assess(TUMOUR, bowel)
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(data) >= {
        "isotherms",
        "thermocouples",
        "margins",
        "coverage",
        "structures",
        "findings",
        "healthy_frozen_ml",
    }
    assert set(data["isotherms"][0]) == {
        "when",
        "threshold_degc",
        "volume_ml",
        "length_mm",
        "width_mm",
        "equivalent_diameter_mm",
        "section_area_mm2",
    }
    first = data["margins"][0]
    assert first["structure"] == "tumour"
    assert first["fraction_below_0"] + first["fraction_0_to_5"] + first["fraction_5_up"] == pytest.approx(1.0)
    assert {"rim_mm", "threshold_degc", "fraction", "missed_ml"} <= set(data["coverage"][0])
    colon = data["structures"][1]
    assert set(colon["volume_below_ml"]) == {"0", "-20", "-30", "-40"}
    (curve,) = data["thermocouples"]
    assert curve["time_s"] == [0.0, 1500.0]
    assert curve["position_mm"] == list(SENSOR_MM)
    assert curve["each_minute"] is False
    assert set(data["findings"][0]) == {"level", "code", "text", "place"}


def test_volume_of_an_isotherm_that_was_not_measured_is_a_key_error():
    with pytest.raises(KeyError):
        _assess(TUMOUR).volume_ml(-33.0)


def test_window_cuts_and_pads_on_one_lattice_and_refuses_another():
    values = np.arange(GRID.size[0] ** 3, dtype=np.float32).reshape(GRID.shape)
    volume = Volume(grid=GRID, values=values)
    there = grid_around(structure("t", Role.OTHER, ball(GRID, (29.0, 0, -30.0), 3.0)), GRID, 4.0)
    cut = window(volume, there, fill=-1.0)
    points = centres_mm(there)
    inside = GRID.contains_mm(points)
    assert 0.2 < inside.mean() < 0.8
    assert np.all(cut.values[~inside] == -1.0)
    index = np.rint(GRID.mm_to_index(points[inside])).astype(int)
    assert np.array_equal(cut.values[inside], values[index[:, 2], index[:, 1], index[:, 0]])
    apart = Grid(size=(3, 3, 3), spacing_mm=(1, 1, 1), origin_mm=(200.0, 0, 0))
    assert np.all(window(volume, apart, fill=5.0).values == 5.0)
    for bad in (
        Grid(size=(3, 3, 3), spacing_mm=(1, 1, 1), origin_mm=(0.4, 0, 0)),
        Grid(size=(3, 3, 3), spacing_mm=(2, 2, 2), origin_mm=(0, 0, 0)),
    ):
        with pytest.raises(ValueError, match="lattice"):
            window(volume, bad, fill=0.0)
