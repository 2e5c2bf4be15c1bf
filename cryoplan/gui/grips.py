"""Grips: the three places where a probe or tool can be held on a slice, and a drag of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.gesture import attempt, new_gesture
from cryoplan.plan.edits import Grip
from cryoplan.plan.hold import drag
from cryoplan.plan.plan import Plan
from cryoplan.plan.shaft import Shaft

REACH_PX = 9.0
"""A grip is held only where it is drawn: its mark with its rim."""

DRAG_PX = 3.0
"""A press that moves less is a click, and moves nothing."""

SHORT_PX = 30.0
"""A probe seen nearly end-on is shorter than this: then tip and entry cannot be told apart."""


@dataclass(frozen=True, slots=True)
class PlacedGrip:
    """One of the three places of a probe or tool that can be held, and where it is on the widget."""

    probe: str
    kind: Grip
    at: QPointF


def clipped(a: QPointF, b: QPointF, rect: QRectF) -> tuple[QPointF, QPointF] | None:
    """Return the part of a segment inside a rectangle (Liang and Barsky 1984), None when there is none."""
    low, high = 0.0, 1.0
    dx, dy = b.x() - a.x(), b.y() - a.y()
    for step, gap in (
        (-dx, a.x() - rect.left()),
        (dx, rect.right() - a.x()),
        (-dy, a.y() - rect.top()),
        (dy, rect.bottom() - a.y()),
    ):
        if step == 0.0:
            if gap < 0.0:
                return None
        elif step < 0.0:
            low = max(low, gap / step)
        else:
            high = min(high, gap / step)
    if low > high:
        return None
    return QPointF(a.x() + low * dx, a.y() + low * dy), QPointF(a.x() + high * dx, a.y() + high * dy)


def place_grips(probe: Shaft, tip: QPointF, entry: QPointF, rect: QRectF) -> tuple[PlacedGrip, ...]:
    """Return the grips of a probe or tool whose ends are drawn at `tip` and `entry` of a widget.

    The whole is held in the middle of what is seen of the shaft. A locked one has no grips; one seen end-on
    has only the whole, because its ends lie on one another.
    """
    if probe.locked:
        return ()
    grips = []
    seen = clipped(tip, entry, rect)
    if seen is not None:
        grips.append(PlacedGrip(probe.name, Grip.WHOLE, (seen[0] + seen[1]) / 2.0))
    if apart_px(tip, entry) >= SHORT_PX:
        ends = ((Grip.TIP, tip), (Grip.ENTRY, entry))
        grips += [PlacedGrip(probe.name, kind, at) for kind, at in ends if rect.contains(at)]
    return tuple(grips)


def grip_at(grips: tuple[PlacedGrip, ...], pos: QPointF) -> PlacedGrip | None:
    """Return the nearest grip that the mouse is on."""
    near = [(apart_px(g.at, pos), g) for g in grips]
    near = [pair for pair in near if pair[0] <= REACH_PX]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def apart_px(a: QPointF, b: QPointF) -> float:
    """Return the distance of two places of a widget."""
    return float(np.hypot(a.x() - b.x(), a.y() - b.y()))


class GripDrag:
    """A drag of one grip; all of it is one step of the history, and nothing moves before the mouse does.

    Parameters
    ----------
    grip : PlacedGrip
        What is held, and where it was pressed.
    start_mm : Point
        The patient point under the mouse at the press.
    """

    def __init__(self, workspace: Workspace, grip: PlacedGrip, start_mm: Point) -> None:
        self._workspace = workspace
        self._gesture = new_gesture()
        self._before = self._last = workspace.plan
        self._start_mm = np.asarray(start_mm)
        self._pressed_at = grip.at
        self._begun = False
        self._said = ""
        self.probe = grip.probe
        self.kind = grip.kind

    @property
    def is_overtaken(self) -> bool:
        """True when something else (undo, for one) changed the plan during the drag: that wins."""
        return self._workspace.plan != self._last

    def begins(self, at: QPointF) -> bool:
        """Tell whether the mouse has moved far enough from the press to mean a drag."""
        self._begun = self._begun or apart_px(at, self._pressed_at) >= DRAG_PX
        return self._begun

    def move(self, to_mm: Point) -> None:
        """Follow the mouse as far as the probe may go; where it stops, say why once."""
        by = np.asarray(to_mm) - self._start_mm
        before, case, catalogue = self._before, self._workspace.case, self._workspace.catalogue
        stop = ""

        def dragged(_plan: Plan) -> Plan:
            nonlocal stop
            # From the plan before the drag: rounding cannot add up, and coming back leaves no step.
            hold = drag(before, self.probe, self.kind, by, case, catalogue)
            stop = hold.stop
            return hold.plan

        attempt(self._workspace, dragged, gesture=self._gesture)
        self._last = self._workspace.plan
        if stop != self._said:
            self._said = stop
            self._workspace.message.emit(stop)

    def cancel(self) -> None:
        """Put the probe back; no step is left in the history."""
        attempt(self._workspace, lambda _plan: self._before, gesture=self._gesture)
