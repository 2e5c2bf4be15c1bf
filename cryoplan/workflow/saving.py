"""Save and open: one case file holds the patient, the plan and, if it was solved, the result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan import __version__
from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore, StoredPlan, StoredResult
from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.file import plan_from_json, plan_to_json
from cryoplan.plan.plan import Plan
from cryoplan.simulation.archive import pack, unpack
from cryoplan.workflow.solving import assess, catalogue, simulation_key

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
        Says when and why a stored result was left out.
    """

    case: Case
    plan: Plan
    result: ThermalResult | None
    assessment: Assessment | None
    findings: tuple[Finding, ...] = ()


def save_case(path: Path, case: Case, plan: Plan, result: ThermalResult | None = None) -> None:
    """Write a case file; an old one is replaced only once the new one is whole.

    Parameters
    ----------
    result : ThermalResult, optional
        Kept under its key, whether it is current or not: opening decides that anew.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    results = []
    if result is not None:
        header = json.dumps({"version": __version__, "spacing_mm": result.settings.spacing_mm})
        results.append(StoredResult(key=result.key, header=header, data=pack(result)))
    plans = [StoredPlan(name=plan.name, text=plan_to_json(plan))]
    CaseStore.create(path, case, plans=plans, results=results)


def open_case(path: Path, probes: Catalogue | None = None) -> SavedCase:
    """Read a case file.

    Raises
    ------
    StoreError
        If it is not a case file, is damaged, or was written by a newer program; it is left untouched.
    """
    probes = probes or catalogue()
    with CaseStore.open(path) as store:
        case = store.load_case()
        plans = store.plans()
        try:
            plan = plan_from_json(plans[0].text, probes, path.name) if plans else Plan()
        except PlanError as error:
            raise StoreError(
                f"The plan in {path.name} cannot be read: {error.what}",
                error.remedy,
                code="plan-in-case",
                place=path.name,
            ) from error
        keys = store.result_keys()
        # The settings are part of the key, so they are read from the result before it can be judged.
        stored = [unpack(found.data) for key in keys if (found := store.result(key)) is not None]
    current = [r for r in stored if r.key == simulation_key(case, plan, probes, r.settings)]
    if current:
        result = current[-1]
        return SavedCase(case=case, plan=plan, result=result, assessment=assess(case, plan, probes, result))
    findings: tuple[Finding, ...] = ()
    if stored:
        findings = (
            Finding(
                level=Level.WARN, code="stale-result", place=path.name,
                text="The stored temperatures belong to another plan, table or version of cryoplan and were "
                "left out; solve again.",
            ),
        )  # fmt: skip
    return SavedCase(case=case, plan=plan, result=None, assessment=None, findings=findings)
