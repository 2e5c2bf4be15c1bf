"""Report: pictures and the plan PDF of a current result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.core.atomic import write_atomic
from cryoplan.core.language import ENGLISH, speaking
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.report.style import PrintStyle
from cryoplan.workflow.room_sheet import write_room_sheet as write_room_sheet
from cryoplan.workflow.solving import check, judge_again, require_current, sense_again, tissues

if TYPE_CHECKING:
    from cryoplan.scene.snapshot import Picture
    from cryoplan.simulation.result import ThermalResult


def make_pictures(
    case: Case, plan: Plan, probes: Catalogue, result: ThermalResult, assessment: Assessment
) -> tuple[Picture, ...]:
    """Draw the four pictures of the report, without a display.

    Raises
    ------
    StaleError
        If the result is not the answer to this case and plan.
    """
    from cryoplan.scene.snapshot import report_pictures

    require_current(case, plan, probes, result)
    return report_pictures(case, plan, probes, result, assessment)


def write_report(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    result: ThermalResult,
    assessment: Assessment,
    path: Path,
    *,
    pictures: tuple[Picture, ...] | None = None,
    standing: str = "",
    style: PrintStyle | None = None,
) -> None:
    """Write the plan PDF; an old file is replaced only once the new one is whole.

    Parameters
    ----------
    pictures : tuple of Picture, optional
        Pictures drawn before; drawn now when left out.
    standing : str
        See `cryoplan.workflow.casefile.standing`.
    style : PrintStyle, optional
        Its language is that of all texts, those in pictures drawn now included.

    Raises
    ------
    StaleError
        If the result is not the answer to this case and plan.
    StoreError
        If the file cannot be written.
    """
    from cryoplan.report.content import build_content
    from cryoplan.report.pdf import render_pdf
    from cryoplan.report.translate import names_of

    require_current(case, plan, probes, result)
    assessment = sense_again(plan, result, assessment)
    # Whatever the assessment was judged by: what is printed is judged by the limits that the case has now.
    judged = judge_again(case, result, assessment)
    with speaking(ENGLISH if style is None else style.language, names_of(case, plan)):
        if pictures is None:
            pictures = make_pictures(case, plan, probes, result, assessment)
        content = build_content(
            case=case,
            plan=plan,
            catalogue=probes,
            tissues=tissues(),
            result=result,
            assessment=judged,
            pictures=pictures,
            rules=check(case, plan, probes),
            standing=standing,
        )
        data = render_pdf(content)
    write_atomic(path, data)
