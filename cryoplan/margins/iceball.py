"""Ice ball: volume, length, width and section of the region at or below a temperature.

Method: the region is bounded by the isotherm surface of `cryoplan.margins.surface` (linear between voxel
centres on the scale of `cryoplan.simulation.isotherm`), so volumes and sizes are accurate to a few hundredths
of a voxel where a count of voxels is accurate to half of one. Where a region touches the border of the grid
it is counted up to half a voxel beyond the last centre, and a finding says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray, perpendicular, unit
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import IsothermSize
from cryoplan.margins.surface import Surface, level_surface
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.simulation.isotherm import scale_of

WIDTH_DIRECTIONS = 90
"""Directions across the axis, two degrees apart: the largest extent is found within 0.02 %."""

WARM_STEP_K = 10.0
"""How much warmer than the isotherm the tissue beyond the grid is taken, at least; closes the surface."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeAxis:
    """Mean direction of the probes and the middle of their active zones."""

    direction: FloatArray
    middle_mm: FloatArray


def mean_probe_axis(plan: Plan, catalogue: Catalogue) -> ProbeAxis | None:
    """Return the mean axis of the probes, None when there is no probe or their directions cancel out."""
    if not plan.probes:
        return None
    total = np.sum([probe.direction for probe in plan.probes], axis=0)
    # Probes that face each other have no common axis; a hundredth of a unit vector each is such a case.
    if float(np.linalg.norm(total)) < 0.01 * len(plan.probes):
        return None
    middles = [np.mean(probe.active_zone_mm(catalogue.model(probe.model)), axis=0) for probe in plan.probes]
    return ProbeAxis(direction=unit(total), middle_mm=np.mean(middles, axis=0))


def isotherm_surface(temperature_degc: Volume, threshold_degc: float) -> Surface:
    """Return the surface around everything at or below `threshold_degc`.

    Tissue beyond the grid is taken as warm, so a region that touches the border is closed there.
    """
    scale = scale_of(temperature_degc)
    values = scale.values(temperature_degc.values)
    outside = max(scale.level(threshold_degc + WARM_STEP_K), float(values.max()))
    return level_surface(values, temperature_degc.grid, scale.level(threshold_degc), outside=outside)


def isotherm_size(
    surface: Surface, axis: ProbeAxis | None, *, when: str | float, threshold_degc: float
) -> IsothermSize:
    """Measure one isotherm surface.

    Parameters
    ----------
    surface : Surface
        From `isotherm_surface`.
    axis : ProbeAxis or None
        Mean probe axis; without it only the volume can be told.
    when, threshold_degc
        Named in the record.
    """
    volume_ml = surface.volume_ml()
    if surface.is_empty or axis is None:
        return IsothermSize(when=when, threshold_degc=threshold_degc, volume_ml=volume_ml)
    along = surface.points_mm @ axis.direction
    u, v = perpendicular(axis.direction)
    angles = np.linspace(0.0, np.pi, WIDTH_DIRECTIONS, endpoint=False)
    across = (surface.points_mm @ np.stack([u, v], axis=1)) @ np.stack([np.cos(angles), np.sin(angles)])
    area_mm2 = surface.section_area_mm2(axis.middle_mm, axis.direction)
    return IsothermSize(
        when=when,
        threshold_degc=threshold_degc,
        volume_ml=volume_ml,
        length_mm=float(np.ptp(along)),
        width_mm=float(np.ptp(across, axis=0).max()),
        equivalent_diameter_mm=2.0 * float(np.sqrt(area_mm2 / np.pi)),
        section_area_mm2=area_mm2,
    )


def touches_border(temperature_degc: Volume, threshold_degc: float) -> bool:
    """Tell whether the isotherm reaches the outermost voxels of its grid."""
    low = temperature_degc.values <= threshold_degc
    return any(bool(low.take(end, axis=axis).any()) for axis in range(3) for end in (0, -1))


def cold_fraction(
    values: npt.NDArray[np.floating],
    gradient_per_mm: npt.NDArray[np.floating],
    level: float,
    spacing_mm: float,
) -> npt.NDArray[np.float32]:
    """Return for each voxel the fraction, 0 to 1, that is at or below a level.

    Method: the field is linear within the voxel, so the surface lies ``(level - value) / |gradient|`` from
    its centre; the fraction runs from 0 to 1 over one voxel edge. Exact for a surface along the axes; for
    others the errors of neighbouring voxels cancel.

    Parameters
    ----------
    values, gradient_per_mm : numpy.ndarray
        Temperatures on the scale of their field (`cryoplan.simulation.isotherm`) and the length of their
        gradient (`gradient_length`), one shape.
    level : float
        The threshold on that scale.
    spacing_mm : float
        Edge of the cubic voxel.
    """
    # A level field has no isotherm inside the voxel: any small slope gives 0 or 1 there.
    slope = np.maximum(gradient_per_mm * np.float32(spacing_mm), np.float32(1e-6))
    share = (np.float32(level) - values) / slope + np.float32(0.5)
    return np.asarray(np.clip(share, 0.0, 1.0), np.float32)


def gradient_length(values: npt.NDArray[np.floating], grid: Grid) -> npt.NDArray[np.float32]:
    """Return the length of the gradient of a field, per mm, ``(nk, nj, ni)``; central differences.

    Raises
    ------
    ValueError
        If a side of the grid has a single voxel.
    """
    squares = np.zeros(grid.shape, np.float32)
    for part in _slopes(values, grid):
        squares += part * part
    return np.sqrt(squares)


def alignment(
    a: npt.NDArray[np.floating], b: npt.NDArray[np.floating], grid: Grid
) -> npt.NDArray[np.float32]:
    """Return the cosine of the angle between the gradients of two fields, one shape; 0 where one is flat.

    Raises
    ------
    ValueError
        If a side of the grid has a single voxel.
    """
    both = np.zeros(grid.shape, np.float32)
    of_a, of_b = both.copy(), both.copy()
    for p, q in zip(_slopes(a, grid), _slopes(b, grid), strict=True):
        both += p * q
        of_a += p * p
        of_b += q * q
    length = np.sqrt(of_a * of_b)
    return np.asarray(np.clip(both / np.maximum(length, np.float32(1e-12)), -1.0, 1.0), np.float32)


def _slopes(values: npt.NDArray[np.floating], grid: Grid) -> Iterator[npt.NDArray[np.float32]]:
    if min(grid.size) < 2:
        raise ValueError("a gradient needs two voxels along each axis")
    for axis, spacing in enumerate(reversed(grid.spacing_mm)):
        yield np.gradient(np.asarray(values, np.float32), np.float32(spacing), axis=axis)
