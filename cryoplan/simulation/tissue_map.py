"""Tissue map: the tissues of one plan's grid, cut from the case's region, and everything that was assumed.

Regions reach further than the plan that asked first and are kept, so that a probe that is dragged finds its
tissues ready; a plan that leaves the region gets a larger one. The answer is the same with and without.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.core.digest import digest
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.sourced import ENTERED
from cryoplan.core.units import show_percent
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.partial_volume import grown, overlap
from cryoplan.simulation.skin_exchange import Skin
from cryoplan.simulation.tissue import Material, TissueTable
from cryoplan.simulation.tissue_region import (
    BORDER,
    EIGHTHS,
    FAT,
    GAS,
    LUNG,
    OUTLINED,
    RIM,
    SOFT,
    Region,
    build_region,
    material_of,
)
from cryoplan.simulation.vessels import Lumen, is_held

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

MOST_MATERIALS = 200
"""Materials of one map: it holds their numbers in a byte, and flooded lung needs some of its own."""

SPARE_CELLS = 12
"""How much further a region reaches than the plan that asked for it: 24 mm on the preview grid, which is the
one that a probe is dragged on."""

KEPT_BYTES = 300_000_000
"""Memory of all regions that are kept."""

_LOCK = Lock()
_KEPT: OrderedDict[tuple[str, float], tuple[TissueTable, Region]] = OrderedDict()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueMap:
    """What the cells of a grid are made of.

    Attributes
    ----------
    material_map : uint8 ``[k, j, i]``
        Index into `materials`.
    materials : tuple of Material
    start_degc : tuple of (float or None)
        Start temperature of each material where it was brought in from outside.
    contents : tuple of (str, str, int)
        Of each material: first tissue, second tissue, eighths of the second.
    lumens : tuple of Lumen
        Vessels of 3 mm and more; cells are those of this grid.
    skin : Skin or None
    findings : tuple of Finding
    """

    material_map: npt.NDArray[np.uint8]
    materials: tuple[Material, ...]
    start_degc: tuple[float | None, ...]
    contents: tuple[tuple[str, str, int], ...]
    lumens: tuple[Lumen, ...]
    skin: Skin | None
    findings: tuple[Finding, ...]

    def lumen_share(self) -> npt.NDArray[np.float32]:
        """Return the part of each cell that is lumen, float32 ``[k, j, i]``."""
        share = np.zeros(self.material_map.size, np.float32)
        for lumen in self.lumens:
            np.add.at(share, lumen.cells, lumen.share)
        return share.reshape(self.material_map.shape)


def map_tissues(
    case: Case, grid: Grid, tissues: TissueTable, *, keep: bool = True, progress: Progress = SILENT
) -> TissueMap:
    """Return the tissues of `case` on `grid`.

    Parameters
    ----------
    case : Case
    grid : Grid
        Axis-aligned and cubic, on the lattice of whole multiples of its spacing.
    tissues : TissueTable
    keep : bool
        Whether to look for a region that is ready, and to keep the one that was made.
    progress : Progress
        Asked between structures whether to go on.

    Raises
    ------
    Cancelled
        When `progress` says so.
    SimulationError
        If a structure names a tissue that is not in the table.
    StructureError
        If a mask cannot be brought onto the grid.
    """
    if keep:
        region = kept_region(case, grid, tissues, progress)
    else:
        region = build_region(case, grown(grid, 1), tissues, progress)
    check_cancelled(progress)
    window = overlap(grid, region.grid)[1]
    assert window is not None
    code = region.code[window]
    counts = np.bincount(code.ravel())
    materials: list[Material] = []
    starts: list[float | None] = []
    contents: list[tuple[str, str, int]] = []
    known: dict[tuple[tuple[float, ...], float | None], int] = {}
    table = np.zeros(len(counts), np.uint8)
    names = tissues.names()
    for number, stands_for in _budget(counts, len(names)).items():
        if number not in region.made:
            region.made[number] = material_of(number, tissues)
        material, start = region.made[number]
        numbers = (material.numbers(), start)
        if numbers not in known:
            pair, eighths = divmod(number, EIGHTHS)
            known[numbers] = len(materials)
            materials.append(material)
            starts.append(start)
            contents.append((names[pair // len(names)], names[pair % len(names)], eighths))
        table[stands_for] = known[numbers]
    lumens = tuple(
        cut for cut in (_cut_lumen(lumen, region.grid, grid) for lumen in region.lumens) if len(cut.cells)
    )
    return TissueMap(
        material_map=table[code],
        materials=tuple(materials),
        start_degc=tuple(starts),
        contents=tuple(contents),
        lumens=lumens,
        skin=None if region.skin is None else _cut_skin(region.skin, region.grid, grid),
        findings=tuple(_findings(case, region, window, lumens)),
    )


def _budget(counts: IntArray, n: int) -> dict[int, list[int]]:
    """Return the codes that become materials, each with the codes that it stands for.

    All that occur, if there are at most `MOST_MATERIALS`. Else the mixtures that fill fewest cells are
    replaced by the nearest kept one of the same two tissues, or by the tissue that fills most of them.

    Parameters
    ----------
    counts : int64
        Cells of each code.
    n : int
        Tissues in the table.
    """
    codes = [int(c) for c in np.flatnonzero(counts)]
    tissues = {c // EIGHTHS // n for c in codes}
    mixed = sorted((c for c in codes if c % EIGHTHS), key=lambda c: (-counts[c], c))
    room = max(MOST_MATERIALS - len(tissues), 0)
    kept = {c: [c] for c in sorted({*codes} - {*mixed[room:]})}
    mixtures = [c for c in kept if c % EIGHTHS]
    for code in sorted(mixed[room:]):
        pair, eighths = divmod(code, EIGHTHS)
        first = pair // n
        near = [c for c in mixtures if c // EIGHTHS == pair and abs(c - code) < eighths]
        whole = (first * n + first) * EIGHTHS
        kept.setdefault(min(near, key=lambda c: abs(c - code), default=whole), []).append(code)
    return dict(sorted(kept.items()))


def kept_region(case: Case, grid: Grid, tissues: TissueTable, progress: Progress = SILENT) -> Region:
    """Return a region of `case` that holds `grid` and a layer around it; make one where there is none.

    A case is known by its content, so that a copy of it (sent to the worker process again) finds its region.
    """
    wanted = grown(grid, 1)
    key = (tissue_key(case), grid.spacing_mm[0])
    with _LOCK:
        kept = _KEPT.get(key)
        if kept is not None:
            _KEPT.move_to_end(key)
    if kept is not None and (kept[0] is tissues or kept[0] == tissues):
        if _holds(kept[1].grid, wanted):
            return kept[1]
        both = _union(kept[1].grid, wanted)
    else:
        both = wanted
    # A plan on the other side of the patient shares nothing with the last one.
    far = np.prod(both.size, dtype=float) > 4.0 * np.prod(grown(wanted, SPARE_CELLS).size, dtype=float)
    region = build_region(case, grown(wanted if far else both, SPARE_CELLS), tissues, progress)
    with _LOCK:
        _KEPT[key] = (tissues, region)
        _KEPT.move_to_end(key)
        while len(_KEPT) > 1 and sum(r.n_bytes for _, r in _KEPT.values()) > KEPT_BYTES:
            _KEPT.popitem(last=False)
    return region


def tissue_key(case: Case) -> str:
    """Return the digest of what the tissues of a case depend on: image, outlines, roles and tissues."""
    return digest(
        case.scan.volume.digest(),
        case.scan.facts.modality,
        [(s.name, s.role.value, s.tissue, s.mask.digest()) for s in case.structures],
    )


def forget_regions() -> None:
    """Drop all regions that are kept."""
    with _LOCK:
        _KEPT.clear()


def _holds(whole: Grid, part: Grid) -> bool:
    here, _ = overlap(part, whole)
    return here is not None and all(s.stop - s.start == n for s, n in zip(here, part.shape, strict=True))


def _union(a: Grid, b: Grid) -> Grid:
    (low_a, high_a), (low_b, high_b) = a.bounds_mm(), b.bounds_mm()
    return Grid.isotropic(np.minimum(low_a, low_b), np.maximum(high_a, high_b), a.spacing_mm[0])


def _cut_cells(cells: IntArray, whole: Grid, part: Grid) -> tuple[IntArray, BoolArray]:
    """Return flat indices in `part` of cells of `whole`, and which of them lie in it."""
    first = np.rint(whole.mm_to_index(part.origin_mm)).astype(int)[::-1]
    k, j, i = (x - f for x, f in zip(np.unravel_index(cells, whole.shape), first, strict=True))
    nk, nj, ni = part.shape
    inside = (k >= 0) & (k < nk) & (j >= 0) & (j < nj) & (i >= 0) & (i < ni)
    return np.asarray(((k * nj + j) * ni + i)[inside], np.int64), inside


def _cut_lumen(lumen: Lumen, whole: Grid, part: Grid) -> Lumen:
    cells, inside = _cut_cells(lumen.cells, whole, part)
    return replace(lumen, cells=cells, share=lumen.share[inside], diameter_mm=lumen.diameter_mm[inside])


def _cut_skin(skin: Skin, whole: Grid, part: Grid) -> Skin | None:
    window = overlap(part, whole)[1]
    assert window is not None
    void = skin.void[window]
    if not void.any():
        return None
    cells, inside = _cut_cells(skin.cells, whole, part)
    return Skin(
        depth_mm=skin.depth_mm[window],
        void=void,
        cells=cells,
        area=skin.area[inside],
        distance=skin.distance[inside],
    )


_TITLES = (
    ("soft tissue", SOFT),
    ("fat", FAT),
    ("lung", LUNG),
    ("gas", GAS),
    ("skin", RIM),
    ("gas mixed with tissue", BORDER),
)


def _findings(
    case: Case, region: Region, window: tuple[slice, slice, slice], lumens: tuple[Lumen, ...]
) -> list[Finding]:
    found = []
    background = region.background[window]
    counts = np.bincount(background.ravel(), minlength=256)
    size = float(background.size)
    unlabelled = size - float(counts[OUTLINED])
    if unlabelled:
        share = show_percent(unlabelled / size)
        if case.scan.facts.has_hounsfield:
            parts = [
                f"{title} {show_percent(float(counts[kind]) / size)}"
                for title, kind in _TITLES
                if counts[kind] >= 0.0005 * size
            ]
            found.append(
                Finding(
                    level=Level.OK,
                    code="tissue-by-hu",
                    text=f"{share} of the computed block is not outlined; by its CT values it is "
                    f"{', '.join(parts)}.",
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
    beyond = float(np.count_nonzero(region.beyond[window])) / size
    if beyond > 0.0:
        found.append(
            Finding(
                level=Level.WARN if beyond > 0.01 else Level.OK,
                code="beyond-scan",
                text=f"{show_percent(beyond)} of the computed block lies beyond the scan; it was given the "
                "tissue of the nearest slice.",
            )
        )
    cell_ml = region.grid.voxel_volume_ml
    found += [vessel_finding(lumen, cell_ml) for lumen in lumens]
    return found


def vessel_finding(lumen: Lumen, cell_ml: float) -> Finding:
    """Return what a vessel was taken for, and what its blood does."""
    held = is_held(lumen)
    volume = lumen.share.astype(float) * cell_ml
    blood = load_conditions().blood
    speed = lumen.kind.speed.value
    if speed <= 0.0:
        still = "as the plan says" if lumen.kind.speed.how == ENTERED else "as its name says"
        how = f"blood stands still, {still}: it brings no heat and can freeze"
    else:
        parts = []
        if held.any():
            parts.append(
                f"{volume[held].sum():.1f} ml wider than {blood.held_above.value:g} mm are held at 37 °C"
            )
        if not held.all():
            width = float(np.average(lumen.diameter_mm[~held], weights=volume[~held]))
            parts.append(
                f"{volume[~held].sum():.1f} ml about {width:.0f} mm wide exchange heat with blood "
                f"that flows at {speed:g} m/s"
            )
        how = " and ".join(parts)
    return Finding(
        level=Level.OK,
        code="vessel-wall",
        text=f"{lumen.name} (taken for: {lumen.kind.title}): {how}.",
        place=lumen.name,
    )
