"""Path: what a probe passes on its way from skin to tip, and how near it comes to everything else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask, sample_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.case.surface import signed_distance_mm
from cryoplan.core.geometry import FloatArray
from cryoplan.plan.probe import Probe, ProbeModel

STEP_MM = 0.5
"""Longest distance of two samples along the shaft."""

UNLABELLED = "unlabelled"
OUTSIDE = "outside the body"

# Who owns a place that several structures claim: the first of this list; a vein in the liver is a vein.
_OWNERS = (
    (Role.TUMOUR,),
    (Role.VESSEL,),
    (Role.FLUID, Role.GAS),
    (Role.BILE_DUCT, Role.URETER, Role.URETHRA, Role.NERVE, Role.SPINAL_CORD),
    (Role.BOWEL, Role.STOMACH, Role.GALLBLADDER, Role.BLADDER, Role.DIAPHRAGM, Role.PLEURA),
    (Role.ORGAN, Role.KIDNEY, Role.HEART),
    (Role.LUNG,),
    (Role.BONE,),
    (Role.MUSCLE,),
    (Role.FAT,),
    (Role.SKIN,),
    (Role.OTHER,),
    (Role.BODY,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A stretch of the shaft within one structure."""

    structure: str
    length_mm: float
    from_mm: float
    """Depth below the entry at which the stretch begins."""

    def to_json(self) -> dict[str, object]:
        """Return the contract's object."""
        return {"structure": self.structure, "length_mm": self.length_mm}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Least distance of the shaft's surface to a structure's surface.

    Attributes
    ----------
    structure : str
        Its name.
    mm : float
        Negative inside: then how deep the axis lies within, plus the shaft's radius.
    at_depth_mm : float
        Depth below the entry of that place.
    crossed_mm : float
        Length of the shaft's axis within the structure, whoever else claims the place.
    """

    structure: str
    mm: float
    at_depth_mm: float
    crossed_mm: float

    def to_json(self) -> dict[str, object]:
        """Return the contract's object."""
        return {"structure": self.structure, "mm": self.mm, "at_depth_mm": self.at_depth_mm}


def passes(case: Case, probe: Probe) -> tuple[Pass, ...]:
    """Return what the axis of a probe runs through, from entry to tip, in order.

    Sampled at most every 0.5 mm; the lengths add up to the depth. Where structures overlap the more specific
    one counts (a tumour before its organ), of two alike the smaller. Places that nobody outlined are called
    ``unlabelled``, and ``outside the body`` where the body is known to end.
    """
    points, step = _samples(probe)
    names = np.full(len(points), UNLABELLED, dtype=object)
    body = body_mask(case)
    if body is not None:
        names[~sample_mask(body, points)] = OUTSIDE
    for structure in reversed(owners(case.structures)):
        names[sample_mask(structure.mask, points)] = structure.name
    starts = np.concatenate([[0], np.flatnonzero(names[1:] != names[:-1]) + 1])
    ends = np.concatenate([starts[1:], [len(names)]])
    return tuple(
        Pass(structure=str(names[a]), length_mm=float((b - a) * step), from_mm=float(a * step))
        for a, b in zip(starts, ends, strict=True)
    )


def owners(structures: tuple[Structure, ...]) -> list[Structure]:
    """Return structures in the order in which they own a place: the first that holds it."""
    rank = {role: n for n, roles in enumerate(_OWNERS) for role in roles}
    return sorted(structures, key=lambda s: (rank[s.role], _volume_ml(s), s.name))


_VOLUMES_ML: WeakKeyDictionary[Structure, float] = WeakKeyDictionary()


def _volume_ml(structure: Structure) -> float:
    # Counting the voxels of every structure of a CT takes longer than all the rest of a path.
    known = _VOLUMES_ML.get(structure)
    if known is None:
        known = _VOLUMES_ML[structure] = structure.volume_ml
    return known


def clearances(
    case: Case, probe: Probe, model: ProbeModel, *, roles: Collection[Role] | None = None
) -> tuple[Clearance, ...]:
    """Return for every structure but the body how near the shaft comes, in the case's order.

    With `roles`, only structures of these roles: the surfaces of fat and organs are large and take longest.


    The drawn outline is measured, voxel faces and all: right within half a voxel of what was meant.
    """
    points, step = _samples(probe)
    radius = 0.5 * model.outer_diameter.value
    found = []
    for structure in case.structures:
        if structure.role is Role.BODY or (roles is not None and structure.role not in roles):
            continue
        distance = signed_distance_mm(structure.mask, points)
        least = int(np.argmin(distance))
        crossed = int(np.count_nonzero(distance < 0.0))
        found.append(
            Clearance(
                structure=structure.name,
                mm=float(distance[least]) - radius,
                at_depth_mm=float((least + 0.5) * step),
                crossed_mm=crossed * step,
            )
        )
    return tuple(found)


def active_zone_gap_mm(probe: Probe, model: ProbeModel, target: Structure) -> float:
    """Return the least distance of the active zone's axis to the target's surface, negative inside."""
    front, back = probe.active_zone_mm(model)
    count = max(int(np.ceil(model.active_length.value / STEP_MM)), 1) + 1
    points = np.linspace(front, back, count)
    return float(signed_distance_mm(target.mask, points).min())


def _samples(probe: Probe) -> tuple[FloatArray, float]:
    """Return the middles ``(n, 3)`` of equal pieces of the shaft from entry to tip, and their length."""
    count = int(np.ceil(probe.depth_mm / STEP_MM))
    step = probe.depth_mm / count
    depths = (np.arange(count) + 0.5) * step
    return np.asarray(probe.entry_mm, float) + depths[:, None] * probe.direction, step
