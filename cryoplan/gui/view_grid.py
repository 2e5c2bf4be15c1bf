"""View grid: axial, coronal, sagittal and 3D side by side, or one of them large."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from cryoplan.app.view import ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.core.geometry import Point, as_point
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_keys import ProbeKeys
from cryoplan.gui.slice_content import SliceContent
from cryoplan.gui.slice_view import SliceView
from cryoplan.scene.slices import Orientation, default_window

SPACING = 2
PLACES = {Orientation.AXIAL: (0, 0), Orientation.CORONAL: (0, 1), Orientation.SAGITTAL: (1, 0)}
CANVAS_PLACE = (1, 1)


class ViewGrid(QWidget):
    """Three slices and a canvas, linked by one crosshair.

    A double click makes a view large and small again, without changing its zoom. The key of the lines stands
    in the axial view, and in any view that is large.

    Parameters
    ----------
    workspace, view
        What there is, and how it is looked at.
    canvas : QWidget or None
        The 3D view, or whatever stands in its place.

    Signals
    -------
    pointed : Point or None
        Where the mouse is in one of the slices.
    """

    pointed = Signal(object)

    def __init__(
        self,
        workspace: Workspace,
        view: ViewState,
        canvas: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("viewArea")
        self._workspace, self._view = workspace, view
        self.content = SliceContent(workspace, view, self)
        self.placing = Placing(workspace, view, self)
        self.keys = ProbeKeys(workspace, view)
        self.slices = {
            orientation: SliceView(workspace, view, orientation, self.content, self.placing, self)
            for orientation in Orientation
        }
        self.canvas = canvas
        self._large: QWidget | None = None
        self._kept: dict[SliceView, bool] = {}
        self._case: Case | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACING)
        for orientation, slice_view in self.slices.items():
            self._grid.addWidget(slice_view, *PLACES[orientation])
            slice_view.pointed.connect(self.pointed)
            slice_view.enlarge_wanted.connect(self._toggle_sender)
        if canvas is not None:
            self._grid.addWidget(canvas, *CANVAS_PLACE)
            canvas.installEventFilter(self)
        self._share_room()
        workspace.case_changed.connect(self._take_case)
        # A thread that outlives the program would end it with an abort.
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.content.close)
        self._take_case()

    @property
    def views(self) -> tuple[QWidget, ...]:
        """All views in reading order."""
        return (*self.slices.values(), *(() if self.canvas is None else (self.canvas,)))

    @property
    def large(self) -> QWidget | None:
        """The view that fills the area, None while all are shown."""
        return self._large

    def toggle_large(self, which: QWidget) -> None:
        """Make a view large, or show all again when it is; no zoom changes."""
        if self._large is which:
            self._large = None
            for one in self.views:
                one.show()
            self._share_room()
            self._grid.activate()
            # Only now may a change of size fit the pictures again.
            for slice_view, kept in self._kept.items():
                slice_view.keep_zoom(kept)
            self._kept.clear()
            return
        if self._large is None:
            self._kept = {s: s.keep_zoom(True) for s in self.slices.values()}
        self._large = which
        for one in self.views:
            one.setVisible(one is which)
        self._share_room()
        self._grid.activate()
        which.setFocus()

    def toggle_large_number(self, number: int) -> None:
        """Make the view at a place (0 axial, 1 coronal, 2 sagittal, 3 3D) large, or show all again."""
        if 0 <= number < len(self.views):
            self.toggle_large(self.views[number])

    def close_views(self) -> None:
        """End what runs in the background; the window calls it before it closes."""
        self.content.close()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Let a double click on the head of the canvas make it large."""
        if (
            event.type() == QEvent.Type.MouseButtonDblClick
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
            and self.canvas is not None
        ):
            self.toggle_large(self.canvas)
            return True
        return False

    def _share_room(self) -> None:
        # Rows and columns of hidden views keep their stretch unless told otherwise.
        for index in (0, 1):
            row = any(
                self._grid.itemAtPosition(index, c) is not None and self._is_on(index, c) for c in (0, 1)
            )
            column = any(
                self._grid.itemAtPosition(r, index) is not None and self._is_on(r, index) for r in (0, 1)
            )
            self._grid.setRowStretch(index, 1 if row else 0)
            self._grid.setColumnStretch(index, 1 if column else 0)
        self._grid.setSpacing(SPACING if self._large is None else 0)
        for orientation, slice_view in self.slices.items():
            slice_view.shows_key = orientation is Orientation.AXIAL or slice_view is self._large

    def _is_on(self, row: int, column: int) -> bool:
        item = self._grid.itemAtPosition(row, column)
        return item is not None and (self._large is None or item.widget() is self._large)

    @Slot()
    def _toggle_sender(self) -> None:
        sender = self.sender()
        if isinstance(sender, QWidget):
            self.toggle_large(sender)

    @Slot()
    def _take_case(self) -> None:
        """Look at a new scan the way it wants to be seen, and at its target."""
        case, before = self._workspace.case, self._case
        self._case = case
        if case is None:
            return
        new = before is None or case.scan.volume is not before.scan.volume
        if new:
            window = default_window(case.scan)
            self._view.window = Window(width=window.width, level=window.level)
            probes = self._workspace.plan.probes
            self._view.selected_probe = probes[0].name if probes else None
        if new or before is None or case.target_name != before.target_name:
            self._view.cursor_mm = _middle(case)


def _middle(case: Case) -> Point:
    """Return the middle of the target, or of the scan."""
    if case.target is None:
        return as_point(case.scan.volume.grid.centre_mm())
    first, last = voxel_box_ijk(case.target.mask)
    return as_point(case.target.mask.grid.index_to_mm(0.5 * (np.asarray(first) + np.asarray(last))))
