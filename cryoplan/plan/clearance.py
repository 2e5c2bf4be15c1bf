"""Clearance: how near a shaft comes to every structure, and at which depth.

The nearest part of the drawn outline is found first (`cryoplan.case.shell`); there the surface is taken from
the voxels around (`cryoplan.case.subvoxel`), and the nearest points of it and of the axis are walked to in a
few steps. What lies farther than `SHARP_WITHIN_MM` is left at the drawn outline, half a voxel at worst.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.shell import Near, Shell, shell_of
from cryoplan.case.structure import Role
from cryoplan.case.subvoxel import Patch
from cryoplan.core.geometry import FloatArray
from cryoplan.core.volume import Volume
from cryoplan.plan.crossing import Axis
from cryoplan.plan.kept import Kept
from cryoplan.plan.shaft import Shaft

SHARP_WITHIN_MM = 40.0
_TOUCHING_VOXELS = 1.5
_WALKS = 4
_STILL_MM = 0.02
_FEW = 13

_KNOWN: Kept[tuple[float, float, float]] = Kept()


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


def clearances(
    case: Case, shaft: Shaft, diameter_mm: float, *, roles: Collection[Role] | None = None
) -> tuple[Clearance, ...]:
    """Return for every structure but the body how near a shaft comes, in the case's order.

    Parameters
    ----------
    case : Case
        With the structures.
    shaft : Shaft
        A probe or a tool, from its entry to its tip.
    diameter_mm : float
        Of the shaft.
    roles : collection of Role, optional
        Only structures of these roles.
    """
    axis: Axis | None = None
    found = []
    for structure in case.structures:
        if structure.role is Role.BODY or (roles is not None and structure.role not in roles):
            continue
        known = _KNOWN.get(structure.mask, shaft.tip_mm, shaft.entry_mm)
        if known is None:
            axis = axis or Axis(shaft)
            measured = _measure(structure.mask, axis)
            known = _KNOWN.put(structure.mask, shaft.tip_mm, shaft.entry_mm, measured)
        mm, at_depth_mm, crossed_mm = known
        found.append(
            Clearance(
                structure=structure.name,
                mm=mm - 0.5 * diameter_mm,
                at_depth_mm=at_depth_mm,
                crossed_mm=crossed_mm,
            )
        )
    return tuple(found)


def prepare(case: Case) -> None:
    """Look at every structure once, which the first clearance would have to wait for."""
    for structure in case.structures:
        if structure.role is not Role.BODY:
            shell_of(structure.mask)


def _measure(mask: Volume, axis: Axis) -> tuple[float, float, float]:
    """Return the least signed distance of the axis, its depth, and the length within."""
    shell = shell_of(mask)
    start, end = axis.local(mask)
    along = (end - start) / axis.depth_mm
    touching = _TOUCHING_VOXELS * float(np.min(mask.grid.spacing_mm))
    stretches = axis.stretches(mask)
    if not stretches:
        near = shell.near_segment(start, end)
        assert near is not None
        # Which of the places that are alike it is, the surface says; what is looked at closely is that one.
        tried = [(_outside(mask, start, end, near, place), place) for place in (near.place, *near.others)]
        (distance_mm, at), place = min(tried, key=lambda one: one[0])
        if distance_mm < touching:
            return _grazing(mask, start, along, axis.depth_mm, at * axis.depth_mm, place)
        return distance_mm, at * axis.depth_mm, 0.0
    deepest = (0.0, 0.5 * (stretches[0].from_mm + stretches[0].to_mm))
    for stretch in stretches:
        found = _deepest(mask, shell, start, along, stretch.from_mm, stretch.to_mm)
        deepest = max(deepest, found)
    crossed = float(sum(s.to_mm - s.from_mm for s in stretches))
    if deepest[0] < touching:
        _, places = shell.distances_mm((start + deepest[1] * along)[None])
        mm, at_depth_mm, _ = _grazing(mask, start, along, axis.depth_mm, deepest[1], places[0])
        return mm, at_depth_mm, crossed
    return -deepest[0], deepest[1], crossed


def _outside(
    mask: Volume, start: FloatArray, end: FloatArray, near: Near, place: FloatArray
) -> tuple[float, float]:
    """Return the distance of a segment to the surface near a place of the outline, and where on the way."""
    at = _share_of_way(start, end, place)
    if near.distance_mm > SHARP_WITHIN_MM:
        return near.distance_mm, at
    patch = Patch(mask, place)
    on_axis = start + at * (end - start)
    surface = _nearest_of_surface(patch, mask, on_axis, place)
    if surface is None:
        return near.distance_mm, at
    for _ in range(_WALKS):
        before = at
        at = _share_of_way(start, end, surface)
        on_axis = start + at * (end - start)
        further = _nearest_of_surface(patch, mask, on_axis, surface)
        if further is None:
            break
        moved = float(np.linalg.norm(further - surface))
        surface = further
        if moved < _STILL_MM and abs(at - before) * float(np.linalg.norm(end - start)) < _STILL_MM:
            break
    return float(np.linalg.norm(surface - on_axis)), at


def _grazing(
    mask: Volume, start: FloatArray, along: FloatArray, length: float, depth: float, place: FloatArray
) -> tuple[float, float, float]:
    """Return least signed distance, depth and length within where the axis all but touches the surface.

    Whether it is inside is then for the surface to say, not for the voxels.
    """
    patch = Patch(mask, place)
    reach = _TOUCHING_VOXELS * float(np.min(mask.grid.spacing_mm))
    depths = np.unique(np.clip(depth + np.linspace(-reach, reach, _FEW), 0.0, length))
    points = start + depths[:, None] * along
    inside = patch.share(points) > 0.5
    best = (np.inf, depth)
    for n, point in enumerate(points):
        surface = _nearest_of_surface(patch, mask, point, place)
        if surface is not None:
            apart = float(np.linalg.norm(surface - point))
            best = min(best, (-apart if inside[n] else apart, float(depths[n])))
    if not np.isfinite(best[0]):
        return float(np.linalg.norm(start + depth * along - place)), depth, 0.0
    within = float(inside.mean()) * float(np.ptp(depths)) if best[0] < 0.0 else 0.0
    return best[0], best[1], within


def _deepest(
    mask: Volume, shell: Shell, start: FloatArray, along: FloatArray, low: float, high: float
) -> tuple[float, float]:
    """Return how deep the axis lies within between two depths, and where; the surface is asked at the end."""
    a, b = low, high
    depth, place = 0.5 * (a + b), np.zeros(3)
    distance_mm = 0.0
    for _ in range(3):
        depths = np.linspace(a, b, _FEW)
        points = start + depths[:, None] * along
        distances, places = shell.distances_mm(points)
        best = int(np.argmax(distances))
        depth, place, distance_mm = float(depths[best]), places[best], float(distances[best])
        step = (b - a) / (_FEW - 1)
        a, b = max(depth - step, low), min(depth + step, high)
        if step < 0.2:
            break
    if distance_mm > SHARP_WITHIN_MM:
        return distance_mm, depth
    on_axis = start + depth * along
    surface = _nearest_of_surface(Patch(mask, place), mask, on_axis, place)
    return (distance_mm if surface is None else float(np.linalg.norm(surface - on_axis))), depth


def _nearest_of_surface(patch: Patch, mask: Volume, point: FloatArray, near: FloatArray) -> FloatArray | None:
    """Return the place of the surface that is nearest to a point, walking there from a place near it.

    None where the surface is lost on the way: then the drawn outline has to do.
    """
    largest = float(np.max(mask.grid.spacing_mm))
    place: FloatArray | None = None
    at = near
    for _ in range(_WALKS):
        outward = patch.outward(at)
        if outward is None:
            return place
        surface = patch.on_surface(at, outward)
        if surface is None or float(np.linalg.norm(surface - near)) > 3.0 * largest:
            return place
        place = surface
        # The nearest place has the point on its normal: what is beside it is walked along the surface.
        gap = point - surface
        beside = gap - (gap @ outward) * outward
        length = float(np.linalg.norm(beside))
        if length < _STILL_MM:
            break
        at = surface + beside * min(1.0, largest / length)
    return place


def _share_of_way(start: FloatArray, end: FloatArray, place: FloatArray) -> float:
    way = end - start
    return float(np.clip((place - start) @ way / (way @ way), 0.0, 1.0))
