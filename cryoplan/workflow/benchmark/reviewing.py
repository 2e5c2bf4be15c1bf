"""Reviewing: how long all the numbers of the margin review take after a solve."""

from __future__ import annotations

from collections.abc import Iterator

from cryoplan.core.progress import Progress
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.subjects import Patient
from cryoplan.workflow.benchmark.timing import Quiet, median_time
from cryoplan.workflow.converging import margin_uncertainty
from cryoplan.workflow.solving import assess, catalogue, offered_sides, simulate


def reviewing(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure judging a result: margins, coverage, organs, sides to leave out, and how sure it all is."""
    case, plan, models = patient.case, patient.plan, catalogue()
    result = simulate(case, plan, models, patient.standard, progress=Quiet(progress))

    def review() -> None:
        found = assess(case, plan, models, result)
        offered_sides(case, result, found)
        for margin in found.margins:
            margin_uncertainty(case, margin, result)

    review()  # masks on the solver's grid are kept: the solve has made most of them
    timed = median_time(review, progress, patient.sizes.repeats)
    i, j, k = result.grid.size
    note = (
        f"margins, coverage, {len(case.structures)} structures, {i} x {j} x {k} cells, sides, uncertainty; "
        "the masks are on the grid already"
    )
    yield row("review", timed.seconds, timed.repeats, note)
