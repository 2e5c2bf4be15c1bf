"""Subject: what is exported, a case whose result is the answer to its plan as it is now."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.core.errors import StaleError
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.report.style import PrintStyle
from cryoplan.simulation.result import ThermalResult
from cryoplan.workflow.solving import judge_again, require_current, sense_again

if TYPE_CHECKING:
    from cryoplan.scene.snapshot import Picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A case to be exported; it cannot be made of a stale result.

    Attributes
    ----------
    case, plan, probes, result, assessment
        What was planned, and the answer to it.
    standing : str
        Whether the plan is approved, see `cryoplan.workflow.casefile.standing`.
    image : Path or None
        Where the DICOM files of the scan are, if not where they were read from.
    style : PrintStyle
        For what is printed.
    drawn : list of Picture
        Pictures of the PDF, once they have been drawn: paper and key images show the same ones.

    Raises
    ------
    StaleError
        If the result is not the answer to this case and plan, or the assessment not that of the result.
    """

    case: Case
    plan: Plan
    probes: Catalogue
    result: ThermalResult
    assessment: Assessment
    standing: str = ""
    image: Path | None = None
    style: PrintStyle = field(default_factory=PrintStyle)
    drawn: list[Picture] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        require_current(self.case, self.plan, self.probes, self.result)
        if self.assessment.key != self.result.key:
            raise StaleError(
                "The assessment belongs to other temperatures.",
                "Judge the result again, then export.",
                code="stale-result",
            )
        # Judged by the limits that the case has now, read at the thermocouples that the plan has now.
        sensed = sense_again(self.plan, self.result, self.assessment)
        object.__setattr__(self, "assessment", judge_again(self.case, self.result, sensed))
