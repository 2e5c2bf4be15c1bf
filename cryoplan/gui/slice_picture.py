"""SlicePicture: a widget that shows one plane of the patient with everything on it, and knows where it is."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPixmap, QRegion
from PySide6.QtWidgets import QSizePolicy, QWidget

from cryoplan.app.ice import Ice, Standing
from cryoplan.app.outlining import Outlining
from cryoplan.app.timing import Timing
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.box import VoxelBox
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.volume import Volume
from cryoplan.gui.aim import Aim, SliceAim
from cryoplan.gui.base_picture import BasePicture
from cryoplan.gui.chosen import selected_shaft
from cryoplan.gui.drawn_layer import DrawnLayer
from cryoplan.gui.grips import PlacedGrip, place_grips
from cryoplan.gui.placing import Placing
from cryoplan.gui.proposed_layer import ProposedLayer, key_line
from cryoplan.gui.second_layer import words
from cryoplan.gui.slice_camera import Camera
from cryoplan.gui.slice_layers import Outlines, SliceLayers, before_line
from cryoplan.gui.slice_needles import paint_ghosts, paint_marks, paint_tools
from cryoplan.gui.slice_paint import SlicePainter, colour
from cryoplan.gui.wash_layer import WashLayer, paint_key
from cryoplan.gui.words import say
from cryoplan.plan.edits import Grip
from cryoplan.scene.contours import ProbeMark, project_probe, strength_at
from cryoplan.scene.oblique import Plane
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.style import theme
from cryoplan.scene.window import show_window

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
    orientation : Orientation or Aim
        Which plane: a slice of the patient, or what another aim says.
    placing : Placing, optional
        Shared by all views; one of its own when left out.
    """

    grip_fill = 0.45
    """How dark the inside of a grip is."""

    def __init__(
        self,
        workspace: Workspace,
        view: ViewState,
        orientation: Orientation | Aim,
        placing: Placing | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._view = view
        self.aim = orientation if isinstance(orientation, Aim) else SliceAim(workspace, view, orientation)
        self.placing = placing if placing is not None else Placing(workspace, view, self)
        self._layers = SliceLayers(workspace, view)
        self._camera: Camera | None = None
        self._fitted_to: Volume | None = None
        self._cursor_seen = view.cursor_mm
        self._base = BasePicture()
        self._wash = WashLayer(workspace, view)
        Timing.of(workspace).ready.connect(self.update)
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
        self.setAccessibleName(say(f"{self.title} view"))
        self.setObjectName(f"{self.aim.name}-view")
        self.aim.changed.connect(self._plan_moved)
        view.changed.connect(self._view_changed)
        workspace.case_changed.connect(self._case_changed)
        workspace.plan_changed.connect(self._plan_moved)
        workspace.result_changed.connect(self.update)
        workspace.state_changed.connect(self._plan_moved)
        workspace.second.changed.connect(self.update)
        workspace.proposed.changed.connect(self.update)
        workspace.before.changed.connect(self.update)
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
        return self.aim.title

    @property
    def orientation(self) -> Orientation | None:
        """Of a slice of the patient, None of any other plane."""
        return self.aim.orientation

    @property
    def plane(self) -> Plane | None:
        """What is shown, None without a case or where there is nothing to aim at."""
        sampler = self._layers.sampler()
        return None if sampler is None else self.aim.plane(sampler)

    @property
    def slice_number(self) -> int:
        """The slice that is shown, counted from 1 at the lowest coordinate; 0 where none is."""
        sampler = self._layers.sampler()
        return self.aim.number(sampler) if sampler is not None and isinstance(self.aim, SliceAim) else 0

    @property
    def camera(self) -> Camera | None:
        """Middle and zoom, None without a plane."""
        sampler = self._layers.sampler()
        if sampler is None or self.plane is None:
            return None
        if self._camera is None or self._fitted_to is not sampler.volume:
            self.fit()
        return None if self._camera is None else self._moved(self._camera, 1.0)

    def _look_with(self, camera: Camera) -> None:
        """Look at another part of the plane."""
        self._camera = self._moved(camera, -1.0)
        self.update()

    def _moved(self, camera: Camera, times: float) -> Camera:
        """Return a camera with the place of the aim's anchor added; what is kept is seen from the anchor."""
        anchor, plane = self.aim.anchor_mm, self.plane
        if anchor is None or plane is None:
            return camera
        u, v = (times * float(x) for x in plane.mm_to_plane(anchor))
        return replace(camera, u_mm=camera.u_mm + u, v_mm=camera.v_mm + v)

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
        probe = selected_shaft(self._workspace, self._view)
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
        rect = self._layers.rect_mm(plane)
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
        """Show what the aim is about, or the whole plane where there is no such thing."""
        sampler, plane = self._layers.sampler(), self.plane
        if sampler is None or plane is None:
            return
        rect = self._layers.rect_mm(plane)
        width, height = max(self.width(), 1), max(self.height(), 1)
        scale = max(rect.width() / width, rect.height() / height)
        middle, field = rect.center(), self.aim.field(plane)
        if field is not None:
            nearer = max(field.width() / width, field.height() / height)
            if nearer < scale:
                scale, middle = nearer, field.center()
        self._fitted_to = sampler.volume
        self._look_with(Camera(middle.x(), middle.y(), scale))

    def _hold(self) -> None:
        """Keep plane and picture while something is dragged in them."""
        plane = self.plane
        if plane is not None:
            self.aim.hold(plane)

    def _let_plane_go(self) -> None:
        """Follow again; what the view is anchored to stays where it lies on the screen now."""
        camera, plane = self.camera, self.plane
        self.aim.let_go()
        anchor = self.aim.anchor_mm
        if camera is not None and plane is not None and anchor is not None:
            u, v = (float(x) for x in plane.mm_to_plane(anchor))
            self._camera = replace(camera, u_mm=camera.u_mm - u, v_mm=camera.v_mm - v)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Go nearer by a factor; the point at `at` (the middle when left out) stays."""
        camera = self.camera
        if camera is not None:
            size = QSizeF(self.size())
            at = at if at is not None else QPointF(size.width() / 2.0, size.height() / 2.0)
            self._look_with(camera.zoomed(factor, at, size))

    def scroll_slices(self, slices: int) -> None:
        """Go that many slices towards the larger coordinate; the crosshair goes along."""
        sampler = self._layers.sampler()
        if sampler is not None and slices != 0:
            self.aim.scroll(sampler, slices)

    def sizeHint(self) -> QSize:
        """Return a fair share of a window."""
        return QSize(420, 360)

    def marks(self) -> list[ProbeMark]:
        """Return the probes as they lie on this slice, in drawing order: faintest first, selected last."""
        plane = self.plane
        if plane is None:
            return []
        model = self._workspace.catalogue.model
        plan = self._workspace.plan
        return sorted(
            (project_probe(p, model(p.model), plane, index=plan.colour_number(p)) for p in plan.probes),
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
        if box is None or camera is None or not isinstance(plane, SlicePlane):
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
        if self.aim.is_beside(cursor, seen):
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
            _log.exception("the %s view could not be drawn", self.aim.name)
            painter.resetTransform()
            painter.fillRect(self.rect(), colour(theme().dark.canvas))
            painter.setPen(QPen(colour(theme().dark.warn)))
            text = "This view could not be drawn."
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, say(text))
            self._texts = (text,)
        finally:
            painter.end()

    def _paint(self, painter: QPainter) -> None:
        size = QSizeF(self.size())
        camera, plane = self.camera, self.plane
        if camera is None or plane is None:
            painter.fillRect(self.rect(), colour(theme().dark.canvas))
            empty = SlicePainter(painter, Camera(0.0, 0.0, 1.0), size, self.font())
            self._paint_empty(empty)
            self._say(empty)
            return
        ice = self._layers.ice()
        painter.drawPixmap(0, 0, self._base_picture(plane, camera))
        drawing = SlicePainter(painter, camera, size, self.font())
        if not self._view.overlays_hidden:
            drawing.strokes(self._drawn.strokes(plane))
            self._paint_crosshair(drawing, plane)
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

    def _paint_empty(self, drawing: SlicePainter) -> None:
        """Say what to do where there is nothing to see."""
        drawing.hint("Open a scan" if self._workspace.case is None else self.aim.hint)

    def _drawing_words(self) -> str:
        """Return what the view says about the tool in hand; `SliceView` knows."""
        return ""

    def _say(self, drawing: SlicePainter) -> None:
        texts = tuple(drawing.written)
        if texts != self._texts:
            self._texts = texts
            self.setAccessibleDescription(say(", ".join(texts)))

    def _base_picture(self, plane: Plane, camera: Camera) -> QPixmap:
        """Return image, outlines and isotherms as one picture, kept while only probes and marks move."""
        seen = camera.seen(QSizeF(self.size()))
        picture = self._layers.picture(plane, self._view.window, seen, camera.mm_per_px)
        outlines, target = self._layers.outlines(plane, seen)
        isotherms = [*self._layers.before(plane), *self._layers.isotherms(plane)]
        proposed = self._proposed.strokes(plane)
        layers = (outlines, proposed, isotherms, target)
        return self._base.pixmap(self, camera, picture, layers, self._wash.image(plane))

    def _paint_crosshair(self, drawing: SlicePainter, plane: Plane) -> None:
        u, v = plane.mm_to_plane(self._view.cursor_mm)
        drawing.crosshair(float(u), float(v))

    def _paint_mark(self, drawing: SlicePainter, mark: ProbeMark) -> None:
        """Draw one probe."""
        locked = self._workspace.plan.probe(mark.name).locked
        drawing.probe(mark, selected=mark.name == self._view.selected_probe, locked=locked)

    def _paint_probes(self, drawing: SlicePainter, plane: Plane) -> None:
        for mark in self.marks():
            self._paint_mark(drawing, mark)
        for thermocouple in self._workspace.plan.thermocouples:
            u, v = plane.mm_to_plane(thermocouple.position_mm)
            near = strength_at(float(plane.distance_mm(thermocouple.position_mm)))
            drawing.thermocouple(float(u), float(v), thermocouple.name, near)
        paint_tools(drawing, plane, self._workspace.plan.tools, self._view.selected_probe)
        paint_marks(drawing, plane, self._workspace.plan.marks)
        paint_ghosts(drawing, plane, self._view.ghosts)
        drawing.grips(self.grips, under_mouse=self._hot, fill=self.grip_fill)

    def _paint_placing(self, drawing: SlicePainter, plane: Plane) -> None:
        tip, entry = self.placing.tip_mm, self.placing.entry_mm
        if tip is not None:
            places = [
                None if p is None else tuple(float(x) for x in plane.mm_to_plane(p))
                for p in (tip, self.placing.mouse_mm, entry)
            ]
            drawing.rubber(*places, self.placing.label)
        if self.placing.banner:
            drawing.banner(self.placing.banner)

    def _paint_texts(self, drawing: SlicePainter, plane: Plane, ice: Ice | None) -> None:
        sampler = self._layers.sampler()
        assert sampler is not None
        drawing.titles(self.title, *self.aim.words(plane, sampler))
        case = self._workspace.case
        both = words(case.scan, self._workspace.second, self._view) if case is not None else ""
        line = " · ".join(filter(None, (self.aim.note, both, self._view.slab.text)))
        if line:
            drawing.subtitle(line)
        drawing.letters(plane.orientation_letters())
        drawing.scale_bar()
        legend = self.aim.has_legend
        if legend and not self._view.overlays_hidden:
            self._paint_legend(drawing, ice)
            paint_key(drawing, self._wash.wash())
        if legend or self._windowing:
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
            if self._workspace.before.is_other and shown[0] == 0.0:
                lines.append(before_line())
        if lines:
            drawing.legend(title, lines)
