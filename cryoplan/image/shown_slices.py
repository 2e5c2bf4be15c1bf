"""Shown slices: how the scanner's own screen told the slices of a volume, for a sheet beside its console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, TypeVar

from cryoplan.image.dicom_header import Header

_Number = TypeVar("_Number", int, float)


class ShownSlices(TypedDict):
    """The facts of `cryoplan.image.scan.ScanFacts` that tell it."""

    slice_locations_mm: tuple[float, ...]
    slice_numbers: tuple[int, ...]
    table_height_mm: float | None


def shown_slices(headers: Sequence[Header], *, is_resampled: bool) -> ShownSlices:
    """Return what the slices of a volume were called.

    Parameters
    ----------
    headers : sequence of Header
        One for each slice, in the order of the volume.
    is_resampled : bool
        True when the planes of the volume are not these slices: then nobody has seen them on the scanner.
    """
    locations = [h.slice_location_mm for h in headers if h.slice_location_mm is not None]
    numbers = [h.number for h in headers if h.number is not None]
    heights = {h.table_height_mm for h in headers}
    return ShownSlices(
        slice_locations_mm=_each_its_own(locations, headers) if not is_resampled else (),
        slice_numbers=_each_its_own(numbers, headers) if not is_resampled else (),
        table_height_mm=heights.pop() if len(heights) == 1 else None,
    )


def _each_its_own(told: Sequence[_Number], headers: Sequence[Header]) -> tuple[_Number, ...]:
    """Return what each slice is told by, nothing when one says nothing or two say the same."""
    return tuple(told) if len(told) == len(headers) == len(set(told)) else ()
