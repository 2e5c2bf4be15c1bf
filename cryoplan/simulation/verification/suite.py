"""Suite: every check in one go, quick or whole, as one record that can be kept and shown again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.simulation.solver import warm_up
from cryoplan.simulation.verification import closed_forms, refinement
from cryoplan.simulation.verification.axisymmetric import Fineness
from cryoplan.simulation.verification.check import Check
from cryoplan.simulation.verification.curve import Curve, curve_from_json
from cryoplan.simulation.verification.random_probes import PLACEMENTS, against_reference, cases

QUICK_PLACEMENTS = 3
"""Random placements of the quick run, at the preview grid only."""

QUICK_FINENESS = Fineness(wall_mm=0.16, ice_mm=0.4, step_max_s=8.0)
"""Rings that are right to 0.05 mm and take two seconds."""

Part = tuple[str, Callable[[], Iterable[Check | Curve]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What one run of the checks found.

    Attributes
    ----------
    checks : tuple of Check
    curves : tuple of Curve
    quick : bool
        Whether the short list was run.
    """

    checks: tuple[Check, ...]
    curves: tuple[Curve, ...]
    quick: bool

    @property
    def passed(self) -> bool:
        """Whether every judged check kept its bound."""
        return all(c.passed for c in self.checks)

    def groups(self) -> tuple[str, ...]:
        """Return the headings in the order of the checks."""
        return tuple(dict.fromkeys(c.group for c in self.checks))

    def summary(self) -> str:
        """Return one sentence."""
        judged = [c for c in self.checks if c.judged]
        held = sum(c.passed for c in judged)
        beside = len(self.checks) - len(judged)
        more = f"; {beside} more for comparison" if beside else ""
        return f"{held} of {len(judged)} checks within their bounds{more}."

    def to_json(self) -> str:
        """Return everything as JSON text."""
        found = {
            "quick": self.quick,
            "checks": [c.to_json() for c in self.checks],
            "curves": [c.to_json() for c in self.curves],
        }
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Verification:
        """Return what `to_json` wrote."""
        found = json.loads(text)
        return Verification(
            checks=tuple(Check(**c) for c in found["checks"]),
            curves=tuple(curve_from_json(c) for c in found["curves"]),
            quick=bool(found["quick"]),
        )


def _quick_parts() -> list[Part]:
    fixed, _, strong, _ = cases()
    return [
        ("Planar freezing (Neumann)", closed_forms.planar_neumann),
        ("Line sink", lambda: closed_forms.line_sink(1.0)),
        ("Steady cylinder", lambda: closed_forms.steady_cylinder(1.0)),
        ("Line sink, fine", lambda: closed_forms.line_sink(0.5, closed_forms.OFFSETS[3:])),
        ("Steady cylinder, fine", lambda: closed_forms.steady_cylinder(0.5, closed_forms.OFFSETS[3:])),
        ("Oblique steady cylinder", lambda: closed_forms.oblique_cylinder(1.0)),
        ("Steady sphere", closed_forms.steady_sphere),
        ("Point sink with perfusion (Pennes)", closed_forms.point_sink),
        *(
            (
                f"Random placements, {case.name}",
                partial(against_reference, case, 2.0, QUICK_PLACEMENTS, SILENT, QUICK_FINENESS),
            )
            for case in (fixed, strong)
        ),
        ("Symmetry", refinement.symmetry),
        ("Precision and threads", refinement.precision_and_threads),
        ("Energy balance and grid", lambda: refinement.freeze_and_thaw((2.0, 1.0))),
    ]


def _whole_parts(progress: Progress) -> list[Part]:
    parts = _quick_parts()
    at = next(n for n, (title, _) in enumerate(parts) if title.startswith("Random"))
    placed: list[Part] = [
        (
            f"{PLACEMENTS} random placements, {case.name}, {h:g} mm",
            partial(against_reference, case, h, PLACEMENTS, progress),
        )
        for case in cases()
        for h in (2.0, 1.0)
    ]
    closed: list[Part] = [
        ("Line sink, fine", lambda: closed_forms.line_sink(0.5, closed_forms.OFFSETS[:3])),
        ("Steady cylinder, fine", lambda: closed_forms.steady_cylinder(0.5, closed_forms.OFFSETS[:3])),
        ("Steady cylinder, preview grid", lambda: closed_forms.steady_cylinder(2.0)),
    ]
    last: list[Part] = [
        ("Order in space", refinement.smooth_field),
        ("Front against the grid", refinement.front_in_space),
        ("Order in time", refinement.steps_in_time),
        ("Active region", refinement.active_region),
        ("Symmetry", refinement.symmetry),
        ("Precision and threads", refinement.precision_and_threads),
        ("Energy balance and grid", lambda: refinement.freeze_and_thaw((2.0, 1.0, 0.5))),
        ("Published experiments", lambda: _published(progress)),
    ]
    return [*parts[:at], *closed, *placed, *last]


def _published(progress: Progress) -> Iterable[Check | Curve]:
    from cryoplan.simulation.verification.experiments import published_experiments

    class Inner:
        def report(self, report: ProgressReport) -> None:
            """Keep the fraction of one part to itself."""

        def cancelled(self) -> bool:
            return progress.cancelled()

    return published_experiments(Inner())


def run_verification(quick: bool = True, progress: Progress = SILENT) -> Verification:
    """Run the checks; `quick` leaves out finer repeats, most placements and the published experiments.

    Raises
    ------
    Cancelled
        When `progress` says so, between two checks.
    """
    warm_up()
    parts = _quick_parts() if quick else _whole_parts(progress)
    checks: list[Check] = []
    curves: list[Curve] = []
    for number, (title, part) in enumerate(parts):
        progress.report(ProgressReport(fraction=number / len(parts), text=title))
        for found in part():
            check_cancelled(progress)
            if isinstance(found, Check):
                checks.append(found)
            else:
                curves.append(found)
    progress.report(ProgressReport(fraction=1.0, text="Done"))
    return Verification(checks=tuple(checks), curves=tuple(curves), quick=quick)
