"""Actions: one table of everything the menus and keys can do, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from cryoplan.app.workspace import Workspace
from cryoplan.gui.words import say


class Needs(StrEnum):
    """What an action needs to be possible."""

    NOTHING = "nothing"
    CASE = "case"
    PROBES = "probes"
    MAY_EDIT = "a case that may be changed"
    EDIT_PROBES = "probes that may be changed"
    CURRENT = "current result"
    BUSY = "background work"
    UNDO = "something to undo"
    REDO = "something to redo"


@dataclass(frozen=True, slots=True)
class Entry:
    """One action: id, menu, text, keys (several with ``; ``), what it needs, what it calls."""

    id: str
    menu: str
    text: str
    keys: str
    needs: Needs
    call: Callable[[], object]


SEPARATOR = "-"

MANNERS = (
    ("Wheel", "scroll through the slices"),
    ("Ctrl + wheel", "zoom at the mouse"),
    ("Middle drag", "move the picture"),
    ("Right drag", "window and level"),
    ("Left click", "move the crosshair"),
    ("Double click", "enlarge a view and back"),
    ("1 ... 8", "window presets of the scan (in a slice view)"),
    ("T", "thick slab: one slice, MIP, MinIP, mean (in a slice view)"),
    (", and .", "thinner and thicker slab"),
    ("F held", "the other image by itself, where there is a second one (in a slice view)"),
    ("Shift + wheel", "more or less of the second image"),
    ("Shift + right drag", "window and level of the second image"),
    ("Alt + 1 ... 8", "window presets of the second image (in a slice view)"),
    ("H", "hide and show all overlays"),
    ("Drag a grip", "tip, entry or whole of the selected probe or needle, in slices and in 3D"),
    ("Arrows", "move the selected probe by 1 mm, with Shift by 5 mm, with Alt turn by 1°"),
    ("Arrows, nothing selected", "move the crosshair; also while placing or drawing"),
    ("Space", "click at the crosshair, while placing or drawing; with Shift the opposite"),
    ("Ctrl + arrows", "move all free probes and needles together"),
    ("Tab", "next probe"),
    ("Click a probe", "select it, in slices and in 3D"),
    ("L", "lock or free the selected probe or needle"),
    ("Shift + L", "lock or free the whole plan"),
    ("Esc", "give up a drag or a placing; then select nothing"),
)
"""Gestures of the views, for the shortcut sheet; the keys of the table come on top."""


def build(window: QMainWindow, workspace: Workspace, entries: tuple[Entry, ...]) -> dict[str, QAction]:
    """Make the menus and return the actions by id; their being possible follows the workspace."""
    actions: dict[str, QAction] = {}
    menus: dict[str, QMenu] = {}
    for entry in entries:
        menu = menus.get(entry.menu)
        if menu is None:
            menu = menus[entry.menu] = window.menuBar().addMenu(say(entry.menu))
        if entry.id == SEPARATOR:
            menu.addSeparator()
            continue
        action = QAction(say(entry.text), window)
        if entry.keys:
            action.setShortcuts(QKeySequence.listFromString(entry.keys))
        # A method of the window, never a lambda: it has to live as long as the action.
        action.triggered.connect(entry.call)
        menu.addAction(action)
        actions[entry.id] = action

    def refresh() -> None:
        for entry in entries:
            if entry.id != SEPARATOR:
                actions[entry.id].setEnabled(_possible(workspace, entry.needs))

    for signal in (
        workspace.case_changed, workspace.plan_changed, workspace.state_changed, workspace.file_changed,
    ):  # fmt: skip
        signal.connect(refresh)
    refresh()
    return actions


def _possible(workspace: Workspace, needs: Needs) -> bool:
    may_edit = workspace.case is not None and workspace.keeper.may_edit
    return {
        Needs.MAY_EDIT: may_edit,
        Needs.EDIT_PROBES: may_edit and bool(workspace.plan.probes),
        Needs.NOTHING: True,
        Needs.CASE: workspace.case is not None,
        Needs.PROBES: workspace.case is not None and bool(workspace.plan.probes),
        Needs.CURRENT: workspace.can_export,
        Needs.BUSY: workspace.is_busy,
        Needs.UNDO: workspace.keeper.can_undo,
        Needs.REDO: workspace.keeper.can_redo,
    }[needs]
