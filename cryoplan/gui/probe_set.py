"""Probe set: the three views of the selected probe, the strip above them, and how one gets there and back."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QToolButton, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.actions import Entry, Needs
from cryoplan.gui.chosen import select_next
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_aims import EYE, FLAT, STEEP, EyeAim, InLineAim
from cryoplan.gui.probe_look import ProbeLook
from cryoplan.gui.probe_strip import ProbeStrip
from cryoplan.gui.probe_view import ProbeView
from cryoplan.gui.sensors import Sensors
from cryoplan.gui.view_grid import Layout, ViewGrid
from cryoplan.gui.words import say
from cryoplan.scene.probe_planes import InLine

MANNERS = (
    ("V", "probe views (probe's eye, two in line) and back to the slices"),
    ("Shift + V", "plane through several probes, in the probe views"),
    ("Wheel in the probe's eye", "along the shaft, 1 mm a notch"),
    ("Wheel in an in-line view", "parallel planes beside the shaft; Home goes back to it"),
)
"""Gestures for the shortcut sheet."""


class ProbeSet(QObject):
    """The probe views of a window.

    Parameters
    ----------
    workspace : Workspace
        What is shown, and where edits go.
    view : ViewState
        Shared by all views.
    placing : Placing
        Shared by all views.
    """

    def __init__(self, workspace: Workspace, view: ViewState, placing: Placing, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        self._grid: ViewGrid | None = None
        self.sensors = Sensors(workspace, view, parent)
        self.look = ProbeLook(workspace, view, self)
        aims = {
            EYE: EyeAim(workspace, view, self.look),
            FLAT: InLineAim(workspace, view, self.look, InLine.FLAT),
            STEEP: InLineAim(workspace, view, self.look, InLine.STEEP),
        }
        self.views = {name: ProbeView(workspace, view, aim, placing) for name, aim in aims.items()}
        self.strip = ProbeStrip(workspace, view, self.look)
        self.switch = QToolButton()
        self.switch.setText(say("Probe views"))
        self.switch.setCheckable(True)
        self.switch.setAccessibleName(say("Probe views instead of slices"))
        self.switch.setToolTip(say("Probe's eye and two views along the shaft, or the three slices (V)"))
        self.switch.clicked.connect(self.toggle)
        view.changed.connect(self._view_changed)
        workspace.case_changed.connect(self._case_changed)

    def attach(self, grid: ViewGrid) -> None:
        """Take the grid that shows them."""
        self._grid = grid
        grid.layout_changed.connect(self._show_switch)

    def entries(self) -> tuple[Entry, ...]:
        """Return what the menu and the keys do."""
        return (
            Entry("probe-views", "&View", "&Probe views or slices", "V", Needs.CASE, self.toggle),
            Entry(
                "through",
                "&View",
                "Plane &through several probes",
                "Shift+V",
                Needs.PROBES,
                self.toggle_through,
            ),
            *self.sensors.entries(),
        )

    def toggle(self) -> None:
        """Go to the probe views, or back to the slices."""
        if self._grid is None or self._workspace.case is None:
            return
        if self._grid.layout_shown is Layout.FOUR_UP and self.look.probe is None:
            # Whoever wants to see a probe and has chosen none means the first.
            select_next(self._workspace, self._view)
        self._grid.toggle_layout()
        self._show_switch()

    def toggle_through(self) -> None:
        """Show the plane through several probes in the probe views, or the selected shaft again."""
        if self._grid is None:
            return
        is_seen = self._grid.layout_shown is Layout.PROBE_SET
        self.look.is_through = not (is_seen and self.look.is_through)
        if not is_seen:
            self.toggle()

    @Slot()
    def _show_switch(self) -> None:
        self.switch.setChecked(self._grid is not None and self._grid.layout_shown is Layout.PROBE_SET)

    @Slot()
    def _view_changed(self) -> None:
        # Without a probe these views have no plane to click in.
        if self._view.placing and self.look.probe is None:
            self._show_slices()

    @Slot()
    def _case_changed(self) -> None:
        if self._workspace.case is None:
            self._show_slices()

    def _show_slices(self) -> None:
        if self._grid is not None and self._grid.layout_shown is Layout.PROBE_SET:
            self._grid.show_layout(Layout.FOUR_UP)
