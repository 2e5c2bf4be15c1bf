"""Surroundings: how deep a structure lies under the skin and the capsule, and what is near it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import ndimage

from cryoplan.case.case import Case
from cryoplan.case.diameters import Length, voxel_width_mm
from cryoplan.case.planning import mask_box_mm, structure_mask
from cryoplan.case.skin import body_mask, sample_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.case.surface import Drawn, Nearest
from cryoplan.core.box import VoxelBox
from cryoplan.core.geometry import FloatArray, Point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

REACH_MM = 50.0
"""What is further away is no neighbour: the largest ice ball of several probes ends before."""

LEAST_SHARE = 0.3
"""Of the shell around a structure that has to lie in an organ for the organ to hold it; an exophytic tumour
of which a third is left inside is still one of its organ."""

WHOLE_SHARE = 0.98
"""Of a structure: the rest are borders drawn twice."""

_AROUND = (Role.BODY, Role.SKIN, Role.FAT, Role.MUSCLE)
_HELD = (Role.TUMOUR, Role.FLUID, Role.OTHER)
_HOLDERS = (Role.ORGAN, Role.KIDNEY, Role.LUNG)
_FINE_MM = 0.5


class Relation(StrEnum):
    """How a neighbour lies to a structure."""

    APART = "apart"
    TOUCHES = "touches"
    OVERLAPS = "overlaps"
    HOLDS_IT = "it lies inside"
    LIES_IN_IT = "lies in it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The least distance between two outlines.

    Attributes
    ----------
    name : str
        What the other one is.
    length : Length
        0 where they touch or share voxels.
    point_mm : Point
        The nearest point of the other one, LPS.
    relation : Relation
    """

    name: str
    length: Length
    point_mm: Point
    relation: Relation = Relation.APART


def depth_under_skin(case: Case, mask: Volume, outline: Drawn) -> Gap | None:
    """Return the least distance of a structure from the skin; None when nothing tells where the skin is.

    Where the image ends the body goes on: that is no skin.
    """
    body = body_mask(case)
    if body is None:
        return None
    found = outline.nearest(body, open_ends=True)
    return None if found is None else _gap("skin", found, mask, body, outline)


def holder_of(case: Case, structure: Structure) -> Structure | None:
    """Return the organ that holds a tumour or cyst: most of what is next to it belongs to that organ."""
    if structure.role not in _HELD:
        return None
    points = _shell_mm(structure.mask)
    shares = [
        (float(np.mean(sample_mask(s.mask, points))), s)
        for s in case.structures
        if s.role in _HOLDERS and s is not structure and len(points)
    ]
    share, holder = max(shares, key=lambda found: found[0], default=(0.0, None))
    return holder if share >= LEAST_SHARE else None


def depth_under_capsule(case: Case, structure: Structure, holder: Structure, outline: Drawn) -> Gap | None:
    """Return the least distance of a structure from the surface of the organ that holds it.

    The organ is taken whole: with the tumours in it, which a label map leaves out, and with its holes within
    slices filled. Where the image ends it goes on. None when it has no surface in the image.
    """
    whole = _whole(case, structure, holder)
    found = outline.nearest(whole, open_ends=True)
    return None if found is None else _gap(holder.name, found, structure.mask, whole, outline)


def neighbours(
    case: Case, structure: Structure, holder: Structure | None, outline: Drawn, reach_mm: float = REACH_MM
) -> Iterator[Gap]:
    """Yield the distance to each other structure in reach, in the order of the case.

    The body, fat, muscle and skin around everything are left out, and so is the organ that holds it.
    """
    lower, upper = mask_box_mm(structure.mask)
    for other in case.structures:
        if other is structure or other is holder or other.role in _AROUND:
            continue
        other_lower, other_upper = mask_box_mm(other.mask)
        apart = np.maximum(np.maximum(other_lower - upper, lower - other_upper), 0.0)
        if float(np.linalg.norm(apart)) > reach_mm:
            continue
        relation = _relation(structure.mask, other.mask)
        found = outline.nearest(other.mask)
        if found is None or (relation is None and found.gap_mm > reach_mm):
            continue
        yield _gap(other.name, found, structure.mask, other.mask, outline, relation)


def _gap(
    name: str, found: Nearest, mask: Volume, other: Volume, outline: Drawn, relation: Relation | None = None
) -> Gap:
    # Plus nothing: minus nought would be shown with its sign.
    mm = 0.0 if relation is not None else max(found.gap_mm, 0.0) + 0.0
    if relation is None:
        relation = Relation.TOUCHES if mm < 1e-3 else Relation.APART
    away = _away(outline, found.point_mm)
    # Half a voxel of either.
    within = 0.5 * (voxel_width_mm(mask.grid, away) + voxel_width_mm(other.grid, away))
    return Gap(name=name, length=Length(mm, within), point_mm=found.point_mm, relation=relation)


def _away(outline: Drawn, point_mm: Point) -> FloatArray:
    """Return the unit vector along which the distance to the outline grows at a point."""
    steps = _FINE_MM * np.concatenate([np.eye(3), -np.eye(3)])
    at = outline.signed_mm(np.asarray(point_mm) + steps)
    rise = at[:3] - at[3:]
    length = float(np.linalg.norm(rise))
    return np.asarray(rise / length if length > 0.0 else np.full(3, 3.0**-0.5))


def _relation(mask: Volume, other: Volume) -> Relation | None:
    """Return how two masks that share voxels lie to each other; None when they share none."""
    mine, theirs = int(np.count_nonzero(mask.values)), int(np.count_nonzero(other.values))
    ours_ml, theirs_ml = mine * mask.grid.voxel_volume_ml, theirs * other.grid.voxel_volume_ml
    if mask.grid == other.grid:
        a, b = VoxelBox.drawn(mask.values), VoxelBox.drawn(other.values)
        assert a is not None
        assert b is not None
        both = tuple(
            slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(a.place, b.place, strict=True)
        )
        if any(part.stop <= part.start for part in both):
            return None
        shared_ml = (
            float(np.count_nonzero(mask.values[both] & other.values[both])) * mask.grid.voxel_volume_ml
        )
    else:
        # The voxels of the smaller one are asked for.
        small, large = (mask, other) if mine <= theirs else (other, mask)
        points = small.grid.index_to_mm(np.argwhere(small.values)[:, ::-1])
        shared_ml = float(np.count_nonzero(sample_mask(large, points))) * small.grid.voxel_volume_ml
    if shared_ml == 0.0:
        return None
    if shared_ml >= WHOLE_SHARE * ours_ml:
        return Relation.HOLDS_IT
    return Relation.LIES_IN_IT if shared_ml >= WHOLE_SHARE * theirs_ml else Relation.OVERLAPS


def _shell_mm(mask: Volume) -> FloatArray:
    """Return the centres ``(n, 3)`` of the voxels next to a mask, LPS; those beyond its grid left out."""
    box = VoxelBox.drawn(mask.values)
    assert box is not None  # a structure has a voxel
    box = box.grown(mask.grid, max(mask.grid.spacing_mm))
    part = mask.values[box.place]
    shell = ndimage.binary_dilation(part) & ~part
    return mask.grid.index_to_mm(np.argwhere(shell)[:, ::-1] + np.asarray(box.first_ijk))


def _whole(case: Case, structure: Structure, holder: Structure) -> Volume:
    grid = holder.mask.grid
    values = holder.mask.values.copy()
    for other in case.structures:
        if other is structure or (other.role in _HELD and holder_of(case, other) is holder):
            values |= _on(other, grid)
    box = VoxelBox.drawn(values)
    assert box is not None
    part = values[box.place]
    for plane in part:
        if plane.any() and not plane.all():
            plane[...] = ndimage.binary_fill_holes(plane)
    return Volume(grid=grid, values=values)


def _on(structure: Structure, grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return structure_mask(structure, grid).values
