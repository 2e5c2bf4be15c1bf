"""Another program outlines: what TotalSegmentator can do for a case, and its outlines as structures.

Nothing becomes part of a case before somebody has accepted it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from cryoplan.case.build import build_case, clean_name
from cryoplan.case.case import Case
from cryoplan.case.structure import Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.ai.installed import Installation, find_installation
from cryoplan.image.ai.running import refuse_unfit, run_task
from cryoplan.image.ai.tasks import Cost, Task, load_tasks
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan
from cryoplan.workflow.loading import with_structures


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One task for one image.

    Attributes
    ----------
    task : Task
    lacks_weights : bool
        Its weights have to be fetched first, with ``task.download``.
    on_gpu, on_cpu : Cost or None
        Estimates; None where there is no graphics card, or nobody has published them.
    """

    task: Task
    lacks_weights: bool
    on_gpu: Cost | None
    on_cpu: Cost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What TotalSegmentator can do for one image on this computer.

    Attributes
    ----------
    installation : Installation or None
        None where it is not installed.
    offers : tuple of Offer
        The tasks for the modality of the image (all where it is unknown), with or without their weights.
    licence : str
        To be shown before anything is started.
    """

    installation: Installation | None
    offers: tuple[Offer, ...]
    licence: str

    @property
    def ready(self) -> tuple[Offer, ...]:
        """Those that can be started."""
        return () if self.installation is None else tuple(o for o in self.offers if not o.lacks_weights)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlined:
    """What came back, not yet part of any case.

    Attributes
    ----------
    masks : tuple of NamedMask
        On the scan's grid, with TotalSegmentator's names; never empty.
    findings : tuple of Finding
    """

    masks: tuple[NamedMask, ...]
    findings: tuple[Finding, ...] = ()


def find_offers(scan: Scan) -> Offers:
    """Look what can be started for an image; quick, and nothing is imported or fetched."""
    table, installation = load_tasks(), find_installation()
    grid = scan.volume.grid
    offers = tuple(
        Offer(
            task=task,
            lacks_weights=installation is None or bool(installation.lacks(task)),
            on_gpu=table.cost(task, grid, gpu=True)
            if installation is not None and installation.sees_gpu
            else None,
            on_cpu=table.cost(task, grid, gpu=False),
        )
        for task in table.tasks
        if scan.facts.modality in ("", task.modality)
    )
    return Offers(installation=installation, offers=offers, licence=table.licence)


def run_ai(scan: Scan, task_id: str, *, device: str = "gpu", progress: Progress = SILENT) -> Outlined:
    """Outline an image with TotalSegmentator in a process of its own; no network is used.

    Parameters
    ----------
    scan : Scan
    task_id : str
        ``id`` of a task of `find_offers`.
    device : str
        ``gpu`` (the processor where there is none) or ``cpu``.
    progress : Progress
        Told what is being done; cancels within a second.

    Raises
    ------
    StructureError
        If it is not installed, has no weights, does not fit the image, falls, or returns nothing usable.
    Cancelled
        If `progress` says so.
    """
    task = load_tasks().task(task_id)
    installation = refuse_unfit(scan, task, find_installation())
    found = run_task(scan, task, installation, device=device, progress=progress)
    return Outlined(masks=found.masks, findings=found.findings)


def outlines_case(scan: Scan, outlined: Outlined, *, which: Collection[str] = ()) -> Case:
    """Make a case of the outlines alone, with their roles: those that `which` names, all when it is empty.

    Raises
    ------
    StructureError
        If `which` names none of them.
    """
    masks = [mask for mask in outlined.masks if not which or mask.name in which]
    if not masks:
        raise StructureError(
            "None of the outlines was chosen.", "Choose at least one.", code="ai-none-chosen"
        )
    return build_case(scan, masks, noticed=outlined.findings)


def add_outlines(case: Case, new: Sequence[Structure], noticed: Sequence[Finding] = ()) -> Case:
    """Return a case with accepted outlines behind its own; a name that is taken gets a word behind it.

    Parameters
    ----------
    case : Case
    new : sequence of Structure
        Structures of `outlines_case`.
    noticed : sequence of Finding
        Its findings.

    Raises
    ------
    StructureError
        If they were made of another image.
    """
    if any(structure.mask.grid != case.scan.volume.grid for structure in new):
        raise StructureError(
            "The outlines were made of another image.",
            "Run it again on this one.",
            code="ai-other-image",
        )
    names = {s.name for s in case.structures}
    other: dict[str, str] = {}
    for structure in new:
        name, number = structure.name, 1
        while name in names:
            end = "" if number == 1 else f" {number}"
            name = clean_name(f"{structure.name} (TotalSegmentator{end})")
            number += 1
        names.add(name)
        other[structure.name] = name
    return with_structures(
        case,
        [replace(s, name=other[s.name]) for s in new],
        [_renamed(finding, other.get(finding.place, finding.place)) for finding in noticed],
    )


def _renamed(finding: Finding, name: str) -> Finding:
    if name == finding.place:
        return finding
    return replace(finding, place=name, text=finding.text.replace(finding.place, name))
