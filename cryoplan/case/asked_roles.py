"""Asked roles: what a user says a structure is where its name left that open, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cryoplan.case.build import target_findings
from cryoplan.case.case import Case
from cryoplan.case.listed import ABOUT_TARGET, with_only_tumour
from cryoplan.case.roles import tissue_of_role
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level


def unsure(case: Case) -> tuple[Structure, ...]:
    """Return the structures whose role was guessed and that nobody has answered for."""
    return tuple(s for s in case.structures if s.role_is_guess)


def with_roles(case: Case, roles: Mapping[str, Role], *, remembered: bool = False) -> Case:
    """Return a case in which structures have the roles that the user says.

    A structure that keeps its role keeps its tissue; one that gets another is made of that role's tissue. A
    case without a target takes its only tumour for it.

    Parameters
    ----------
    roles : mapping of str to Role
        By the name of the structure.
    remembered : bool
        Whether this was said about the same name in another case, which is then told as a finding.

    Raises
    ------
    StructureError
        If the case has no such structure, or a second structure becomes the body.
    """
    if not roles:
        return case
    for name in roles:
        case.structure(name)
    structures = tuple(_answered(s, roles[s.name]) if s.name in roles else s for s in case.structures)
    bodies = [s.name for s in structures if s.role is Role.BODY]
    if len(bodies) > 1 and any(roles.get(name) is Role.BODY for name in bodies):
        raise StructureError(
            f"{' and '.join(bodies)} cannot both be the body.",
            "Choose another role for one of them; the body is the whole patient.",
            code="second-body",
            place=bodies[-1],
        )
    findings = [f for f in case.findings if not (f.code == "role-guessed" and f.place in roles)]
    findings = [f for f in findings if not (f.code == "role-remembered" and f.place in roles)]
    if remembered:
        findings += [
            Finding(
                level=Level.OK,
                code="role-remembered",
                text=f"{s.name} is taken for {s.role.value} made of {s.tissue}, as you said before.",
                place=s.name,
            )
            for s in structures
            if s.name in roles
        ]
    return _aimed(case.changed(structures=structures, findings=tuple(findings)), roles)


def _answered(structure: Structure, role: Role) -> Structure:
    tissue = structure.tissue if role is structure.role else tissue_of_role()[role]
    return replace(structure, role=role, tissue=tissue, role_is_guess=False)


def _aimed(case: Case, roles: Mapping[str, Role]) -> Case:
    """Return a case whose target fits the roles that its structures have now."""
    if not case.target_name:
        return with_only_tumour(case)
    if case.target_name not in roles:
        return case
    kept = [f for f in case.findings if f.code not in ABOUT_TARGET]
    return case.changed(findings=(*kept, *target_findings(case.structure(case.target_name), case.scan)))
