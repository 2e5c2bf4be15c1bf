"""Placing: P, a click on the target, a click towards the skin; the two clicks may be in different views."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, distance_mm
from cryoplan.core.units import show_mm
from cryoplan.gui.probe_gestures import entry_toward, model_for_new, placed

SHORTEST_MM = 5.0
"""A second click nearer than this gives no direction that anybody meant."""


class Placing(QObject):
    """The state of placing a probe, shared by all views; on while `ViewState.placing` is.

    Signals
    -------
    changed
        The line to draw is another one.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        self._tip: Point | None = None
        self._entry: Point | None = None
        self._on_skin = False
        self._was_on = False
        view.changed.connect(self._follow)
        workspace.case_changed.connect(self.stop)
        self._follow()

    @property
    def is_on(self) -> bool:
        """True while clicks place a probe."""
        return self._view.placing and self._workspace.case is not None

    @property
    def line_mm(self) -> tuple[Point, Point] | None:
        """Tip and entry of the probe as it would be placed now, None before both are known."""
        return None if self._tip is None or self._entry is None else (self._tip, self._entry)

    @property
    def tip_mm(self) -> Point | None:
        """The tip, once it was clicked."""
        return self._tip

    @property
    def is_on_skin(self) -> bool:
        """True when the entry of the line was found on the skin."""
        return self._on_skin

    def point_at(self, point_mm: Point) -> None:
        """Let the line follow the mouse."""
        case = self._workspace.case
        if case is None or self._tip is None:
            return
        self._entry, self._on_skin = entry_toward(case, self._tip, point_mm)
        self.changed.emit()

    def click(self, point_mm: Point) -> None:
        """Take a click: the first is the tip, the second the way in."""
        case = self._workspace.case
        if case is None or not self._view.placing:
            return
        if self._tip is None:
            self._tip = point_mm
            self._workspace.message.emit("The metal tip goes here. Now click where the probe comes in.")
            self.changed.emit()
            return
        if distance_mm(self._tip, point_mm) < SHORTEST_MM:
            self._workspace.message.emit(
                f"That is less than {show_mm(SHORTEST_MM)} from the tip: click towards the skin."
            )
            return
        plan = self._workspace.plan
        model = model_for_new(plan, self._view.selected_probe)
        entry, on_skin = entry_toward(case, self._tip, point_mm)
        try:
            new = placed(case, plan, self._tip, point_mm, model=model)
        except PlanError as error:
            self._workspace.message.emit(str(error))
            return
        name = new.probes[-1].name
        self._view.placing = False
        self._workspace.edit(f"Probe {name} placed", new)
        self._view.selected_probe = name
        depth = show_mm(distance_mm(new.probes[-1].tip_mm, entry))
        self._workspace.message.emit(
            f"Probe {name} placed, {depth} from skin to tip."
            if on_skin
            else f"Probe {name} placed. No skin was found on that line: the entry is where you clicked."
        )

    @Slot()
    def stop(self) -> None:
        """Give up."""
        self._view.placing = False
        self._reset()

    @Slot()
    def _follow(self) -> None:
        if self._view.placing == self._was_on:
            return
        self._was_on = self._view.placing
        self._reset()
        if self._was_on:
            if self._workspace.case is None:
                self._view.placing = False
                self._workspace.message.emit("Open a scan first, then place probes.")
                return
            self._workspace.message.emit("Click where the tip of the probe shall be (Esc gives up).")

    def _reset(self) -> None:
        self._tip = self._entry = None
        self._on_skin = False
        self.changed.emit()
