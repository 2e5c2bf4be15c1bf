"""Placing: the two clicks that make a probe or a tool, tip and skin; shared by all views."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.skin import body_mask, skin_entry
from cryoplan.core.geometry import Point, as_point, distance_mm
from cryoplan.core.units import show_mm
from cryoplan.gui.gesture import attempt
from cryoplan.plan.edit_tools import add_tool
from cryoplan.plan.edits import add_probe
from cryoplan.plan.hold import longest_depth_mm, require_reach, skin_is_known
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.skin_entries import new_names
from cryoplan.plan.tool import WORDS, Tool, ToolKind

DEFAULT_MODEL = "generic-15g"

BANNER_TIP = "Click the deepest point (tip)"
BANNER_SKIN = "Click the skin"

SHORTEST_MM = 1.0
"""Two clicks that are nearer than this are one click twice."""


class Placing(QObject):
    """The two clicks, which may fall in two views.

    On and off is `ViewState.placing`, what is placed `ViewState.placing_tool`; this holds the rest.

    Signals
    -------
    changed
        The banner, the tip or the line to the mouse is different.
    placed : str
        A probe or tool of this name was placed and selected.
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
        """True while clicks place something."""
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
    def label(self) -> str:
        """How deep it would lie, and whether it is long enough; empty without an entry."""
        tip, entry = self.tip_mm, self.entry_mm
        if tip is None or entry is None:
            return ""
        depth, longest = distance_mm(tip, entry), self._longest_mm(tip, entry)
        return show_mm(depth) if depth <= longest else f"{show_mm(depth)}, at most {show_mm(longest)}"

    @property
    def banner(self) -> str:
        """What the views say, empty when not placing."""
        if not self.active:
            return ""
        what = f"{self._called.capitalize()}: " if self._view.placing_tool else ""
        step = BANNER_TIP if self._tip_mm is None else BANNER_SKIN
        return f"{what}{step.lower() if what else step}"

    def start(self) -> None:
        """Begin to place a probe, from the first click on."""
        self._view.placing = False
        self._view.placing_tool = ""
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
            if self._skin_is_missed(as_point(point_mm)):
                self._workspace.message.emit("That is outside the body: click where the tip goes.")
                return
            self._tip_mm = as_point(point_mm)
            self._workspace.message.emit("Target point set: this is the tip. Now click the skin.")
            self.changed.emit()
            return
        self._finish(self._tip_mm, point_mm)

    def _finish(self, tip_mm: Point, point_mm: Point) -> None:
        if distance_mm(tip_mm, point_mm) < SHORTEST_MM:
            self._workspace.message.emit("That is the tip itself: click the skin.")
            return
        entry = self._skin(point_mm)
        if entry is None:
            self._workspace.message.emit("No skin found on that line")
            return
        before = self._workspace.plan
        if attempt(self._workspace, lambda plan: self._with_new(plan, tip_mm, entry)):
            (name,) = new_names(before, self._workspace.plan)
            called = self._called.capitalize()
            self._view.selected_probe = name
            self._view.placing = False
            depth = show_mm(distance_mm(tip_mm, entry))
            self._workspace.message.emit(f"{called} {name} placed, {depth} from skin to tip.")
            self.placed.emit(name)

    @property
    def _called(self) -> str:
        kind = self._view.placing_tool
        return WORDS[ToolKind(kind)] if kind else "probe"

    def _with_new(self, plan: Plan, tip_mm: Point, entry_mm: Point) -> Plan:
        """Return the plan with what is being placed; a shaft that is too short is refused."""
        kind = self._view.placing_tool
        if kind:
            new = add_tool(plan, kind=ToolKind(kind), tip_mm=tip_mm, entry_mm=entry_mm)
        else:
            model = plan.probes[-1].model if plan.probes else DEFAULT_MODEL
            new = add_probe(plan, model=model, tip_mm=tip_mm, entry_mm=entry_mm)
        require_reach(plan, new, self._workspace.catalogue)
        return new

    def _longest_mm(self, tip_mm: Point, entry_mm: Point) -> float:
        kind, plan = self._view.placing_tool, Plan()
        made: Probe | Tool
        if kind:
            made = add_tool(plan, kind=ToolKind(kind), tip_mm=tip_mm, entry_mm=entry_mm).tools[0]
        else:
            probes = self._workspace.plan.probes
            model = probes[-1].model if probes else DEFAULT_MODEL
            made = add_probe(plan, model=model, tip_mm=tip_mm, entry_mm=entry_mm).probes[0]
        return longest_depth_mm(made, self._workspace.catalogue)

    def _skin_is_missed(self, tip_mm: Point) -> bool:
        """Tell whether a tip lies outside a body that is known."""
        case = self._workspace.case
        return case is not None and body_mask(case) is not None and not skin_is_known(case, tip_mm)

    def _skin(self, point_mm: Point) -> Point | None:
        """Return the entry that a click means: on the skin, or as clicked where nothing tells of a skin."""
        case = self._workspace.case
        if case is None or self._tip_mm is None or distance_mm(self._tip_mm, point_mm) < SHORTEST_MM:
            return None
        if body_mask(case) is None:
            return as_point(point_mm)
        return skin_entry(case, self._tip_mm, point_mm)

    @Slot()
    def _view_changed(self) -> None:
        if self._view.placing == self._active:
            return
        self._active = self._view.placing
        self._tip_mm = self._mouse_mm = self._snapped = None
        if not self._active:
            self._view.placing_tool = ""
        if self._active and self._workspace.case is None:
            self._workspace.message.emit("Open a scan first, then place probes.")
            self._view.placing = False
            return
        self.changed.emit()
