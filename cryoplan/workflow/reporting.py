"""Report: pictures and the plan PDF of a current result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.core.atomic import write_atomic
from cryoplan.core.language import speaking
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.report.style import PrintStyle
from cryoplan.workflow.room_sheet import write_room_sheet as write_room_sheet
from cryoplan.workflow.solving import check, judge_again, require_current, sense_again, tissues

if TYPE_CHECKING:
    from cryoplan.scene.snapshot import Picture
    from cryoplan.simulation.result import ThermalResult

PLAIN = PrintStyle()


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
    style: PrintStyle = PLAIN,
) -> None:
    """Write the plan PDF; an old file is replaced only once the new one is whole.

    Parameters
    ----------
    pictures : tuple of Picture, optional
        The four of `make_pictures`, drawn before; drawn now when left out, and none at all are printed when
        empty. Those of the single probes are drawn here, unless they are among them.
    standing : str
        See `cryoplan.workflow.casefile.standing`.
    style : PrintStyle
        Paper, department, logo, and the language of all texts, those in pictures drawn now included.

    Raises
    ------
    StaleError
        If the result is not the answer to this case and plan.
    StoreError
        If the file cannot be written.
    """
    from cryoplan.report.content import PROBE_PICTURE, build_content
    from cryoplan.report.pdf import render_pdf
    from cryoplan.report.translate import names_of
    from cryoplan.scene.inline_pictures import probe_pictures
    from cryoplan.scene.report_set import all_pictures

    require_current(case, plan, probes, result)
    assessment = sense_again(plan, result, assessment)
    # Whatever the assessment was judged by: what is printed is judged by the limits that the case has now.
    judged = judge_again(case, result, assessment)
    with speaking(style.language, names_of(case, plan)):
        if pictures is None:
            pictures = all_pictures(case, plan, probes, result, assessment)
        elif pictures and not any(p.name.startswith(PROBE_PICTURE) for p in pictures):
            pictures = (*pictures, *probe_pictures(case, plan, probes, result))
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
        data = render_pdf(content, style)
    write_atomic(path, data)
