"""Shapes: growing, shrinking, filling and counting masks of blocks by millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK
from scipy import ndimage

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]


def eroded(mask: BoolArray, radius_mm: float, spacing_mm: Sequence[float]) -> BoolArray:
    """Take a ball's radius off a mask ``[z, y, x]``; beyond the ends of the image the mask goes on."""
    return _by_ball(mask, radius_mm, spacing_mm, SimpleITK.BinaryErode)


def dilated(mask: BoolArray, radius_mm: float, spacing_mm: Sequence[float]) -> BoolArray:
    """Add a ball's radius to a mask ``[z, y, x]``."""
    return _by_ball(mask, radius_mm, spacing_mm, SimpleITK.BinaryDilate)


def opened(mask: BoolArray, radius_mm: float, spacing_mm: Sequence[float]) -> BoolArray:
    """Drop what a ball does not fit into."""
    return dilated(eroded(mask, radius_mm, spacing_mm), radius_mm, spacing_mm) & mask


def closed(mask: BoolArray, radius_mm: float, spacing_mm: Sequence[float]) -> BoolArray:
    """Fill what a ball outside does not fit into; beyond the ends of the image the mask goes on."""
    steps = [int(radius_mm / s + 0.5) for s in spacing_mm]
    wide = np.pad(mask, [(n, n) for n in steps], mode="edge")
    wide = eroded(dilated(wide, radius_mm, spacing_mm), radius_mm, spacing_mm)
    place = tuple(slice(n, n + size) for n, size in zip(steps, mask.shape, strict=True))
    return np.asarray(wide[place]) | mask


def filled_in_planes(mask: BoolArray, axis: int = 0) -> BoolArray:
    """Fill the holes within each plane across an axis."""
    result = mask.copy()
    for plane in np.moveaxis(result, axis, 0):
        if plane.any() and not plane.all():
            plane[...] = ndimage.binary_fill_holes(plane)
    return result


def pieces(mask: BoolArray) -> tuple[IntArray, npt.NDArray[np.int64]]:
    """Number the connected pieces (over faces), and count the blocks of each; the count of 0 is 0."""
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    numbered = SimpleITK.ConnectedComponent(image)  # type: ignore[no-untyped-call]
    labels: IntArray = SimpleITK.GetArrayFromImage(numbered).astype(np.int32)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels, sizes


def kept(labels: IntArray, keep: npt.NDArray[np.bool_]) -> BoolArray:
    """Return the pieces whose number is marked in `keep`."""
    keep = keep.copy()
    keep[0] = False
    return np.asarray(keep[labels])


def _by_ball(mask: BoolArray, radius_mm: float, spacing_mm: Sequence[float], way: Any) -> BoolArray:
    steps = [int(radius_mm / s + 0.5) for s in reversed(list(spacing_mm))]
    if not any(steps) or not mask.any():
        return mask.copy()
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    done = way(image, steps, SimpleITK.sitkBall)
    return np.asarray(SimpleITK.GetArrayFromImage(done) > 0)
