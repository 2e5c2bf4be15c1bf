"""Save and open: one case file holds the patient, the plan and, if it was solved, the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore, Memory, StoredResult
from cryoplan.core.finding import Finding
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.file import plan_to_json
from cryoplan.plan.plan import Plan
from cryoplan.workflow.casefile import CaseFile, standing, stored_answer, stored_result
from cryoplan.workflow.consent import created_text
from cryoplan.workflow.solving import assess, catalogue

if TYPE_CHECKING:
    from cryoplan.simulation.result import ThermalResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SavedCase:
    """What a case file held.

    Attributes
    ----------
    case, plan : Case, Plan
        The patient and the plan.
    result, assessment : ThermalResult and Assessment, or None
        Only if they answer to exactly this case, plan and these tables; a stale result is never returned.
    findings : tuple of Finding
        Says when and why a stored result was left out, and whether the history was changed by others.
    standing : str
        See `cryoplan.workflow.casefile.standing`.
    memory : Memory or None
        Title, notes and history, to go on with in another file should this one be gone a moment later.
    """

    case: Case
    plan: Plan
    result: ThermalResult | None
    assessment: Assessment | None
    findings: tuple[Finding, ...] = ()
    standing: str = ""
    memory: Memory | None = None


def save_case(
    path: Path,
    case: Case,
    plan: Plan,
    result: ThermalResult | None = None,
    probes: Catalogue | None = None,
    *,
    text: str = "",
    memory: Memory | None = None,
) -> None:
    """Write a new case file; an old one is replaced only once the new one is whole.

    Parameters
    ----------
    result : ThermalResult, optional
        Kept under its key, whether it is current or not: opening decides that anew.
    text : str
        First sentence of its history; left out: that the case was made, and what the user agreed to for it.
    memory : Memory, optional
        Of a file that cannot be read any more, in the state `case` and `plan`: the new file goes on with its
        title, notes, approvals and history.

    Raises
    ------
    StoreError
        If the file cannot be written or is open elsewhere.
    """
    probes = probes or catalogue()
    results = [] if result is None else [stored_result(result, case, plan, probes)]
    text = text or created_text(case)
    if memory is None:
        CaseStore.create(path, case, plan_to_json(plan), results=results, text=text)
    else:
        CaseStore.go_on(path, case, memory, results=results, text=text)


def open_case(path: Path, probes: Catalogue | None = None) -> SavedCase:
    """Read a case file; it may be open for writing elsewhere.

    Raises
    ------
    StoreError
        If it is not a case file, is damaged, or was written by a newer program; it is left untouched.
    """
    probes = probes or catalogue()
    with CaseFile.open(path, probes, read_only=True) as file:
        case, plan = file.case, file.plan
        result, findings = file.current_result()
        findings = file.store.findings + findings
        words, memory = standing(file.history), file.store.memory
    judged = None if result is None else assess(case, plan, probes, result)
    return SavedCase(
        case=case,
        plan=plan,
        result=result,
        assessment=judged,
        findings=findings,
        standing=words,
        memory=memory,
    )


def recall(
    stored: StoredResult, case: Case, plan: Plan, probes: Catalogue | None = None
) -> tuple[ThermalResult, Assessment]:
    """Return a stored result and its judgement, if it is the answer to exactly this case and plan.

    Raises
    ------
    StoreError
        If it is damaged or of another version of the program.
    StaleError
        If it is the answer to anything else.
    """
    result = stored_answer(stored)
    return result, assess(case, plan, probes or catalogue(), result)
