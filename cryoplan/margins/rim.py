"""Rim: distances around a tumour, measured to its surface where a rim of it ends.

The distance field of `cryoplan.margins.outline` errs by 0.08 voxels on average further out: at a rim of 5 mm
that is two percent of the volume of a small tumour with its rim. So the voxels that the end of a rim passes
are measured once more, to the triangles of the surface. These cut the corners of a round surface; how far on
average, the volume between the two tells, and the distances are that much shorter. Measured on spheres and
ellipsoids of 8 to 20 voxels radius in all directions: volumes with a rim err by 0.5 % at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cryoplan.core.units import MM3_PER_ML
from cryoplan.core.volume import Volume
from cryoplan.margins.coverage import region_fraction
from cryoplan.margins.distance import distance_to_surface_mm
from cryoplan.margins.outline import Outline

BAND_VOXELS = 0.75
"""Half a voxel on either side holds all that a rim cuts; the rest is for the error of what is there."""


def with_exact_rims(outline: Outline, rims_mm: Sequence[float]) -> Outline:
    """Return an outline whose distances are exact where a rim of `rims_mm` ends; 0 is exact as it is."""
    field = outline.distance_mm
    spacing = float(np.cbrt(np.prod(field.grid.spacing_mm)))
    near = np.zeros(field.grid.shape, bool)
    for rim in rims_mm:
        if rim > 0.0:
            near |= np.abs(field.values - rim) < BAND_VOXELS * spacing
    index = np.argwhere(near)[:, ::-1]
    if outline.surface.is_empty or len(index) == 0:
        return outline
    exact = distance_to_surface_mm(field.grid.index_to_mm(index), outline.surface) - _cut_mm(outline)
    values = np.array(field.values, float)
    values[near] = exact
    return replace(outline, distance_mm=Volume(grid=field.grid, values=values))


def _cut_mm(outline: Outline) -> float:
    """Return how far the triangles lie within the surface that they stand for, on average, millimetres."""
    field = outline.distance_mm
    whole_ml = float(region_fraction(field, 0.0).sum(dtype=float)) * field.grid.voxel_volume_ml
    area_mm2 = float(outline.area_mm2.sum())
    return (whole_ml - outline.surface.volume_ml()) * MM3_PER_ML / area_mm2 if area_mm2 > 0.0 else 0.0
