"""Room sheet: the paper beside the console in the CT room, of a current result."""

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
from cryoplan.workflow.solving import require_current

if TYPE_CHECKING:
    from cryoplan.scene.snapshot import Picture
    from cryoplan.simulation.result import ThermalResult


def write_room_sheet(
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
    """Write the sheet for the CT room; an old file is replaced only once the new one is whole.

    Parameters
    ----------
    pictures : tuple of Picture, optional
        One of each probe, in the order of the plan, drawn before; drawn now when left out.
    standing : str
        See `cryoplan.workflow.casefile.standing`.

    Raises
    ------
    StaleError
        If the result is not the answer to this case and plan.
    StoreError
        If the file cannot be written.
    """
    from cryoplan.report.room_page import render_room_sheet
    from cryoplan.report.room_sheet import build_room_sheet
    from cryoplan.report.style import PrintStyle
    from cryoplan.report.translate import names_of
    from cryoplan.scene.inline_pictures import probe_pictures
    from cryoplan.scene.style import theme

    del assessment  # the room is told where to go, not how good it is
    require_current(case, plan, probes, result)
    with speaking(PrintStyle().language if style is None else style.language, names_of(case, plan)):
        if pictures is None:
            pictures = probe_pictures(case, plan, probes, result)
        colour = theme().probes.colour
        sheet = build_room_sheet(
            case=case,
            plan=plan,
            catalogue=probes,
            key=result.key,
            pictures={p.name: shown.png for p, shown in zip(plan.probes, pictures, strict=True)},
            colours={p.name: colour(plan.colour_number(p)) for p in plan.probes},
            standing=standing,
        )
        data = render_room_sheet(sheet, style)
    write_atomic(path, data)
