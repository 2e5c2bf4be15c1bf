"""Margin maps whose answer is a formula: a ball of tumour in a ball of ice, on any grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.margin_map import MarginMap, map_margins
from cryoplan.margins.outline import outline
from tests.support.analytic import ball, cube, ice_ball

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def oblique(edge: int = 56) -> Grid:
    """A cube of 1 mm voxels turned about z, its middle at the origin."""
    axes = np.asarray(OBLIQUE).reshape(3, 3)
    origin = -axes @ np.full(3, edge / 2.0)
    return Grid(size=(edge + 1,) * 3, spacing_mm=(1.0,) * 3, origin_mm=tuple(origin), direction=OBLIQUE)


def balls(
    tumour_mm: float,
    ice_mm: float,
    *,
    shift: Sequence[float] = (0.0, 0.0, 0.0),
    centre: Sequence[float] = (0.2, -0.4, 0.3),
    grid: Grid | None = None,
    thresholds: Sequence[float] = (0.0,),
) -> MarginMap:
    """Return the margins of a ball of tumour to a ball of ice that is `shift` away from its middle."""
    grid = cube(56) if grid is None else grid
    field = ice_ball(grid, np.add(centre, shift), ice_mm)
    return map_margins(outline("tumour", ball(grid, centre, tumour_mm)), field, thresholds, outside_degc=37.0)


def of_mask(mask: Volume, field: Volume) -> MarginMap:
    """Return the margins of any mask to the 0 degC isotherm of a field."""
    return map_margins(outline("tumour", mask), field, (0.0,), outside_degc=37.0)
