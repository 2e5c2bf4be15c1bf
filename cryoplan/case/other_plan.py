"""Other plan: one that is kept with the case beside the plan that is worked on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPlan:
    """A plan as text: a case knows that there are plans, not what is in them.

    Attributes
    ----------
    name : str
        What the plan is called; unlike that of every other plan of the case.
    text : str
        Its ``plan.json`` on one line with sorted keys, so that equal plans have equal texts.

    Raises
    ------
    ValueError
        If the text is no JSON object.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        plan = json.loads(self.text)
        if not isinstance(plan, dict):
            raise ValueError("a plan is a JSON object")
        object.__setattr__(self, "text", json.dumps(plan, ensure_ascii=False, sort_keys=True))


def plans_in_order(plans: Sequence[OtherPlan]) -> tuple[OtherPlan, ...]:
    """Return plans in the one order that they are kept in.

    Raises
    ------
    ValueError
        If two have one name.
    """
    if len({p.name for p in plans}) < len(plans):
        raise ValueError("two plans of a case have one name")
    return tuple(sorted(plans, key=lambda p: p.name))


def plans_to_json(plans: Sequence[OtherPlan]) -> list[dict[str, Any]]:
    """Return the JSON value of plans."""
    return [{"name": p.name, "plan": json.loads(p.text)} for p in plans]


def plans_from_json(rows: object) -> tuple[OtherPlan, ...]:
    """Return the plans of their JSON value.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is something else.
    """
    if not isinstance(rows, list):
        raise TypeError("the other plans are no list")
    return plans_in_order([OtherPlan(name=str(r["name"]), text=json.dumps(r["plan"])) for r in rows])
