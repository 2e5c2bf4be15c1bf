"""Canvas hand: what the mouse does to probes and tools in the 3D view; the rest turns the camera."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import FloatArray, Point
from cryoplan.gui.grips import DRAG_PX, GripDrag, PlacedGrip, apart_px
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_keys import ProbeKeys
from cryoplan.plan.edits import Grip
from cryoplan.scene.pick import Grip as SceneGrip
from cryoplan.scene.view3d import Scene

NO_TARGET = "Click the tumour here, or the target in any slice."
NO_SKIN = "Click the skin of the patient."


class CanvasHand:
    """Clicks place and select, a press on a grip drags it, keys nudge; a turn of the camera moves nothing.

    A press beside the grips also goes to the camera: it counts as a click only when the mouse has not moved
    until it is let go, so that the camera can be turned between the two clicks of a placing.

    Parameters
    ----------
    picture : QWidget
        What VTK draws in; the places of events are on it.
    """

    def __init__(
        self, workspace: Workspace, view: ViewState, placing: Placing, scene: Scene, picture: QWidget
    ) -> None:
        self._workspace, self._view, self._placing = workspace, view, placing
        self._scene, self._picture = scene, picture
        self._keys = ProbeKeys(workspace, view, _Screen(scene))
        self._drag: GripDrag | None = None
        self._grip: SceneGrip | None = None
        self._slip = QPointF()
        self._skin_mm: Point | None = None
        self._pressed_at: QPointF | None = None

    def press(self, event: QMouseEvent) -> bool:
        """Take hold of a grip; False leaves the press to the camera."""
        self._pressed_at = None
        if event.button() != Qt.MouseButton.LeftButton:
            return self._drag is not None  # one thing at a time
        at = event.position()
        grip = None if self._placing.active else self._scene.pick_grip(at.x(), at.y(), self._size())
        if grip is None:
            self._pressed_at = at
            return False
        # Esc must find the way here, wherever the focus was.
        self._picture.setFocus()
        held = PlacedGrip(grip.probe, Grip(grip.kind.value), at)
        self._grip, self._skin_mm = grip, grip.position_mm
        self._slip = QPointF(*self._scene.to_screen(grip.position_mm, self._size())) - at
        self._drag = GripDrag(self._workspace, held, grip.position_mm)
        return True

    def move(self, event: QMouseEvent) -> bool:
        """Go on with a drag, or let the line of a placing follow; False leaves the move to the camera."""
        at = event.position()
        if self._drag is None:
            if event.buttons() == Qt.MouseButton.NoButton:
                self._hover(at)
            elif self._pressed_at is not None and apart_px(at, self._pressed_at) >= DRAG_PX:
                self._pressed_at = None
            return False
        if self._drag.is_overtaken:
            self._drag = None
        elif self._drag.begins(at):
            point = self._dragged_to(at + self._slip)
            if point is not None:
                self._drag.move(point)
        return True

    def release(self, event: QMouseEvent) -> bool:
        """End a drag, or take a click; False leaves the release to the camera."""
        if event.button() != Qt.MouseButton.LeftButton:
            return self._drag is not None
        if self._drag is not None:
            self._drag = None
            return True
        if self._pressed_at is not None:
            at, self._pressed_at = self._pressed_at, None
            self._click(at)
        return False

    def key(self, event: QKeyEvent) -> bool:
        """Do what a key means to probes in this view; False when it means nothing."""
        if event.key() == Qt.Key.Key_Escape:
            return self._escape()
        if self._drag is not None:
            return True
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if control or self._workspace.case is None or self._placing.active:
            return False
        return self._keys.press(event.key(), event.modifiers(), repeated=event.isAutoRepeat())

    def _escape(self) -> bool:
        if self._drag is not None:
            if not self._drag.is_overtaken:
                self._drag.cancel()
                self._workspace.message.emit("Put back.")
            self._drag = None
            return True
        if self._placing.active:
            self._placing.cancel()
            return True
        return False

    def _click(self, at: QPointF) -> None:
        x, y, size = at.x(), at.y(), self._size()
        if self._placing.active:
            is_tip = self._placing.tip_mm is None
            place = self._scene.target_point_mm if is_tip else self._scene.skin_point_mm
            point = place(x, y, size)
            if point is not None:
                self._placing.click(point)
            else:
                self._workspace.message.emit(NO_TARGET if is_tip else NO_SKIN)
            return
        name = self._scene.pick_shaft(x, y, size)
        if name is not None:
            self._view.selected_probe = name

    def _hover(self, at: QPointF) -> None:
        x, y, size = at.x(), at.y(), self._size()
        if self._placing.active:
            self._picture.setCursor(Qt.CursorShape.CrossCursor)
            if self._placing.tip_mm is not None:
                self._placing.hover(self._scene.skin_point_mm(x, y, size))
        elif self._scene.pick_grip(x, y, size) is not None:
            self._picture.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            self._picture.unsetCursor()

    def _dragged_to(self, at: QPointF) -> Point | None:
        """Return where the grip is dragged to: on the skin for an entry, else in the plane of the screen."""
        assert self._grip is not None
        x, y, size = at.x(), at.y(), self._size()
        if self._grip.kind.value != Grip.ENTRY.value or not self._scene.has_skin:
            return self._scene.drag_point_mm(x, y, size, self._grip.position_mm)
        hits = self._scene.skin_hits_mm(x, y, size)
        if not hits:
            return None
        # Seen from behind, an entry slides on the far side: the hit next to where it was is meant.
        self._skin_mm = min(hits, key=lambda hit: float(np.linalg.norm(np.subtract(hit, self._skin_mm))))
        return self._skin_mm

    def _size(self) -> tuple[float, float]:
        return (float(self._picture.width()), float(self._picture.height()))


class _Screen:
    """The screen of the 3D view as it lies in the patient now."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    @property
    def right(self) -> FloatArray:
        return self._scene.screen_directions()[0]

    @property
    def down(self) -> FloatArray:
        return self._scene.screen_directions()[1]

    def turn_axis(self, right: float, down: float) -> FloatArray:
        # Right and down turn clockwise: about the direction that points into the screen.
        return (right + down) * self._scene.screen_directions()[2]
