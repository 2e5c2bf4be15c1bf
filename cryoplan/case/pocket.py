"""Pocket: room that fluid or gas would fill, grown outwards from a point through what is free to take it.

A real injection pushes organs apart; here nothing moves. The pocket fills free room (fat and what nobody
outlined) around the point and never organs, tumours, needles, bone, gas or the rim below the skin. Between
two structures it spreads along the gap: of all free voxels it takes those that are nearest to the point,
where leaving the gap counts as further, and it is one piece.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, label

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.skin import body_mask, sample_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LEAST_ML, LARGEST_ML = 0.5, 500.0
SKIN_MM = 3.0
"""No pocket is nearer to the skin."""
CLEAR_MM = 0.5
"""Between a pocket and the shaft of a needle."""
BONE_ABOVE_HU, GAS_BELOW_HU = 300.0, -300.0
"""What nobody outlined is bone or gas beyond these values, on a CT."""
NEAR_MM = 3.0
"""A point that is not free takes the nearest free voxel this near to it."""
AWAY_COUNTS = 2.0
"""A millimetre out of the gap between two structures counts as this many along it."""
_FREE = (Role.BODY, Role.FAT)


class Fill(StrEnum):
    """What a pocket is filled with."""

    SALINE = "saline"
    WARM_SALINE = "warm saline"
    CO2 = "CO2"

    @property
    def role(self) -> Role:
        """What the structure is to the plan."""
        return Role.GAS if self is Fill.CO2 else Role.FLUID

    @property
    def tissue(self) -> str:
        """Key of the tissue table: saline starts at room temperature, warm saline at that of the body."""
        return {Fill.SALINE: "hydrodissection", Fill.WARM_SALINE: "saline", Fill.CO2: "gas"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A shaft that a pocket keeps clear of: LPS ends and radius."""

    tip_mm: Point
    back_mm: Point
    radius_mm: float


def inflate(
    case: Case,
    centre_mm: Point,
    volume_ml: float,
    *,
    between: Sequence[str] = (),
    needles: Sequence[Needle] = (),
    fill: Fill = Fill.SALINE,
    name: str,
) -> tuple[Structure, Finding]:
    """Return a pocket of a volume as a structure, and what has to be said about it.

    Parameters
    ----------
    case : Case
    centre_mm : Point
        LPS; where the needle's tip or the balloon is.
    volume_ml : float
        What is injected; the pocket has this volume within one voxel.
    between : sequence of str
        None, one or two structures: the pocket stays along them.
    needles : sequence of Needle
        What it keeps clear of.
    fill : Fill
    name : str
        Of the new structure.

    Raises
    ------
    StructureError
        If the point is not free, a structure is unknown or far away, or there is not enough room.
    """
    if not (np.isfinite(volume_ml) and LEAST_ML <= volume_ml <= LARGEST_ML):
        raise StructureError(
            f"A pocket of {volume_ml:g} ml is not possible.",
            f"Use {LEAST_ML:g} to {LARGEST_ML:g} ml.",
            code="pocket-volume",
            place="volume",
        )
    grid = case.scan.volume.grid
    reach = 3.0 * (3000.0 * volume_ml / (4.0 * np.pi)) ** (1.0 / 3.0) + 15.0
    box = VoxelBox.around(grid, np.asarray(centre_mm, float)[None], reach)
    if box is None or not bool(grid.contains_mm(centre_mm)):
        raise _not_free("outside the image")
    part = box.grid(grid)
    points = _centres_mm(part)
    free = _free(case, part, box, points, needles)
    seed = _seed(case, free, points, centre_mm)
    cost = _cost(case, part, box, points, points[seed], between, reach)
    count = max(round(volume_ml / grid.voxel_volume_ml), 1)
    filled = _flood(free, cost, seed, count)
    if filled is None:
        room = float(np.count_nonzero(_piece(free, seed))) * grid.voxel_volume_ml
        raise StructureError(
            f"Around this point there is free room for {room:.1f} ml only, and no organ moves in the plan.",
            "Inflate less, place it elsewhere, or draw the pocket over the organ that gives way.",
            code="pocket-no-room",
            place="volume",
        )
    values = np.zeros(grid.shape, bool)
    values[box.place] = filled
    where = f", between {' and '.join(between)}" if between else ""
    structure = Structure(
        name=name,
        role=fill.role,
        tissue=fill.tissue,
        mask=Volume(grid=grid, values=values),
        source=f"Inflated with {volume_ml:g} ml of {fill.value}{where}; no organ was moved",
    )
    finding = Finding(
        level=Level.OK,
        code="pocket-inflated",
        text=f"{name} fills {structure.volume_ml:.1f} ml of free room with {fill.value}{where}. "
        "It moves no organ: a real injection pushes them apart.",
        place=name,
    )
    return structure, finding


def _centres_mm(grid: Grid) -> FloatArray:
    k, j, i = np.indices(grid.shape)
    return grid.index_to_mm(np.stack([i, j, k], axis=-1).astype(float))


def _free(case: Case, part: Grid, box: VoxelBox, points: FloatArray, needles: Sequence[Needle]) -> BoolArray:
    """Return the voxels that a pocket may take."""
    free = np.ones(part.shape, bool)
    body = body_mask(case)
    if body is not None:
        inside = sample_mask(body, points.reshape(-1, 3)).reshape(part.shape)
        if not inside.all():
            # Beyond the box the body goes on as it is at the box's faces.
            framed = np.pad(inside, 1, mode="edge")
            depth = distance_transform_edt(framed, sampling=part.spacing_mm[::-1])[1:-1, 1:-1, 1:-1]
            free &= depth >= SKIN_MM
    grid = case.scan.volume.grid
    known = np.zeros(part.shape, bool)
    for structure in case.structures:
        here = _on(structure, grid, part, box)
        if structure.role is Role.FAT:
            known |= here
        if structure.role not in _FREE:
            free &= ~here
    if case.scan.facts.has_hounsfield:
        hu = case.scan.volume.values[box.place]
        free &= known | ((hu > GAS_BELOW_HU) & (hu < BONE_ABOVE_HU))
    for needle in needles:
        free &= _shaft_distance_mm(points, needle) > needle.radius_mm + CLEAR_MM
    return free


def _on(structure: Structure, grid: Grid, part: Grid, box: VoxelBox) -> BoolArray:
    """Return a structure on a part of the scan's grid, on which most are drawn."""
    if structure.mask.grid == grid:
        return np.asarray(structure.mask.values[box.place], bool)
    return np.asarray(structure_mask(structure, part).values, bool)


def _shaft_distance_mm(points: FloatArray, needle: Needle) -> FloatArray:
    tip, back = np.asarray(needle.tip_mm, float), np.asarray(needle.back_mm, float)
    along = back - tip
    share = np.clip((points - tip) @ along / float(along @ along), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - tip - share[..., None] * along, axis=-1))


def _seed(case: Case, free: BoolArray, points: FloatArray, centre_mm: Point) -> tuple[int, int, int]:
    away = np.linalg.norm(points - np.asarray(centre_mm, float), axis=-1)
    away[~free] = np.inf
    k, j, i = (int(n) for n in np.unravel_index(int(np.argmin(away)), away.shape))
    if away[k, j, i] <= NEAR_MM:
        return k, j, i
    holders = [
        s.name
        for s in case.structures
        if s.role not in _FREE and bool(sample_mask(s.mask, np.asarray(centre_mm, float)[None])[0])
    ]
    raise _not_free(f"in {holders[0]}" if holders else "in bone, gas or a needle, or too near to the skin")


def _not_free(where: str) -> StructureError:
    return StructureError(
        f"This point lies {where}: no pocket can begin here.",
        "Put the crosshair into the fat between the organs.",
        code="pocket-place",
        place="centre",
    )


def _cost(
    case: Case,
    part: Grid,
    box: VoxelBox,
    points: FloatArray,
    seed_mm: FloatArray,
    between: Sequence[str],
    reach_mm: float,
) -> FloatArray:
    """Return how far each voxel is from the seed, where leaving the gap counts as further."""
    square = np.sum((points - seed_mm) ** 2, axis=-1)
    if not between:
        return np.asarray(np.sqrt(square))
    gap = np.zeros(part.shape)
    at = tuple(int(n) for n in np.rint(part.mm_to_index(seed_mm))[::-1])
    for name in between:
        mask = _on(case.structure(name), case.scan.volume.grid, part, box)
        if not mask.any():
            raise StructureError(
                f"{name} is more than {reach_mm:.0f} mm from this point.",
                "Put the crosshair between the two structures.",
                code="pocket-far",
                place=name,
            )
        gap += distance_transform_edt(~mask, sampling=part.spacing_mm[::-1])
    beyond = np.maximum(gap - gap[at], 0.0)
    return np.asarray(np.sqrt(square + (AWAY_COUNTS * beyond) ** 2))


def _piece(within: BoolArray, seed: tuple[int, int, int]) -> BoolArray:
    pieces, _ = label(within)
    return np.asarray(pieces == pieces[seed])


def _flood(free: BoolArray, cost: FloatArray, seed: tuple[int, int, int], count: int) -> BoolArray | None:
    """Return the `count` voxels that rising water takes from the seed on; None where there are fewer."""
    if np.count_nonzero(free) < count:
        return None
    # Most of it at once: the piece below the highest level that holds no more than asked for.
    levels = np.sort(cost[free])
    low, high = 0, len(levels) - 1
    filled = np.zeros(free.shape, bool)
    filled[seed] = True
    while low <= high:
        middle = (low + high) // 2
        within = free & (cost <= levels[middle])
        piece = _piece(within, seed) if within[seed] else filled
        if np.count_nonzero(piece) <= count:
            filled, low = piece | filled, middle + 1
        else:
            high = middle - 1
    # The rest voxel by voxel, the lowest first.
    left = count - int(np.count_nonzero(filled))
    edge: list[tuple[float, int, int, int]] = []
    seen = filled.copy()

    def look_around(k: int, j: int, i: int) -> None:
        for dk, dj, di in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
            at = (k + dk, j + dj, i + di)
            if (
                all(0 <= n < size for n, size in zip(at, free.shape, strict=True))
                and free[at]
                and not seen[at]
            ):
                seen[at] = True
                heapq.heappush(edge, (float(cost[at]), *at))

    if left > 0:
        for k, j, i in np.argwhere(filled):
            look_around(int(k), int(j), int(i))
    while left > 0:
        if not edge:
            return None
        _, k, j, i = heapq.heappop(edge)
        filled[k, j, i] = True
        left -= 1
        look_around(k, j, i)
    return filled
