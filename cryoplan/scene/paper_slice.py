"""Paper slice: the scan and the probes of a plane as a picture on paper shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from cryoplan.scene.contours import FAINTEST, ProbeMark
from cryoplan.scene.paper import POINTS_PER_PX, number
from cryoplan.scene.slices import SliceImage
from cryoplan.scene.style import ProbeStyle
from cryoplan.scene.window import Window, window_to_gray

Frame = tuple[float, float, float, float]
"""Left, right, top and bottom of what is seen, millimetres of the plane."""

_END_ON = 0.5  # a probe that crosses the slice so steeply (projected / true length) is marked where it does


def draw_image(axes: Any, image: SliceImage, frame: Frame, window: Window) -> None:
    """Draw the part of a slice that is in the frame."""
    du, dv = image.spacing_mm
    rows, columns = image.values.shape
    # Only what is seen, and two pixels more for the interpolation.
    c0 = int(np.clip((frame[0] - image.left_mm) / du - 2, 0, columns - 1))
    c1 = int(np.clip((frame[1] - image.left_mm) / du + 3, c0 + 1, columns))
    r0 = int(np.clip((frame[2] - image.top_mm) / dv - 2, 0, rows - 1))
    r1 = int(np.clip((frame[3] - image.top_mm) / dv + 3, r0 + 1, rows))
    left, top = image.left_mm + c0 * du, image.top_mm + r0 * dv
    axes.imshow(
        window_to_gray(image.values[r0:r1, c0:c1], window.width, window.level),
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(left, left + (c1 - c0) * du, top + (r1 - r0) * dv, top),
        interpolation="bilinear",
        origin="upper",
        zorder=0,
    )
    axes.set_xlim(frame[0], frame[1])
    axes.set_ylim(frame[3], frame[2])


def draw_probe(axes: Any, mark: ProbeMark, frame: Frame, style: ProbeStyle) -> None:
    """Draw shaft, lit active zone, tip (round) and entry (square) of a probe, and its name past the tip."""
    colour = style.colour(mark.index)
    tip, entry = np.asarray(mark.tip_uv), np.asarray(mark.entry_uv)
    length = float(np.hypot(*(tip - entry)))
    depth = float(np.hypot(length, mark.tip_distance_mm - mark.entry_distance_mm))
    end_on = mark.crossing_uv is not None and length < _END_ON * depth
    if mark.crossing_uv is not None and end_on:
        here = np.asarray(mark.crossing_uv)
        axes.plot(*here, "o", ms=5.5, mfc=style.halo, mec=colour, mew=1.3, zorder=6)
        number(axes, mark.name, here + (frame[1] - frame[0]) * np.array([0.026, 0.0]), colour, style.halo)
    if length < 1.0:
        return
    outside = entry + (entry - tip) / length * 12.0
    shaft = np.array([outside, tip])
    active = np.array(mark.active_uv)
    px = POINTS_PER_PX
    alpha = FAINTEST if end_on else mark.strength
    rim = {"color": style.halo, "alpha": 0.55 * alpha, "solid_capstyle": "round"}
    axes.plot(*shaft.T, lw=style.shaft_px * px + 1.2, zorder=5, **rim)
    axes.plot(*active.T, lw=style.active_px * px + 1.2, zorder=5, **rim)
    axes.plot(*shaft.T, color=colour, lw=style.shaft_px * px, alpha=alpha, zorder=5.1)
    axes.plot(
        *active.T,
        color=style.active_3d,
        lw=style.active_px * px,
        alpha=alpha,
        solid_capstyle="butt",
        zorder=5.2,
    )
    axes.plot(*tip, "o", ms=3.4, mfc=style.halo, mec=colour, mew=1.0, alpha=alpha, zorder=5.3)
    axes.plot(*entry, "s", ms=3.0, mfc=style.halo, mec=colour, mew=0.9, alpha=alpha, zorder=5.3)
    if end_on:
        return
    along = (tip - entry) / length
    place = tip + along * 0.032 * (frame[1] - frame[0])
    number(axes, mark.name, place, colour, style.halo, alpha=max(alpha, 0.6))
