"""Organs: the lowest temperature of each structure, when and where, and how much of it froze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.case.planning import mask_box_mm, structure_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import as_point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import OrganTemperature
from cryoplan.margins.ice_gap import Ice
from cryoplan.margins.iceball import cold_fraction
from cryoplan.simulation.isotherm import IsothermScale

START_DEGC = 37.0
"""Temperature of tissue before the treatment and beyond the grid: body core."""


_HOLDS_ALL = (Role.BODY,)
"""What holds the probes holds the ice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColdField:
    """What is asked again and again about the lowest temperature, computed once.

    Attributes
    ----------
    minimum_degc, minimum_at_s : Volume
        As in the result.
    scale : IsothermScale
        How `minimum_degc` is read.
    values, gradient_per_mm : numpy.ndarray
        `minimum_degc` on that scale and the length of its gradient.
    """

    minimum_degc: Volume
    minimum_at_s: Volume
    scale: IsothermScale
    values: npt.NDArray[np.float32]
    gradient_per_mm: npt.NDArray[np.float32]

    @property
    def grid(self) -> Grid:
        """Grid of all fields."""
        return self.minimum_degc.grid


def measure_structure(
    structure: Structure, field: ColdField, thresholds_degc: Sequence[float], ice: Ice | None = None
) -> OrganTemperature:
    """Return the lowest temperature of a structure, its volumes below the thresholds and its gap to the ice.

    Beyond the grid tissue is taken at its start temperature; `inside_grid_fraction` says how much that is.
    """
    box = mask_box_mm(structure.mask)
    lower, upper = field.grid.bounds_mm()
    spots = np.flatnonzero(structure_mask(structure, field.grid).values)
    if spots.size == 0:
        return _untouched(structure, thresholds_degc)
    temperature = field.minimum_degc.values.ravel()[spots]
    values = field.values.ravel()[spots]
    gradient = field.gradient_per_mm.ravel()[spots]
    level = field.scale.level
    coldest = int(spots[np.argmin(temperature)])
    k, j, i = np.unravel_index(coldest, field.grid.shape)
    spacing = field.grid.spacing_mm[0]
    voxel_ml = field.grid.voxel_volume_ml
    gap = ice.gap(structure) if ice is not None and structure.role not in _HOLDS_ALL else None
    is_inside = bool(np.all(box[0] >= lower) and np.all(box[1] <= upper))
    return OrganTemperature(
        name=structure.name,
        role=structure.role.value,
        minimum_degc=float(temperature.min()),
        at_s=float(field.minimum_at_s.values.ravel()[coldest]),
        at_mm=as_point(field.grid.index_to_mm([i, j, k])),
        volume_below_ml=tuple(
            (t, float(cold_fraction(values, gradient, level(t), spacing).sum(dtype=float)) * voxel_ml)
            for t in thresholds_degc
        ),
        inside_grid_fraction=1.0 if is_inside else min(1.0, len(spots) * voxel_ml / structure.volume_ml),
        to_ice_mm=None if gap is None else gap.gap_mm,
        near_ice_mm=None if gap is None else gap.point_mm,
    )


def _untouched(structure: Structure, thresholds_degc: Sequence[float]) -> OrganTemperature:
    lower, upper = mask_box_mm(structure.mask)
    return OrganTemperature(
        name=structure.name,
        role=structure.role.value,
        minimum_degc=START_DEGC,
        at_s=0.0,
        at_mm=as_point((lower + upper) / 2.0),
        volume_below_ml=tuple((t, 0.0) for t in thresholds_degc),
        inside_grid_fraction=0.0,
    )
