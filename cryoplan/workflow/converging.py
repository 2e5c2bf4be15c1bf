"""Convergence: how much of this very plan's numbers is the grid's and the step's, found by refining both."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.case.left_out import LeftOut
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, PartProgress, Progress
from cryoplan.core.units import show_degc, show_mm
from cryoplan.margins.assessment import DEFAULT_THRESHOLDS_DEGC, Assessment, Margin
from cryoplan.margins.uncertainty import Uncertainty
from cryoplan.margins.uncertainty import margin_uncertainty as of_margin
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.simulation.settings import STANDARD, SolverSettings
from cryoplan.workflow.solving import assess, simulate

if TYPE_CHECKING:
    from cryoplan.simulation.result import ThermalResult

FINEST_MM = 0.5
"""Grids are halved down to here; the finest is compared with one twice as coarse instead."""

LARGE_MARGIN_MM = 1.0
"""A least margin that moves by more is warned of: a fifth of the 5 mm that are asked for, and about what the
placement of a probe is uncertain by at best."""

LARGE_VOLUME = 0.05
"""Share by which a volume may change without a warning: the radius changes by a third of it."""

SMALLEST_ML = 0.1
"""Smaller volumes are a handful of cells; their change in percent says nothing."""

NOT_THE_MODEL = (
    "This is what the method adds; how well model, tissue and probe values fit the patient is another "
    "question."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One number on the chosen grid, on the other grid, and with half the step.

    Attributes
    ----------
    kind : str
        ``volume`` in ml, or ``margin`` (least distance to an isotherm) in mm.
    threshold_degc : float
        The isotherm.
    value, other_grid, half_step : float
        The number in the three solves; a margin where there is no ice is NaN.
    """

    kind: str
    threshold_degc: float
    value: float
    other_grid: float
    half_step: float

    @property
    def unit(self) -> str:
        """``ml`` or ``mm``."""
        return "ml" if self.kind == "volume" else "mm"

    @property
    def by_grid(self) -> float:
        """Other grid less chosen grid, in `unit`."""
        return self.other_grid - self.value

    @property
    def by_step(self) -> float:
        """Half step less whole step, in `unit`."""
        return self.half_step - self.value

    @property
    def relative(self) -> float | None:
        """Largest change as a share of the value; None where that says nothing."""
        if self.kind != "volume" or self.value < SMALLEST_ML:
            return None
        return max(abs(self.by_grid), abs(self.by_step)) / self.value

    def to_json(self) -> dict[str, object]:
        """Return the object of ``convergence.json``."""
        numbers = {"value": self.value, "other_grid": self.other_grid, "half_step": self.half_step}
        return {
            "kind": self.kind,
            "threshold_degc": self.threshold_degc,
            "unit": self.unit,
            **{name: number if math.isfinite(number) else None for name, number in numbers.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceReport:
    """What refining changed.

    Attributes
    ----------
    key : str
        Of the result that was checked.
    left_out : tuple of LeftOut
        Sides that its margins left out.
    spacing_mm, other_mm : float
        Chosen grid and the one that it was compared with.
    step_s : float
        Longest super-step of the chosen settings; half of it was the other.
    changes : tuple of Change
    """

    key: str
    left_out: tuple[LeftOut, ...] = ()
    spacing_mm: float
    other_mm: float
    step_s: float
    changes: tuple[Change, ...]

    @property
    def largest_volume_change(self) -> float:
        """Share of the volume, over all isotherms."""
        return max((c.relative for c in self.changes if c.relative is not None), default=0.0)

    @property
    def largest_margin_change_mm(self) -> float | None:
        """Over all isotherms; None without a target or where one of the grids has no ice."""
        moved = [max(abs(c.by_grid), abs(c.by_step)) for c in self.changes if c.kind == "margin"]
        known = [m for m in moved if math.isfinite(m)]
        return max(known) if known else None

    def moved_mm(self, threshold_degc: float) -> float | None:
        """Return by how much the least margin to one isotherm moved; None where that is not known."""
        for change in self.changes:
            if change.kind == "margin" and change.threshold_degc == threshold_degc:
                moved = max(abs(change.by_grid), abs(change.by_step))
                return moved if math.isfinite(moved) else None
        return None

    @property
    def is_converged(self) -> bool:
        """True when nothing changed by more than the limits of this file."""
        margin = self.largest_margin_change_mm or 0.0
        small = margin <= LARGE_MARGIN_MM and self.largest_volume_change <= LARGE_VOLUME
        return small and not self._ice_differs

    @property
    def _ice_differs(self) -> bool:
        """True when an isotherm is there in one solve and not in another."""
        return any(
            c.kind == "margin" and len({math.isfinite(n) for n in (c.value, c.other_grid, c.half_step)}) == 2
            for c in self.changes
        )

    @property
    def sentence(self) -> str:
        """Say in words what it means."""
        finer = "finer" if self.other_mm < self.spacing_mm else "coarser"
        text = (
            f"On a {finer} grid of {self.other_mm:g} mm instead of {self.spacing_mm:g} mm and with half the "
            f"step, volumes change by at most {100.0 * self.largest_volume_change:.1f} %"
        )
        margin = self.largest_margin_change_mm
        if margin is not None:
            worst = max(
                (c for c in self.changes if c.kind == "margin" and math.isfinite(c.by_grid + c.by_step)),
                key=lambda c: max(abs(c.by_grid), abs(c.by_step)),
            )
            text += (
                f" and least margins by at most {show_mm(margin)} "
                f"(to the isotherm of {show_degc(worst.threshold_degc)})"
            )
        if self._ice_differs:
            text += "; one of the solves has an isotherm that another has not"
        verdict = "" if self.is_converged else " That is too much: solve on a finer grid."
        if not self.is_converged and finer == "coarser":
            verdict = " That is much; this is the finest grid, so take its numbers with care."
        return f"{text}.{verdict} {NOT_THE_MODEL}"

    @property
    def finding(self) -> Finding:
        """Return the sentence as a finding."""
        level = Level.OK if self.is_converged else Level.WARN
        return Finding(level=level, code="convergence", text=self.sentence)

    def to_json(self) -> dict[str, object]:
        """Return the object of ``convergence.json``."""
        return {
            "key": self.key,
            "spacing_mm": self.spacing_mm,
            "other_mm": self.other_mm,
            "step_s": self.step_s,
            "half_step_s": 0.5 * self.step_s,
            "changes": [c.to_json() for c in self.changes],
            "largest_volume_change": self.largest_volume_change,
            "largest_margin_change_mm": self.largest_margin_change_mm,
            "converged": self.is_converged,
            "text": self.sentence,
        }


def other_spacing_mm(spacing_mm: float) -> float:
    """Return the grid that one of `spacing_mm` is compared with: half as fine, or twice as coarse."""
    half = 0.5 * spacing_mm
    return half if half >= FINEST_MM - 1e-9 else min(2.0 * spacing_mm, 2.0)


def check_convergence(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    settings: SolverSettings = STANDARD,
    *,
    known: Assessment | None = None,
    progress: Progress = SILENT,
) -> ConvergenceReport:
    """Solve a plan again on another grid and with half the step, and compare volumes and least margins.

    Parameters
    ----------
    case, plan, probes, settings
        As for `cryoplan.workflow.solving.simulate`.
    known : Assessment, optional
        Judgement of the solve with `settings`, where there is one already.
    progress : Progress
        Told how far all solves together are; asked whether to stop.

    Raises
    ------
    SimulationError, PlanError
        If the plan cannot be solved, for example because the finer grid does not fit into memory.
    Cancelled
        If `progress` says so.
    """

    def judged(chosen: SolverSettings, part: Progress) -> Assessment:
        # Frames of the time slider are not asked for: at half the spacing they would take most of the memory.
        bare = chosen if chosen == settings else replace(chosen, frames_every_s=0.0)
        return assess(case, plan, probes, simulate(case, plan, probes, bare, progress=part))

    return compare(settings, judged, known=known, progress=progress)


def compare(
    settings: SolverSettings,
    judged: Callable[[SolverSettings, Progress], Assessment],
    *,
    known: Assessment | None = None,
    progress: Progress = SILENT,
) -> ConvergenceReport:
    """Compare what `judged` says for three settings; see `check_convergence`."""
    other = other_spacing_mm(settings.spacing_mm)
    # A solve takes about (1 / spacing)^4: that is how the progress is shared out.
    whole = settings.spacing_mm**-4
    costs = [0.0 if known is not None else whole, 1.5 * whole, other**-4]
    starts = [sum(costs[:n]) / sum(costs) for n in range(3)]
    parts = [PartProgress(progress, s, c / sum(costs)) for s, c in zip(starts, costs, strict=True)]
    base = known if known is not None else judged(settings, parts[0])
    slow = judged(replace(settings, step_max_s=max(0.5 * settings.step_max_s, 0.05)), parts[1])
    fine = judged(settings.changed(spacing_mm=other), parts[2])
    changes = [
        Change(
            kind="volume",
            threshold_degc=t,
            value=base.volume_ml(t),
            other_grid=fine.volume_ml(t),
            half_step=slow.volume_ml(t),
        )
        for t in DEFAULT_THRESHOLDS_DEGC
    ]
    changes += [
        Change(
            kind="margin",
            threshold_degc=t,
            value=_least_mm(base, t),
            other_grid=_least_mm(fine, t),
            half_step=_least_mm(slow, t),
        )
        for t in DEFAULT_THRESHOLDS_DEGC
        if base.margin(t) is not None
    ]
    return ConvergenceReport(
        key=base.key,
        left_out=base.left_out,
        spacing_mm=settings.spacing_mm,
        other_mm=other,
        step_s=settings.step_max_s,
        changes=tuple(changes),
    )


def _least_mm(assessment: Assessment, threshold_degc: float) -> float:
    margin = assessment.margin(threshold_degc)
    return math.nan if margin is None or margin.no_ice else margin.minimum_mm


def margin_uncertainty(
    case: Case, margin: Margin, result: ThermalResult, report: ConvergenceReport | None = None
) -> Uncertainty | None:
    """Return how sure a margin is at its worst place; None without ice. The check of its grid goes in."""
    return of_margin(
        case,
        margin,
        spacing_mm=result.settings.spacing_mm,
        moved_mm=None if report is None else report.moved_mm(margin.threshold_degc),
    )
