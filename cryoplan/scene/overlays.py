"""Overlays: the ice as nested shells, and the margin as colours of the tumour's surface."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.volume import Volume
from cryoplan.margins.classes import MarginClasses
from cryoplan.scene.meshes import MeshArrays, isotherm_meshes
from cryoplan.scene.style import MarginStyle, Theme, rgb

SHOWN_DEGC = (0.0, -20.0, -40.0)
"""Isotherms that are drawn unless others are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shell:
    """One isotherm in 3D."""

    threshold_degc: float
    mesh: MeshArrays
    colour: str
    opacity: float


def shells(
    field_degc: Volume, theme: Theme, *, thresholds_degc: Iterable[float] = SHOWN_DEGC, stale: bool = False
) -> tuple[Shell, ...]:
    """Return the shells of a temperature field from the coldest to the warmest: from inside to outside.

    Drawn in this order, translucent shells look right without depth peeling. Empty ones are left out.
    """
    found = []
    thresholds = sorted(set(thresholds_degc))
    for threshold, mesh in zip(thresholds, isotherm_meshes(field_degc, thresholds), strict=True):
        if not mesh.is_empty:
            colour, opacity = theme.shell(threshold, stale=stale)
            found.append(Shell(threshold_degc=threshold, mesh=mesh, colour=colour, opacity=opacity))
    return tuple(found)


def margin_colours(
    signed_mm: npt.NDArray[np.floating],
    style: MarginStyle,
    classes: MarginClasses,
    left_out: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.uint8]:
    """Return the colour ``(..., 3)`` of each surface point by its margin; grey where it is left out."""
    colours = [rgb(c) for c in (*style.colours(len(classes)), style.left_out)]
    table = np.round(255 * np.array(colours)).astype(np.uint8)
    of = classes.of(signed_mm)
    return np.asarray(table[of if left_out is None else np.where(left_out, len(classes), of)])
