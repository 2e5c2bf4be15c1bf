"""Thick slabs: the brightest, darkest or mean value over some millimetres along the normal of a view.

A voxel is a box of one value. On a volume along the patient axes the result is therefore exact: a slab
meets every slice that it overlaps, and the mean weighs each by how much of it lies in the slab. Any other
volume is sampled in patient millimetres, plane by plane (see `cryoplan.scene.sampled`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import ImageError
from cryoplan.scene.oblique import ObliquePlane, Plane
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.sampled import Lattice, PlaneSampler
from cryoplan.scene.slices import SliceImage, SliceSampler, oblique_picture

STEPS_MM = (1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
"""Thicknesses that the keys go through."""

THICKEST_MM = 200.0


class SlabKind(StrEnum):
    """What becomes of the values along the normal; the value is the word on the screen."""

    OFF = "one slice"
    MIP = "MIP"
    MINIP = "MinIP"
    MEAN = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """How thick a view looks, and how.

    Attributes
    ----------
    kind : SlabKind
        OFF shows one slice as it was acquired; the thickness is kept for later.
    thickness_mm : float
        Along the normal of the view, half of it on either side of the slice.

    Raises
    ------
    ValueError
        If the thickness is not above 0 and at most 200 mm.
    """

    kind: SlabKind = SlabKind.OFF
    thickness_mm: float = 10.0

    def __post_init__(self) -> None:
        if not 0.0 < self.thickness_mm <= THICKEST_MM:
            raise ValueError(f"a slab is up to {THICKEST_MM:g} mm thick, not {self.thickness_mm}")

    @property
    def is_on(self) -> bool:
        """True when more than one slice may be shown."""
        return self.kind is not SlabKind.OFF

    @property
    def text(self) -> str:
        """What the view says, such as ``MIP 10 mm``; empty when off."""
        return f"{self.kind.value} {self.thickness_mm:g} mm" if self.is_on else ""

    def next_kind(self) -> Slab:
        """Return the slab after this one: one slice, MIP, MinIP, mean and again."""
        kinds = list(SlabKind)
        return replace(self, kind=kinds[(kinds.index(self.kind) + 1) % len(kinds)])

    def stepped(self, steps: int) -> Slab:
        """Return a thicker (or with negative steps thinner) slab, on the round thicknesses of `STEPS_MM`."""
        thickness = self.thickness_mm
        for _ in range(abs(steps)):
            if steps > 0:
                thickness = min((t for t in STEPS_MM if t > thickness), default=thickness)
            else:
                thickness = max((t for t in STEPS_MM if t < thickness), default=thickness)
        return replace(self, thickness_mm=thickness)


ONE_SLICE = Slab()


def extract_slab(
    sampler: SliceSampler, plane: Plane, slab: Slab, lattice: Lattice | None = None
) -> SliceImage:
    """Return the picture of a slab around the slice nearest to a plane; one slice when the slab is off.

    What the volume does not reach is left out; a pixel whose whole column lies outside has the sampler's
    outside value. An oblique plane is cut where it is, on the pixels of `lattice` or all over the volume.

    Raises
    ------
    ImageError
        If the plane does not pass through the volume.
    """
    if isinstance(plane, ObliquePlane):
        return _through(sampler, plane, slab, lattice)
    if not slab.is_on:
        return sampler.extract(plane)
    if not sampler.covers(plane):
        raise ImageError(
            f"The {plane.orientation.value} plane at {plane.position_text()} lies outside the image.",
            "Choose a slice of the image.",
            code="plane-outside",
            place=plane.orientation.value,
        )
    plane = sampler.nearest_plane(plane.orientation, plane.position_mm)
    values = _direct(sampler, plane, slab) if sampler.is_direct else _oblique(sampler, plane, slab)
    return sampler.picture_of(plane, values)


def _direct(sampler: SliceSampler, plane: SlicePlane, slab: Slab) -> npt.NDArray[Any]:
    low, high, share = _overlap(sampler, plane.orientation, plane.position_mm, slab.thickness_mm)
    block = sampler.layers(plane.orientation, low, high)
    if slab.kind is SlabKind.MIP:
        return np.asarray(block.max(axis=0))
    if slab.kind is SlabKind.MINIP:
        return np.asarray(block.min(axis=0))
    # Whole slices all weigh the same; only the two at the ends may lie partly in the slab.
    total = np.zeros(block.shape[1:], np.float32)
    if len(share) > 2:
        total += np.add.reduce(block[1:-1], axis=0, dtype=np.float32) * np.float32(share[1])
    for end in {0, len(share) - 1}:
        total += block[end] * np.float32(share[end])
    return total


def _overlap(
    sampler: SliceSampler, orientation: Orientation, position_mm: float, thickness_mm: float
) -> tuple[int, int, npt.NDArray[np.float64]]:
    """Return the first slice, the one after the last, and the share of each in the slab; shares sum to 1."""
    places = sampler.positions_mm(orientation)
    step = sampler.step_mm(orientation)
    upper = np.minimum(places + step / 2.0, position_mm + thickness_mm / 2.0)
    lower = np.maximum(places - step / 2.0, position_mm - thickness_mm / 2.0)
    inside = upper - lower
    # A slice that is touched by rounding only is not in the slab.
    met = np.flatnonzero(inside > 1e-6 * step)
    low, high = int(met[0]), int(met[-1]) + 1
    return low, high, inside[low:high] / inside[low:high].sum()


def _oblique(sampler: SliceSampler, plane: SlicePlane, slab: Slab) -> npt.NDArray[Any]:
    values, seen = over_slab(sampler.planes(plane.orientation), plane.position_mm, slab)
    values[~seen] = sampler.outside
    return values


def _through(sampler: SliceSampler, plane: ObliquePlane, slab: Slab, lattice: Lattice | None) -> SliceImage:
    lattice = lattice if lattice is not None else sampler.lattice_on(plane)
    if not slab.is_on or lattice is None:
        return sampler.extract_oblique(plane, lattice)
    planes = PlaneSampler(sampler.volume, lattice, min(sampler.volume.grid.spacing_mm))
    values, seen = over_slab(planes, plane.position_mm, slab)
    values[~seen] = sampler.outside
    return oblique_picture(plane, lattice, values)


def over_slab(
    planes: PlaneSampler, position_mm: float, slab: Slab
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return what a slab of sampled planes shows, ``(rows, columns)``, and where the volume has any of it.

    With a slab that is off this is the plane itself: then never write to it.
    """
    if slab.kind is SlabKind.MEAN:
        return planes.mean(position_mm, slab.thickness_mm)
    if slab.is_on:
        return planes.most(position_mm, slab.thickness_mm, sign=1 if slab.kind is SlabKind.MIP else -1)
    values, inside, _ = planes.plane(position_mm)
    return values, inside
