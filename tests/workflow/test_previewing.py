"""The preview is the same solver on a coarse grid: near the final surface, under its own key, no result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.left_out import LeftOut, Side
from cryoplan.core.errors import SimulationError
from cryoplan.margins.assess import assess
from cryoplan.margins.distance import distance_to_surface_mm
from cryoplan.margins.iceball import isotherm_surface
from cryoplan.margins.margin_map import map_margins
from cryoplan.margins.rough import rough_margins
from cryoplan.plan.edits import copy_parallel, move_probe, nudge, set_times
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.settings import STANDARD
from cryoplan.simulation.solver import QUICK, solve
from cryoplan.workflow.previewing import (
    PREVIEWED_DEGC,
    _counting,
    _outline_of,
    prepare_preview,
    preview,
    preview_key,
    preview_settings,
    until_first_freeze,
)
from tests.support.scenes import make_plan, small_case

PROBES = workflow.catalogue()


@pytest.fixture(scope="module")
def demo():
    case = workflow.built_in_case()
    plan = workflow.built_in_plan(case)
    return case, copy_parallel(plan, plan.probes[0].name, distance_mm=15.0, clock_hours=9.0)


@pytest.fixture(scope="module")
def shown(demo):
    return preview(*demo, PROBES)


@pytest.fixture(scope="module")
def final(demo):
    case, plan = demo
    standard = replace(STANDARD, frames_every_s=0.0)
    problem = build_problem(case, until_first_freeze(plan), PROBES, workflow.tissues(), standard)
    return solve(problem).end_of_freeze(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("degc", "mean_mm", "high_mm"), [(0.0, 0.3, 0.8), (-20.0, 0.3, 0.8), (-40.0, 0.3, 0.8)]
)
def test_isotherms_of_the_preview_lie_near_the_final_ones_of_the_same_moment(
    shown, final, degc, mean_mm, high_mm
):
    rough, exact = (isotherm_surface(f, degc) for f in (shown.field_degc, final.temperature_degc))
    away = np.concatenate(
        [distance_to_surface_mm(rough.points_mm, exact), distance_to_surface_mm(exact.points_mm, rough)]
    )
    assert away.mean() < mean_mm
    assert np.percentile(away, 95) < high_mm
    assert shown.time_s == final.time_s == 600.0


@pytest.mark.slow
def test_rough_margins_are_those_of_all_points_and_near_the_final_ones(demo, shown, final):
    tumour = _outline_of(demo[0].target)
    assert [m.threshold_degc for m in shown.margins] == list(PREVIEWED_DEGC)
    for margin in shown.margins:
        t = margin.threshold_degc
        same, exact = (
            map_margins(tumour, f, [t], outside_degc=37.0).margin(t).minimum_mm
            for f in (shown.field_degc, final.temperature_degc)
        )
        assert margin.minimum_mm == pytest.approx(same, abs=0.3)
        assert margin.minimum_mm == pytest.approx(exact, abs=1.0)
        assert shown.margin(t) is margin


@pytest.mark.slow
def test_a_preview_leaves_out_the_sides_that_the_case_leaves_out(demo, shown):
    # The worst place lies towards this vein.
    vein = LeftOut(structure="portal vein", side=Side.BESIDE, within_mm=8.0)
    case = demo[0].changed(left_out=(vein,))
    tumour = _outline_of(case.target)
    counts = _counting(case, case.target)
    assert 0.5 < counts.mean() < 0.98
    assert _counting(case, case.target) is counts
    assert _counting(demo[0], case.target) is None
    # Another outline of the vein is another side.
    away = tuple(replace(s, mask=case.target.mask) if s.name == "portal vein" else s for s in case.structures)
    assert not np.array_equal(_counting(case.changed(structures=away), case.target), counts)
    isotherms = [(0.0, isotherm_surface(shown.field_degc, 0.0))]
    (some,) = rough_margins(tumour, shown.field_degc, isotherms, counts)
    whole = map_margins(tumour, shown.field_degc, [0.0], outside_degc=37.0)
    assert some.minimum_mm == pytest.approx(whole.without(~counts).margin(0.0).minimum_mm, abs=0.3)
    assert some.minimum_mm > whole.margin(0.0).minimum_mm + 0.3


@pytest.mark.slow
def test_quick_steps_of_a_preview_keep_the_energy_balance(demo):
    case, plan = demo
    coarse = preview_settings(STANDARD, plan, PROBES)
    problem = build_problem(case, until_first_freeze(plan), PROBES, workflow.tissues(), coarse)
    assert solve(problem, pace=QUICK).ledger.residual < 1e-5


def test_a_preview_is_no_result_and_nothing_that_takes_one_takes_it(small):
    case, plan, made = small
    assert not isinstance(made, ThermalResult)
    with pytest.raises((AttributeError, TypeError)):
        assess(case, plan, PROBES, made)


@pytest.fixture(scope="module")
def small():
    case, plan = small_case(), make_plan()
    return case, plan, preview(case, plan, PROBES)


def test_its_key_is_that_of_the_plan_and_of_no_final_solve(small):
    case, plan, made = small
    assert made.key == preview_key(case, plan, PROBES)
    assert made.key != workflow.simulation_key(case, plan, PROBES)
    moved = nudge(plan, plan.probes[0].name, (0.0, 0.0, 1.0))
    assert made.key != preview_key(case, moved, PROBES)
    assert made.key != preview_key(case, plan, PROBES, STANDARD.changed(skin="insulated"))


def test_another_name_of_a_plan_keeps_the_preview(small):
    case, plan, made = small
    assert made.key == preview_key(case, replace(plan, name="other"), PROBES)


def test_surfaces_enclose_what_is_colder_and_none_is_larger_than_a_warmer_one(small):
    volumes = [mesh.volume_ml() for _, mesh in small[2].surfaces]
    assert [t for t, _ in small[2].surfaces] == list(PREVIEWED_DEGC)
    assert volumes[0] > volumes[1] > volumes[2] > 0.0
    surface = isotherm_surface(small[2].field_degc, 0.0)
    assert volumes[0] == pytest.approx(surface.volume_ml(), rel=0.02)


def test_a_protocol_is_cut_behind_its_first_freeze():
    plan = make_plan()
    assert len(plan.protocol.phases) > 1
    assert until_first_freeze(plan).protocol.phases == plan.protocol.phases[:1]


def test_a_probe_that_starts_after_the_first_freeze_is_not_in_the_preview(small):
    case, plan, made = small
    name = plan.probes[0].name
    late = preview(case, set_times(plan, name, start_s=700.0, stop_s=None), PROBES)
    alone = replace(plan, probes=plan.probes[1:])
    assert late.surfaces[0][1].volume_ml() < 0.8 * made.surfaces[0][1].volume_ml()
    assert late.surfaces[0][1].volume_ml() == pytest.approx(
        preview(case, alone, PROBES).surfaces[0][1].volume_ml(), rel=0.02
    )


def test_a_plan_that_the_solver_refuses_has_no_preview(small):
    case, plan, _ = small
    first, second = plan.probes[:2]
    by = np.subtract(second.tip_mm, first.tip_mm)
    with pytest.raises(SimulationError):
        preview(case, move_probe(plan, first.name, by), PROBES)


def test_a_probe_too_thin_for_the_grid_gets_a_finer_one():
    plan = make_plan()
    model = PROBES.model(plan.probes[0].model)
    thin = replace(model, outer_diameter=replace(model.outer_diameter, value=1.2))

    class One:
        def model(self, _name):
            return thin

    assert preview_settings(STANDARD, plan, One()).spacing_mm == pytest.approx(1.6)
    assert preview_settings(STANDARD, plan, PROBES).spacing_mm == 2.0


def test_a_case_without_a_target_has_a_preview_without_margins(small):
    case, plan, _ = small
    bare = case.changed(target_name="")
    prepare_preview(bare)
    found = preview(bare, plan, PROBES)
    assert found.margins == ()
    assert found.surfaces
