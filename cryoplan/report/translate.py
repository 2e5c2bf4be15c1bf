"""Translate: one pass over a finished content, whatever records it is made of, into the paper's language."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cryoplan.core.finding import Level
from cryoplan.core.language import ENGLISH, Translator, spoken
from cryoplan.image.deidentify import clean_description
from cryoplan.report.parts import Table

if TYPE_CHECKING:
    from cryoplan.case.case import Case
    from cryoplan.plan.plan import Plan

Content = TypeVar("Content")

NAME_COLUMNS: dict[str, frozenset[int]] = {
    "Probes": frozenset({0, 1}),
    "Handling": frozenset({0, 2, 3}),
    "Other needles": frozenset({0, 5}),
    "Thermocouples": frozenset({0}),
    "Tissues cooled below": frozenset({0}),
    "Spacing of the probes, mm axis to axis": frozenset({0}),
    "Lowest temperature of structures": frozenset({0}),
}
"""Columns that hold names or notes of users, or of products, by how the table's English title begins."""

OWN_TABLES = ("How sure the margins are",)
"""Tables without a name of a user, by how the English title begins: what looks like one there is a word."""


def names_of(case: Case, plan: Plan) -> frozenset[str]:
    """Return everything that users named in a case and its plan."""
    described = case.scan.facts.description
    found = [case.code, described, clean_description(described), plan.name]
    found += [s.name for s in case.structures]
    for probe in plan.probes:
        found += [probe.name, probe.channel, probe.note]
    for tool in plan.tools:
        found += [tool.name, tool.note]
    for warmer in plan.warmers:
        found += [warmer.name, warmer.structure]
    found += [flow.structure for flow in plan.flows]
    found += [t.name for t in plan.sensors]
    found += [mark.name for mark in plan.marks]
    return frozenset(n for n in found if n)


def translated(content: Content) -> Content:
    """Return a content with every text in the language spoken here (`cryoplan.core.language.speaking`).

    Names stay as they are: values that are a `Name`, columns of `NAME_COLUMNS`, and what stands in a hole for
    names.
    """
    translator = spoken()
    if translator.language == ENGLISH:
        return content
    done: Content = _said(content, translator)
    return done


def _said(value: Any, translator: Translator) -> Any:
    if isinstance(value, Level):
        return value
    if isinstance(value, str):
        return translator.say(value)
    if isinstance(value, tuple):
        return tuple(_said(part, translator) for part in value)
    if isinstance(value, Table):
        return _table(value, translator)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                f.name: translator.say_own(getattr(value, f.name))
                if f.name == "label"
                else _said(getattr(value, f.name), translator)
                for f in fields(value)
            },
        )
    return value


def _table(value: Table, translator: Translator) -> Table:
    say = translator.say_own if value.title.startswith(OWN_TABLES) else translator.say
    names = next((c for begin, c in NAME_COLUMNS.items() if value.title.startswith(begin)), frozenset())
    rows = tuple(
        tuple(
            translator.say_around(cell) if column in names else say(cell) for column, cell in enumerate(row)
        )
        for row in value.rows
    )
    # Title and heads are the program's own, even where a plan is called as one of them.
    return replace(
        value,
        title=translator.say_own(value.title),
        head=tuple(translator.say_own(cell) for cell in value.head),
        rows=rows,
        note=translator.say(value.note),
    )
