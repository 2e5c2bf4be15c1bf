"""Probe look: where along the selected probe its views look, and which probes one plane goes through."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import as_point, point_to_segment_mm
from cryoplan.gui.chosen import selected_shaft
from cryoplan.plan.probe import Probe
from cryoplan.plan.tool import Tool

BEYOND_MM = 30.0
"""The eye goes so far beyond the tip and so far out of the skin."""

NEAR_MM = 40.0
"""A crosshair within this distance of the shaft is a place along it; one further away is not about it."""

STEP_MM = 1.0
"""Of the wheel."""


class ProbeLook(QObject):
    """What the probe views share; the selected probe itself is in `ViewState`.

    Signals
    -------
    changed
        Another probe, another place along it, or another choice of planes.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        self._behind_tip_mm: float | None = None
        self._cursor = view.cursor_mm
        self._probe_name = view.selected_probe
        self._is_through = False
        self._left_out: frozenset[str] = frozenset()
        view.changed.connect(self._view_changed)
        workspace.plan_changed.connect(self.changed)
        workspace.case_changed.connect(self._forget)

    @property
    def probe(self) -> Probe | Tool | None:
        """The selected probe or tool."""
        return selected_shaft(self._workspace, self._view)

    @property
    def behind_tip_mm(self) -> float:
        """How far behind the metal tip the eye looks, negative beyond it; 0 without a probe."""
        probe = self.probe
        if probe is None:
            return 0.0
        if self._behind_tip_mm is None:
            if isinstance(probe, Tool):
                return 0.0
            model = self._workspace.catalogue.model(probe.model)
            return model.tip_offset.value + model.active_length.value / 2.0
        return float(np.clip(self._behind_tip_mm, -BEYOND_MM, probe.depth_mm + BEYOND_MM))

    def advance(self, by_mm: float) -> None:
        """Look deeper along the shaft, or less deep; the crosshair goes along."""
        probe = self.probe
        if probe is None:
            return
        # On whole millimetres, so that a number on the screen can be found again.
        behind = round((self.behind_tip_mm - by_mm) / STEP_MM) * STEP_MM
        self._behind_tip_mm = behind
        behind = self._behind_tip_mm = self.behind_tip_mm
        cursor = np.asarray(self._view.cursor_mm)
        here = np.asarray(probe.point_behind_tip_mm(behind))
        if not self._is_near(probe):
            cursor = here
        along = probe.direction
        self._view.cursor_mm = as_point(cursor + ((here - cursor) @ along) * along)
        self._behind_tip_mm = behind
        self.changed.emit()

    # The plane through several --------------------------------------------------------------------------

    @property
    def is_through(self) -> bool:
        """True while the first in-line view shows the plane through several probes."""
        return self._is_through and bool(self.through)

    @is_through.setter
    def is_through(self, value: bool) -> None:
        if value != self._is_through:
            self._is_through = value
            self.changed.emit()

    @property
    def through(self) -> tuple[Probe, ...]:
        """The probes that the plane goes through: all, but for those left out."""
        return tuple(p for p in self._workspace.plan.probes if p.name not in self._left_out)

    def leave_out(self, names: Iterable[str]) -> None:
        """Let the plane go through all probes but these."""
        left_out = frozenset(names)
        if left_out != self._left_out:
            self._left_out = left_out
            self.changed.emit()

    # Following -----------------------------------------------------------------------------------------

    @Slot()
    def _forget(self) -> None:
        self._behind_tip_mm = None
        self.changed.emit()

    @Slot()
    def _view_changed(self) -> None:
        probe, cursor = self.probe, self._view.cursor_mm
        name = self._view.selected_probe
        is_other, is_moved = name != self._probe_name, cursor != self._cursor
        if not (is_other or is_moved):
            return
        self._probe_name, self._cursor = name, cursor
        if probe is not None and self._is_near(probe):
            self._behind_tip_mm = float((np.asarray(probe.tip_mm) - cursor) @ probe.direction)
        elif is_other:
            self._behind_tip_mm = None
        self.changed.emit()

    def _is_near(self, probe: Probe | Tool) -> bool:
        """Tell whether the crosshair is beside the shaft, or just beyond one of its ends."""
        out, beyond = probe.depth_mm + BEYOND_MM, -BEYOND_MM
        ends = probe.point_behind_tip_mm(out), probe.point_behind_tip_mm(beyond)
        cursor = self._view.cursor_mm
        along = float((np.asarray(probe.tip_mm) - cursor) @ probe.direction)
        return beyond <= along <= out and float(point_to_segment_mm(cursor, *ends)) <= NEAR_MM
