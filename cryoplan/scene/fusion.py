"""Fusion: a second image of the same frame of reference laid over the picture of a slice.

The second image is interpolated at the places of the first one's pixels, in patient millimetres and plane
by plane: it is never copied onto another grid as a whole. Each image has a grey window of its own; the
second is shown in colours, or alone in grey while the views flicker to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.volume import Volume
from cryoplan.scene.slices import SliceImage
from cryoplan.scene.window import Window, window_to_gray

COLOURS = "cividis"
"""Dark blue to yellow, rising evenly in brightness: the same to eyes with and without colour-blindness.
Source: Nunez, Anderton, Renslow, PLoS ONE 13 (2018) e0199239."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """Values of a second image at the pixels of a picture.

    Attributes
    ----------
    values : numpy.ndarray
        ``(rows, columns)`` float32, trilinear; of no meaning where `inside` is False.
    inside : numpy.ndarray
        ``(rows, columns)`` bool: where the second image has voxels.
    """

    values: npt.NDArray[np.float32]
    inside: npt.NDArray[np.bool_]


def lay_over(second: Volume, picture: SliceImage) -> Overlay:
    """Return what a second image shows at each pixel of a picture of the first.

    Parameters
    ----------
    second : Volume
        In the frame of reference of the picture; its grid may have any directions, size and spacing.
    picture : SliceImage
        The slice of the first image.
    """
    grid, plane = second.grid, picture.plane
    rows, columns = picture.values.shape
    du, dv = picture.spacing_mm
    to_index = (grid.axes / np.asarray(grid.spacing_mm)).T
    corner = plane.plane_to_mm(*picture.pixel_to_plane(0.0, 0.0))
    first = to_index @ (corner - np.asarray(grid.origin_mm))
    right, down = to_index @ plane.orientation.right * du, to_index @ plane.orientation.down * dv
    inside = np.ones((rows, columns), bool)
    for g in range(3):
        index = (first[g] + down[g] * np.arange(rows))[:, None] + (right[g] * np.arange(columns))[None, :]
        inside &= (index >= -0.5 - 1e-9) & (index <= grid.size[g] - 0.5 + 1e-9)
    source = second.values.view(np.uint8) if second.values.dtype == bool else second.values
    values = np.zeros((1, rows, columns), np.float32)
    if inside.any():
        step = np.stack([np.zeros(3), down, right], axis=1)[::-1]
        ndimage.affine_transform(
            source, step, first[::-1], order=1, mode="nearest", output=values, output_shape=values.shape
        )
    return Overlay(values=values[0], inside=inside)


def blend(
    grey: npt.NDArray[np.uint8], overlay: Overlay, window: Window, opacity: float
) -> npt.NDArray[np.uint8]:
    """Return the grey picture with the second image over it, ``(rows, columns, 3)`` red, green and blue.

    Parameters
    ----------
    grey : numpy.ndarray
        ``(rows, columns)`` of the first image.
    overlay : Overlay
        Of the second.
    window : Window
        Of the second: its own.
    opacity : float
        0 shows the first image alone, 1 hides it wherever the second has voxels.

    Raises
    ------
    ValueError
        If the opacity is not between 0 and 1.
    """
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"an opacity lies between 0 and 1, not {opacity}")
    colours = _colours()[window_to_gray(overlay.values, window.width, window.level)]
    share = np.where(overlay.inside, np.float32(opacity), np.float32(0.0))[..., None]
    mixed = grey[..., None] * (np.float32(1.0) - share) + colours * share
    return np.asarray(mixed + np.float32(0.5)).astype(np.uint8)


def alone(overlay: Overlay, window: Window) -> npt.NDArray[np.uint8]:
    """Return the second image in grey, black where it has no voxels: what the flicker key shows."""
    grey = window_to_gray(overlay.values, window.width, window.level)
    grey[~overlay.inside] = 0
    return grey


@cache
def _colours() -> npt.NDArray[np.float32]:
    """Return the colours of the 256 steps from black to white, ``(256, 3)`` from 0 to 255."""
    from matplotlib import colormaps

    table: Any = colormaps[COLOURS](np.arange(256))
    return np.asarray(np.round(table[:, :3] * 255.0), np.float32)
