"""Slice view: one plane of the patient with everything on it; the mouse and the keys of a viewer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from cryoplan.app.view import Display, ViewState, Window
from cryoplan.app.workspace import State, Workspace
from cryoplan.core.geometry import Point, as_point, distance_mm
from cryoplan.core.units import show_clock, show_mm
from cryoplan.gui import gray_window, slice_paint
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_drag import ProbeDrag
from cryoplan.gui.probe_gestures import GripSpot, grip_spots, probe_at, spot_at
from cryoplan.gui.probe_keys import ProbeKeys
from cryoplan.gui.slice_camera import SliceCamera
from cryoplan.gui.slice_content import SliceContent
from cryoplan.plan.edits import Grip
from cryoplan.scene.contours import ProbeMark, project_probe, scale_bar_mm, strength_at
from cryoplan.scene.slices import Orientation, SlicePlane
from cryoplan.scene.style import theme

WHEEL_STEP = 120
ZOOM_PER_STEP = 1.15
ZOOM_PER_KEY = 1.25


class SliceView(QWidget):
    """An axial, coronal or sagittal view.

    Parameters
    ----------
    workspace, view
        What there is, and how it is looked at; shared by all views.
    orientation : Orientation
        Which plane.
    content : SliceContent, optional
        Pictures and lines, shared by several views; an own one when left out.
    placing : Placing, optional
        Placing of a probe, shared by several views; an own one when left out.

    Signals
    -------
    pointed : Point or None
        Where the mouse is, LPS millimetres; None when it has left.
    enlarge_wanted
        The view was double-clicked.
    """

    pointed = Signal(object)
    enlarge_wanted = Signal()

    def __init__(
        self,
        workspace: Workspace,
        view: ViewState,
        orientation: Orientation,
        content: SliceContent | None = None,
        placing: Placing | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.orientation = orientation
        self._workspace, self._view = workspace, view
        self._content = content or SliceContent(workspace, view, self)
        self._placing = placing or Placing(workspace, view, self)
        self._keys = ProbeKeys(workspace, view)
        self._camera: SliceCamera | None = None
        self._fits = True
        self._pixmap: tuple[object, QPixmap] | None = None
        self._drag: ProbeDrag | None = None
        self._press: QPointF | None = None
        self._press_window: Window | None = None
        self._crosshair_held = False
        self._wheel = 0
        self._hovered: Grip | None = None
        self._scan: object = None
        self.shows_key = True
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setAccessibleName(f"{orientation.value.capitalize()} view")
        self._content.changed.connect(self.update)
        self._placing.changed.connect(self._show_placing)
        workspace.case_changed.connect(self._take_case)
        workspace.plan_changed.connect(self._follow_plan)
        view.changed.connect(self._show_placing)
        self._take_case()

    # What is seen -----------------------------------------------------------------------------------

    @property
    def plane(self) -> SlicePlane | None:
        """The slice on show: the one nearest to the crosshair; None without a case."""
        sampler = self._content.sampler
        if sampler is None:
            return None
        return sampler.nearest_plane(self.orientation, self._view.cursor_mm[self.orientation.axis])

    @property
    def camera(self) -> SliceCamera | None:
        """Part of the plane on show and its scale, None without a case."""
        if self._camera is None and self.plane is not None:
            image, _ = self._content.image(self.plane, self._view.window)
            self._camera = SliceCamera.fitted(image, self._size())
        return self._camera

    @property
    def content(self) -> SliceContent:
        """Pictures and lines that the view draws."""
        return self._content

    def fit(self) -> None:
        """Show the whole slice, also after the next change of size."""
        self._camera, self._fits = None, True
        self.update()

    def keep_zoom(self, keep: bool) -> bool:
        """Keep the scale through changes of size, or let them fit again; returns what it was."""
        before, self._fits = not self._fits, not keep
        return before

    def to_px(self, point_mm: Point) -> tuple[float, float] | None:
        """Return where an LPS point (or its projection) is in the view, pixels from the top left."""
        plane, camera = self.plane, self.camera
        if plane is None or camera is None:
            return None
        u, v = plane.mm_to_plane(point_mm)
        return camera.to_px((float(u), float(v)), self._size())

    def to_mm(self, x: float, y: float) -> Point | None:
        """Return the LPS point of the slice under a pixel."""
        plane, camera = self.plane, self.camera
        if plane is None or camera is None:
            return None
        return as_point(plane.plane_to_mm(*camera.to_uv((x, y), self._size())))

    def spots(self) -> tuple[GripSpot, ...]:
        """Return the grips that can be grabbed now: those of the selected probe, if it is not locked."""
        probe, plane, camera = self._keys.selected, self.plane, self.camera
        if probe is None or plane is None or camera is None or probe.locked or self._placing.is_on:
            return ()
        if not self._view.shows("probes"):
            return ()
        mark = project_probe(probe, self._workspace.catalogue.model(probe.model), plane)
        return grip_spots(mark, lambda uv: camera.to_px(uv, self._size()))

    def warning(self) -> str:
        """Return what stands large on the picture, empty when all is well."""
        if not self._content.is_stale:
            return ""
        return "SOLVING" if self._workspace.state is State.SOLVING else "OUT OF DATE"

    def _size(self) -> tuple[float, float]:
        return (float(self.width()), float(self.height()))

    # Painting ---------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for a readable size."""
        return QSize(420, 360)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the slice and everything on it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme().dark.canvas))
        plane, camera = self.plane, self.camera
        if plane is None or camera is None:
            painter.setPen(QColor(theme().dark.text_muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No scan is open")
            return
        painter.drawPixmap(0, 0, self._picture(plane, camera))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._view.overlays_hidden:
            self._paint_overlays(painter, plane, camera)
        slice_paint.draw_furniture(painter, self._size(), self._furniture(plane, camera), theme())

    def _picture(self, plane: SlicePlane, camera: SliceCamera) -> QPixmap:
        """Return the grey picture as it lies on the screen; kept until one of these changes."""
        ratio = self.devicePixelRatioF()
        key = (plane, camera, self._view.window, self.width(), self.height(), ratio, self._scan)
        if self._pixmap is not None and self._pixmap[0] == key:
            return self._pixmap[1]
        image, gray = self._content.image(plane, self._view.window)
        size = self._size()
        corners = ((image.left_mm, image.top_mm), (image.right_mm, image.bottom_mm))
        first, last = (camera.to_px(uv, size) for uv in corners)
        pixmap = slice_paint.picture(gray, first, last, size, ratio, theme())
        self._pixmap = (key, pixmap)
        return pixmap

    def _paint_overlays(self, painter: QPainter, plane: SlicePlane, camera: SliceCamera) -> None:
        look, size = theme(), self._size()
        scale = 1.0 / camera.mm_per_px
        origin = camera.to_px((0.0, 0.0), size)
        to_screen = QTransform(scale, 0.0, 0.0, scale, origin[0], origin[1])
        slice_paint.draw_marks(painter, self._content.outlines(plane), to_screen, opacity=0.95)
        ice = self._content.isotherms(plane)
        slice_paint.draw_halo(painter, ice, to_screen)
        slice_paint.draw_marks(painter, ice, to_screen, opacity=1.0)
        cursor = self.to_px(self._view.cursor_mm)
        if cursor is not None:
            slice_paint.draw_crosshair(painter, cursor, size, look)
        if self._view.shows("probes"):
            self._paint_probes(painter, plane, camera)
        if self._placing.is_on and self._placing.tip_mm is not None:
            self._paint_placing(painter)

    def _paint_probes(self, painter: QPainter, plane: SlicePlane, camera: SliceCamera) -> None:
        look, plan, size = theme(), self._workspace.plan, self._size()

        def to_px(uv: tuple[float, float]) -> tuple[float, float]:
            return camera.to_px(uv, size)

        for thermocouple in plan.thermocouples:
            strength = strength_at(float(plane.distance_mm(thermocouple.position_mm)))
            at = self.to_px(thermocouple.position_mm)
            if at is not None:
                slice_paint.draw_thermocouple(painter, at, thermocouple.name, strength, look)
        selected = self._view.selected_probe
        # The selected one on top, before it those nearer to the slice.
        for mark in sorted(self._marks(plane), key=lambda m: (m.name == selected, m.strength)):
            slice_paint.draw_outside(painter, mark, to_px, 1.0 / camera.mm_per_px, look)
            locked = plan.probes[mark.index].locked
            slice_paint.draw_probe(painter, mark, to_px, look, selected=mark.name == selected, locked=locked)
        slice_paint.draw_grips(painter, self.spots(), look, self._hovered)

    def _paint_placing(self, painter: QPainter) -> None:
        tip = self.to_px(self._placing.tip_mm) if self._placing.tip_mm is not None else None
        if tip is None:
            return
        line = self._placing.line_mm
        slice_paint.draw_placing(
            painter,
            tip,
            self.to_px(line[1]) if line is not None else None,
            theme(),
            on_skin=self._placing.is_on_skin,
            length_text=show_mm(distance_mm(*line)) if line is not None else "",
        )

    def _marks(self, plane: SlicePlane) -> list[ProbeMark]:
        models = self._workspace.catalogue
        return [
            project_probe(p, models.model(p.model), plane, index=n)
            for n, p in enumerate(self._workspace.plan.probes)
        ]

    def _furniture(self, plane: SlicePlane, camera: SliceCamera) -> slice_paint.Furniture:
        sampler = self._content.sampler
        assert sampler is not None
        number = sampler.nearest_index(self.orientation, plane.position_mm) + 1
        length, label = scale_bar_mm(self.width() * camera.mm_per_px)
        window = self._view.window
        hidden = self._view.overlays_hidden
        return slice_paint.Furniture(
            title=self.orientation.value.capitalize(),
            place=f"slice {number} of {sampler.count(self.orientation)} · {plane.position_text()}",
            window=f"W {window.width:.0f}  L {window.level:.0f}".replace("-", "\N{MINUS SIGN}"),
            letters=plane.orientation_letters(),
            scale=(length / camera.mm_per_px, label),
            key=() if hidden or not self.shows_key else self._content.key(),
            shown="" if hidden or self._content.field_degc is None else self._shown_text(),
            warning="overlays hidden (H)" if hidden else self.warning(),
            focused=self.hasFocus(),
        )

    def _shown_text(self) -> str:
        result = self._workspace.result
        if self._view.display is Display.NOW and result is not None and result.frames:
            return f"at {show_clock(result.frame_near(self._view.time_s).time_s)}"
        return "lowest temperature"

    # Mouse ------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left: place, grab or move the crosshair; right: window and level; middle: pan."""
        at = event.position()
        point = self.to_mm(at.x(), at.y())
        if point is None or self._drag is not None:
            return
        self._press = at
        if event.button() == Qt.MouseButton.RightButton:
            self._press_window = self._view.window
        elif event.button() == Qt.MouseButton.LeftButton:
            if self._placing.is_on:
                self._placing.click(point)
                return
            spot = spot_at(self.spots(), (at.x(), at.y()))
            if spot is not None and self._keys.selected is not None:
                uv = self.camera.to_uv((at.x(), at.y()), self._size())
                self._drag = ProbeDrag(
                    self._workspace, self.orientation, self._keys.selected.name, spot.kind, uv
                )
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                return
            self._select_at(at)
            self._crosshair_held = True
            self._view.cursor_mm = point

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with what the press began; else follow the mouse."""
        at = event.position()
        point = self.to_mm(at.x(), at.y())
        if point is None:
            return
        if self._drag is not None:
            self._drag.pull(self.camera.to_uv((at.x(), at.y()), self._size()))
        elif self._press_window is not None and self._press is not None:
            by = at - self._press
            self._view.window = gray_window.pulled(self._press_window, by.x(), by.y())
        elif event.buttons() & Qt.MouseButton.MiddleButton and self._press is not None:
            camera = self.camera
            assert camera is not None
            by, self._press = at - self._press, at
            self._camera, self._fits = camera.panned(by.x(), by.y()), False
            self.update()
        elif self._crosshair_held:
            self._view.cursor_mm = point
        elif self._placing.is_on:
            self._placing.point_at(point)
        else:
            self._hover(at)
        self.pointed.emit(point)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = None
            self._crosshair_held = False
            self._hover(event.position())
        elif event.button() == Qt.MouseButton.RightButton:
            self._press_window = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask to be made large, or small again."""
        if event.button() == Qt.MouseButton.LeftButton and not self._placing.is_on and self._drag is None:
            self._crosshair_held = False
            self.enlarge_wanted.emit()
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the mouse."""
        self._hovered = None
        self.pointed.emit(None)
        self.update()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll through the slices; with Ctrl zoom at the mouse."""
        camera, at = self.camera, event.position()
        if camera is None:
            return
        delta = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            factor = ZOOM_PER_STEP ** (delta / WHEEL_STEP)
            self._zoom(factor, (at.x(), at.y()))
        else:
            # Touchpads send small pieces; a slice is a whole step.
            self._wheel += delta
            steps = int(self._wheel / WHEEL_STEP)
            self._wheel -= steps * WHEEL_STEP
            self.scroll_slices(steps)
        event.accept()

    def scroll_slices(self, steps: int) -> None:
        """Go so many slices towards the head, the back or the left; the crosshair goes along."""
        sampler, plane = self._content.sampler, self.plane
        if sampler is None or plane is None or steps == 0:
            return
        places = sampler.positions_mm(self.orientation)
        at = sampler.nearest_index(self.orientation, plane.position_mm)
        cursor = list(self._view.cursor_mm)
        cursor[self.orientation.axis] = float(places[min(max(at + steps, 0), len(places) - 1)])
        self._view.cursor_mm = as_point(cursor)

    def _zoom(self, factor: float, at_px: tuple[float, float]) -> None:
        camera = self.camera
        if camera is not None:
            self._camera, self._fits = camera.zoomed(factor, at_px, self._size()), False
            self.update()

    def _select_at(self, at: QPointF) -> None:
        """Select the probe under a click, if there is one; nothing is moved."""
        plane, camera = self.plane, self.camera
        if plane is None or camera is None or not self._view.shows("probes"):
            return
        name = probe_at(self._marks(plane), lambda uv: camera.to_px(uv, self._size()), (at.x(), at.y()))
        if name is not None:
            self._view.selected_probe = name

    def _hover(self, at: QPointF) -> None:
        spot = spot_at(self.spots(), (at.x(), at.y()))
        kind = spot.kind if spot is not None else None
        if kind is not self._hovered:
            self._hovered = kind
            self.setCursor(Qt.CursorShape.ArrowCursor if kind is None else Qt.CursorShape.OpenHandCursor)
            self.update()

    @Slot()
    def _follow_plan(self) -> None:
        if self._drag is not None and not self._drag.is_alone:
            self._drag = None
        self.update()

    # Keys -------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Take Tab, which means the next probe here; Ctrl+Tab leaves the view."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            back = event.key() == Qt.Key.Key_Backtab
            plain = not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if (
                (back or event.key() == Qt.Key.Key_Tab)
                and plain
                and self._keys.select_next(-1 if back else 1)
            ):
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key means (the shortcut sheet lists them)."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            if self._drag is not None:
                self._drag.give_up()
                self._drag = None
                self.unsetCursor()
            elif self._placing.is_on:
                self._placing.stop()
            else:
                super().keyPressEvent(event)
        elif self.camera is None:
            super().keyPressEvent(event)
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_5:
            self._preset(int(key) - int(Qt.Key.Key_1))
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = 1.0 / ZOOM_PER_KEY if key == Qt.Key.Key_Minus else ZOOM_PER_KEY
            self._zoom(factor, (self.width() / 2, self.height() / 2))
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.scroll_slices(1 if key == Qt.Key.Key_PageUp else -1)
        elif self._drag is not None or not self._keys.press(event, self.orientation):
            super().keyPressEvent(event)

    def _preset(self, number: int) -> None:
        case = self._workspace.case
        if case is not None:
            window, text = gray_window.preset(case, number)
            self._view.window = window or self._view.window
            self._workspace.message.emit(text)

    # Following --------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again, unless somebody zoomed."""
        if self._fits:
            self._camera = None
        super().resizeEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys go here."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that keys go elsewhere."""
        self.update()
        super().focusOutEvent(event)

    @Slot()
    def _take_case(self) -> None:
        case = self._workspace.case
        scan = case.scan.volume if case is not None else None
        if scan is not self._scan:
            self._scan = scan
            self._drag, self._pixmap = None, None
            self.fit()
        self.update()

    @Slot()
    def _show_placing(self) -> None:
        if self._placing.is_on:
            self.setCursor(Qt.CursorShape.CrossCursor)
        elif self._drag is None and self._hovered is None:
            self.unsetCursor()
        self.update()
