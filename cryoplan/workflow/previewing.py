"""Previewing: the ice at the end of the first freeze, solved on a coarse grid while the hand still moves.

It is the same solver on the same case, only with larger cells and up to the end of the first freeze. A
preview may be drawn and its rough numbers be shown as such. It is no result: no PDF, no case file and no
approval ever takes one, and nothing here returns a `ThermalResult`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.left_out import LeftOut
from cryoplan.case.structure import Structure
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.margins.outline import Outline, outline
from cryoplan.margins.rough import RoughMargin, rough_margins
from cryoplan.margins.surface import Surface
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.protocol import Protocol
from cryoplan.simulation.settings import PREVIEW, STANDARD, SolverSettings
from cryoplan.workflow.solving import prepare, simulation_key, tissues

if TYPE_CHECKING:
    from cryoplan.scene.meshes import MeshArrays

PREVIEWED_DEGC = (0.0, -20.0, -40.0)
"""Isotherms of which a preview has surfaces and margins."""

AROUND_TUMOUR_MM = 4.0

MARGIN_MM = 28.0
"""Unfrozen tissue around zones and target; where one freeze may reach further the block is larger anyway."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preview:
    """What a coarse solve found; to be drawn and told as a preview only.

    Attributes
    ----------
    key : str
        `simulation_key` of case and plan with `preview_settings`: what this is the preview of.
    time_s : float
        Protocol time of the end of the first freeze.
    field_degc : Volume
        Temperatures at that time, float32, on the coarse grid.
    surfaces : tuple of (threshold degC, MeshArrays)
        The isotherms `PREVIEWED_DEGC`, ready to be drawn.
    margins : tuple of RoughMargin
        Of the target to these isotherms at that time; empty without a target.
    """

    key: str
    time_s: float
    field_degc: Volume
    surfaces: tuple[tuple[float, MeshArrays], ...]
    margins: tuple[RoughMargin, ...]

    def margin(self, threshold_degc: float) -> RoughMargin | None:
        """Return the rough margin to an isotherm; None where it was not measured."""
        return next((m for m in self.margins if m.threshold_degc == threshold_degc), None)


def preview_settings(settings: SolverSettings, plan: Plan, probes: Catalogue) -> SolverSettings:
    """Return how a preview is solved of a plan that `settings` would be the final ones of.

    What lies on the skin is the same; the grid is that of `PREVIEW`, or as much finer as the thinnest probe
    of the plan needs.
    """
    from cryoplan.simulation.feasible import COARSEST_RADII

    thinnest_mm = min((0.5 * probes.model(p.model).outer_diameter.value for p in plan.probes), default=np.inf)
    spacing = float(min(PREVIEW.spacing_mm, np.floor(10.0 * COARSEST_RADII * thinnest_mm) / 10.0))
    return replace(
        PREVIEW,
        spacing_mm=max(spacing, 0.3),
        margin_mm=min(MARGIN_MM, settings.margin_mm),
        skin=settings.skin,
        stasis_degc=settings.stasis_degc,
        frames_every_s=0.0,
    )


def preview_key(case: Case, plan: Plan, probes: Catalogue, settings: SolverSettings = STANDARD) -> str:
    """Return the key that the preview of a plan has."""
    return simulation_key(case, plan, probes, preview_settings(settings, plan, probes))


def until_first_freeze(plan: Plan) -> Plan:
    """Return the plan with the first phase of its protocol only: that is always a freeze."""
    return replace(plan, protocol=Protocol(phases=plan.protocol.phases[:1]))


def preview(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    settings: SolverSettings = STANDARD,
    *,
    progress: Progress = SILENT,
) -> Preview:
    """Solve a plan to the end of its first freeze on a coarse grid.

    Parameters
    ----------
    case, plan : Case, Plan
        What is treated and how.
    probes : Catalogue
        Probe models.
    settings : SolverSettings
        Those of the final solve, see `preview_settings`.
    progress : Progress
        Asked whether to stop.

    Raises
    ------
    SimulationError, PlanError
        If the plan cannot be solved.
    Cancelled
        If `progress` says so.
    """
    from cryoplan.scene.meshes import isotherm_meshes
    from cryoplan.simulation.problem import build_problem
    from cryoplan.simulation.solver import QUICK, solve

    coarse = preview_settings(settings, plan, probes)
    key = simulation_key(case, plan, probes, coarse)
    problem = build_problem(case, until_first_freeze(plan), probes, tissues(), coarse, progress=progress)
    frame = solve(problem, progress=progress, pace=QUICK).end_of_freeze(1)
    check_cancelled(progress)
    field = frame.temperature_degc
    surfaces = tuple(zip(PREVIEWED_DEGC, isotherm_meshes(field, PREVIEWED_DEGC), strict=True))
    margins: tuple[RoughMargin, ...] = ()
    if case.target is not None:
        isotherms = ((t, _bare(m)) for t, m in surfaces)
        margins = rough_margins(_outline_of(case.target), field, isotherms, _counting(case, case.target))
    return Preview(key=key, time_s=frame.time_s, field_degc=field, surfaces=surfaces, margins=margins)


def prepare_preview(case: Case, settings: SolverSettings = STANDARD, *, progress: Progress = SILENT) -> None:
    """Find what the first preview of a case would have to wait for: tissues and the tumour's outline.

    Raises
    ------
    CryoplanError
        If they cannot be found.
    Cancelled
        If `progress` says so.
    """
    prepare(case, replace(PREVIEW, skin=settings.skin), progress=progress)
    check_cancelled(progress)
    if case.target is not None:
        _outline_of(case.target)


_OUTLINES: WeakKeyDictionary[Structure, Outline] = WeakKeyDictionary()


def _outline_of(target: Structure) -> Outline:
    """Return the tumour's outline on the lattice of the standard grid, as the final margins have it."""
    known = _OUTLINES.get(target)
    if known is None:
        from cryoplan.case.planning import mask_box_mm, structure_mask
        from cryoplan.core.grid import Grid

        low, high = mask_box_mm(target.mask)
        around = Grid.isotropic(low - AROUND_TUMOUR_MM, high + AROUND_TUMOUR_MM, STANDARD.spacing_mm)
        known = _OUTLINES[target] = outline(target.name, structure_mask(target, around))
    return known


_Sides = tuple[tuple[LeftOut, ...], tuple[Volume, ...]]
"""What is left out, and the masks that say where that is."""

_COUNTING: WeakKeyDictionary[Structure, tuple[_Sides, npt.NDArray[np.bool_]]] = WeakKeyDictionary()


def _counting(case: Case, target: Structure) -> npt.NDArray[np.bool_] | None:
    """Return which points of the outline margins are asked of, None when of all."""
    if not case.left_out:
        return None
    from cryoplan.case.planning import mask_box_mm
    from cryoplan.core.grid import Grid
    from cryoplan.margins.sides import on_any_side, points_by_side

    tumour = _outline_of(target)
    asked = case.left_out, tuple(s.mask for s in case.structures)
    known = _COUNTING.get(target)
    if known is None or known[0] != asked:
        low, high = mask_box_mm(target.mask)
        reach_mm = max(s.within_mm for s in case.left_out) + 5.0 * STANDARD.spacing_mm
        around = Grid.isotropic(low - reach_mm, high + reach_mm, STANDARD.spacing_mm)
        left_out = on_any_side(points_by_side(case, tumour.surface, around), tumour.surface)
        known = _COUNTING[target] = (asked, ~left_out)
    # As for the final margins: where all would be left out, all count.
    return known[1] if known[1].any() else None


def _bare(mesh: MeshArrays) -> Surface:
    return Surface(points_mm=mesh.points_mm.astype(float), triangles=mesh.triangles.astype(np.int64))
