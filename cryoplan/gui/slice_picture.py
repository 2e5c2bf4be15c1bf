"""SlicePicture: a widget that shows one plane of the patient with everything on it, and knows where it is."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPixmap, QRegion
from PySide6.QtWidgets import QSizePolicy, QWidget

from cryoplan.app.ice import Ice, Standing
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.box import VoxelBox
from cryoplan.core.geometry import Point, as_point, distance_mm
from cryoplan.core.units import show_mm
from cryoplan.core.volume import Volume
from cryoplan.gui.drawn_layer import DrawnLayer
from cryoplan.gui.probe_gestures import PlacedGrip, Placing, place_grips, selected, target_centre_mm
from cryoplan.gui.proposed_layer import ProposedLayer, key_line
from cryoplan.gui.second_layer import words
from cryoplan.gui.slice_layers import Outlines, Picture, SliceLayers
from cryoplan.gui.slice_paint import Camera, SlicePainter, colour
from cryoplan.plan.edits import Grip
from cryoplan.scene.contours import ProbeMark, project_probe, strength_at
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.style import theme
from cryoplan.scene.window import show_window

FIELD_MM = 230.0
"""What a view shows at first of a case with a target: the target, its neighbours and the skin."""

LATER_MS = 60
"""While a stroke is drawn the other two views follow a little later: the hand looks at one of them."""

BESIDE_MS = 120
"""The same while a probe is dragged; its ice does not come more often anyway."""

_log = logging.getLogger(__name__)


class SlicePicture(QWidget):
    """A slice with outlines, isotherms and probes; `SliceView` adds mouse and keys.

    Parameters
    ----------
    workspace : Workspace
        What is shown.
    view : ViewState
        How; shared by all views.
    orientation : Orientation
        Which plane.
    placing : Placing, optional
        Shared by all views; one of its own when left out.
    """

    def __init__(
        self,
        workspace: Workspace,
        view: ViewState,
        orientation: Orientation,
        placing: Placing | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._view = view
        self.orientation = orientation
        self.placing = placing if placing is not None else Placing(workspace, view, self)
        self._layers = SliceLayers(workspace, view)
        self._camera: Camera | None = None
        self._fitted_to: Volume | None = None
        self._cursor_seen = view.cursor_mm
        self._base: tuple[Any, QPixmap] | None = None
        self._gray: tuple[Any, QPixmap] | None = None
        self._texts: tuple[str, ...] = ()
        # What the mouse is doing; the picture shows it.
        self._hot: Grip | None = None
        self._windowing = False
        self.outlining = Outlining.of(workspace)
        self._drawn = DrawnLayer(self.outlining)
        self._proposed = ProposedLayer(workspace.proposed, view)
        self._late = QRegion()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._catch_up)
        self.ring_px: QPointF | None = None
        self.lasso_px: list[QPointF] = []

        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setMinimumSize(120, 90)
        self.setAccessibleName(f"{self.title} view")
        self.setObjectName(f"{orientation.value}-view")
        view.changed.connect(self._view_changed)
        workspace.case_changed.connect(self._case_changed)
        workspace.plan_changed.connect(self._plan_moved)
        workspace.result_changed.connect(self.update)
        workspace.state_changed.connect(self._plan_moved)
        workspace.second.changed.connect(self.update)
        workspace.proposed.changed.connect(self.update)
        self.placing.changed.connect(self.update)
        Outlines.of(workspace).ready.connect(self.update)
        self.outlining.changed.connect(self.update)
        self.outlining.drawn.connect(self._drawn_on)

    @property
    def drawn_ice(self) -> Volume | None:
        """The temperatures whose isotherms were last drawn."""
        return self._layers.drawn

    # Where it is --------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The name of the view as it stands in its corner."""
        return self.orientation.value.capitalize()

    @property
    def plane(self) -> SlicePlane | None:
        """The slice that is shown: the one nearest to the crosshair; None without a case."""
        sampler = self._layers.sampler()
        if sampler is None:
            return None
        return sampler.nearest_plane(self.orientation, self._view.cursor_mm[self.orientation.axis])

    @property
    def slice_number(self) -> int:
        """The slice that is shown, counted from 1 at the lowest coordinate; 0 without a case."""
        sampler = self._layers.sampler()
        if sampler is None:
            return 0
        return 1 + sampler.nearest_index(self.orientation, self._view.cursor_mm[self.orientation.axis])

    @property
    def camera(self) -> Camera | None:
        """Middle and zoom, None without a case."""
        sampler = self._layers.sampler()
        if sampler is None:
            return None
        if self._camera is None or self._fitted_to is not sampler.volume:
            self.fit()
        return self._camera

    @property
    def mm_per_px(self) -> float | None:
        """Millimetres per (logical) pixel, None without a case."""
        camera = self.camera
        return None if camera is None else camera.mm_per_px

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of the last drawing; screen readers get them as the description of the view."""
        return self._texts

    @property
    def grips(self) -> tuple[PlacedGrip, ...]:
        """The grips that can be held now: those of the selected probe."""
        probe = selected(self._workspace, self._view)
        if probe is None or self.camera is None or self.placing.active or not self._view.shows("probes"):
            return ()
        tip, entry = self.pixel_of(probe.tip_mm), self.pixel_of(probe.entry_mm)
        return place_grips(probe, tip, entry, QRectF(self.rect()))

    def point_at(self, pos: QPointF, *, clamp: bool = False) -> Point | None:
        """Return the patient point at a place of the widget; outside the image None, or its edge."""
        camera, plane = self.camera, self.plane
        if camera is None or plane is None:
            return None
        u, v = camera.to_mm(pos, QSizeF(self.size()))
        rect = self._layers.picture(plane, self._view.window).rect_mm
        if clamp:
            u, v = np.clip(u, rect.left(), rect.right()), np.clip(v, rect.top(), rect.bottom())
        elif not rect.contains(u, v):
            return None
        return as_point(plane.plane_to_mm(u, v))

    def pixel_of(self, point_mm: Point) -> QPointF:
        """Return where a patient point is drawn.

        Raises
        ------
        ValueError
            If no case is open.
        """
        camera, plane = self.camera, self.plane
        if camera is None or plane is None:
            raise ValueError("no case is open")
        u, v = plane.mm_to_plane(point_mm)
        return camera.to_px(float(u), float(v), QSizeF(self.size()))

    def fit(self) -> None:
        """Show the surroundings of the target, or the whole slice where there is none."""
        sampler, case, plane = self._layers.sampler(), self._workspace.case, self.plane
        if sampler is None or case is None or plane is None:
            return
        rect = self._layers.picture(plane, self._view.window).rect_mm
        width, height = max(self.width(), 1), max(self.height(), 1)
        scale = max(rect.width() / width, rect.height() / height)
        middle = rect.center()
        target = target_centre_mm(case)
        if target is not None and FIELD_MM / min(width, height) < scale:
            scale = FIELD_MM / min(width, height)
            u, v = plane.mm_to_plane(target)
            middle = QPointF(float(u), float(v))
        self._camera = Camera(middle.x(), middle.y(), scale)
        self._fitted_to = sampler.volume
        self.update()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Go nearer by a factor; the point at `at` (the middle when left out) stays."""
        camera = self.camera
        if camera is not None:
            size = QSizeF(self.size())
            at = at if at is not None else QPointF(size.width() / 2.0, size.height() / 2.0)
            self._camera = camera.zoomed(factor, at, size)
            self.update()

    def scroll_slices(self, slices: int) -> None:
        """Go that many slices towards the larger coordinate; the crosshair goes along."""
        sampler = self._layers.sampler()
        if sampler is None or slices == 0:
            return
        positions = sampler.positions_mm(self.orientation)
        index = int(np.clip(self.slice_number - 1 + slices, 0, len(positions) - 1))
        cursor = list(self._view.cursor_mm)
        cursor[self.orientation.axis] = float(positions[index])
        self._view.cursor_mm = as_point(cursor)

    def sizeHint(self) -> QSize:
        """Return a fair share of a window."""
        return QSize(420, 360)

    def marks(self) -> list[ProbeMark]:
        """Return the probes as they lie on this slice, in drawing order: faintest first, selected last."""
        plane = self.plane
        if plane is None:
            return []
        model = self._workspace.catalogue.model
        probes = enumerate(self._workspace.plan.probes)
        return sorted(
            (project_probe(p, model(p.model), plane, index=n) for n, p in probes),
            key=lambda m: (m.name == self._view.selected_probe, m.strength),
        )

    # Following ----------------------------------------------------------------------------------------

    @Slot()
    def _case_changed(self) -> None:
        # Image and outlines tell by themselves whether they are others: a stroke need not draw them again.
        self.update()

    @Slot(object)
    def _drawn_on(self, box: VoxelBox | None) -> None:
        """Draw again what shows voxels of a box, and no more: the brush must follow the hand."""
        camera, plane = self._camera, self.plane
        if box is None or camera is None or plane is None:
            self.update()
            return
        part = self._drawn.dirty(box, plane, camera, QSizeF(self.size()))
        if part is None:
            return
        if self.outlining.is_drawing and not self._is_drawn_on():
            self._late |= QRegion(part)
            if not self._later.isActive():
                self._later.start(LATER_MS)
        else:
            self.update(part)

    @Slot()
    def _plan_moved(self) -> None:
        """Follow the plan and its ice: at once, or a little later beside the view that the hand is on."""
        if self._workspace.live.is_held() and not self._is_in_hand():
            self._late |= QRegion(self.rect())
            if not self._later.isActive():
                self._later.start(BESIDE_MS)
        else:
            self.update()

    def _is_in_hand(self) -> bool:
        """Tell whether a probe is dragged in this view; `SliceView` knows."""
        return False

    @Slot()
    def _catch_up(self) -> None:
        late, self._late = self._late, QRegion()
        self.update(late)

    def _is_drawn_on(self) -> bool:
        """Tell whether the hand is on this view; `SliceView` knows."""
        return False

    @Slot()
    def _view_changed(self) -> None:
        cursor, seen = self._view.cursor_mm, self._cursor_seen
        self._cursor_seen = cursor
        # Scrolling this view's slices must not take it away from what the user has zoomed on.
        if any(cursor[a] != seen[a] for a in range(3) if a != self.orientation.axis):
            self._follow(cursor)
        self.update()

    def _follow(self, cursor: Point) -> None:
        """Bring the crosshair back into view when something moved it out of it."""
        plane = self.plane
        if self._camera is None or plane is None:
            return
        u, v = (float(x) for x in plane.mm_to_plane(cursor))
        at = self._camera.to_px(u, v, QSizeF(self.size()))
        if not 0.0 <= at.x() <= self.width():
            self._camera = replace(self._camera, u_mm=u)
        if not 0.0 <= at.y() <= self.height():
            self._camera = replace(self._camera, v_mm=v)

    # Drawing ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the view; a fault in it is written down and said on the view, it does not end the window."""
        del event
        painter = QPainter(self)
        try:
            self._paint(painter)
        except Exception:
            _log.exception("the %s view could not be drawn", self.orientation.value)
            painter.resetTransform()
            painter.fillRect(self.rect(), colour(theme().dark.canvas))
            painter.setPen(QPen(colour(theme().dark.warn)))
            text = "This view could not be drawn."
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
            self._texts = (text,)
        finally:
            painter.end()

    def _paint(self, painter: QPainter) -> None:
        size = QSizeF(self.size())
        camera, plane = self.camera, self.plane
        if camera is None or plane is None:
            painter.fillRect(self.rect(), colour(theme().dark.canvas))
            empty = SlicePainter(painter, Camera(0.0, 0.0, 1.0), size, self.font())
            empty.hint("Open a scan")
            self._say(empty)
            return
        ice = self._layers.ice()
        painter.drawPixmap(0, 0, self._base_picture(plane, camera, ice))
        drawing = SlicePainter(painter, camera, size, self.font())
        if not self._view.overlays_hidden:
            drawing.strokes(self._drawn.strokes(plane))
            u, v = plane.mm_to_plane(self._view.cursor_mm)
            drawing.crosshair(float(u), float(v))
        if self._view.shows("probes"):
            self._paint_probes(drawing, plane)
        self._paint_placing(drawing, plane)
        if self.ring_px is not None and self.outlining.tool is not None:
            drawing.ring(self.ring_px, self.outlining.settings.radius_mm / camera.mm_per_px)
        drawing.lasso(self.lasso_px)
        if self._drawing_words() and not self.placing.banner:
            drawing.banner(self._drawing_words())
        self._paint_texts(drawing, plane, ice)
        if self.hasFocus():
            painter.setPen(QPen(colour(theme().dark.accent, 0.8), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        self._say(drawing)

    def _drawing_words(self) -> str:
        """Return what the view says about the tool in hand; `SliceView` knows."""
        return ""

    def _say(self, drawing: SlicePainter) -> None:
        texts = tuple(drawing.written)
        if texts != self._texts:
            self._texts = texts
            self.setAccessibleDescription(", ".join(texts))

    def _base_picture(self, plane: SlicePlane, camera: Camera, ice: Ice | None) -> QPixmap:
        """Return image, outlines and isotherms as one picture, kept while only probes and marks move."""
        window, ratio = self._view.window, self.devicePixelRatioF()
        picture = self._layers.picture(plane, window)
        outlines, target = self._layers.outlines(plane)
        isotherms = self._layers.isotherms(plane)
        proposed = self._proposed.strokes(plane)
        paths = tuple(s.path for s in (*outlines, *proposed, *isotherms, *target))
        key = (camera, self.size(), ratio, None if ice is None else ice.standing, picture, *paths)
        if self._base is None or not _same(self._base[0], key):
            # Its own copy of the image, which is slow to scale and stays when a stroke changes an outline.
            pixmap = self._gray_picture(camera, picture).copy()
            painter = QPainter(pixmap)
            try:
                drawing = SlicePainter(painter, camera, QSizeF(self.size()), self.font())
                for strokes in (outlines, proposed, isotherms, target):
                    drawing.strokes(strokes)
            finally:
                painter.end()
            self._base = (key, pixmap)
        return self._base[1]

    def _gray_picture(self, camera: Camera, picture: Picture) -> QPixmap:
        """Return the image alone as it lies in the view, kept while it lies there."""
        ratio = self.devicePixelRatioF()
        key = (camera, self.size(), ratio, theme().dark.canvas, picture)
        if self._gray is None or self._gray[0][:4] != key[:4] or self._gray[0][4] is not picture:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(colour(theme().dark.canvas))
            painter = QPainter(pixmap)
            try:
                SlicePainter(painter, camera, QSizeF(self.size()), self.font()).image(picture)
            finally:
                painter.end()
            self._gray = (key, pixmap)
        return self._gray[1]

    def _paint_probes(self, drawing: SlicePainter, plane: SlicePlane) -> None:
        plan, chosen = self._workspace.plan, self._view.selected_probe
        for mark in self.marks():
            locked = plan.probe(mark.name).locked
            drawing.probe(mark, selected=mark.name == chosen, locked=locked)
        for thermocouple in plan.thermocouples:
            u, v = plane.mm_to_plane(thermocouple.position_mm)
            near = strength_at(float(plane.distance_mm(thermocouple.position_mm)))
            drawing.thermocouple(float(u), float(v), thermocouple.name, near)
        drawing.grips(self.grips, under_mouse=self._hot)

    def _paint_placing(self, drawing: SlicePainter, plane: SlicePlane) -> None:
        tip, entry = self.placing.tip_mm, self.placing.entry_mm
        if tip is not None:
            places = [
                None if p is None else tuple(float(x) for x in plane.mm_to_plane(p))
                for p in (tip, self.placing.mouse_mm, entry)
            ]
            drawing.rubber(*places, show_mm(distance_mm(tip, entry)) if entry is not None else "")
        if self.placing.banner:
            drawing.banner(self.placing.banner)

    def _paint_texts(self, drawing: SlicePainter, plane: SlicePlane, ice: Ice | None) -> None:
        where = plane.position_text()
        drawing.titles(self.title, f"slice {self.slice_number} · {where}", where)
        case = self._workspace.case
        both = words(case.scan, self._workspace.second, self._view) if case is not None else ""
        line = " · ".join(filter(None, (both, self._view.slab.text)))
        if line:
            drawing.subtitle(line)
        drawing.letters(plane.orientation_letters())
        drawing.scale_bar()
        axial = self.orientation is Orientation.AXIAL
        if axial and not self._view.overlays_hidden:
            self._paint_legend(drawing, ice)
        if axial or self._windowing:
            window, text = self._view.window, ""
            if self._workspace.second.scan is not None:
                other = self._view.second_window
                text = f"   second {show_window(other.width, other.level)}"
            drawing.footnote(show_window(window.width, window.level) + text)
        if self._view.overlays_hidden:
            drawing.note("overlays hidden (H)")
        elif ice is not None and ice.standing is Standing.STALE:
            drawing.note("OUT OF DATE")
        elif ice is not None and ice.standing is Standing.PREVIEW:
            drawing.note("PREVIEW", is_preview=True)

    def _paint_legend(self, drawing: SlicePainter, ice: Ice | None) -> None:
        case = self._workspace.case
        look = theme()
        lines = []
        if case is not None and case.target is not None and self._view.shows("tumour"):
            lines.append(look.tumour)
        if self._workspace.proposed.proposals:
            lines.append(key_line())
        title = ""
        shown = self._layers.shown_thresholds() if ice is not None else ()
        if ice is not None and shown:
            stale, preview = ice.standing is Standing.STALE, ice.standing is Standing.PREVIEW
            lines += [look.isotherm(t, stale=stale, preview=preview) for t in shown]
            title = ice.moment
        if lines:
            drawing.legend(title, lines)


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Tell whether two keys are of one picture; paths are compared as objects, which is fast."""
    return len(a) == len(b) and a[:4] == b[:4] and all(x is y for x, y in zip(a[4:], b[4:], strict=True))
