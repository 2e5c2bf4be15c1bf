"""Listed: a case whose list of structures has one under another name, or one less, and what follows."""

from __future__ import annotations

import re
from dataclasses import replace

from cryoplan.case.build import clean_name, only_tumour, target_findings
from cryoplan.case.case import Case
from cryoplan.case.own_limits import Judged, OwnLimit, put_in_order
from cryoplan.case.planning import planning_grid
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding

ABOUT_TARGET = ("target-not-tumour", "target-at-image-edge")
NO_TARGET = ("no-target", "several-targets")


def renamed(case: Case, old: str, new: str) -> Case:
    """Return a case in which a structure has another name; target, limits, review and findings go along.

    Raises
    ------
    StructureError
        If there is no structure `old`, or the new name is empty or another structure's.
    """
    chosen, new = case.structure(old), clean_name(new)
    if not new:
        raise StructureError("A structure needs a name.", "Give it one.", code="structure-name", place=old)
    if new.casefold() in {s.name.casefold() for s in case.structures if s is not chosen}:
        raise StructureError(
            f"There is a structure called {new} already.",
            "Give another name.",
            code="structure-name-twice",
            place=new,
        )
    if new == old:
        return case
    made = case.changed(
        structures=tuple(replace(s, name=new) if s is chosen else s for s in case.structures),
        target_name=new if case.target_name == old else case.target_name,
        limits=put_in_order([_of_name(limit, old, new) for limit in case.limits]),
        left_out=tuple(replace(s, structure=new) if s.structure == old else s for s in case.left_out),
        findings=tuple(_about_name(f, old, new) for f in case.findings),
    )
    # What is said of several tumours names them all.
    return with_only_tumour(made) if any(f.code in NO_TARGET for f in made.findings) else made


def without(case: Case, name: str) -> Case:
    """Return a case that has lost a structure, and with it its limits and what was noticed about it.

    If it was the target, the only tumour that is left becomes it; if there is none or several, that is told.

    Raises
    ------
    StructureError
        If there is no such structure.
    """
    lost = case.structure(name)
    left = case.changed(
        structures=tuple(s for s in case.structures if s is not lost),
        target_name="" if case.target_name == name else case.target_name,
        limits=tuple(limit for limit in case.limits if limit.judged.structure != name),
        left_out=tuple(s for s in case.left_out if s.structure != name),
        findings=tuple(
            f
            for f in case.findings
            if not _is_about(f, name) and not (case.target_name == name and f.code in ABOUT_TARGET)
        ),
    )
    return left if left.target_name else with_only_tumour(left)


def with_only_tumour(case: Case) -> Case:
    """Return a case without a target with its only tumour as that, or with the finding that there is none."""
    found = [f for f in case.findings if f.code not in NO_TARGET]
    target, unsettled = only_tumour(case.structures)
    if target is None:
        return case.changed(findings=(*found, *unsettled))
    grid = planning_grid(case.scan, target, case.planning_grid.spacing_mm[0])
    found += target_findings(target, case.scan)
    return case.changed(target_name=target.name, planning_grid=grid, findings=tuple(found))


def _of_name(limit: OwnLimit, old: str, new: str) -> OwnLimit:
    return replace(limit, judged=Judged.organ(new)) if limit.judged.structure == old else limit


def _about_name(finding: Finding, old: str, new: str) -> Finding:
    if not _is_about(finding, old):
        return finding
    text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, finding.text)
    return replace(finding, text=text, place=new if finding.place == old else finding.place)


def _is_about(finding: Finding, name: str) -> bool:
    # Of two structures the place is the second; the first one begins the sentence.
    return finding.place == name or finding.text.startswith(f"{name} and ")
