"""Probe gestures: placing, gripping and nudging probes; each becomes one undoable change of the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal, Slot

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.skin import skin_entry
from cryoplan.core.errors import CryoplanError
from cryoplan.core.geometry import Point, as_point, distance_mm, point_to_segment_mm
from cryoplan.core.units import show_mm
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.edits import (
    Grip,
    add_probe,
    copy_parallel,
    move_entry,
    nudge,
    remove_probe,
    set_locked,
    tilt,
)
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.scene.plane import Orientation

DEFAULT_MODEL = "generic-15g"
PARALLEL_MM = 15.0
"""Spacing of a parallel copy. Source: best joint ice at 15 to 20 mm, Shah 2016 (PMC4850244)."""

NUDGE_MM = 1.0
TURN_DEG = 1.0
LARGE = 5.0
"""How many times further a step goes with Shift."""

REACH_PX = 11.0
"""How near to a grip the mouse must be."""

SHORT_PX = 30.0
"""A probe seen nearly end-on is shorter than this: then tip and entry cannot be told apart."""

BANNER_TIP = "Click the deepest point (tip)"
BANNER_SKIN = "Click the skin"

_gestures = count(1)


def new_gesture() -> str:
    """Return a name that no other gesture of this program run has."""
    return f"slice-gesture-{next(_gestures)}"


def attempt(workspace: Workspace, change: Callable[[Plan], Plan], *, gesture: str | None = None) -> bool:
    """Change the plan as one undoable step; a refusal becomes a message. Tells whether it was done."""
    old = workspace.plan
    try:
        new = change(old)
        workspace.edit(describe_change(old, new), new, gesture=gesture)
    except CryoplanError as error:
        workspace.message.emit(str(error))
        return False
    return True


# The selected probe ---------------------------------------------------------------------------------


def selected(workspace: Workspace, view: ViewState) -> Probe | None:
    """Return the selected probe, None when there is none of that name in the plan."""
    return next((p for p in workspace.plan.probes if p.name == view.selected_probe), None)


def select_next(workspace: Workspace, view: ViewState, step: int = 1) -> bool:
    """Select the next probe and go to the middle of its active zone; False when there is no probe."""
    probes = workspace.plan.probes
    if not probes:
        return False
    names = [p.name for p in probes]
    if view.selected_probe in names:
        index = (names.index(view.selected_probe) + step) % len(names)
    else:
        index = 0 if step > 0 else len(names) - 1
    view.selected_probe = names[index]
    front, back = probes[index].active_zone_mm(workspace.catalogue.model(probes[index].model))
    view.cursor_mm = as_point((np.asarray(front) + np.asarray(back)) / 2.0)
    return True


def copy_selected(workspace: Workspace, view: ViewState) -> bool:
    """Copy the selected probe 15 mm beside itself, on its free side, and select the copy."""
    probe = _need_selected(workspace, view)
    if probe is None:
        return False
    before = {p.name for p in workspace.plan.probes}
    hours = free_side(workspace.plan, probe.name, PARALLEL_MM, workspace.case)

    def change(plan: Plan) -> Plan:
        beside = copy_parallel(plan, probe.name, distance_mm=PARALLEL_MM, clock_hours=hours)
        return _entry_on_skin(workspace.case, beside, before)

    done = attempt(workspace, change)
    if done:
        view.selected_probe = next(p.name for p in workspace.plan.probes if p.name not in before)
    return done


def _entry_on_skin(case: Case | None, plan: Plan, before: set[str]) -> Plan:
    """Put the entry of the probe that is new in `plan` on the skin; the body is round, so a copy's is not."""
    probe = next(p for p in plan.probes if p.name not in before)
    entry = None if case is None else skin_entry(case, probe.tip_mm, probe.entry_mm)
    return plan if entry is None else move_entry(plan, probe.name, entry)


def toggle_lock(workspace: Workspace, view: ViewState) -> bool:
    """Lock the selected probe, or free it."""
    probe = _need_selected(workspace, view)
    return probe is not None and attempt(workspace, lambda p: set_locked(p, probe.name, not probe.locked))


def delete_selected(workspace: Workspace, view: ViewState) -> bool:
    """Remove the selected probe and select the one before it; a locked one stays."""
    probe = _need_selected(workspace, view)
    if probe is None:
        return False
    index = workspace.plan.probes.index(probe)
    if not attempt(workspace, lambda p: remove_probe(p, probe.name)):
        return False
    left = workspace.plan.probes
    view.selected_probe = left[max(index - 1, 0)].name if left else None
    return True


def _need_selected(workspace: Workspace, view: ViewState) -> Probe | None:
    probe = selected(workspace, view)
    if probe is None:
        workspace.message.emit("Select a probe first (Tab goes to the next one).")
    return probe


def free_side(plan: Plan, name: str, distance: float, case: Case | None) -> float:
    """Return the hour of the clock (see `copy_parallel`) on which a parallel copy is of most use.

    Of the hours at which it keeps its distance from every other probe, the one nearest to the middle of the
    target; when there is no such hour or no target, the one farthest from the other probes.
    """
    others = [p for p in plan.probes if p.name != name]
    target = target_centre_mm(case) if case is not None else None
    best: tuple[tuple[bool, float], float] | None = None
    for hours in (3.0, 9.0, 6.0, 12.0, 2.0, 4.0, 8.0, 10.0, 1.0, 5.0, 7.0, 11.0):
        copy = copy_parallel(plan, name, distance_mm=distance, clock_hours=hours).probes[-1]
        gap = min(
            (float(point_to_segment_mm(copy.tip_mm, p.entry_mm, p.tip_mm)) for p in others),
            default=float("inf"),
        )
        free = gap >= 0.9 * distance
        if free and target is not None:
            # In half millimetres: equal sides stay in the order above, which starts at the sides.
            worth = -round(2.0 * float(point_to_segment_mm(target, copy.entry_mm, copy.tip_mm))) / 2.0
        else:
            worth = min(gap, 1e6)
        if best is None or (free, worth) > best[0]:
            best = ((free, worth), hours)
    assert best is not None
    return best[1]


def target_centre_mm(case: Case) -> Point | None:
    """Return the middle of the target's voxels, None without a target."""
    if case.target is None:
        return None
    mask = case.target.mask
    # Only the box of the tumour is searched: a whole scan takes a tenth of a second.
    (i0, j0, k0), (i1, j1, k1) = voxel_box_ijk(mask)
    inside = np.argwhere(mask.values[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1])
    k, j, i = inside.mean(axis=0) + np.array([k0, j0, i0])
    return as_point(mask.grid.index_to_mm(np.array([i, j, k])))


# Placing --------------------------------------------------------------------------------------------


class Placing(QObject):
    """The two clicks that make a probe, tip and skin; shared by all views, so they may fall in two of them.

    On and off is `ViewState.placing`; this holds the rest.

    Signals
    -------
    changed
        The banner, the tip or the line to the mouse is different.
    placed : str
        A probe of this name was placed and selected.
    """

    changed = Signal()
    placed = Signal(str)

    def __init__(self, workspace: Workspace, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._view = view
        self._active = False
        self._tip_mm: Point | None = None
        self._mouse_mm: Point | None = None
        self._snapped: tuple[Point, Point | None] | None = None
        view.changed.connect(self._view_changed)
        workspace.case_changed.connect(self.cancel)
        self._view_changed()

    @property
    def active(self) -> bool:
        """True while clicks place a probe."""
        return self._view.placing and self._workspace.case is not None

    @property
    def tip_mm(self) -> Point | None:
        """Where the tip will be, None before the first click."""
        return self._tip_mm if self.active else None

    @property
    def mouse_mm(self) -> Point | None:
        """The place under the mouse, in whichever view it is."""
        return self._mouse_mm if self.active else None

    @property
    def entry_mm(self) -> Point | None:
        """Where the entry would snap to now, None where no skin is found."""
        if self.tip_mm is None or self._mouse_mm is None:
            return None
        # Looking for the skin takes as long as a drawing: once a place, and only when somebody draws.
        if self._snapped is None or self._snapped[0] != self._mouse_mm:
            self._snapped = (self._mouse_mm, self._skin(self._mouse_mm))
        return self._snapped[1]

    @property
    def banner(self) -> str:
        """What the views say, empty when not placing."""
        if not self.active:
            return ""
        return BANNER_TIP if self._tip_mm is None else BANNER_SKIN

    def start(self) -> None:
        """Begin, from the first click on."""
        self._view.placing = True

    @Slot()
    def cancel(self) -> None:
        """Leave without a probe."""
        self._view.placing = False

    def hover(self, point_mm: Point | None) -> None:
        """Let the line follow the mouse."""
        if self.active and point_mm != self._mouse_mm:
            self._mouse_mm = point_mm
            if self._tip_mm is not None:
                self.changed.emit()

    def click(self, point_mm: Point) -> None:
        """Take a click of any view: first the tip, then the skin."""
        if not self.active:
            return
        if self._tip_mm is None:
            self._tip_mm = as_point(point_mm)
            self._workspace.message.emit("Target point set: this is the tip. Now click the skin.")
            self.changed.emit()
            return
        self._finish(self._tip_mm, point_mm)

    def _finish(self, tip_mm: Point, point_mm: Point) -> None:
        if distance_mm(tip_mm, point_mm) < 1.0:
            self._workspace.message.emit("That is the tip itself: click the skin.")
            return
        entry = self._skin(point_mm)
        if entry is None:
            self._workspace.message.emit("No skin found on that line")
            return
        probes = self._workspace.plan.probes
        model = probes[-1].model if probes else DEFAULT_MODEL
        before = {p.name for p in probes}
        if attempt(self._workspace, lambda p: add_probe(p, model=model, tip_mm=tip_mm, entry_mm=entry)):
            name = next(p.name for p in self._workspace.plan.probes if p.name not in before)
            self._view.selected_probe = name
            self._view.placing = False
            depth = show_mm(distance_mm(tip_mm, entry))
            self._workspace.message.emit(f"Probe {name} placed, {depth} from skin to tip.")
            self.placed.emit(name)

    def _skin(self, point_mm: Point) -> Point | None:
        case = self._workspace.case
        if case is None or self._tip_mm is None or distance_mm(self._tip_mm, point_mm) < 1.0:
            return None
        return skin_entry(case, self._tip_mm, point_mm)

    @Slot()
    def _view_changed(self) -> None:
        if self._view.placing == self._active:
            return
        self._active = self._view.placing
        self._tip_mm = self._mouse_mm = self._snapped = None
        if self._active and self._workspace.case is None:
            self._workspace.message.emit("Open a scan first, then place probes.")
            self._view.placing = False
            return
        self.changed.emit()


# Grips ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlacedGrip:
    """One of the three places of a probe that can be held, and where it is on the widget."""

    probe: str
    kind: Grip
    at: QPointF


def clipped(a: QPointF, b: QPointF, rect: QRectF) -> tuple[QPointF, QPointF] | None:
    """Return the part of a segment inside a rectangle (Liang and Barsky 1984), None when there is none."""
    low, high = 0.0, 1.0
    dx, dy = b.x() - a.x(), b.y() - a.y()
    for step, gap in (
        (-dx, a.x() - rect.left()),
        (dx, rect.right() - a.x()),
        (-dy, a.y() - rect.top()),
        (dy, rect.bottom() - a.y()),
    ):
        if step == 0.0:
            if gap < 0.0:
                return None
        elif step < 0.0:
            low = max(low, gap / step)
        else:
            high = min(high, gap / step)
    if low > high:
        return None
    return QPointF(a.x() + low * dx, a.y() + low * dy), QPointF(a.x() + high * dx, a.y() + high * dy)


def place_grips(probe: Probe, tip: QPointF, entry: QPointF, rect: QRectF) -> tuple[PlacedGrip, ...]:
    """Return the grips of a probe whose ends are drawn at `tip` and `entry` of a widget.

    The whole is held in the middle of what is seen of the shaft. A locked probe has no grips; one seen
    end-on has only the whole, because its ends lie on one another.
    """
    if probe.locked:
        return ()
    grips = []
    seen = clipped(tip, entry, rect)
    if seen is not None:
        grips.append(PlacedGrip(probe.name, Grip.WHOLE, (seen[0] + seen[1]) / 2.0))
    apart = tip - entry
    if float(np.hypot(apart.x(), apart.y())) >= SHORT_PX:
        ends = ((Grip.TIP, tip), (Grip.ENTRY, entry))
        grips += [PlacedGrip(probe.name, kind, at) for kind, at in ends if rect.contains(at)]
    return tuple(grips)


def grip_at(grips: tuple[PlacedGrip, ...], pos: QPointF) -> PlacedGrip | None:
    """Return the nearest grip within reach."""
    near = [(float(np.hypot(g.at.x() - pos.x(), g.at.y() - pos.y())), g) for g in grips]
    near = [pair for pair in near if pair[0] <= REACH_PX]
    return min(near, key=lambda pair: pair[0])[1] if near else None


class GripDrag:
    """A drag of one grip within the plane of a view; all of it is one step of the history."""

    def __init__(self, workspace: Workspace, grip: PlacedGrip, start_mm: Point) -> None:
        self._workspace = workspace
        self._gesture = new_gesture()
        self._before = self._last = workspace.plan
        self._start_mm = np.asarray(start_mm)
        self.probe = grip.probe
        self.kind = grip.kind

    @property
    def is_overtaken(self) -> bool:
        """True when something else (undo, for one) changed the plan during the drag: that wins."""
        return self._workspace.plan != self._last

    def move(self, to_mm: Point) -> None:
        """Follow the mouse; both points of the drag lie in one plane, so nothing moves across it."""
        by = np.asarray(to_mm) - self._start_mm
        # From the plan before the drag: rounding cannot add up, and coming back leaves no step.
        before = self._before
        attempt(
            self._workspace,
            lambda _plan: nudge(before, self.probe, by, grip=self.kind) if by.any() else before,
            gesture=self._gesture,
        )
        self._last = self._workspace.plan

    def cancel(self) -> None:
        """Put the probe back; no step is left in the history."""
        attempt(self._workspace, lambda _plan: self._before, gesture=self._gesture)


# Keys -----------------------------------------------------------------------------------------------

_ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


class ProbeKeys:
    """What the keys of a view do to the selected probe."""

    def __init__(self, workspace: Workspace, view: ViewState, orientation: Orientation) -> None:
        self._workspace = workspace
        self._view = view
        self._orientation = orientation
        self._held: tuple[object, str] = (None, "")

    def press(self, key: int, modifiers: Qt.KeyboardModifier, *, repeated: bool = False) -> bool:
        """Do what a key means; False when it means nothing here."""
        if key in _ARROWS:
            probe = selected(self._workspace, self._view)
            if probe is not None:
                self._arrow(probe, Qt.Key(key), modifiers, repeated)
            return probe is not None
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return select_next(self._workspace, self._view, -1 if key == Qt.Key.Key_Backtab else 1)
        action = {
            Qt.Key.Key_D: copy_selected,
            Qt.Key.Key_L: toggle_lock,
            Qt.Key.Key_Delete: delete_selected,
        }.get(Qt.Key(key))
        if action is None:
            return False
        if not repeated:
            action(self._workspace, self._view)
        return True

    def _arrow(self, probe: Probe, key: Qt.Key, modifiers: Qt.KeyboardModifier, repeated: bool) -> None:
        # A key that is held down is one gesture: one undo takes all of it back.
        held = (key, modifiers.value, probe.name)
        if not repeated or self._held[0] != held:
            self._held = (held, new_gesture())
        times = LARGE if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
        o = self._orientation
        right, down = _ARROWS[key]
        if modifiers & Qt.KeyboardModifier.AltModifier:
            # Right and down turn clockwise on the screen: about the direction that points into it.
            axis = np.zeros(3)
            axis[o.axis] = -1.0 if o is Orientation.SAGITTAL else 1.0
            turn = times * TURN_DEG * (right + down)
            attempt(self._workspace, lambda p: tilt(p, probe.name, axis, turn), gesture=self._held[1])
            return
        by = np.zeros(3)
        by[o.u_axis], by[o.v_axis] = right, down * o.v_sign
        by *= times * NUDGE_MM
        attempt(self._workspace, lambda p: nudge(p, probe.name, by), gesture=self._held[1])
