"""Panel: what all share; a scrolled column that refreshes once for many changes, and only when seen."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.gesture import attempt
from cryoplan.gui.parts import Later, WidthLock
from cryoplan.gui.words import say

HELD_MS = 120
"""How far the numbers may be behind a probe that is dragged."""

SLOW_MS = 200
"""What takes longer than a frame of a drag waits this long after the last change."""


class Panel(QWidget):
    """A column of widgets about the workspace.

    Subclasses put widgets in with `add`, fill them in `refresh` (cheap, at every change) and in
    `refresh_slow` (anything that looks at masks; after the last change). What changes the case or the plan
    is enabled with `enable_edits`, so that a case that is open for reading only greys it everywhere.
    """

    def __init__(self, workspace: Workspace, view: ViewState, *, title: str) -> None:
        super().__init__()
        self.workspace, self.view = workspace, view
        self.setAccessibleName(say(title))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._soon = Later(self._refresh_if_seen, self)
        self._slow = Later(self._refresh_slow_if_seen, self, SLOW_MS)
        self._behind = True
        self._behind_slow = True
        self._selected = view.selected_probe
        self._may_edit = workspace.keeper.may_edit

        content = QWidget()
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(11, 10, 11, 12)
        self.column.setSpacing(5)
        # What is left of the height goes below everything: an alignment would spread texts that wrap.
        self.column.addStretch(1)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(content)
        self.area.viewport().installEventFilter(WidthLock(self.area))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.area)

        for signal in (
            workspace.case_changed,
            workspace.plan_changed,
            workspace.result_changed,
            workspace.state_changed,
            workspace.limits_changed,
        ):
            signal.connect(self._ask_soon)
        for signal in (
            workspace.case_changed,
            workspace.plan_changed,
            workspace.result_changed,
            workspace.limits_changed,
        ):
            signal.connect(self._slow.ask)
        workspace.file_changed.connect(self._file_changed)
        view.changed.connect(self._look_changed)

    def add(self, part: QWidget | QLayout) -> None:
        """Put a widget or a layout at the end of the column."""
        last = self.column.count() - 1
        if isinstance(part, QWidget):
            self.column.insertWidget(last, part)
        else:
            self.column.insertLayout(last, part)

    def enable_edits(self, *parts: QWidget, when: bool = True) -> None:
        """Enable widgets that change the case or the plan, if that may be changed at all.

        Parameters
        ----------
        when : bool
            What else it needs.
        """
        may = when and self.workspace.keeper.may_edit
        for part in parts:
            part.setEnabled(may)

    def refresh(self) -> None:
        """Fill in what is cheap."""

    def refresh_slow(self) -> None:
        """Fill in what takes its time."""

    def layers_changed(self) -> None:
        """React to a change of what is looked at; the selected probe is taken care of."""

    @property
    def is_busy_refreshing(self) -> bool:
        """True while anything shown may be behind the workspace."""
        return self._soon.is_waiting or self._behind or self.is_slow_part_old

    @property
    def is_slow_part_old(self) -> bool:
        """True while the slow part shows an earlier plan."""
        return self._slow.is_waiting or self._behind_slow

    def try_edit(self, make) -> bool:
        """Edit the plan; an edit that is refused is said and changes nothing.

        Parameters
        ----------
        make : callable
            Takes the plan, returns the next one.
        """
        done = attempt(self.workspace, make)
        if not done:
            self.refresh()
        return done

    def go_to(self, point: Point) -> None:
        """Move the crosshair."""
        self.view.cursor_mm = point

    def go_to_place(self, point: Point) -> None:
        """Move the crosshair to a place of the tumour's surface, mark it and turn the 3D view to it."""
        self.view.place_mm = point
        self.go_to(point)

    @Slot()
    def _ask_soon(self) -> None:
        # While a probe is held the picture under the hand comes first; numbers follow some times a second.
        if self.workspace.live.is_held():
            self._soon.ask_within(HELD_MS)
        else:
            self._soon.ask()

    @Slot()
    def _file_changed(self) -> None:
        # Told with every step that is written; only this matters to what is enabled.
        if self.workspace.keeper.may_edit != self._may_edit:
            self._may_edit = not self._may_edit
            self._soon.ask()

    @Slot()
    def _look_changed(self) -> None:
        if self.view.selected_probe != self._selected:
            self._selected = self.view.selected_probe
            self._soon.ask()
        if self.isVisible():
            self.layers_changed()

    @Slot()
    def _refresh_if_seen(self) -> None:
        self._behind = not self.isVisible()
        if not self._behind:
            self.refresh()

    @Slot()
    def _refresh_slow_if_seen(self) -> None:
        self._behind_slow = not self.isVisible()
        if not self._behind_slow:
            self.refresh_slow()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while nobody looked."""
        super().showEvent(event)
        if self._behind:
            self._behind = False
            self.refresh()
        if self._behind_slow and not self._slow.is_waiting:
            self._behind_slow = False
            self.refresh_slow()
        self.layers_changed()

    def changeEvent(self, event: QEvent) -> None:
        """Follow another look or text size."""
        super().changeEvent(event)
        if event.type() in (
            QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.ApplicationFontChange,
        ) and hasattr(self, "_soon"):  # fmt: skip
            self._soon.ask()
            self._slow.ask()
