"""Lung: the warning that computed ice in lung is far too small, wherever lung is within reach of the ice.

The tabulated perfusion of lung is the whole output of the heart, and no published conductivity of frozen lung
differs from that of unfrozen lung (physics sections 4 and 5). With these numbers hardly any ice grows; what
was measured in animals is several times larger, and nothing else is published to put in their place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.units import show_mm
from cryoplan.simulation.sources import ProbeSource
from cryoplan.simulation.tissue_map import TissueMap

LUNG = ("lung-inflated", "lung-flooded")

REACH_MM = 20.0
"""Distance from an active zone at which ice may still come: the largest published radius of one needle's ice
in lung is 15.5 mm (Hinshaw 2010), and neighbours add to it."""

LEAST_ML = 0.1
"""Lung within reach from which on it is spoken of; a few cells are the blur of gas in bowel."""

COMPUTED_MM, PUBLISHED_MM = 6.2, 31.0
"""Ice diameter of the 2.4 mm probe after 10-5-10 min with blood from the first thaw on, at 1 mm; and that of
Hinshaw et al. 2010 (pig lung, ``resources/validation/hinshaw2010_pig_lung.csv``)."""


def lung_findings(tissue: TissueMap, grid: Grid, sources: Sequence[ProbeSource]) -> list[Finding]:
    """Warn where lung lies within reach of an active zone.

    Parameters
    ----------
    tissue : TissueMap
        Tissues of `grid`.
    grid : Grid
    sources : sequence of ProbeSource
        Those that only warm have no ice.
    """
    numbers = [n for n, (first, _, _) in enumerate(tissue.contents) if first in LUNG]
    freezing = [s for s in sources if s.freeze.end_degc < 0.0]
    if not numbers or not freezing:
        return []
    is_lung = np.isin(np.arange(len(tissue.contents)), numbers)
    cells = round(0.5 + LEAST_ML / grid.voxel_volume_ml)
    found = [(gap, s.name) for s in freezing if (gap := _gap_mm(tissue, is_lung, grid, s, cells)) is not None]
    if not found:
        return []
    gap, name = min(found)
    where = f"Lung lies {show_mm(gap)} from" if gap > 0.5 * grid.spacing_mm[0] else "Lung lies around"
    return [
        Finding(
            level=Level.WARN,
            code="lung-underestimated",
            text=f"{where} the active zone of probe {name}; the model makes ice in lung far too small "
            f"({COMPUTED_MM:g} mm computed, {PUBLISHED_MM:g} mm measured in the one published experiment), "
            "so do not rely on ice and margins in lung.",
            place=name,
        )
    ]


def _gap_mm(
    tissue: TissueMap, is_lung: np.ndarray, grid: Grid, source: ProbeSource, cells: int
) -> float | None:
    """Return the distance of the nearest `cells` cells of lung from an active zone; None out of reach."""
    begin = 1000.0 * np.asarray(source.begin_m)
    back, length = np.asarray(source.back), 1000.0 * source.length_m
    ends = np.stack([begin, begin + length * back])
    low = np.floor(grid.mm_to_index(ends.min(axis=0) - REACH_MM)).astype(int)
    high = np.ceil(grid.mm_to_index(ends.max(axis=0) + REACH_MM)).astype(int) + 1
    low, high = np.maximum(low, 0), np.minimum(high, grid.size)
    box = tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))
    here = np.argwhere(is_lung[tissue.material_map[box]])
    if len(here) < cells:
        return None
    points = grid.index_to_mm((here + low[::-1])[:, ::-1])
    along = np.clip((points - begin) @ back, 0.0, length)
    away = np.linalg.norm(points - begin - along[:, None] * back, axis=1)
    nearest = np.partition(away, cells - 1)[:cells]
    return float(nearest.min()) if nearest.max() <= REACH_MM else None
