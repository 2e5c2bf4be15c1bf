"""Crossing: from which depth to which a shaft runs within a structure, below the size of the voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.subvoxel import TRAVEL_VOXELS, Patch
from cryoplan.core.geometry import FloatArray
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.plan.kept import Kept
from cryoplan.plan.shaft import Shaft

STEP_MM = 0.4
"""Longest distance of two samples along the shaft; thinner walls than this may be missed."""

_BRUSHED_MM = 6.0
_LEAPS = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the shaft, in millimetres of depth below the entry."""

    from_mm: float
    to_mm: float


_KNOWN: Kept[tuple[Stretch, ...]] = Kept()


class Axis:
    """The axis of one shaft, sampled once for all structures.

    Parameters
    ----------
    shaft : Shaft
        A probe or a tool.
    """

    def __init__(self, shaft: Shaft) -> None:
        self._ends_mm = (shaft.tip_mm, shaft.entry_mm)
        self.depth_mm = shaft.depth_mm
        self.entry = np.asarray(shaft.entry_mm, float)
        self.tip = np.asarray(shaft.tip_mm, float)
        count = max(int(np.ceil(self.depth_mm / STEP_MM)), 2)
        self.step_mm = self.depth_mm / count
        self.depths = (np.arange(count) + 0.5) * self.step_mm
        self.points = self.entry + self.depths[:, None] * (self.tip - self.entry) / self.depth_mm
        # Structures of one scan share their grid: the samples are turned into its indices once.
        self._indices: dict[Grid, npt.NDArray[np.int64]] = {}

    def inside(self, mask: Volume) -> npt.NDArray[np.bool_]:
        """Return for each sample whether its voxel is set; False beyond the grid."""
        index = self._indices.get(mask.grid)
        if index is None:
            index = np.rint(mask.grid.mm_to_index(self.points)).astype(np.int64)
            self._indices[mask.grid] = index
        found = np.zeros(len(index), dtype=bool)
        first, last = voxel_box_ijk(mask)
        within = np.flatnonzero(np.all((index >= first) & (index <= last), axis=1))
        if within.size:
            i, j, k = index[within].T
            found[within] = mask.values[k, j, i]
        return found

    def local(self, mask: Volume) -> tuple[FloatArray, FloatArray]:
        """Return entry and tip in the millimetres of a mask's own axes (index times spacing)."""
        spacing = np.asarray(mask.grid.spacing_mm)
        ends = mask.grid.mm_to_index(np.stack([self.entry, self.tip])) * spacing
        return ends[0], ends[1]

    def stretches(self, mask: Volume) -> tuple[Stretch, ...]:
        """Return where the axis runs within a mask, in order."""
        known = _KNOWN.get(mask, *self._ends_mm)
        return _KNOWN.put(mask, *self._ends_mm, self._found(mask)) if known is None else known

    def _found(self, mask: Volume) -> tuple[Stretch, ...]:
        inside = self.inside(mask)
        if not inside.any():
            return ()
        start, end = self.local(mask)
        along = (end - start) / self.depth_mm
        edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
        found = []
        for first, behind in zip(edges[::2], edges[1::2], strict=True):
            begin = self._sharp(mask, start, along, float(first) * self.step_mm, -1.0)
            finish = self._sharp(mask, start, along, float(behind) * self.step_mm, 1.0)
            if finish > begin and not self._is_none(
                mask, start, along, 0.5 * (begin + finish), finish - begin
            ):
                found.append(Stretch(begin, finish))
        return _joined(found)

    @staticmethod
    def _is_none(mask: Volume, start: FloatArray, along: FloatArray, middle: float, length: float) -> bool:
        """Tell whether a short run of voxels is one that the axis only brushes, outside the surface."""
        if length > _BRUSHED_MM:
            return False
        depths = middle + np.linspace(-0.5, 0.5, 9) * length
        shares = Patch(mask, start + middle * along).share(start + depths[:, None] * along)
        return bool(shares.max() < 0.5)

    def _sharp(
        self, mask: Volume, start: FloatArray, along: FloatArray, depth_mm: float, way: float
    ) -> float:
        """Return the depth of the surface near a depth at which the voxels change; `way` is outward.

        A shaft that runs nearly along the surface meets it some voxels before or behind the change: it is
        followed there, outward while the place is inside, inward while it is not.
        """
        outward = way * along
        step_mm = TRAVEL_VOXELS / float(np.linalg.norm(outward / np.asarray(mask.grid.spacing_mm)))
        at_mm = depth_mm
        for _ in range(_LEAPS):
            place = start + at_mm * along
            patch = Patch(mask, place)
            surface = patch.on_surface(place, outward)
            if surface is not None:
                return float(np.clip((surface - start) @ along, 0.0, self.depth_mm))
            is_inside = float(patch.share(place[None])[0]) >= 0.5
            at_mm += way * (step_mm if is_inside else -step_mm)
            if not 0.0 <= at_mm <= self.depth_mm:
                # Inside up to the end of the shaft, or on the way back beyond the other: there it ends.
                return float(np.clip(at_mm, 0.0, self.depth_mm))
        return depth_mm


def _joined(found: list[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches without overlaps: runs of voxels that the surface does not part are one."""
    joined: list[Stretch] = []
    for stretch in sorted(found, key=lambda s: s.from_mm):
        if joined and stretch.from_mm <= joined[-1].to_mm:
            joined[-1] = Stretch(joined[-1].from_mm, max(stretch.to_mm, joined[-1].to_mm))
        else:
            joined.append(stretch)
    return tuple(joined)
