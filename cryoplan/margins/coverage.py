"""Coverage: how much of the tumour, and of the tumour grown by a rim, was cold enough.

Method: each voxel counts with the part of it that lies within the (grown) tumour, from the signed distance
field, and was at or below the threshold, from its gradient on the scale of `cryoplan.simulation.isotherm`. In
voxels that both surfaces cross, their angle decides how much the two parts have in common (`overlap`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import Coverage
from cryoplan.margins.iceball import alignment, cold_fraction, gradient_length
from cryoplan.simulation.isotherm import IsothermScale, scale_of

RIMS_MM = (0.0, 5.0, 10.0)
"""The tumour itself, the rim that counts as technical success (Mayo), and the rim often wished
(workflow 4.2 and 4.3)."""


def region_fraction(signed_distance_mm: Volume, rim_mm: float) -> npt.NDArray[np.float32]:
    """Return for each voxel the fraction, 0 to 1, within a structure grown by `rim_mm`."""
    spacing = float(np.cbrt(np.prod(signed_distance_mm.grid.spacing_mm)))
    share = (rim_mm - signed_distance_mm.values) / spacing + 0.5
    return np.clip(share, 0.0, 1.0).astype(np.float32)


def overlap(
    inside: npt.NDArray[np.float32], cold: npt.NDArray[np.float32], cosine: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return for each voxel the fraction, 0 to 1, that is within a structure and cold.

    Two planes cross a voxel. Where they are parallel and look the same way, the smaller part lies in the
    larger one; where they look at each other, only what is more than the voxel is shared; across each other
    it is the product. In between, the cosine weighs these. An ice edge that runs along the surface of the
    tumour would by the product alone cover three percent less of a tumour of 2 cm than it does.

    Parameters
    ----------
    inside, cold : ndarray
        The two parts, 0 to 1.
    cosine : ndarray
        Of the angle between what leads out of the structure and what leads to warmer tissue.
    """
    plain = inside * cold
    along = np.where(cosine > 0.0, np.minimum(inside, cold), np.maximum(inside + cold - 1.0, 0.0))
    weight = np.abs(cosine)
    return np.asarray(plain + weight * (along - plain), np.float32)


def measure_coverage(
    name: str,
    signed_distance_mm: Volume,
    temperature_degc: Volume,
    *,
    thresholds_degc: tuple[float, ...],
    rims_mm: tuple[float, ...] = RIMS_MM,
    tissue: npt.NDArray[np.bool_] | None = None,
    scale: IsothermScale | None = None,
) -> tuple[Coverage, ...]:
    """Return the coverage of each rim by each threshold, rims first.

    Parameters
    ----------
    name : str
        Name of the structure.
    signed_distance_mm : Volume
        Signed distance to its surface, negative inside, wide enough to hold the largest rim.
    temperature_degc : Volume
        Lowest temperature, on the same grid.
    thresholds_degc, rims_mm
        What to measure.
    tissue : numpy.ndarray, optional
        bool, one shape with the fields: where the body is. A rim does not reach out of the skin.
    scale : IsothermScale, optional
        How the whole field is read when `temperature_degc` is a part of it.

    Raises
    ------
    ValueError
        If the two fields live on different grids; the message says how they differ.
    """
    grid = temperature_degc.grid
    difference = grid.difference(signed_distance_mm.grid)
    if difference is not None:
        raise ValueError(f"distance and temperature live on different grids: {difference}")
    spacing = float(np.cbrt(np.prod(grid.spacing_mm)))
    scale = scale or scale_of(temperature_degc)
    values = scale.values(temperature_degc.values)
    gradient = gradient_length(values, grid)
    cosine = alignment(signed_distance_mm.values, values, grid)
    cold = [cold_fraction(values, gradient, scale.level(degc), spacing) for degc in thresholds_degc]
    result = []
    for rim in rims_mm:
        region = region_fraction(signed_distance_mm, rim)
        if rim > 0.0 and tissue is not None:
            # The tumour itself counts wherever it was outlined.
            region = np.maximum(region * tissue, region_fraction(signed_distance_mm, 0.0))
        whole = float(region.sum(dtype=float))
        for threshold, part in zip(thresholds_degc, cold, strict=True):
            reached = float(overlap(region, part, cosine).sum(dtype=float))
            # Rounding of a sum must not report more than all.
            fraction = min(1.0, reached / whole) if whole > 0.0 else 0.0
            result.append(
                Coverage(
                    structure=name,
                    rim_mm=rim,
                    threshold_degc=threshold,
                    fraction=fraction,
                    missed_ml=(1.0 - fraction) * whole * grid.voxel_volume_ml,
                    reached_ml=fraction * whole * grid.voxel_volume_ml,
                )
            )
    return tuple(result)


def twice_fraction(signed_distance_mm: Volume, freezes: npt.NDArray[np.integer], once: float) -> float:
    """Return the share of a structure, 0 to 1, that at least two freezes brought below a threshold.

    Parameters
    ----------
    signed_distance_mm : Volume
        Signed distance to its surface, negative inside.
    freezes : numpy.ndarray
        In how many freezes each voxel came below the threshold, whole voxels, same grid.
    once : float
        Share that came below it at all, measured within voxels: twice is never more than once.
    """
    region = region_fraction(signed_distance_mm, 0.0)
    whole = float(region.sum(dtype=float))
    twice = float(region[freezes >= 2].sum(dtype=float))
    return min(once, twice / whole) if whole > 0.0 else 0.0
