"""ProbeView: a slice view that looks across or along the selected probe."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Slot
from PySide6.QtWidgets import QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui import probe_paint
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_aims import EYE, FLAT, STEEP, EyeAim, InLineAim, ProbeAim
from cryoplan.gui.slice_paint import END_ON_PX, SlicePainter
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.words import say
from cryoplan.plan.edits import Grip
from cryoplan.scene.contours import ProbeMark
from cryoplan.scene.oblique import Plane
from cryoplan.scene.plane import letters_of
from cryoplan.scene.probe_planes import BestFit

IN_PLANE_MM = 2.0
"""A shaft whose ends are this near to the plane is drawn to scale as a whole."""

STICK_PX = 6.0
"""A tip that is pulled along its shaft goes straight deeper while the mouse is this near to the line."""

VIEW_NAMES = {EYE: "Probe's eye", FLAT: "In line, near axial", STEEP: "In line, across"}
"""For screen readers: the titles change with the probe."""

CURSOR_MM = 5.0
"""A crosshair further off the plane is not shown in it: it would point at another place."""


class ProbeView(SliceView):
    """One view of the selected probe.

    Parameters
    ----------
    workspace : Workspace
        What is shown, and where edits go.
    view : ViewState
        Shared by all views.
    aim : ProbeAim
        Which plane.
    placing : Placing, optional
        Shared by all views.
    """

    aim: ProbeAim
    grip_fill = 0.0  # what lies below a grip is what these views are for

    def __init__(
        self,
        workspace: Workspace,
        view: ViewState,
        aim: ProbeAim,
        placing: Placing | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(workspace, view, aim, placing, parent)
        self.setAccessibleName(say(f"{VIEW_NAMES[aim.name]} view"))
        self._way = QPointF()
        self._fitted_probe = view.selected_probe
        self._was_through = False
        aim.look.changed.connect(self._look_changed)

    def _drag_to(self, pos: QPointF) -> None:
        """Follow the mouse; a tip that is pulled along its shaft keeps to the shaft's line."""
        drag = self._drag
        if drag is not None and drag.kind is Grip.TIP and isinstance(self.aim, InLineAim):
            pos = self._stuck(pos)
        super()._drag_to(pos)

    def _hold(self) -> None:
        super()._hold()
        held = self.aim.look.probe
        way = QPointF()
        if held is not None:
            way = self.pixel_of(held.tip_mm) - self.pixel_of(held.entry_mm)
        length = float(np.hypot(way.x(), way.y()))
        self._way = way / length if length > 0.0 else QPointF()

    def _stuck(self, pos: QPointF) -> QPointF:
        by = pos - self._press_px
        along = self._way * QPointF.dotProduct(by, self._way)
        beside = by - along
        return self._press_px + along if float(np.hypot(beside.x(), beside.y())) <= STICK_PX else pos

    @Slot()
    def _look_changed(self) -> None:
        """Show the whole of another probe; the eye keeps its zoom, its probe is in the middle anyway."""
        aim = self.aim
        through = isinstance(aim, InLineAim) and aim.fit is not None
        name = self._view.selected_probe
        if name != self._fitted_probe or through != self._was_through:
            self._fitted_probe, self._was_through = name, through
            if isinstance(aim, InLineAim):
                self._camera = None

    def _paint_empty(self, drawing: SlicePainter) -> None:
        super()._paint_empty(drawing)
        if self._workspace.case is not None:
            drawing.titles(self.title, "", "")

    def _paint_crosshair(self, drawing: SlicePainter, plane: Plane) -> None:
        if abs(float(plane.distance_mm(self._view.cursor_mm))) <= CURSOR_MM:
            super()._paint_crosshair(drawing, plane)

    def _paint_probes(self, drawing: SlicePainter, plane: Plane) -> None:
        probe = self.aim.look.probe
        if isinstance(self.aim, EyeAim) and probe is not None:
            u, v = plane.mm_to_plane(probe.tip_mm)
            probe_paint.clock(drawing, (float(u), float(v)))
        super()._paint_probes(drawing, plane)
        fit = self.aim.fit if isinstance(self.aim, InLineAim) else None
        if fit is not None:
            rows = [(f"probe {name}", _side(mm, fit)) for name, mm in fit.off_mm]
            probe_paint.table(drawing, "off this plane", rows)

    def _paint_mark(self, drawing: SlicePainter, mark: ProbeMark) -> None:
        workspace = self._workspace
        probe = workspace.plan.probe(mark.name)
        diameter = workspace.catalogue.model(probe.model).outer_diameter.value
        selected = mark.name == self._view.selected_probe
        if isinstance(self.aim, EyeAim):
            self._paint_section(drawing, mark, diameter, selected=selected, locked=probe.locked)
            return
        if max(abs(mark.tip_distance_mm), abs(mark.entry_distance_mm)) > IN_PLANE_MM:
            super()._paint_mark(drawing, mark)
        else:
            probe_paint.along(drawing, mark, diameter, selected=selected, locked=probe.locked)

    def _paint_section(
        self, drawing: SlicePainter, mark: ProbeMark, diameter_mm: float, *, selected: bool, locked: bool
    ) -> None:
        look = self.aim.look
        probe = look.probe
        if selected and probe is not None:
            # The axis goes on beyond skin and tip, so that one sees where it will come.
            middle = self._uv(probe.point_behind_tip_mm(look.behind_tip_mm))
            if mark.crossing_uv is not None:
                probe_paint.across(drawing, mark, diameter_mm, None, locked=locked)
            else:
                probe_paint.axis(drawing, middle)
        elif mark.crossing_uv is None or probe is None:
            drawing.probe(mark, selected=selected, locked=locked)
        else:
            middle = self._uv(probe.point_behind_tip_mm(look.behind_tip_mm))
            away = np.subtract(mark.crossing_uv, middle)
            if _slant(mark) > drawing.camera.mm_per_px * END_ON_PX:
                drawing.probe(mark, selected=False, locked=locked, named=False)
            probe_paint.across(drawing, mark, diameter_mm, (float(away[0]), float(away[1])), locked=locked)

    def _uv(self, point_mm: tuple[float, float, float]) -> tuple[float, float]:
        plane = self.plane
        assert plane is not None
        u, v = plane.mm_to_plane(point_mm)
        return float(u), float(v)


def _slant(mark: ProbeMark) -> float:
    """Return how long a shaft looks in the plane, mm."""
    return float(np.hypot(*np.subtract(mark.tip_uv, mark.entry_uv)))


def _side(mm: float, fit: BestFit) -> str:
    """Return a distance from a plane and the side of the patient on which it is, such as ``4.0 mm H``."""
    if abs(mm) < 0.05:
        return "0.0 mm"
    return f"{abs(mm):.1f} mm {letters_of(np.sign(mm) * fit.plane.facing.across)[0]}"
