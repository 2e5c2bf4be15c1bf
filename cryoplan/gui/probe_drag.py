"""Probe drag: a grip that is held, from press to release; one step of undo, and Esc puts it back."""

from __future__ import annotations

from itertools import count

from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import PlanError
from cryoplan.gui.probe_gestures import Pair, dragged, screen_axes
from cryoplan.plan.edits import Grip, describe_change
from cryoplan.scene.slices import Orientation

_GESTURES = count(1)


class ProbeDrag:
    """One drag of one grip of one probe, in the plane of a view.

    Parameters
    ----------
    workspace : Workspace
        Whose plan is edited.
    orientation : Orientation
        Plane of the view; what is off the plane stays as far off it.
    probe : str
        Name of the probe.
    kind : Grip
        What is held.
    start_uv : tuple of float
        Plane coordinates of the press.
    """

    def __init__(
        self, workspace: Workspace, orientation: Orientation, probe: str, kind: Grip, start_uv: Pair
    ) -> None:
        self._workspace = workspace
        self._right, self._down = screen_axes(orientation)
        self._probe, self._kind, self._start_uv = probe, kind, start_uv
        self._start = self._last = workspace.plan
        self._gesture = f"drag-{next(_GESTURES)}"

    @property
    def is_alone(self) -> bool:
        """False when something else (undo, for one) changed the plan meanwhile: then that wins."""
        return self._workspace.plan in (self._last, self._start)

    def pull(self, uv: Pair) -> None:
        """Bring the grip to plane coordinates, counted from where it was pressed."""
        case = self._workspace.case
        if case is None:
            return
        by_mm = (uv[0] - self._start_uv[0]) * self._right + (uv[1] - self._start_uv[1]) * self._down
        try:
            new = dragged(case, self._start, self._probe, self._kind, by_mm)
        except PlanError as error:
            self._workspace.message.emit(str(error))
            return
        self._last = new
        self._workspace.edit(describe_change(self._start, new), new, gesture=self._gesture)

    def give_up(self) -> None:
        """Put everything back; the undo history is as if nothing had been touched."""
        self._last = self._start
        self._workspace.edit("Drag given up", self._start, gesture=self._gesture)
        self._workspace.message.emit("Put back.")
