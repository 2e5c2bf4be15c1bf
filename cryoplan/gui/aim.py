"""Aim: which plane a view looks at, how the wheel moves it, and what the view says about it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QRectF, Signal

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.middle import target_centre_mm
from cryoplan.core.geometry import Point, as_point
from cryoplan.scene.oblique import Plane
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slices import SliceSampler

FIELD_MM = 230.0
"""What a slice view shows at first of a case with a target: the target, its neighbours and the skin."""


class Aim(QObject):
    """The plane of one view, as far as slices and the planes of probes are alike.

    Each kind adds its own ``plane(sampler)``, ``words(plane, sampler)`` (where the plane is, in full and
    shorter), ``scroll(sampler, steps)``, ``field(plane)`` (what is shown at first), and ``right`` and
    ``down``, the patient directions of the screen.

    Signals
    -------
    changed
        Another plane, or other words for it.
    """

    changed = Signal()

    orientation: Orientation | None = None
    """Of a slice of the patient; None for any other plane, where nothing can be outlined by hand."""

    has_legend = False
    """True where the key of the lines is drawn."""

    def __init__(
        self, workspace: Workspace, view: ViewState, name: str, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        self.name = name

    @property
    def title(self) -> str:
        """What stands in the corner of the view."""
        return self.name.capitalize()

    @property
    def hint(self) -> str:
        """What the view says while there is no plane."""
        return "Open a scan"

    @property
    def note(self) -> str:
        """What must not be missed about this plane, empty where there is nothing."""
        return ""

    def is_beside(self, cursor: Point, before: Point) -> bool:
        """Tell whether the crosshair went somewhere else within the plane, so that the view has to follow."""
        del cursor, before
        return False

    @property
    def anchor_mm(self) -> Point | None:
        """The place that stays where it is on the screen when the plane moves; None for the patient."""
        return None

    def hold(self, plane: Plane) -> None:
        """Keep the plane while something is dragged in it."""
        del plane

    def let_go(self) -> None:
        """Follow again."""

    def recentre(self) -> None:
        """Undo what scrolling did, where there is a natural middle."""

    def turn_axis(self, right: float, down: float) -> npt.NDArray[np.float64]:
        """Return the axis about which an arrow key turns a probe: right and down are clockwise."""
        return (right + down) * np.cross(self.right, self.down)


class SliceAim(Aim):
    """A slice of the patient through the crosshair."""

    def __init__(self, workspace: Workspace, view: ViewState, orientation: Orientation) -> None:
        super().__init__(workspace, view, orientation.value)
        self.orientation = orientation
        self.has_legend = orientation is Orientation.AXIAL

    def plane(self, sampler: SliceSampler) -> SlicePlane:
        """Return the slice nearest to the crosshair."""
        return sampler.nearest_plane(self.orientation, self._view.cursor_mm[self.orientation.axis])

    def number(self, sampler: SliceSampler) -> int:
        """Return the slice that is shown, counted from 1 at the lowest coordinate."""
        return 1 + sampler.nearest_index(self.orientation, self._view.cursor_mm[self.orientation.axis])

    def words(self, plane: Plane, sampler: SliceSampler) -> tuple[str, str]:
        """Return number and coordinate of the slice, and its coordinate."""
        where = plane.position_text()
        return f"slice {self.number(sampler)} · {where}", where

    def scroll(self, sampler: SliceSampler, steps: int) -> None:
        """Go that many slices towards the larger coordinate; the crosshair goes along."""
        positions = sampler.positions_mm(self.orientation)
        index = int(np.clip(self.number(sampler) - 1 + steps, 0, len(positions) - 1))
        cursor = list(self._view.cursor_mm)
        cursor[self.orientation.axis] = float(positions[index])
        self._view.cursor_mm = as_point(cursor)

    def field(self, plane: Plane) -> QRectF | None:
        """Return the surroundings of the target; None where there is none."""
        case = self._workspace.case
        target = None if case is None else target_centre_mm(case)
        if target is None:
            return None
        u, v = (float(x) for x in plane.mm_to_plane(target))
        return QRectF(u - FIELD_MM / 2.0, v - FIELD_MM / 2.0, FIELD_MM, FIELD_MM)

    def is_beside(self, cursor: Point, before: Point) -> bool:
        """Scrolling this view's slices must not take it away from what the user has zoomed on."""
        return any(cursor[a] != before[a] for a in range(3) if a != self.orientation.axis)

    @property
    def right(self) -> npt.NDArray[np.float64]:
        """Patient direction to the right of the screen."""
        return self.orientation.right

    @property
    def down(self) -> npt.NDArray[np.float64]:
        """Patient direction down the screen."""
        return self.orientation.down
