"""Tissue region: what each cell of a stretch of lattice is made of, computed once and cut to each plan.

Structures come first, in layers, image values where nobody outlined anything. A cell holds at most two
tissues, in eighths: the two that fill most of it. From the top layer down each structure takes its part of
the room that is left in the cell, so that tissues that share an outline fill the cell between them and
nothing shows through the seam. Nothing here depends on the plan or on how far the region reaches: cut out of
a larger region, a cell is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, binary_opening, generate_binary_structure

from cryoplan.case.case import Case
from cryoplan.case.layers import in_layers
from cryoplan.case.planning import mask_box_mm
from cryoplan.case.skin import body_mask
from cryoplan.case.structure import Role
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.resample import volume_to_grid
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.partial_volume import coverage, grown
from cryoplan.simulation.skin_exchange import Skin, find_skin
from cryoplan.simulation.tissue import Material, TissueTable
from cryoplan.simulation.vessels import Lumen, lumen_of

BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]

GAS_BELOW_HU = -950.0
LUNG_BELOW_HU = -400.0
FAT_BELOW_HU = -30.0
SOFT_HU = 40.0
"""Hounsfield borders of gas, aerated lung and fat; fat itself is about -100, soft tissue 20 to 80."""

THINNEST_LUNG_MM = 6.0
"""What has the values of lung but is thinner is the blurred border of gas with tissue, a mixture of both."""

SKIN_MM = 3.0
"""Values of gas or lung this near under the skin are the blurred border of the body, and taken as skin."""

EIGHTHS = 8

SOFT, FAT, LUNG, GAS, RIM, BORDER, OUTLINED = 0, 1, 2, 3, 4, 5, 255
"""What the image says about a cell; `RIM` is skin, `BORDER` gas mixed with tissue."""

_BACKGROUND = {SOFT: "soft-tissue", FAT: "fat", LUNG: "lung-inflated", GAS: "gas", RIM: "skin", BORDER: "gas"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """Tissues of one stretch of lattice.

    Attributes
    ----------
    grid : Grid
    code : uint32 ``[k, j, i]``
        ``(first * n + second) * 8 + eighths of the second``, first and second being places in the tissue
        table and n its length.
    background : uint8 ``[k, j, i]``
        What the image said (`SOFT` to `BORDER`) where nothing was outlined, else `OUTLINED`.
    beyond : bool ``[k, j, i]``
        Cells beyond the scan.
    lumens : tuple of Lumen
        Vessels of 3 mm and more.
    skin : Skin or None
        None where nothing tells where the body ends.
    made : dict
        Materials that were made of codes already.
    """

    grid: Grid
    code: npt.NDArray[np.uint32]
    background: ByteArray
    beyond: BoolArray
    lumens: tuple[Lumen, ...]
    skin: Skin | None
    made: dict[int, tuple[Material, float | None]] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        skin = 0 if self.skin is None else self.skin.depth_mm.nbytes + self.skin.void.nbytes
        return self.code.nbytes + self.background.nbytes + self.beyond.nbytes + skin


def build_region(case: Case, grid: Grid, tissues: TissueTable, progress: Progress = SILENT) -> Region:
    """Return the tissues of `case` on `grid`, an axis-aligned cubic grid on the lattice of its spacing.

    Raises
    ------
    Cancelled
        When `progress` says so; it is asked before every structure and every kind of background.
    SimulationError
        If a structure names a tissue that is not in the table.
    StructureError
        If a mask cannot be brought onto the grid.
    """
    names = tissues.names()
    body = body_mask(case)
    skin = find_skin(body, grid) if body is not None else None
    cells = _Cells(grid, tissues)
    outlined = np.zeros(grid.shape, bool)
    lumens = []
    for structure in reversed(in_layers(case.structures)):
        check_cancelled(progress)
        tissues.tissue(structure.tissue)
        if not _reaches(structure.mask, grid):
            continue
        if structure.role is Role.VESSEL:
            share, diameter = lumen_of(structure, grid)
            taken = cells.take(names.index(structure.tissue), share)
            kept = np.flatnonzero(taken > 0.0)
            if len(kept):
                lumens.append(
                    Lumen(
                        name=structure.name,
                        kind=load_conditions().vessel_kind(structure.name),
                        cells=kept,
                        share=taken.ravel()[kept],
                        diameter_mm=diameter.ravel()[kept],
                    )
                )
        else:
            share = coverage(structure.mask, grid)
            cells.take(names.index(structure.tissue), share)
        outlined |= share >= 0.5
    check_cancelled(progress)
    background, gas_share = _background(case, grid, skin)
    for kind, name in _BACKGROUND.items():
        check_cancelled(progress)
        chosen = (background == kind) & (cells.room > 0.0)
        if not chosen.any():
            continue
        share = np.where(chosen, cells.room, np.float32(0.0))
        if kind == BORDER:
            soft = share * (1.0 - gas_share)
            cells.take(names.index(name), share * gas_share)
            cells.take(names.index(_BACKGROUND[SOFT]), soft)
        else:
            cells.take(names.index(name), share)
    background[outlined] = OUTLINED
    check_cancelled(progress)
    return Region(
        grid=grid,
        code=cells.code(len(names)),
        background=background,
        beyond=_beyond(case, grid),
        lumens=tuple(reversed(lumens)),
        skin=skin,
    )


def _reaches(mask: Volume, grid: Grid) -> bool:
    """Tell whether the box of a mask, with a cell around it, meets a grid."""
    edge = grid.spacing_mm[0]
    (low, high), (lower, upper) = mask_box_mm(mask), grid.bounds_mm()
    return bool(np.all(low - edge < upper) and np.all(high + edge > lower))


def material_of(code: int, tissues: TissueTable) -> tuple[Material, float | None]:
    """Return what a cell of that code is made of, and its start temperature (degC; None: the body's)."""
    n = len(tissues.names())
    pair, eighths = divmod(code, EIGHTHS)
    first, second = (tissues.tissues[place] for place in divmod(pair, n))
    a, b = first.material(), second.material()
    part = eighths / EIGHTHS
    starts = [t.start_temperature for t in (first, second)]
    start = None
    if any(s is not None for s in starts):
        heat = ((1.0 - part) * a.c_u, part * b.c_u)
        own = [BODY_DEGC if s is None else s.value for s in starts]
        start = (heat[0] * own[0] + heat[1] * own[1]) / (heat[0] + heat[1])
    return a.blend(b, part), start


BODY_DEGC = 37.0
"""Core temperature of the body."""


class _Cells:
    """The two tissues that fill most of each cell, and the room that is left."""

    def __init__(self, grid: Grid, tissues: TissueTable) -> None:
        self.room = np.ones(grid.shape, np.float32)
        self._tissue = np.zeros((2, *grid.shape), np.uint8)
        self._part = np.zeros((2, *grid.shape), np.float32)
        materials = [t.material() for t in tissues.tissues]
        self._alike = np.array([[a.resembles(b) for b in materials] for a in materials])

    def take(self, tissue: int, share: Float32Array) -> Float32Array:
        """Give a tissue its share of each cell, as far as there is room; return what it got."""
        got = np.minimum(share, self.room)
        self.room -= got
        at = np.flatnonzero(got > 0.0)
        parts, kinds = self._part.reshape(2, -1), self._tissue.reshape(2, -1)
        more, p0, p1, t0, t1 = got.ravel()[at], parts[0, at], parts[1, at], kinds[0, at], kinds[1, at]
        first = (t0 == tissue) & (p0 > 0.0)
        second = (t1 == tissue) & (p1 > 0.0)
        p0 = np.where(first, p0 + more, p0)
        p1 = np.where(second, p1 + more, p1)
        new = ~first & ~second
        # The smallest of three leaves; its room stays taken and is shared out at the end.
        replaces = new & (more > p1)
        p1 = np.where(replaces, more, p1)
        t1 = np.where(replaces, np.uint8(tissue), t1)
        swap = p1 > p0
        parts[0, at], parts[1, at] = np.where(swap, p1, p0), np.where(swap, p0, p1)
        kinds[0, at], kinds[1, at] = np.where(swap, t1, t0), np.where(swap, t0, t1)
        return got

    def code(self, n: int) -> npt.NDArray[np.uint32]:
        first, second = self._tissue.astype(np.uint32)
        whole = self._part[0] + self._part[1]
        part = self._part[1] / np.maximum(whole, np.float32(1e-6))
        # Away from the tie that sampled distances of symmetric outlines would hit.
        eighths = np.floor(part * EIGHTHS + np.float32(0.4999)).astype(np.uint32)
        eighths[self._alike[first, second]] = 0
        second = np.where(eighths == 0, first, second)
        # Half and half is one mixture, whichever came first.
        turned = (eighths == EIGHTHS // 2) & (second < first)
        first, second = np.where(turned, second, first), np.where(turned, first, second)
        return np.asarray((first * np.uint32(n) + second) * np.uint32(EIGHTHS) + eighths, np.uint32)


def _background(case: Case, grid: Grid, skin: Skin | None) -> tuple[ByteArray, Float32Array]:
    """Return what the image says of each cell, and the share of gas where it says `BORDER`."""
    result = np.full(grid.shape, SOFT, np.uint8)
    gas_share = np.zeros(grid.shape, np.float32)
    if case.scan.facts.has_hounsfield:
        edge = grid.spacing_mm[0]
        steps = max(1, round(0.5 * THINNEST_LUNG_MM / edge))
        frame = 2 * steps + 2
        hu = volume_to_grid(case.scan.volume, grown(grid, frame), outside=None).values
        lung = (hu < LUNG_BELOW_HU) & (hu >= GAS_BELOW_HU)
        inner = tuple(slice(frame, -frame) for _ in range(3))
        thin = np.zeros(grid.shape, bool)
        if lung.any():
            ball = generate_binary_structure(3, 1)
            thick = binary_opening(lung, ball, iterations=steps, border_value=0)
            thick = binary_dilation(thick, ball, iterations=1)
            thin = (lung & ~thick)[inner]
        hu = hu[inner]
        result[hu < FAT_BELOW_HU] = FAT
        result[hu < LUNG_BELOW_HU] = LUNG
        result[hu < GAS_BELOW_HU] = GAS
        result[thin] = BORDER
        gas_share = np.clip((SOFT_HU - hu) / np.float32(SOFT_HU + 1000.0), 0.0, 1.0).astype(np.float32)
    if skin is not None:
        airy = (result == LUNG) | (result == GAS) | (result == BORDER)
        result[airy & (skin.depth_mm < SKIN_MM)] = RIM
        result[skin.void] = GAS
    return result, gas_share


def _beyond(case: Case, grid: Grid) -> BoolArray:
    """Return the cells whose centre lies beyond the voxels of the scan."""
    scan = case.scan.volume.grid
    upper = np.asarray(scan.size, float) - 0.5
    if bool(
        scan.contains_mm(np.array(np.meshgrid(*zip(*grid.bounds_mm(), strict=True))).reshape(3, -1).T).all()
    ):
        return np.zeros(grid.shape, bool)
    x, y, z = (grid.coordinates_mm(axis) - scan.origin_mm[axis] for axis in range(3))
    result = np.zeros(grid.shape, bool)
    for axis in range(3):
        a = scan.axes[:, axis] / scan.spacing_mm[axis]
        index = a[2] * z[:, None, None] + a[1] * y[:, None] + a[0] * x
        result |= (index < -0.5) | (index > upper[axis])
    return result
