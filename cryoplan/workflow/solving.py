"""Solve and judge: a case and a plan become temperatures, and those become an assessment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.case.left_out import LeftOut
from cryoplan.core.digest import digest
from cryoplan.core.errors import StaleError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import SILENT, Progress
from cryoplan.margins.assessment import DEFAULT_THRESHOLDS_DEGC, Assessment
from cryoplan.plan.catalogue import Catalogue, load_catalogue
from cryoplan.plan.own_probes import folder_stamp, own_folder
from cryoplan.plan.plan import Plan
from cryoplan.plan.stock import load_stock, stock_findings
from cryoplan.simulation.settings import STANDARD, SolverSettings

if TYPE_CHECKING:
    from cryoplan.simulation.result import Frame, ThermalResult
    from cryoplan.simulation.tissue import TissueTable

MODEL_VERSION = 4
"""Raised with every change that moves computed temperatures, so that old results show as such."""


def catalogue() -> Catalogue:
    """Return the probes of this installation: the built-in ones and the user's as they are now.

    The user's folder is looked at with every call, so that the window, its background process and a command
    that imports a probe meanwhile agree; it is read again only when a file in it is another.
    """
    folder = own_folder()
    return _catalogue(folder, folder_stamp(folder))


@lru_cache(maxsize=4)
def _catalogue(folder: Path, _stamp: object) -> Catalogue:
    return load_catalogue(folder)


@lru_cache(maxsize=1)
def tissues() -> TissueTable:
    """Return the tissue table of this installation."""
    from cryoplan.simulation.tissue import load_tissues

    return load_tissues()


@lru_cache(maxsize=1)
def _tissue_digest() -> str:
    # The table never changes while the program runs, and a drag asks for the key at every step.
    from cryoplan.simulation.conditions import load_conditions

    return digest(tissues().digest(), load_conditions().digest())


def simulation_key(case: Case, plan: Plan, probes: Catalogue, settings: SolverSettings = STANDARD) -> str:
    """Return the digest of everything that the answer depends on.

    A result is current only while its key equals this: image, structures, probes and protocol, the entries
    of the probe models in use, the tables of tissues and surroundings, the settings and the version of the
    model.
    """
    used = sorted({p.model for p in plan.probes})
    return digest(
        MODEL_VERSION,
        case.digest(),
        plan.physics_key(),
        [probes.model(name) for name in used],
        _tissue_digest(),
        settings,
    )


AROUND_TARGET_MM = 10.0
"""How much further than the target active zones are expected; a region reaches some cells further still."""


def prepare(case: Case, settings: SolverSettings = STANDARD, *, progress: Progress = SILENT) -> None:
    """Find the tissues around the target, which the first solve of a case would have to wait for.

    Later solves find them ready as long as they stay within; the answers are the same. Without a target
    nothing is done.

    Raises
    ------
    CryoplanError
        If the tissues cannot be found.
    Cancelled
        If `progress` says so.
    """
    from cryoplan.simulation.problem import solver_grid
    from cryoplan.simulation.tissue_map import kept_region

    if case.target is not None:
        around = settings.margin_mm + AROUND_TARGET_MM
        kept_region(case, solver_grid(case, (), around, settings.spacing_mm), tissues(), progress)


def simulate(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    settings: SolverSettings = STANDARD,
    *,
    progress: Progress = SILENT,
    on_frame: Callable[[Frame], None] | None = None,
) -> ThermalResult:
    """Solve the plan.

    Parameters
    ----------
    case, plan : Case, Plan
        What is treated and how.
    probes : Catalogue
        Probe models.
    settings : SolverSettings
        Grid and steps.
    progress : Progress
        Told the fraction and the time left; asked whether to stop at least every second.
    on_frame : callable, optional
        Called with each frame as soon as it is solved.

    Raises
    ------
    SimulationError, PlanError
        If the plan cannot be solved; the message says what to change.
    Cancelled
        If `progress` says so; nothing is kept.
    """
    from cryoplan.simulation.problem import build_problem
    from cryoplan.simulation.solver import solve

    problem = build_problem(case, plan, probes, tissues(), settings, progress=progress)
    key = simulation_key(case, plan, probes, settings)
    return solve(problem, key=key, progress=progress, on_frame=on_frame)


def assess(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    result: ThermalResult,
    *,
    thresholds_degc: Sequence[float] = DEFAULT_THRESHOLDS_DEGC,
) -> Assessment:
    """Judge a result by the limits of the case: margins, coverage, volumes, organ temperatures, findings.

    Raises
    ------
    StaleError
        If the result is not the answer to this case and plan.
    """
    from cryoplan.margins.assess import assess as judge

    require_current(case, plan, probes, result)
    return judge(case, plan, probes, result, thresholds_degc=thresholds_degc)


def judge_again(case: Case, result: ThermalResult, assessment: Assessment) -> Assessment:
    """Judge an assessment as the case is judged now; nothing is measured anew."""
    from cryoplan.margins.assess import judge_again as judge

    is_same = (assessment.limits, assessment.left_out) == case.judged_by
    return assessment if is_same else judge(assessment, case, result)


def offered_sides(
    case: Case, result: ThermalResult, assessment: Assessment
) -> tuple[tuple[LeftOut, float], ...]:
    """Return the sides of the target that its margins may leave out, each with its share of the surface."""
    from cryoplan.margins.sides import offered_sides as offered

    if assessment.margin_map is None:
        return ()
    return offered(case, assessment.margin_map, result.grid)


def require_current(case: Case, plan: Plan, probes: Catalogue, result: ThermalResult) -> None:
    """Raise `StaleError` unless `result` is the answer to exactly this case and plan."""
    if result.key != simulation_key(case, plan, probes, result.settings):
        raise StaleError(
            "The temperatures belong to another plan, case or table.",
            "Solve again, then judge or print.",
            code="stale-result",
        )


def check(case: Case, plan: Plan, probes: Catalogue) -> tuple[Finding, ...]:
    """Check what needs no simulation: reach, spacing, the way in, and what is on the shelf."""
    from cryoplan.plan.rules import check_plan

    return (*check_plan(case, plan, probes), *stock_findings(plan, probes, load_stock()))
