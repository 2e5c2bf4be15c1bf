"""Following: how soon and how well the preview follows a probe that is dragged."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.margins.distance import distance_to_surface_mm
from cryoplan.margins.iceball import isotherm_surface
from cryoplan.simulation.solver import solve
from cryoplan.workflow.benchmark.apart import run_apart
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.subjects import Patient
from cryoplan.workflow.benchmark.timing import Quiet
from cryoplan.workflow.previewing import preview, until_first_freeze
from cryoplan.workflow.solving import catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DragTimes:
    """What was measured of one drag in a real window.

    Attributes
    ----------
    latency_ms : tuple of float
        Of each event of the mouse, until ice of its plan or a later one was drawn.
    previews : int
        Different previews that were drawn.
    seconds : float
        How long the drag took.
    stall_ms, final_stall_ms : float
        Longest time that the window did not answer while the probe was dragged, and from letting go until
        the final ice was drawn.
    final_s : float or None
        From letting go to the final result; None where none came.
    """

    latency_ms: tuple[float, ...]
    previews: int
    seconds: float
    stall_ms: float
    final_stall_ms: float
    final_s: float | None


DragMeasure = Callable[[Sizes], DragTimes]


def following(sizes: Sizes, progress: Progress, drag_times: DragMeasure | None) -> Iterator[Row]:
    """Measure a drag in a window of its own."""
    cases = ("preview-latency", "preview-latency-95", "preview-stall")
    if drag_times is None:
        for case in cases:
            yield row(case, None, 0, "needs the window; measured by the command line")
        return
    found, _ = run_apart(drag_times, sizes, progress, may_start_others=True)
    if not found.latency_ms:
        for case in cases:
            yield row(case, None, 0, "no preview came")
        return
    final = "no result" if found.final_s is None else f"{found.final_s:.1f} s"
    yield row(
        "preview-latency",
        statistics.median(found.latency_ms),
        len(found.latency_ms),
        "from the event of the mouse to a slice drawn with the ice of its plan or a later one, 4 probes, 60 "
        f"events a second; median, worst {max(found.latency_ms):.0f} ms; "
        f"{found.previews / found.seconds:.1f} previews a second; final result {final} after letting go",
    )
    yield row("preview-latency-95", float(np.percentile(found.latency_ms, 95)), len(found.latency_ms),
              "95th percentile of the same")  # fmt: skip
    yield row(
        "preview-stall",
        found.stall_ms,
        1,
        f"worst while the probe was dragged; {found.final_stall_ms:.0f} ms from letting go to the final ice",
    )


def distance(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure how far the 0 degC surface of the preview is from that of the standard grid."""
    probes, plan = catalogue(), patient.four_probes
    shown = preview(patient.case, plan, probes, progress=Quiet(progress))
    check_cancelled(progress)
    standard = replace(patient.standard, frames_every_s=0.0)
    problem = patient.build(until_first_freeze(plan), standard)
    final = solve(problem, progress=Quiet(progress)).end_of_freeze(1)
    rough, exact = (isotherm_surface(f, 0.0) for f in (shown.field_degc, final.temperature_degc))
    if rough.is_empty or exact.is_empty:
        for case in ("preview-distance", "preview-distance-95"):
            yield row(case, None, 0, "no ice")
        return
    away = np.concatenate(
        [distance_to_surface_mm(rough.points_mm, exact), distance_to_surface_mm(exact.points_mm, rough)]
    )
    note = (
        f"both ways between the 0 °C surfaces at the end of the first freeze, grid of "
        f"{shown.field_degc.grid.spacing_mm[0]:g} mm against {standard.spacing_mm:g} mm, 4 probes; mean, "
        f"worst {away.max():.2f} mm"
    )
    yield row("preview-distance", float(away.mean()), len(away), note)
    yield row("preview-distance-95", float(np.percentile(away, 95)), len(away), "95th percentile of the same")
