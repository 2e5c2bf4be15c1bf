"""Tissue map: which tissue each solver cell is made of, from structures first and image values second.

Everything that had to be assumed comes back as a finding. A cell belongs to one tissue, that at its centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, map_coordinates

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.skin import body_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.units import show_percent
from cryoplan.core.volume import Volume
from cryoplan.simulation.tissue import Material, TissueTable

BoolArray = npt.NDArray[np.bool_]

GAS_BELOW_HU = -950.0
LUNG_BELOW_HU = -400.0
FAT_BELOW_HU = -30.0
"""Hounsfield borders of gas, aerated lung and fat; fat itself is about -100, soft tissue 20 to 80."""

LARGE_VESSEL_MM = 5.0
"""Wider lumen is held at body temperature: with normal flow this differs little (physics section 7)."""

SMALL_VESSEL_MM = 4.0
"""Diameter that stands for lumen of 3 to 5 mm."""

NUSSELT = 4.0
"""Developed laminar flow lies between 3.66 (constant wall temperature) and 4.36 (constant flux), textbook."""

BLOOD_CONDUCTIVITY = 0.52
"""W/(m K), physics section 7."""

_GAS, _LUNG, _FAT, _SOFT = "gas", "lung-inflated", "fat", "soft-tissue"

_LAYERS = (
    (Role.OTHER,),
    (Role.SKIN,),
    (Role.FAT,),
    (Role.MUSCLE,),
    (Role.BONE,),
    (Role.LUNG,),
    (Role.ORGAN, Role.HEART),
    (Role.BOWEL, Role.STOMACH, Role.GALLBLADDER, Role.BLADDER, Role.DIAPHRAGM),
    (Role.BILE_DUCT, Role.URETER, Role.URETHRA, Role.NERVE, Role.SPINAL_CORD),
    (Role.FLUID, Role.GAS),
    (Role.VESSEL,),
    (Role.TUMOUR,),
)
"""Later layers are drawn over earlier ones. The body only says where the patient ends."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueMap:
    """Material index ``[k, j, i]``, the materials, vessel masks and what was assumed."""

    material_map: npt.NDArray[np.uint8]
    materials: tuple[Material, ...]
    vessel: BoolArray | None
    vessel_exchange: npt.NDArray[np.float32] | None
    findings: tuple[Finding, ...]


def map_tissues(case: Case, grid: Grid, tissues: TissueTable) -> TissueMap:
    """Return the tissues of `case` on `grid`.

    Raises
    ------
    SimulationError
        If a structure names a tissue that is not in the table.
    StructureError
        If a mask cannot be brought onto the grid.
    """
    names: list[str] = []

    def index_of(name: str) -> int:
        if name not in names:
            tissues.tissue(name)
            names.append(name)
        return names.index(name)

    image = _Image(case, grid)
    unlabelled = np.ones(grid.shape, bool)
    background = image.background(case)
    result = np.zeros(grid.shape, np.uint8)
    for name in (_SOFT, _FAT, _LUNG, _GAS):
        chosen = background == name[0]
        if chosen.any():
            result[chosen] = index_of(name)
    lumen = np.zeros(grid.shape, bool)
    for structure in _in_layers(case.structures):
        inside = structure_mask(structure, grid).values
        if not inside.any():
            continue
        result[inside] = index_of(structure.tissue)
        unlabelled &= ~inside
        if structure.role is Role.VESSEL:
            lumen |= inside
        else:
            lumen &= ~inside
    vessel, exchange = _vessels(lumen, grid)
    return TissueMap(
        material_map=result,
        materials=tuple(tissues.tissue(name).material() for name in names),
        vessel=vessel,
        vessel_exchange=exchange,
        findings=tuple(_findings(case, image, background, unlabelled, vessel, exchange)),
    )


def _in_layers(structures: tuple[Structure, ...]) -> list[Structure]:
    return [s for roles in _LAYERS for s in structures if s.role in roles]


class _Image:
    """The scan sampled at the cells; beyond its border the nearest edge voxel stands."""

    def __init__(self, case: Case, grid: Grid) -> None:
        self.grid = grid
        scan = case.scan.volume.grid
        k, j, i = np.meshgrid(*(np.arange(n, dtype=float) for n in grid.shape), indexing="ij")
        points = grid.index_to_mm(np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1))
        self.points_mm = points
        ijk = scan.mm_to_index(points)
        upper = np.asarray(scan.size, float) - 0.5
        self.beyond = np.any((ijk < -0.5) | (ijk > upper), axis=1).reshape(grid.shape)
        self.kji = ijk[:, ::-1].T

    def values(self, volume: Volume) -> npt.NDArray[np.float32]:
        """Return scan values at the cells, linear between voxels."""
        sampled = map_coordinates(volume.values, self.kji, order=1, mode="nearest", output=np.float32)
        return np.asarray(sampled.reshape(self.grid.shape), np.float32)

    def inside(self, mask: Volume) -> BoolArray:
        """Return a mask at the cells, nearest voxel; its own border is extended outwards."""
        at = mask.grid.mm_to_index(self.points_mm)[:, ::-1].T
        near = map_coordinates(mask.values.astype(np.uint8), at, order=0, mode="nearest")
        return np.asarray(near.reshape(self.grid.shape) > 0)

    def background(self, case: Case) -> npt.NDArray[np.str_]:
        """Return the first letter of the tissue of each cell that nobody outlined."""
        result = np.full(self.grid.shape, _SOFT[0])
        if case.scan.facts.has_hounsfield:
            hu = self.values(case.scan.volume)
            result[hu < FAT_BELOW_HU] = _FAT[0]
            result[hu < LUNG_BELOW_HU] = _LUNG[0]
            result[hu < GAS_BELOW_HU] = _GAS[0]
        body = body_mask(case)
        if body is not None:
            result[~self.inside(body)] = _GAS[0]
        return result


def _vessels(lumen: BoolArray, grid: Grid) -> tuple[BoolArray | None, npt.NDArray[np.float32] | None]:
    """Split lumen into what is held at body temperature and what exchanges heat by volume.

    Lumen is wide where a ball of 5 mm fits in. The rest gets ``h = Nu k / D`` on its wall, which is
    ``4 h / D`` per volume of a round vessel.
    """
    if not lumen.any():
        return None, None
    edge = grid.spacing_mm[0]
    # The transform measures to the centre of the nearest cell outside; its face is half a cell nearer.
    depth = distance_transform_edt(np.pad(lumen, 1), sampling=edge)[1:-1, 1:-1, 1:-1] - 0.5 * edge
    heart = lumen & (depth >= 0.5 * LARGE_VESSEL_MM)
    wide = np.zeros_like(lumen)
    if heart.any():
        wide = lumen & (distance_transform_edt(~heart, sampling=edge) <= 0.5 * LARGE_VESSEL_MM + 0.5 * edge)
    narrow = lumen & ~wide
    exchange = None
    if narrow.any():
        diameter_m = SMALL_VESSEL_MM / 1000.0
        rate = 4.0 * NUSSELT * BLOOD_CONDUCTIVITY / diameter_m**2
        exchange = np.where(narrow, np.float32(rate), np.float32(0.0))
    return (wide if wide.any() else None), exchange


def _findings(
    case: Case,
    image: _Image,
    background: npt.NDArray[np.str_],
    unlabelled: BoolArray,
    vessel: BoolArray | None,
    exchange: npt.NDArray[np.float32] | None,
) -> list[Finding]:
    found = []
    size = float(unlabelled.size)
    if unlabelled.any():
        share = show_percent(float(unlabelled.sum()) / size)
        if case.scan.facts.has_hounsfield:
            parts = [
                f"{title} {show_percent(float((unlabelled & (background == key[0])).sum()) / size)}"
                for title, key in (("soft tissue", _SOFT), ("fat", _FAT), ("lung", _LUNG), ("gas", _GAS))
            ]
            found.append(
                Finding(
                    level=Level.OK,
                    code="tissue-by-hu",
                    text=f"{share} of the computed block is not outlined; its tissue was taken from the CT "
                    f"values: {', '.join(parts)}.",
                )
            )
        else:
            found.append(
                Finding(
                    level=Level.WARN,
                    code="tissue-assumed",
                    text=f"{share} of the computed block is not outlined, and this image does not tell fat "
                    "from muscle; it was taken as soft tissue.",
                )
            )
    beyond = float(image.beyond.sum()) / size
    if beyond > 0.0:
        found.append(
            Finding(
                level=Level.WARN if beyond > 0.01 else Level.OK,
                code="beyond-scan",
                text=f"{show_percent(beyond)} of the computed block lies beyond the scan; it was given the "
                "tissue of the nearest slice.",
            )
        )
    if vessel is not None or exchange is not None:
        wide = 0.0 if vessel is None else float(vessel.sum()) * image.grid.voxel_volume_ml
        narrow = 0.0 if exchange is None else float((exchange > 0).sum()) * image.grid.voxel_volume_ml
        found.append(
            Finding(
                level=Level.OK,
                code="vessel-wall",
                text=f"Outlined vessels: {wide:.1f} ml wider than {LARGE_VESSEL_MM:g} mm are held at 37 °C, "
                f"{narrow:.1f} ml exchange heat as vessels of {SMALL_VESSEL_MM:g} mm.",
            )
        )
    return found
