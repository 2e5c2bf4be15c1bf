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

from cryoplan.core.volume import Volume
from cryoplan.scene.oblique import ObliquePlane
from cryoplan.scene.plane import Orientation
from cryoplan.scene.sampled import Lattice, PlaneSampler
from cryoplan.scene.slab import ONE_SLICE, Slab, over_slab
from cryoplan.scene.slices import SliceImage, SliceSampler
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


class Overlayer:
    """Lays one image over the pictures of another; sampled planes are kept while the views scroll.

    Parameters
    ----------
    second : Volume
        In the frame of reference of the first; its grid may have any directions, size and spacing.
    first : SliceSampler
        Makes the pictures that it is laid over.
    """

    def __init__(self, second: Volume, first: SliceSampler) -> None:
        self.second = second
        self._first = first
        self._planes: dict[Orientation, PlaneSampler] = {}

    def over(self, picture: SliceImage, slab: Slab = ONE_SLICE) -> Overlay:
        """Return what the second image shows at each pixel of a picture, over the same slab."""
        if isinstance(picture.plane, ObliquePlane):
            return lay_over(self.second, picture, slab)
        o = picture.plane.orientation
        planes = self._planes.get(o)
        if planes is None:
            planes = PlaneSampler(self.second, self._first.lattice(o), self._first.step_mm(o))
            self._planes[o] = planes
        return _overlay(planes, picture, slab)


def lay_over(second: Volume, picture: SliceImage, slab: Slab = ONE_SLICE) -> Overlay:
    """Return what a second image shows at each pixel of one picture of the first; see `Overlayer`."""
    rows, columns = picture.values.shape
    du, dv = picture.spacing_mm
    u, v = picture.pixel_to_plane(0.0, 0.0)
    plane = picture.plane
    axes = plane.facing if isinstance(plane, ObliquePlane) else plane.orientation
    lattice = Lattice(axes=axes, u_mm=u, v_mm=v, du_mm=du, dv_mm=dv, rows=rows, columns=columns)
    return _overlay(PlaneSampler(second, lattice, min(second.grid.spacing_mm)), picture, slab)


def _overlay(planes: PlaneSampler, picture: SliceImage, slab: Slab) -> Overlay:
    values, inside = over_slab(planes, picture.plane.position_mm, slab)
    if slab.is_on:
        values[~inside] = 0.0
    return Overlay(values=np.asarray(values, np.float32), inside=inside)


def blend(
    grey: npt.NDArray[np.uint8], overlay: Overlay, window: Window, opacity: float
) -> npt.NDArray[np.uint32]:
    """Return the grey picture with the second image over it.

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

    Returns
    -------
    numpy.ndarray
        ``(rows, columns)``, each pixel ``0xffRRGGBB``.

    Raises
    ------
    ValueError
        If the opacity is not between 0 and 1.
    """
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"an opacity lies between 0 and 1, not {opacity}")
    shade = np.arange(256)
    whole = _packed(np.repeat(shade[:, None], 3, axis=1))
    # Two tables whose entries add up without a carry: one is rounded down, so that no sum is above 255.
    under = np.floor(shade[:, None] * (1.0 - opacity)).astype(np.int64)
    left = _packed(np.repeat(under, 3, axis=1))
    laid = _packed(np.floor(_colours() * opacity + 0.5).astype(np.int64)) & np.uint32(0xFFFFFF)
    mixed = left[grey] + laid[window_to_gray(overlay.values, window.width, window.level)]
    return np.where(overlay.inside, mixed, whole[grey])


def _packed(rgb: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint32]:
    return np.asarray(0xFF000000 + (rgb[:, 0] << 16) + (rgb[:, 1] << 8) + rgb[:, 2], np.uint32)


def alone(overlay: Overlay, window: Window) -> npt.NDArray[np.uint8]:
    """Return the second image in grey, black where it has no voxels: what the flicker key shows."""
    grey = window_to_gray(overlay.values, window.width, window.level)
    grey[~overlay.inside] = 0
    return grey


@cache
def _colours() -> npt.NDArray[np.float64]:
    """Return the colours of the 256 steps from black to white, ``(256, 3)`` from 0 to 255."""
    from matplotlib import colormaps

    table: Any = colormaps[COLOURS](np.arange(256))
    return np.asarray(np.round(table[:, :3] * 255.0), np.float64)
