"""SliceView: what mouse, wheel and keys do on a slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QPoint, QPointF, QSizeF, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from cryoplan.app.view import ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point, as_point
from cryoplan.gui.aim import Aim
from cryoplan.gui.crosshair_keys import CrosshairKeys
from cryoplan.gui.draw_gestures import DrawGestures
from cryoplan.gui.grips import GripDrag, apart_px, grip_at
from cryoplan.gui.look_keys import LookKeys, is_digit
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_keys import ARROWS, ProbeKeys
from cryoplan.gui.slice_camera import Camera
from cryoplan.gui.slice_picture import SlicePicture
from cryoplan.scene.plane import Orientation

WHEEL_STEP = 120
"""Eighths of a degree of one notch (Qt)."""

ZOOM_PER_NOTCH = 1.2
OPACITY_PER_NOTCH = 0.1
ZOOM_PER_KEY = 1.25
HOLD_MS = 350
"""H held longer hides only while it is held."""

ON_SHAFT_PX = 6.0
LEAST_WIDTH, LARGEST_WIDTH = 1e-3, 1e5

_LETTERS = (
    Qt.Key.Key_H, Qt.Key.Key_P, Qt.Key.Key_D, Qt.Key.Key_L, Qt.Key.Key_Delete,
    Qt.Key.Key_T, Qt.Key.Key_Comma, Qt.Key.Key_Period, Qt.Key.Key_F,
)  # fmt: skip


class SliceView(SlicePicture):
    """A slice that can be scrolled, zoomed, windowed and planned on.

    Parameters
    ----------
    workspace : Workspace
        What is shown, and where edits go.
    view : ViewState
        Shared by all views.
    orientation : Orientation or Aim
        Which plane: a slice of the patient, or what another aim says.
    placing : Placing, optional
        Shared by all views; one of its own when left out.

    Signals
    -------
    hovered : Point or None
        What the mouse points at.
    enlarge_requested
        Double click.
    """

    hovered = Signal(object)
    enlarge_requested = Signal()

    def __init__(
        self,
        workspace: Workspace,
        view: ViewState,
        orientation: Orientation | Aim,
        placing: Placing | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(workspace, view, orientation, placing, parent)
        self._keys = ProbeKeys(workspace, view, self.aim)
        self._looks = LookKeys(workspace, view)
        self._crosshair = CrosshairKeys(workspace, view, self.aim, self.placing, self.outlining)
        self._hand = DrawGestures(self.outlining, view, self)
        self._wheel = 0.0
        self._drag: GripDrag | None = None
        self._pressed: Qt.MouseButton | None = None
        self._press_px = QPointF()
        self._press_window = view.window
        self._press_second: Window | None = None
        self._press_camera: Camera | None = None
        self._hide_clock = QElapsedTimer()
        self._hide_before: bool | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        workspace.case_changed.connect(self._case_came)
        self.placing.changed.connect(self._show_cursor)
        self.outlining.changed.connect(self._tool_changed)

    # Mouse --------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin what the button means; a second button does nothing until the first is up."""
        if self._pressed is not None or self.camera is None:
            return
        pos, button = event.position(), event.button()
        self._pressed, self._press_px = button, pos
        self._press_camera, self._press_window = self.camera, self._view.window
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        self._press_second = self._view.second_window if shifted and self._has_second else None
        if button == Qt.MouseButton.LeftButton:
            if self.placing.active or not self._hand.press(pos, event.modifiers()):
                self._press_left(pos)
        elif button == Qt.MouseButton.MiddleButton:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        event.accept()

    def _press_left(self, pos: QPointF) -> None:
        point = self.point_at(pos, clamp=True)
        if point is None:
            return
        if self.placing.active:
            # The same press must not move the crosshair as well.
            self._pressed = None
            self.placing.click(point)
            return
        grip = grip_at(self.grips, pos)
        if grip is not None:
            self._hot = grip.kind
            self._drag = GripDrag(self._workspace, replace(grip, at=pos), self._plane_point(pos))
            self._hold()
            self.update()
            return
        probe = self._probe_at(pos)
        if probe is not None:
            self._view.selected_probe = probe
        self._view.cursor_mm = point

    def _plane_point(self, pos: QPointF) -> Point:
        """Return the point of the plane at a place of the widget, also beyond the image."""
        camera, plane = self.camera, self.plane
        assert camera is not None
        assert plane is not None
        return as_point(plane.plane_to_mm(*camera.to_mm(pos, QSizeF(self.size()))))

    def _probe_at(self, pos: QPointF) -> str | None:
        """Return the probe or tool whose shaft is drawn under the mouse, the strongest of several."""
        if self.camera is None or not self._view.shows("probes"):
            return None
        # Marks come faintest first; a tool is thinner than what lies on it.
        ends = [(t.name, t.tip_mm, t.entry_mm) for t in self._workspace.plan.tools]
        ends += [(m.name, *self._ends_of(m.name)) for m in self.marks()]
        found = None
        for name, tip, entry in ends:
            a, b = self.pixel_of(tip), self.pixel_of(entry)
            along = b - a
            length2 = QPointF.dotProduct(along, along)
            t = float(np.clip(QPointF.dotProduct(pos - a, along) / length2, 0.0, 1.0)) if length2 else 0.0
            if apart_px(pos, a + along * t) <= ON_SHAFT_PX:
                found = name
        return found

    def _ends_of(self, name: str) -> tuple[Point, Point]:
        probe = self._workspace.plan.probe(name)
        return probe.tip_mm, probe.entry_mm

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with what was begun, and tell what the mouse points at."""
        pos = event.position()
        if self._drag is not None:
            self._drag_to(pos)
        elif self._hand.is_on and self._pressed in (None, Qt.MouseButton.LeftButton):
            self._move_hand(pos)
        elif self._pressed == Qt.MouseButton.LeftButton:
            point = self.point_at(pos, clamp=True)
            if point is not None:
                self._view.cursor_mm = point
        elif self._pressed == Qt.MouseButton.MiddleButton:
            self._pan_by(pos - self._press_px)
        elif self._pressed == Qt.MouseButton.RightButton:
            self._window_by(pos - self._press_px)
        elif self._pressed is None:
            self._point_out(pos)
        if self.placing.active:
            self.placing.hover(self.point_at(pos, clamp=True))
        self.hovered.emit(self.point_at(pos))

    def _move_hand(self, pos: QPointF) -> None:
        is_for_it = self._pressed is None or self._hand.is_held
        if is_for_it:
            self._hand.move(pos)

    def _drag_to(self, pos: QPointF) -> None:
        assert self._drag is not None
        if self._drag.is_overtaken:
            self._let_go()
        elif self._drag.begins(pos):
            self._drag.move(self._plane_point(pos))

    def _pan_by(self, by_px: QPointF) -> None:
        before = self._press_camera
        if before is not None:
            by = by_px * before.mm_per_px
            self._look_with(replace(before, u_mm=before.u_mm - by.x(), v_mm=before.v_mm - by.y()))

    def _window_by(self, by: QPointF) -> None:
        """Right is wider, up is brighter; in proportion to the width, so that MR works like CT."""
        before = self._press_second or self._press_window
        width = float(np.clip(before.width * np.exp(by.x() / 250.0), LEAST_WIDTH, LARGEST_WIDTH))
        self._windowing = True
        new = Window(width=width, level=before.level + by.y() / 300.0 * before.width)
        if self._press_second is not None:
            self._view.second_window = new
        else:
            self._view.window = new

    @property
    def _has_second(self) -> bool:
        return self._workspace.second.scan is not None

    def _point_out(self, pos: QPointF) -> None:
        """Light up the grip under the mouse."""
        grip = grip_at(self.grips, pos)
        hot = None if grip is None else grip.kind
        if hot is not self._hot:
            self._hot = hot
            self._show_cursor()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what was begun."""
        if event.button() == self._pressed:
            self._hand.release(event.modifiers())
            self._let_go()
            self._point_out(event.position())

    @Slot()
    def _let_go(self) -> None:
        """Hold nothing any more; what a drag did so far stays, a stroke is given up."""
        self._hand.let_go()
        self._pressed = None
        if self._drag is not None:
            self._drag = None
            self._let_plane_go()
        self._windowing = False
        self._show_cursor()
        self.update()

    @Slot()
    def _case_came(self) -> None:
        # The case changes with each stroke, when the next one may be under way.
        if not self._hand.is_held:
            self._let_go()

    @Slot()
    def _tool_changed(self) -> None:
        self._show_cursor()
        if self.ring_px is not None:
            self._hand.show_ring(self.ring_px if self._hand.is_on else None)

    def _is_drawn_on(self) -> bool:
        return self._hand.is_held

    def _is_in_hand(self) -> bool:
        return self._drag is not None

    def _drawing_words(self) -> str:
        # In the view that is drawn on; the others are looked at.
        return self._hand.banner() if self.hasFocus() or self.underMouse() else ""

    @Slot()
    def _show_cursor(self) -> None:
        if self.placing.active or self._hand.is_on:
            self.setCursor(Qt.CursorShape.CrossCursor)
        elif self._hot is not None:
            self.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for a large view; while placing, twice is once, and with a tool in hand two presses."""
        if self._hand.is_on:
            self.mousePressEvent(event)
        elif event.button() == Qt.MouseButton.LeftButton and not self.placing.active:
            self.enlarge_requested.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that the mouse points at nothing here."""
        super().leaveEvent(event)
        if self._pressed is None:
            self._hot = None
            self._show_cursor()
            self.update()
            self.hovered.emit(None)
            self.placing.hover(None)
            self._hand.show_ring(None)

    def hideEvent(self, event: QHideEvent) -> None:
        """Hold nothing while nobody sees it."""
        self._let_go()
        super().hideEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll slices, zoom with Ctrl, fade the second image with Shift."""
        delta = event.angleDelta()
        if self._hand.wheel(event):
            pass
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if self._pressed is None:
                self.zoom(ZOOM_PER_NOTCH ** (delta.y() / WHEEL_STEP), event.position())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._has_second:
            # Some systems turn a wheel with Shift sideways.
            turned = delta.y() or delta.x()
            self._view.second_opacity += OPACITY_PER_NOTCH * turned / WHEEL_STEP
        elif self._pressed is None:
            self._wheel_by(delta)
        event.accept()

    def _wheel_by(self, delta: QPoint) -> None:
        # A touchpad sends many small steps: they add up to whole slices, and a turn begins anew.
        if self._wheel * delta.y() < 0.0:
            self._wheel = 0.0
        self._wheel += delta.y()
        slices = int(self._wheel / WHEEL_STEP)
        self._wheel -= slices * WHEEL_STEP
        self.scroll_slices(slices)

    # Keys ---------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Take Tab and the single-letter keys before the window does, while this view has the focus."""
        if isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride and self._is_ours(event):
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and self._takes_tab(event):
                event.accept()
                return True
        return super().event(event)

    def _takes_tab(self, event: QKeyEvent) -> bool:
        """Go to the next probe with Tab; with Ctrl, or where there is none, leave the view as elsewhere."""
        key = event.key()
        if key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return False
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return self.focusNextPrevChild(key == Qt.Key.Key_Tab)
        return self._drag is None and self._keys.press(key, event.modifiers())

    def _is_ours(self, event: QKeyEvent) -> bool:
        key = event.key()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier or self._workspace.case is None:
            return False
        if _is_for_menus(event):
            return False
        if self._hand.wants(key):
            return True
        if key == Qt.Key.Key_Escape:
            return self._drag is not None or self.placing.active
        return key in _LETTERS or key in ARROWS or is_digit(key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key means here; everything else goes to the window."""
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if (
            (control and event.key() not in ARROWS)
            or self._workspace.case is None
            or _is_for_menus(event)
            or not self._press_key(event)
        ):
            super().keyPressEvent(event)

    def _press_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        repeated = event.isAutoRepeat()
        if self._drag is None and not self.placing.active and self._hand.key(key):
            return True
        if key == Qt.Key.Key_Escape:
            return self._escape()
        if self._drag is not None:
            return True  # one thing at a time
        if key == Qt.Key.Key_H:
            self._press_hide(repeated=repeated)
        elif key == Qt.Key.Key_P:
            self.placing.start()
        else:
            held = event.modifiers()
            return (
                self._looks.press(key, held)
                or self._press_camera_key(key)
                or self._crosshair.press(key, held)
                or self._keys.press(key, held, repeated=repeated)
            )
        return True

    def _press_camera_key(self, key: int) -> bool:
        """Change what is seen of the slice; False when the key does not."""
        if key in (Qt.Key.Key_Home, Qt.Key.Key_0):
            self.aim.recentre()
            self.fit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(ZOOM_PER_KEY)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1.0 / ZOOM_PER_KEY)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.scroll_slices(1 if key == Qt.Key.Key_PageUp else -1)
        else:
            return False
        return True

    def _escape(self) -> bool:
        if self._drag is not None:
            if not self._drag.is_overtaken:
                self._drag.cancel()
                self._workspace.message.emit("Put back.")
            # The button may still be down: it does nothing more.
            self._let_go()
        elif self.placing.active:
            self.placing.cancel()
        elif self._view.selected_probe is not None:
            self._view.selected_probe = None
        else:
            return False
        return True

    def _press_hide(self, *, repeated: bool) -> None:
        if not repeated:
            self._hide_before = self._view.overlays_hidden
            self._hide_clock.start()
            self._view.overlays_hidden = not self._hide_before

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Show both images again after F, and the overlays after H was held; a short H leaves them so."""
        if event.key() == Qt.Key.Key_H and not event.isAutoRepeat():
            self._release_hide()
        elif event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self._view.second_flicker = False
        else:
            super().keyReleaseEvent(event)

    def _release_hide(self) -> None:
        if self._hide_before is not None and self._hide_clock.elapsed() > HOLD_MS:
            self._view.overlays_hidden = self._hide_before
        self._hide_before = None

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Let go of a held H or F, whose release will be heard elsewhere."""
        self._release_hide()
        self._view.second_flicker = False
        super().focusOutEvent(event)
        self.update()


def _is_for_menus(event: QKeyEvent) -> bool:
    """Tell whether a key opens a menu: Alt with a letter."""
    return bool(event.modifiers() & Qt.KeyboardModifier.AltModifier) and event.key() in _LETTERS
