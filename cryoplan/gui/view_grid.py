"""ViewGrid: four slice views or four of a probe, or one of them large; zoom and middle of each stay."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cryoplan.app.view import ViewState
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.words import say
from cryoplan.scene.plane import Orientation
from cryoplan.scene.style import theme

GAP_PX = 2
CANVAS = "3d"


class Layout(StrEnum):
    """Which views are seen together; the value is the word on the screen."""

    FOUR_UP = "four-up"
    PROBE_SET = "probe set"


class ViewGrid(QWidget):
    """Axial top left, coronal top right, sagittal bottom left, 3D bottom right; or the probe set.

    In the probe set the probe's eye is top left and the two in-line views are where coronal and sagittal are.

    Parameters
    ----------
    views : mapping of Orientation to SliceView
        The three slice views.
    canvas : QWidget
        The 3D view; if it has a signal ``enlarge_requested``, that is heard, else its double clicks are.
    view : ViewState
        Shared by all views.
    probe_views : mapping of str to SliceView, optional
        The three views of the probe set by their names, in reading order.
    strip : QWidget, optional
        A line over the probe set.

    Signals
    -------
    enlarged_changed : str or None
        Which view is large now.
    layout_changed
        The other set of views is seen now.
    """

    enlarged_changed = Signal(object)
    layout_changed = Signal()

    def __init__(
        self,
        views: Mapping[Orientation, SliceView],
        canvas: QWidget,
        view: ViewState,
        probe_views: Mapping[str, SliceView] | None = None,
        strip: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._placing = view.placing
        slices: dict[str, QWidget] = {o.value: views[o] for o in Orientation}
        self._sets: dict[Layout, dict[str, QWidget]] = {Layout.FOUR_UP: {**slices, CANVAS: canvas}}
        if probe_views:
            self._sets[Layout.PROBE_SET] = {**probe_views, CANVAS: canvas}
        self._layout = Layout.FOUR_UP
        self._strip = strip
        self._enlarged: str | None = None
        if strip is not None:
            strip.setParent(self)
        for widget in self._all():
            widget.setParent(self)
            if hasattr(widget, "enlarge_requested"):
                widget.enlarge_requested.connect(self._toggle_sender)
            else:
                widget.installEventFilter(self)
        if not canvas.accessibleName():
            canvas.setAccessibleName(say("3D view"))
        self.setAccessibleName(say("Views"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(2 * 120 + GAP_PX, 2 * 90 + GAP_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        view.changed.connect(self._view_changed)
        self._arrange()

    @property
    def _cells(self) -> dict[str, QWidget]:
        return self._sets[self._layout]

    def _all(self) -> list[QWidget]:
        return list(dict.fromkeys(w for views in self._sets.values() for w in views.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that `enlarge` takes, such as ``axial``, ``coronal``, ``sagittal`` and ``3d``."""
        return tuple(self._cells)

    @property
    def layout_shown(self) -> Layout:
        """Which views are seen together."""
        return self._layout

    def show_layout(self, layout: Layout) -> None:
        """Show the slices of the patient or the views of the selected probe, all four of them.

        Raises
        ------
        ValueError
            If there are no such views.
        """
        if layout not in self._sets:
            raise ValueError(f"there are no views for {layout.value!r}")
        if layout is self._layout:
            return
        had_focus = any(w.hasFocus() for w in self._all())
        self._layout = layout
        if self._enlarged not in (None, CANVAS):
            self._enlarged = None
            self.enlarged_changed.emit(None)
        self._arrange()
        if had_focus:
            next(iter(self._cells.values())).setFocus(Qt.FocusReason.OtherFocusReason)
        self.layout_changed.emit()

    def toggle_layout(self) -> None:
        """Go to the other set of views."""
        other = Layout.PROBE_SET if self._layout is Layout.FOUR_UP else Layout.FOUR_UP
        self.show_layout(other)

    @property
    def enlarged(self) -> str | None:
        """The large view, None when all four are seen."""
        return self._enlarged

    def widget(self, name: str) -> QWidget:
        """Return the view of that name."""
        return self._cells[name]

    def enlarge(self, name: str | None) -> None:
        """Show one view alone, or all four with None; millimetres per pixel and middles stay.

        Raises
        ------
        ValueError
            If there is no view of that name.
        """
        if name is not None and name not in self._cells:
            raise ValueError(f"there is no view {name!r}: use one of {', '.join(self._cells)}")
        if name == self._enlarged:
            return
        self._enlarged = name
        self._arrange()
        if name is not None:
            self._cells[name].setFocus(Qt.FocusReason.OtherFocusReason)
        self.enlarged_changed.emit(name)

    def toggle(self, name: str) -> None:
        """Enlarge a view, or go back to four when it is large already."""
        self.enlarge(None if self._enlarged == name else name)

    @Slot()
    def _toggle_sender(self) -> None:
        sender = self.sender()
        for name, widget in self._cells.items():
            if widget is sender:
                self.toggle(name)

    def sizeHint(self) -> QSize:
        """Return room for four fair views."""
        return QSize(842, 722)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give each view its quarter."""
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the gaps: lit while a probe is being placed."""
        del event
        look = theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(look.probes.selected if self._placing else look.dark.border))
        painter.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear double clicks of a canvas that does not tell them."""
        if (
            event.type() == QEvent.Type.MouseButtonDblClick
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
            and watched is self._cells[CANVAS]
        ):
            self.toggle(CANVAS)
            return True
        return super().eventFilter(watched, event)

    def _arrange(self) -> None:
        shown = set(self._cells.values())
        for widget in self._all():
            if widget not in shown:
                widget.hide()
        if self._strip is not None:
            self._strip.setGeometry(0, 0, self.width(), self._strip.height())
            self._strip.setVisible(self._layout is Layout.PROBE_SET)
        for name, widget in self._cells.items():
            widget.setGeometry(self._place(name))
            widget.setVisible(self._enlarged in (None, name))
        self.update()

    def _room(self) -> QRect:
        """Return where the views are: below the strip, where that is seen."""
        has_strip = self._strip is not None and self._layout is Layout.PROBE_SET
        return self.rect().adjusted(0, self._strip.height() if has_strip else 0, 0, 0)

    def _place(self, name: str) -> QRect:
        room = self._room()
        if name == self._enlarged:
            return room
        # Equal to the pixel: of an odd number of pixels, one more goes to the gap.
        width, height = (room.width() - GAP_PX) // 2, (room.height() - GAP_PX) // 2
        index = list(self._cells).index(name)
        x = (room.width() - width) if index % 2 else 0
        y = (room.height() - height) if index // 2 else 0
        return QRect(room.x() + x, room.y() + y, width, height)

    @Slot()
    def _view_changed(self) -> None:
        if self._view.placing != self._placing:
            self._placing = self._view.placing
            self.update()
