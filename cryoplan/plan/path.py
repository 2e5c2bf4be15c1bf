"""Path: what a shaft passes on its way from skin to tip, in order and with lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.case.surface import signed_distance_mm
from cryoplan.plan.crossing import Axis, Stretch
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.shaft import Shaft

UNLABELLED = "unlabelled"
OUTSIDE = "outside the body"

_SLIVER_MM = 0.5
"""Gaps between two outlines that are thinner belong to them: voxels tell no more."""

_AT_SKIN_MM = 1.5
"""So far below the entry the air beside the skin counts as skin: that is how exactly entries lie on it."""

_ZONE_STEP_MM = 0.5
_LONGEST_NAME = 24

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

# What a CT shows where nobody outlined anything, by the upper end of its range. Source of the ranges: usual
# windows of fat (-190 to -30 HU) and soft tissue; contrast in vessels may pass for bone, so it says "dense".
_LOOKS_LIKE = ((-300.0, "air or lung"), (-30.0, "fat"), (250.0, "soft tissue"), (np.inf, "bone or dense"))
_LOOK_AT_LEAST_MM = 3.0
_BESIDE_SKIN_MM = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A stretch of the shaft within one structure.

    Attributes
    ----------
    structure : str
        Its name, `UNLABELLED` or `OUTSIDE`.
    length_mm : float
        Along the shaft.
    from_mm : float
        Depth below the entry at which the stretch begins.
    looks_like : str
        What the Hounsfield values of a place that nobody outlined say; empty elsewhere.
    """

    structure: str
    length_mm: float
    from_mm: float
    looks_like: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the contract's object, and what unlabelled tissue looks like."""
        found: dict[str, object] = {"structure": self.structure, "length_mm": self.length_mm}
        return found | ({"looks_like": self.looks_like} if self.looks_like else {})


def passes(case: Case, shaft: Shaft) -> tuple[Pass, ...]:
    """Return what the axis of a probe or tool runs through, from entry to tip, in order.

    The lengths add up to the depth; each border is right within a part of a voxel (see
    `cryoplan.case.subvoxel`). Where structures overlap the more specific one counts (a tumour before its
    organ), of two alike the smaller. Places that nobody outlined are called ``unlabelled``, and ``outside the
    body`` where the body is known to end.
    """
    axis = Axis(shaft)
    layers: list[tuple[str, tuple[Stretch, ...]]] = []
    for structure in owners(case.structures):
        stretches = axis.stretches(structure.mask)
        if stretches:
            layers.append((structure.name, stretches))
    body = body_mask(case)
    # In the body and nobody's is unlabelled; without a body everything else is.
    within = (Stretch(0.0, axis.depth_mm),) if body is None else axis.stretches(body)
    layers.append((UNLABELLED, within))
    named = _without_slivers(_overlaid(layers, axis.depth_mm), axis.depth_mm)
    found: list[Pass] = []
    for name, stretch in named:
        one = Pass(structure=name, length_mm=stretch.to_mm - stretch.from_mm, from_mm=stretch.from_mm)
        found += _looked_at(case, axis, one) if name == UNLABELLED else [one]
    return tuple(found)


def _overlaid(
    layers: Sequence[tuple[str, tuple[Stretch, ...]]], depth_mm: float
) -> list[tuple[str, Stretch]]:
    """Return who owns each part of the shaft: the first layer that holds it, else the outside."""
    cuts = {0.0, depth_mm}
    for _, stretches in layers:
        cuts |= {edge for s in stretches for edge in (s.from_mm, s.to_mm)}
    edges = sorted(cuts)
    found: list[tuple[str, Stretch]] = []
    for low, high in pairwise(edges):
        middle = 0.5 * (low + high)
        name = next(
            (n for n, stretches in layers if any(s.from_mm <= middle < s.to_mm for s in stretches)), OUTSIDE
        )
        if found and found[-1][0] == name:
            found[-1] = (name, Stretch(found[-1][1].from_mm, high))
        else:
            found.append((name, Stretch(low, high)))
    return found


def _without_slivers(named: list[tuple[str, Stretch]], depth_mm: float) -> list[tuple[str, Stretch]]:
    """Give thin gaps to their neighbours: outlines that touch do not meet to the hundredth."""
    kept: list[tuple[str, Stretch]] = []
    for number, (name, stretch) in enumerate(named):
        length = stretch.to_mm - stretch.from_mm
        is_gap = name in (UNLABELLED, OUTSIDE)
        at_skin = number == 0 and name == OUTSIDE and length < _AT_SKIN_MM and len(named) > 1
        between = 0 < number < len(named) - 1 and is_gap and length < _SLIVER_MM
        if at_skin or between:
            continue
        kept.append((name, stretch))
    joined: list[tuple[str, Stretch]] = []
    for name, stretch in kept:
        begin = stretch.from_mm
        if joined:
            last, before = joined[-1]
            # The gap is shared in its middle.
            begin = 0.5 * (before.to_mm + stretch.from_mm)
            if last == name:
                joined[-1] = (name, Stretch(before.from_mm, stretch.to_mm))
                continue
            joined[-1] = (last, Stretch(before.from_mm, begin))
        joined.append((name, Stretch(begin if joined else 0.0, stretch.to_mm)))
    last, stretch = joined[-1]
    joined[-1] = (last, Stretch(stretch.from_mm, depth_mm))
    return joined


def _looked_at(case: Case, axis: Axis, one: Pass) -> list[Pass]:
    """Split an unlabelled stretch by what its Hounsfield values look like; other scans say nothing."""
    if case.scan.facts.modality != "CT":
        return [one]
    image = case.scan.volume
    mine = (axis.depths >= one.from_mm) & (axis.depths < one.from_mm + one.length_mm)
    index = np.rint(image.grid.mm_to_index(axis.points[mine])).astype(np.int64)
    index = index[np.all((index >= 0) & (index < np.asarray(image.grid.size)), axis=1)]
    if not len(index):
        return [one]
    i, j, k = index.T
    kinds = np.searchsorted([top for top, _ in _LOOKS_LIKE], image.values[k, j, i])
    depths = axis.depths[mine][: len(kinds)]
    # Runs that are too short to mean anything, such as noise, belong to the one before.
    starts = [0]
    for n in np.flatnonzero(np.diff(kinds)) + 1:
        end = next((m for m in range(n, len(kinds)) if kinds[m] != kinds[n]), len(kinds))
        if (end - n) * axis.step_mm >= _LOOK_AT_LEAST_MM and kinds[n] != kinds[starts[-1]]:
            starts.append(int(n))
    # Beside the skin a few voxels are half air: they are the tissue behind them.
    if len(starts) > 1 and (starts[1] - starts[0]) * axis.step_mm < _BESIDE_SKIN_MM and one.from_mm == 0.0:
        starts = starts[1:]
    edges = [one.from_mm, *(float(depths[n]) - 0.5 * axis.step_mm for n in starts[1:])]
    ends = [*edges[1:], one.from_mm + one.length_mm]
    return [
        replace(one, from_mm=a, length_mm=b - a, looks_like=_LOOKS_LIKE[int(kinds[n])][1])
        for a, b, n in zip(edges, ends, starts, strict=True)
    ]


def sentence(case: Case, found: Sequence[Pass], *, whole_names: bool = False) -> str:
    """Return a path as it is dictated: ``fat 14, muscle 9, liver 41, tumour 22 mm; pleura crossed: no``.

    Long names are cut, unless `whole_names` are wanted: a page has the room that a line has not.
    """
    parts = []
    called = str if whole_names else _short
    for one in found:
        name = f"{one.looks_like} (not outlined)" if one.looks_like else called(one.structure)
        if round(one.length_mm) > 0:
            parts.append(f"{name} {one.length_mm:.0f}")
    path = f"{', '.join(parts)} mm" if parts else "nothing"
    return f"{path}; pleura crossed: {_pleura(case, found)}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1].rstrip(' ,')}…"


def _pleura(case: Case, found: Sequence[Pass]) -> str:
    outlined = {s.name for s in case.structures if s.role in (Role.LUNG, Role.PLEURA)}
    if any(one.structure in outlined or one.looks_like == "air or lung" for one in found):
        return "YES"
    return "no" if outlined else "no lung outlined"


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


def overshoot_mm(case: Case, shaft: Shaft) -> float | None:
    """Return how far the metal tip lies beyond the target's far side, along the shaft.

    Negative when the tip ends within the target or before it; None when the axis misses the target or there
    is none. Of a target in several pieces along the axis, the piece at or before the tip counts.
    """
    target = case.target
    if target is None:
        return None
    # Looked for as far as a target can reach: where the tip is inside, its far side is still ahead.
    ahead = replace(shaft, tip_mm=shaft.point_behind_tip_mm(-_FAR_AHEAD_MM))  # type: ignore[type-var]
    stretches = Axis(ahead).stretches(target.mask)
    if not stretches:
        return None
    begun = [s for s in stretches if s.from_mm < shaft.depth_mm] or stretches[:1]
    return shaft.depth_mm - begun[-1].to_mm


_FAR_AHEAD_MM = 200.0


def active_zone_gap_mm(probe: Probe, model: ProbeModel, target: Structure) -> float:
    """Return the least distance of the active zone's axis to the target's surface, negative inside."""
    front, back = probe.active_zone_mm(model)
    count = max(int(np.ceil(model.active_length.value / _ZONE_STEP_MM)), 1) + 1
    points = np.linspace(front, back, count)
    return float(signed_distance_mm(target.mask, points).min())
