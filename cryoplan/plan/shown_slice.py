"""Shown slice: which slice of the scan a point lies in, told as the scanner's own screen told it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.units import show_mm
from cryoplan.image.scan import Scan

_TRANSVERSE = 0.7
"""Cosine of slices and the body axis from which a slice is called one along the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSlice:
    """The slice nearest to a point.

    Attributes
    ----------
    index : int
        Of the volume's slices, from 0; of the nearest where the point lies outside.
    location_mm : float or None
        As the scanner showed it (0020,1041), its sign the vendor's; None where it showed none.
    number : int or None
        Of the image in its series (0020,0013).
    origin_z_mm : float
        Towards the head of the origin of the scan (0020,0032), negative towards the feet.
    is_outside : bool
        True where no slice of the scan holds the point.
    """

    index: int
    location_mm: float | None
    number: int | None
    origin_z_mm: float
    is_outside: bool

    @property
    def value(self) -> str:
        """The number that is looked for on the scanner's screen."""
        if self.location_mm is not None:
            return f"{_plain(self.location_mm)} mm"
        return str(self.number) if self.number is not None else show_mm(abs(self.origin_z_mm))

    @property
    def how(self) -> str:
        """What that number is: ``image 83``."""
        side = "head" if self.origin_z_mm >= 0.0 else "feet"
        if self.location_mm is not None:
            words = f"image {self.number}" if self.number is not None else "slice location"
        elif self.number is not None:
            words = (
                f"is its image; {show_mm(abs(self.origin_z_mm))} towards the {side} from the scan's origin"
            )
        else:
            words = f"slice towards the {side} from the scan's origin"
        return f"nearest slice, for it lies outside the scan: {words}" if self.is_outside else words


def shown_slice(scan: Scan, point_mm: npt.ArrayLike) -> ShownSlice:
    """Return the slice of a scan that a point lies in, or the nearest."""
    grid, facts = scan.volume.grid, scan.facts
    at = float(np.asarray(grid.mm_to_index(point_mm))[2])
    index = int(np.clip(round(at), 0, grid.size[2] - 1))
    # What is told is told of slices across the body; a number of a sagittal image would be read as one.
    across = abs(float(grid.axes[2, 2])) >= _TRANSVERSE
    locations = facts.slice_locations_mm if across else ()
    numbers = facts.slice_numbers if across else ()
    return ShownSlice(
        index=index,
        location_mm=locations[index] if len(locations) == grid.size[2] else None,
        number=numbers[index] if len(numbers) == grid.size[2] else None,
        origin_z_mm=float(np.asarray(point_mm, float)[2]),
        is_outside=not -0.5 <= at <= grid.size[2] - 0.5,
    )


def slices_from(scan: Scan, point_mm: npt.ArrayLike, other_mm: npt.ArrayLike) -> str:
    """Return how many slices a point lies from another, in words: ``8 slices towards the feet``."""
    grid = scan.volume.grid
    here, there = shown_slice(scan, point_mm), shown_slice(scan, other_mm)
    count = here.index - there.index
    if count == 0:
        return "same slice"
    towards_head = (count > 0) == (float(grid.axes[2, 2]) > 0.0)
    return (
        f"{abs(count)} slice{'s' if abs(count) > 1 else ''} towards the {'head' if towards_head else 'feet'}"
    )


def _plain(value: float) -> str:
    # As many places as the header has, two at most: rounding would be another number than the screen's.
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")
