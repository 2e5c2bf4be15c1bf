"""Convergence of a plan: what is compared, what is said, and a real solve of a small case."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from cryoplan import workflow
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Level
from cryoplan.core.progress import Cancelled, ProgressReport
from cryoplan.margins.assessment import Assessment, IsothermSize, Margin
from cryoplan.simulation.settings import PREVIEW, STANDARD, SolverSettings
from cryoplan.workflow.converging import ConvergenceReport, compare, other_spacing_mm
from tests.support.scenes import make_case, make_plan

THRESHOLDS = (0.0, -20.0, -30.0, -40.0)


def _assessment(radius_mm: float, *, no_ice: bool = False, key: str = "k") -> Assessment:
    """Judgement of balls of ice, each 3 mm smaller than the one before, around a tumour of 10 mm."""
    radii = {t: radius_mm - 3.0 * n for n, t in enumerate(THRESHOLDS)}
    return Assessment(
        key=key,
        isotherms=tuple(
            IsothermSize(when="minimum", threshold_degc=t, volume_ml=4.18879e-3 * r**3)
            for t, r in radii.items()
        ),
        margins=tuple(
            Margin(
                structure="T",
                threshold_degc=t,
                minimum_mm=r - 10.0,
                p05_mm=r - 10.0,
                median_mm=r - 10.0,
                worst_point_mm=(0.0, 0.0, 0.0),
                worst_direction="head",
                fraction_below_0=0.0,
                fraction_0_to_5=0.0,
                fraction_5_up=1.0,
                no_ice=no_ice and t == -40.0,
            )
            for t, r in radii.items()
        ),
        coverage=(),
        structures=(),
    )


def _report(settings: SolverSettings, other: float, half: float, **changes: object) -> ConvergenceReport:
    def judged(chosen: SolverSettings, _progress: object) -> Assessment:
        if chosen == settings:
            return _assessment(20.0)
        return _assessment(other if chosen.spacing_mm != settings.spacing_mm else half, **changes)

    return compare(settings, judged)


@pytest.mark.parametrize(("spacing", "other"), [(2.0, 1.0), (1.0, 0.5), (1.5, 0.75), (0.5, 1.0), (0.8, 1.6)])
def test_a_grid_is_compared_with_the_next_finer_one_and_the_finest_with_a_coarser_one(spacing, other):
    assert other_spacing_mm(spacing) == other


def test_the_report_holds_what_changed_in_millimetres_and_percent():
    report = _report(STANDARD, other=20.2, half=19.9)
    assert report.largest_margin_change_mm == pytest.approx(0.2)
    # The smallest ball changes most: 11 to 11.2 mm.
    assert report.largest_volume_change == pytest.approx((11.2 / 11.0) ** 3 - 1.0, rel=1e-6)
    (edge,) = (c for c in report.changes if c.kind == "margin" and c.threshold_degc == 0.0)
    assert (edge.by_grid, edge.by_step) == (pytest.approx(0.2), pytest.approx(-0.1))
    # 5.6 % is more than the 5 % that pass.
    assert not report.is_converged
    assert report.finding.level is Level.WARN
    assert "0.5 mm instead of 1 mm" in report.sentence
    assert "0.2 mm" in report.sentence
    assert "5.6 %" in report.sentence
    assert "another question" in report.sentence


def test_small_changes_pass_and_margins_that_move_a_millimetre_do_not():
    assert _report(STANDARD, other=20.1, half=20.0).is_converged
    assert not _report(STANDARD, other=20.0, half=21.1).is_converged


def test_an_isotherm_that_is_there_in_one_solve_only_is_never_passed_over():
    report = _report(STANDARD, other=20.0, half=20.0, no_ice=True)
    assert not report.is_converged
    assert "has an isotherm that another has not" in report.sentence
    written = json.loads(json.dumps(report.to_json(), allow_nan=False))
    lost = next(c for c in written["changes"] if c["kind"] == "margin" and c["threshold_degc"] == -40.0)
    assert lost["value"] is not None
    assert lost["other_grid"] is None


def test_the_finest_grid_says_that_it_was_compared_with_a_coarser_one():
    report = _report(STANDARD.changed(spacing_mm=0.5), other=23.0, half=20.0)
    assert "coarser grid of 1 mm instead of 0.5 mm" in report.sentence
    assert "solve on a finer grid" not in report.sentence


def test_a_known_judgement_is_not_solved_for_again():
    asked: list[SolverSettings] = []

    def judged(chosen: SolverSettings, _progress: object) -> Assessment:
        asked.append(chosen)
        return _assessment(20.0)

    report = compare(PREVIEW, judged, known=_assessment(20.0, key="known"))
    assert report.key == "known"
    assert [(s.spacing_mm, s.step_max_s) for s in asked] == [(2.0, 15.0), (1.0, 30.0)]
    assert report.largest_volume_change == 0.0


class _Stop:
    """Progress that remembers, and asks to stop from one fraction on."""

    def __init__(self, after: float = math.inf) -> None:
        self.after, self.fractions = after, [0.0]

    def report(self, report: ProgressReport) -> None:
        self.fractions.append(report.fraction)

    def cancelled(self) -> bool:
        return self.fractions[-1] > self.after


def _short() -> tuple[object, object, object]:
    """Return a case of a ball of tumour, one probe through it, and a protocol of two minutes."""
    from cryoplan.plan.protocol import Phase, PhaseKind, Protocol

    plan = make_plan()
    freeze = Protocol(phases=(Phase(kind=PhaseKind.FREEZE, duration_s=120.0),))
    return make_case(), replace(plan, probes=plan.probes[:1], protocol=freeze), workflow.catalogue()


def test_a_real_plan_is_checked_and_its_progress_only_grows():
    case, plan, probes = _short()
    settings = SolverSettings(spacing_mm=2.0, step_max_s=30.0, margin_mm=15.0)
    progress = _Stop()
    report = workflow.check_convergence(case, plan, probes, settings, progress=progress)
    assert report.key == workflow.simulation_key(case, plan, probes, settings)
    assert progress.fractions == sorted(progress.fractions)
    ice = next(c for c in report.changes if c.kind == "volume" and c.threshold_degc == 0.0)
    assert ice.value > 0.5
    assert abs(ice.by_grid) / ice.value < 0.15
    assert abs(ice.by_step) / ice.value < 0.05
    assert ice.other_grid != ice.value


def test_a_check_can_be_cancelled():
    case, plan, probes = _short()
    with pytest.raises(Cancelled):
        workflow.check_convergence(
            case, plan, probes, SolverSettings(spacing_mm=2.0, margin_mm=15.0), progress=_Stop(after=0.02)
        )


def test_a_plan_that_cannot_be_solved_is_refused_as_by_a_solve():
    case, plan, probes = _short()
    with pytest.raises(CryoplanError):
        workflow.check_convergence(case, replace(plan, probes=()), probes)
