"""Probe planes: across a shaft as its hub sees it, along it in two ways, and through several shafts at once.

The clock of `cryoplan.plan.placement.clock_direction` gives all of them: 12 is towards the patient's head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cryoplan.core.geometry import FloatArray, as_point, unit
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.placement import clock_direction
from cryoplan.plan.probe import Probe
from cryoplan.plan.shaft import Shaft
from cryoplan.scene.oblique import Facing, ObliquePlane, facing_of
from cryoplan.scene.plane import Orientation


class InLine(StrEnum):
    """The two planes that hold a whole shaft."""

    FLAT = "flat"
    """As near to axial as the shaft allows: it holds 3 and 9 o'clock, which lie in the axial plane."""

    STEEP = "steep"
    """At right angles to that: it holds 12 and 6 o'clock, so head is up."""


def eye_plane(probe: Shaft, behind_tip_mm: float) -> ObliquePlane:
    """Return the plane across a shaft so far behind its tip, as seen from the hub: 12 o'clock is up."""
    up = clock_direction(probe.direction, 12.0)
    facing = Facing(as_point(np.cross(probe.direction, up)), as_point(-up))
    return ObliquePlane.through(facing, probe.point_behind_tip_mm(behind_tip_mm))


def in_line_plane(
    probe: Shaft, which: InLine, *, stay: Orientation | None = None
) -> tuple[ObliquePlane, Orientation]:
    """Return a plane that holds a whole shaft, its rotation locked to the anatomy.

    Parameters
    ----------
    probe : Shaft
        The probe, or any needle.
    which : InLine
        Flat or steep.
    stay : Orientation, optional
        The slice view that the last plane was turned like, see `facing_of`; the flat plane is turned like the
        axial view as long as that can be.

    Returns
    -------
    tuple of ObliquePlane and Orientation
        And the slice view that it is turned like.
    """
    flat = which is InLine.FLAT
    normal = clock_direction(probe.direction, 12.0 if flat else 3.0)
    facing, follows = facing_of(normal, stay=Orientation.AXIAL if flat else stay)
    return ObliquePlane.through(facing, probe.tip_mm), follows


@dataclass(frozen=True, slots=True, kw_only=True)
class BestFit:
    """A plane through several probes, and how far each of them lies off it.

    Attributes
    ----------
    plane : ObliquePlane
        The plane.
    follows : Orientation
        The slice view that it is turned like.
    off_mm : tuple of (str, float)
        For each probe its name and the largest distance of its tip and active zone from the plane, positive
        into the screen.
    """

    plane: ObliquePlane
    follows: Orientation
    off_mm: tuple[tuple[str, float], ...]

    @property
    def worst_mm(self) -> float:
        """Largest distance of any of them, without a sign."""
        return max(abs(mm) for _, mm in self.off_mm)


def best_fit(probes: Sequence[Probe], catalogue: Catalogue, *, stay: Orientation | None = None) -> BestFit:
    """Return the plane that lies best through the tips and active zones of some probes.

    It holds the mean direction of the shafts and the centroid of the points, and of all such planes has the
    least sum of squared distances (the smaller principal axis of the points seen along that direction). Where
    the points do not say how it lies, for one probe or several on one line, it is the flat in-line plane.

    Raises
    ------
    ValueError
        If there is no probe.
    """
    if not probes:
        raise ValueError("a plane through probes needs a probe")
    groups = [_points(p, catalogue) for p in probes]
    points = np.concatenate(groups)
    middle = points.mean(axis=0)
    along = _mean_direction(probes)
    up = clock_direction(along, 12.0)
    beside = np.cross(along, up)
    seen = (points - middle) @ np.stack([beside, up], axis=1)
    scatter, axes = np.linalg.eigh(seen.T @ seen)
    normal = up
    if scatter[1] - scatter[0] > 1e-6 * len(points):
        normal = axes[0, 0] * beside + axes[1, 0] * up
    facing, follows = facing_of(normal, stay=stay)
    plane = ObliquePlane.through(facing, middle)
    off = []
    for probe, group in zip(probes, groups, strict=True):
        away = plane.distance_mm(group)
        off.append((probe.name, float(away[np.argmax(np.abs(away))])))
    return BestFit(plane=plane, follows=follows, off_mm=tuple(off))


def _points(probe: Probe, catalogue: Catalogue) -> FloatArray:
    return np.array([probe.tip_mm, *probe.active_zone_mm(catalogue.model(probe.model))])


def _mean_direction(probes: Sequence[Probe]) -> FloatArray:
    """Return the mean of the directions; a probe from the other side counts as the line that it lies on."""
    first = probes[0].direction
    total = np.zeros(3)
    for probe in probes:
        total += probe.direction if probe.direction @ first >= 0.0 else -probe.direction
    return unit(total)
