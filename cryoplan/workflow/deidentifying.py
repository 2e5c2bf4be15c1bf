"""De-identified copy: a case, its plan and its result without a word that leads to the patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryoplan.case.case import Case
from cryoplan.case.own_limits import Measure, OwnLimit
from cryoplan.case.structure import Structure
from cryoplan.image.deidentify import deidentified_facts, without_words
from cryoplan.image.scan import Scan
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.workflow.solving import require_current, simulation_key

if TYPE_CHECKING:
    from cryoplan.simulation.result import ThermalResult

PLAN_NAME = "Plan"

REMAINS = (
    "Voxels are kept as they are: a head can be recognised in them, and writing burnt into the picture "
    "stays. Look through the slices before you pass the copy on."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deidentified:
    """What a de-identified copy holds; history, notes and approvals do not belong to it.

    Attributes
    ----------
    case, plan : Case, Plan
        Without words that lead to the patient.
    result : ThermalResult or None
        The same temperatures under the key of this case and plan.
    """

    case: Case
    plan: Plan
    result: ThermalResult | None


def deidentify(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    result: ThermalResult | None = None,
    *,
    secret: bytes,
    code: str = "",
    keep_names: bool = False,
    shift_days: int | None = None,
) -> Deidentified:
    """Return a copy that follows the Basic Profile of DICOM PS3.15 (see `cryoplan.image.deidentify`).

    Parameters
    ----------
    result : ThermalResult, optional
        Of exactly this case and plan.
    secret : bytes
        Makes the new UIDs and the new pseudonym.
    code : str
        The new pseudonym; made with the secret when left out.
    keep_names : bool
        The user has read the names of structures, probes, thermocouples and plan and agrees to keep them.
    shift_days : int, optional
        By how much dates are moved; without it they are removed.

    Raises
    ------
    StaleError
        If the result is not that of this case and plan.
    """
    if result is not None:
        require_current(case, plan, probes, result)
    facts = deidentified_facts(case.scan.facts, secret=secret, code=code, shift_days=shift_days)
    structures = _structures(case.structures, keep_names)
    renamed = {old.name: new.name for old, new in zip(case.structures, structures, strict=True)}
    clean = case.changed(
        code=facts.code,
        scan=Scan(volume=case.scan.volume, facts=facts),
        structures=structures,
        target_name=renamed.get(case.target_name, ""),
        findings=without_words(case.findings),
        limits=_limits(case.limits, renamed),
        left_out=tuple(
            replace(s, structure=renamed[s.structure]) for s in case.left_out if s.structure in renamed
        ),
        second=None,  # its link is a path, and its file still names the patient
        other_plans=(),  # what they are called, and notes in them, nobody has read for this copy
    )
    drawn = _plan(plan, keep_names)
    solved = None if result is None else _result(result, clean, plan, drawn, probes)
    return Deidentified(case=clean, plan=drawn, result=solved)


def _structures(structures: Sequence[Structure], keep_names: bool) -> tuple[Structure, ...]:
    counted: Counter[str] = Counter()
    found = []
    for structure in structures:
        counted[structure.role.value] += 1
        name = f"{structure.role.value} {counted[structure.role.value]}"
        # Where it came from is a file's name; that it came from a file says nothing.
        found.append(replace(structure, name=structure.name if keep_names else name, source="outlined"))
    return tuple(found)


def _limits(limits: Sequence[OwnLimit], renamed: Mapping[str, str]) -> tuple[OwnLimit, ...]:
    """Return limits under the new names; one of a structure that is gone would only keep its name."""
    return tuple(
        replace(own, judged=replace(own.judged, structure=renamed.get(own.judged.structure, "")))
        for own in limits
        if own.judged.measure is not Measure.ORGAN or own.judged.structure in renamed
    )


def _plan(plan: Plan, keep_names: bool) -> Plan:
    # A note is free text: nobody can say what is in it.
    probes = tuple(replace(p, note="") for p in plan.probes)
    tools = tuple(replace(t, note="") for t in plan.tools)
    if keep_names:
        return replace(plan, probes=probes, tools=tools)
    # Beside each other, so that the names of probes, thermocouples and tools stay apart.
    return replace(
        plan,
        name=PLAN_NAME,
        probes=tuple(replace(p, name=str(n), channel="") for n, p in enumerate(probes, 1)),
        thermocouples=tuple(replace(t, name=f"T{n}") for n, t in enumerate(plan.thermocouples, 1)),
        tools=tuple(replace(t, name=f"N{n}") for n, t in enumerate(tools, 1)),
        marks=tuple(replace(m, name=f"M{n}") for n, m in enumerate(plan.marks, 1)),
    )


def _result(result: ThermalResult, case: Case, old: Plan, plan: Plan, probes: Catalogue) -> ThermalResult:
    from cryoplan.simulation.moments import read_sensors

    traces = tuple(
        replace(trace, name=probe.name) for trace, probe in zip(result.probes, plan.probes, strict=True)
    )
    # Those of the plan as it is, by name: one outside the computed block has no curve, and one that was
    # removed since the solve must not leave its name.
    renamed = {before.name: after.name for before, after in zip(old.sensors, plan.sensors, strict=True)}
    curves = tuple(replace(c, name=renamed[c.name]) for c in read_sensors(result, old.sensors))
    return replace(
        result,
        key=simulation_key(case, plan, probes, result.settings),
        probes=traces,
        thermocouples=curves,
        findings=without_words(result.findings),
    )
