"""Tasks of the process that waits for TotalSegmentator: a run takes minutes, and nothing else may wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryoplan import workflow
from cryoplan.app.known_roles import KnownRoles
from cryoplan.case.structure import Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import Progress
from cryoplan.image.scan import Scan

if TYPE_CHECKING:
    from cryoplan.app.child import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineFound:
    """One outline as the window lists it; its voxels stay here until it is accepted."""

    name: str
    role: str
    is_guess: bool
    volume_ml: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accepted:
    """Outlines as structures, and what was noticed about them."""

    structures: tuple[Structure, ...]
    findings: tuple[Finding, ...]


_FOUND: list[tuple[Scan, workflow.Outlined]] = []


def outline(line: Line, scan: Scan, task: str, device: str) -> tuple[OutlineFound, ...]:
    """Run TotalSegmentator and tell what it found."""
    _FOUND.clear()
    found = workflow.run_ai(scan, task, device=device, progress=line)
    case = KnownRoles().apply(workflow.outlines_case(scan, found))
    _FOUND.append((scan, found))
    return tuple(
        OutlineFound(name=s.name, role=s.role.value, is_guess=s.role_is_guess, volume_ml=s.volume_ml)
        for s in case.structures
    )


def take(_line: Line, names: Sequence[str]) -> Accepted:
    """Hand over those that were accepted."""
    if not _FOUND:
        raise StructureError(
            "The outlines of TotalSegmentator are not there any more.", "Run it again.", code="ai-gone"
        )
    scan, found = _FOUND[-1]
    case = KnownRoles().apply(workflow.outlines_case(scan, found, which=names))
    for structure in case.structures:
        structure.mask.digest()  # travels with the mask, so that the window need not wait for it
    return Accepted(structures=case.structures, findings=case.findings)


def drop(_line: Line) -> None:
    """Forget what was found."""
    _FOUND.clear()


def idle(_pause: Progress) -> None:
    """Do nothing while nothing is asked."""


TASKS: dict[str, Callable[..., object]] = {"outline": outline, "take": take, "drop": drop}
