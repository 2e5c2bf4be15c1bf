"""Overlays: the ice as nested shells, and the margin as colours of the tumour's surface."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.volume import Volume
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


def margin_colours(signed_mm: npt.NDArray[np.floating], style: MarginStyle) -> npt.NDArray[np.uint8]:
    """Return the colour ``(n, 3)`` of each surface point by its margin: below 0, 0 to 5, 5 mm and more."""
    table = np.round(
        255 * np.array([rgb(style.below_0), rgb(style.from_0_to_5), rgb(style.from_5_up)])
    ).astype(np.uint8)
    return np.asarray(table[np.digitize(signed_mm, [0.0, 5.0])])
