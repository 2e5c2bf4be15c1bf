"""Camera: from where the 3D view is seen; positions in LPS, no VTK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import Point, as_point, unit
from cryoplan.plan.probe import Probe

VIEW_ANGLE_DEG = 30.0


class Preset(StrEnum):
    """Standard views; the value is the word on the screen."""

    ANTERIOR = "anterior"
    RIGHT_LATERAL = "right lateral"
    LEFT_LATERAL = "left lateral"
    FEET = "feet"
    OBLIQUE = "oblique"
    TUMOUR = "tumour"
    PROBE = "probe"


# Where the eye is, seen from the focus, and what is up on the screen. Patient right is -x, front is -y.
_LOOKS = {
    Preset.ANTERIOR: ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    Preset.RIGHT_LATERAL: ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    Preset.LEFT_LATERAL: ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    Preset.FEET: ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Eye, focus and upward direction of a camera with `VIEW_ANGLE_DEG`."""

    eye_mm: Point
    focus_mm: Point
    up: Point


def view(
    preset: Preset,
    focus_mm: npt.ArrayLike,
    radius_mm: float,
    *,
    probe: Probe | None = None,
    probes: Sequence[Probe] = (),
) -> View:
    """Return the camera that sees a ball around the focus, filling the height of the view.

    The probe's view looks along the shaft from outside the entry to the tip, head up where possible. The
    oblique view looks from above the shoulder on the side where `probes` enter, so that they are in front;
    that of the tumour does too, from near.

    Raises
    ------
    ValueError
        If the probe's view is asked for without a probe, or the ball has no size.
    """
    if not radius_mm > 0:
        raise ValueError(f"a view needs a positive radius, not {radius_mm}")
    if preset is Preset.PROBE:
        if probe is None:
            raise ValueError("the probe's view needs a probe")
        focus = np.asarray(probe.tip_mm)
        outwards = -probe.direction
        up = np.array((0.0, 0.0, 1.0))
        if abs(float(outwards @ up)) > 0.95:
            up = np.array((0.0, -1.0, 0.0))
        up = unit(up - float(up @ outwards) * outwards)
    else:
        focus = np.asarray(focus_mm, float)
        look, over = _LOOKS.get(preset) or (_entry_side(probes), (0.0, 0.0, 1.0))
        outwards, up = unit(look), np.asarray(over)
    distance = radius_mm / np.sin(np.radians(VIEW_ANGLE_DEG / 2.0))
    return View(eye_mm=as_point(focus + distance * outwards), focus_mm=as_point(focus), up=as_point(up))


def facing(point_mm: npt.ArrayLike, centre_mm: npt.ArrayLike, radius_mm: float) -> View:
    """Return the camera that sees a ball around a centre from the side of a point, head up where possible.

    Raises
    ------
    ValueError
        If the point is the centre, or the ball has no size.
    """
    if not radius_mm > 0:
        raise ValueError(f"a view needs a positive radius, not {radius_mm}")
    focus = np.asarray(centre_mm, float)
    outwards = unit(np.asarray(point_mm, float) - focus)
    # From straight above or below, the front is down as in a slice.
    up = np.array((0.0, 0.0, 1.0) if abs(outwards[2]) < 0.95 else (0.0, -1.0, 0.0))
    up = unit(up - float(up @ outwards) * outwards)
    distance = radius_mm / np.sin(np.radians(VIEW_ANGLE_DEG / 2.0))
    return View(eye_mm=as_point(focus + distance * outwards), focus_mm=as_point(focus), up=as_point(up))


def _entry_side(probes: Sequence[Probe]) -> tuple[float, float, float]:
    outwards = -sum((p.direction for p in probes), np.zeros(3))
    side = 0.75 if outwards[0] > 0.0 else -0.75
    # From behind only when the probes clearly come from there.
    front = 1.0 if outwards[1] > 0.5 * max(len(probes), 1) else -1.0
    return (side, front, 0.4)
