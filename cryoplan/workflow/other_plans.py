"""Other plans: several plans of one case, of which one is worked on and the others are kept beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from cryoplan.case.case import Case
from cryoplan.case.other_plan import OtherPlan
from cryoplan.core.errors import PlanError
from cryoplan.plan.file import plan_from_json, plan_to_json
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

MOST_PLANS = 26
"""Plans of a case, the one that is worked on with them."""

_NAMES_STRUCTURES = ("warmers", "flows")
"""Rows of a plan that name a structure of the case."""


def plan_names(case: Case, plan: Plan) -> tuple[str, ...]:
    """Return the names of all plans of a case in order, that of the one that is worked on among them."""
    return tuple(sorted({plan.name, *(p.name for p in case.other_plans)}))


def keep_and_copy(case: Case, plan: Plan) -> tuple[Case, Plan]:
    """Keep a plan with the case, and return the case and a copy of the plan under the next free letter.

    Raises
    ------
    PlanError
        If the case has `MOST_PLANS` plans already.
    """
    taken = set(plan_names(case, plan))
    free = [letter for letter in LETTERS if letter not in taken]
    if len(taken) >= MOST_PLANS or not free:
        raise PlanError(
            f"The case has {len(taken)} plans.",
            "Delete one of them first.",
            code="too-many-plans",
            place="plan",
        )
    return case.changed(other_plans=(*_without(case, plan.name), _kept(plan))), replace(plan, name=free[0])


def take_up(case: Case, plan: Plan, name: str, catalogue: Mapping[str, ProbeModel]) -> tuple[Case, Plan]:
    """Return the case with `plan` kept beside the others, and the plan of that name to go on with.

    Raises
    ------
    PlanError
        If there is no such plan, or it names a probe that is not in the catalogue.
    """
    found = [p for p in case.other_plans if p.name == name]
    if not found:
        raise PlanError(
            f"The case has no plan {name!r}.",
            f"Choose one of: {', '.join(plan_names(case, plan))}.",
            code="plan-unknown",
            place=name,
        )
    taken = plan_from_json(found[0].text, catalogue, f"plan {name}")
    return case.changed(other_plans=(*_without(case, name), _kept(plan))), taken


def forget_plan(case: Case, name: str) -> Case:
    """Return the case without one of the plans beside; as it is where there is none of that name."""
    return case.changed(other_plans=_without(case, name))


def rename_plan(case: Case, plan: Plan, name: str) -> Plan:
    """Return the plan under another name.

    Raises
    ------
    PlanError
        If the name is none, or another plan of the case has it.
    """
    wanted = checked_name(" ".join(name.split()), what="The plan", place="name")
    if wanted in {p.name for p in case.other_plans}:
        raise PlanError(
            f"Another plan of the case is called {wanted!r}.",
            "Choose another name.",
            code="plan-name-twice",
            place="name",
        )
    return replace(plan, name=wanted)


def follow_renamed_structure(case: Case, old: str, new: str) -> Case:
    """Return the case whose other plans call a structure by its new name."""
    followed = []
    for kept in case.other_plans:
        plan = json.loads(kept.text)
        for row in (row for key in _NAMES_STRUCTURES for row in plan.get(key, ())):
            if row.get("structure") == old:
                row["structure"] = new
        followed.append(OtherPlan(name=kept.name, text=json.dumps(plan)))
    return case.changed(other_plans=tuple(followed))


def _kept(plan: Plan) -> OtherPlan:
    return OtherPlan(name=plan.name, text=plan_to_json(plan))


def _without(case: Case, name: str) -> tuple[OtherPlan, ...]:
    return tuple(p for p in case.other_plans if p.name != name)
