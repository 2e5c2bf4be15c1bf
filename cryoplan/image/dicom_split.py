"""One series that holds several volumes at the same positions -> its volumes, told apart by what differs.

Scanners put the echoes of a multi-echo sequence, the b-values of a diffusion and the time points of a
perfusion into one series. Nothing says beforehand which of them; so the fewest dimensions are sought that
leave no two slices at one place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from cryoplan.image.dicom_header import Header

SAME_PLACE_MM = 0.01
"""Slices nearer than this along their normal are two images of one place."""

_MOST_DIMENSIONS = 3


def split_by_dimension(
    headers: Sequence[Header],
    normal: npt.NDArray[np.float64],
    is_good: Callable[[list[Header]], bool] | None = None,
) -> dict[str, list[Header]]:
    """Return the volumes of a series by their labels, such as ``echo=2.3``; empty when nothing parts them.

    Parameters
    ----------
    headers : sequence of Header
        Slices of one orientation and matrix.
    normal : ndarray, shape (3,)
        Unit normal of the slices.
    is_good : callable, optional
        What each volume must satisfy besides having at least two slices, none of them at one place.
    """
    along = {id(h): float(np.asarray(h.position_mm, float) @ normal) for h in headers}
    values = [dict(h.dimensions) for h in headers]
    names = [n for n in dict.fromkeys(k for v in values for k in v) if len({v.get(n) for v in values}) > 1]
    for count in range(1, _MOST_DIMENSIONS + 1):
        for chosen in combinations(names, count):
            parts: dict[str, list[Header]] = defaultdict(list)
            for header, value in zip(headers, values, strict=True):
                parts[",".join(f"{n}={value.get(n, 'none')}" for n in chosen)].append(header)
            if len(parts) > len(headers) // 2:
                continue
            if all(
                _is_one_volume(part, along) and (is_good is None or is_good(part)) for part in parts.values()
            ):
                return dict(parts)
    return {}


def _is_one_volume(part: list[Header], along_mm: dict[int, float]) -> bool:
    if len(part) < 2:
        return False
    return bool(np.diff(sorted(along_mm[id(h)] for h in part)).min() >= SAME_PLACE_MM)
