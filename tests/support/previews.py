"""Previews that no solver made, by the key of the plan that a test is at."""

from __future__ import annotations

from cryoplan import workflow
from cryoplan.app.jobs import Job
from cryoplan.margins.rough import RoughMargin
from cryoplan.scene.meshes import isotherm_meshes
from cryoplan.workflow.previewing import PREVIEWED_DEGC, Preview
from tests.support.desk import Desk, answer


def preview_jobs(desk: Desk) -> list[Job]:
    """Return the previews that were asked for so far, oldest first."""
    return [job for job in desk.worker.jobs if job.kind == "preview"]


def preview_for(desk: Desk, job: Job) -> Preview:
    """Return a preview with the key that the answer to a job has, and the ice of formulas."""
    case, plan, settings = desk.workspace.case, job.arguments["plan"], job.arguments["settings"]
    field = answer(plan)[0].frames[0].temperature_degc
    return Preview(
        key=workflow.preview_key(case, plan, desk.workspace.catalogue, settings),
        time_s=600.0,
        field_degc=field,
        surfaces=tuple(zip(PREVIEWED_DEGC, isotherm_meshes(field, PREVIEWED_DEGC), strict=True)),
        margins=(
            RoughMargin(threshold_degc=0.0, minimum_mm=4.2, worst_point_mm=(0.0, 0.0, 0.0)),
            RoughMargin(threshold_degc=-20.0, minimum_mm=1.4, worst_point_mm=(0.0, 0.0, 0.0)),
            RoughMargin(threshold_degc=-40.0, minimum_mm=float("-inf"), worst_point_mm=None),
        ),
    )


def answer_preview(desk: Desk) -> Preview:
    """Answer the newest preview that was asked for, and return it."""
    made = preview_for(desk, desk.worker.last("preview"))
    desk.worker.done("preview", made)
    return made
