"""ViewGrid: the four views, four-up or one of them large; zoom and middle of each stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cryoplan.app.view import ViewState
from cryoplan.gui.slice_view import SliceView
from cryoplan.scene.plane import Orientation
from cryoplan.scene.style import theme

GAP_PX = 2
CANVAS = "3d"


class ViewGrid(QWidget):
    """Axial top left, coronal top right, sagittal bottom left, 3D bottom right.

    Parameters
    ----------
    views : mapping of Orientation to SliceView
        The three slice views.
    canvas : QWidget
        The 3D view; if it has a signal ``enlarge_requested``, that is heard, else its double clicks are.
    view : ViewState
        Shared by all views.

    Signals
    -------
    enlarged_changed : str or None
        Which view is large now.
    """

    enlarged_changed = Signal(object)

    def __init__(
        self,
        views: Mapping[Orientation, SliceView],
        canvas: QWidget,
        view: ViewState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._placing = view.placing
        self._cells: dict[str, QWidget] = {o.value: views[o] for o in Orientation}
        self._cells[CANVAS] = canvas
        self._enlarged: str | None = None
        for widget in self._cells.values():
            widget.setParent(self)
            widget.show()
            if hasattr(widget, "enlarge_requested"):
                widget.enlarge_requested.connect(self._toggle_sender)
            else:
                widget.installEventFilter(self)
        if not canvas.accessibleName():
            canvas.setAccessibleName("3D view")
        self.setAccessibleName("Views")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(2 * 120 + GAP_PX, 2 * 90 + GAP_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        view.changed.connect(self._view_changed)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that `enlarge` takes: ``axial``, ``coronal``, ``sagittal`` and ``3d``."""
        return tuple(self._cells)

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
        for name, widget in self._cells.items():
            widget.setGeometry(self._place(name))
            widget.setVisible(self._enlarged in (None, name))
        self.update()

    def _place(self, name: str) -> QRect:
        if name == self._enlarged:
            return self.rect()
        # Equal to the pixel: of an odd number of pixels, one more goes to the gap.
        width, height = (self.width() - GAP_PX) // 2, (self.height() - GAP_PX) // 2
        index = list(self._cells).index(name)
        x = (self.width() - width) if index % 2 else 0
        y = (self.height() - height) if index // 2 else 0
        return QRect(x, y, width, height)

    @Slot()
    def _view_changed(self) -> None:
        if self._view.placing != self._placing:
            self._placing = self._view.placing
            self.update()
