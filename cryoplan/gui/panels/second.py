"""Second: the controls of the image that is shown over the first."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panels.looks import OWN, make_combo
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say
from cryoplan.image.scan import Scan
from cryoplan.scene.window import presets_of, show_window


class Second(QWidget):
    """Name, opacity, window and removal of the second image; a button where there is none.

    Signals
    -------
    add_requested
        The user wants to choose a second image.
    """

    add_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self._scan: Scan | None = None
        self._presets: tuple[Window, ...] = ()
        self.add = _button("Add second image...", "Show another series over this one (Ctrl+Shift+A)")
        self.name = Text("", bold=True, wrap=True)
        self.name.setAccessibleName(say("Second image"))
        self.note = Text("", "muted", wrap=True, scale=0.93)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.opacity.setAccessibleName(say("Opacity of the second image"))
        self.opacity.setToolTip(say("How much of the second image is seen; Shift + wheel in a slice view"))
        self.percent = Text("", "muted")
        self.preset = make_combo(
            "Window of the second image", "Its own grey window; Alt + 1 to 8, or Shift + right drag"
        )
        self.numbers = Text("", "muted")
        self.hint = Text("Hold F in a view to see the other image by itself.", "muted", wrap=True, scale=0.93)
        self.remove = _button("Remove", "Show the first image alone; Ctrl+Z brings the second one back")
        self.replace = _button("Another...", "Show another image in its place")
        self._controls = QWidget()
        grid = QGridLayout(self._controls)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (label, control, more) in enumerate(
            (("Opacity", self.opacity, self.percent), ("Window", self.preset, self.numbers))
        ):
            grid.addWidget(Text(label, "muted"), row, 0)
            grid.addWidget(control, row, 1)
            grid.addWidget(more, row, 2)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 2, 0, 0)
        buttons.addWidget(self.replace)
        buttons.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.add, self.name, self._controls, self.hint, self.note, self._buttons):
            column.addWidget(part)
        self.add.clicked.connect(self.add_requested)
        self.replace.clicked.connect(self.add_requested)
        self.remove.clicked.connect(workspace.second.remove)
        self.opacity.valueChanged.connect(self._fade)
        self.preset.activated.connect(self._choose)
        workspace.second.changed.connect(self.refresh)
        workspace.file_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Follow the case and the view state."""
        second = self._workspace.second
        link, scan, trouble = second.link, second.scan, second.trouble
        may_edit = self._workspace.case is not None and self._workspace.keeper.may_edit
        self.add.setVisible(link is None)
        for button in (self.add, self.remove, self.replace):
            button.setEnabled(may_edit)
        self.name.setVisible(link is not None)
        self._controls.setVisible(scan is not None)
        self.hint.setVisible(scan is not None)
        self.note.setVisible(link is not None)
        self._buttons.setVisible(link is not None)
        if link is None:
            return
        self.name.say(link.name, "text")
        if trouble is not None:
            self.note.say(f"! {trouble.what}", "warn")
        elif scan is None:
            self.note.say("It is being read.", "muted")
        elif link.agreed:
            self.note.say(f"! {link.registration}", "warn")
        else:
            self.note.say(link.registration, "muted")
        if scan is not None:
            self._show_looks(scan)
        self._hold_heights()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep room for wrapped lines."""
        super().resizeEvent(event)
        self._hold_heights()

    def _hold_heights(self) -> None:
        # A scrolled column asks for the least height of its parts and squeezes wrapped lines into that.
        for text in (self.name, self.hint, self.note):
            text.setMinimumHeight(max(text.heightForWidth(self.width()), 0))
        self._controls.setMinimumHeight(self._controls.sizeHint().height())

    def _show_looks(self, scan: Scan) -> None:
        if scan is not self._scan:
            self._scan = scan
            found = presets_of(scan)
            self._presets = tuple(Window(width=w.width, level=w.level) for w in found)
            self.preset.clear()
            self.preset.addItems([*(say(w.name) for w in found), say(OWN)])
        window, percent = self._view.second_window, round(100 * self._view.second_opacity)
        known = window in self._presets
        self.preset.setCurrentIndex(self._presets.index(window) if known else len(self._presets))
        self.numbers.say(show_window(window.width, window.level))
        self.percent.say(f"{percent} %")
        blocked = self.opacity.blockSignals(True)
        self.opacity.setValue(percent)
        self.opacity.blockSignals(blocked)

    @Slot(int)
    def _fade(self, percent: int) -> None:
        self._view.second_opacity = percent / 100.0

    @Slot(int)
    def _choose(self, index: int) -> None:
        if index < len(self._presets):
            self._view.second_window = self._presets[index]
        else:
            self.refresh()  # by hand is what a right drag does, not a window of its own


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(say(text))
    button.setAccessibleName(say(text.rstrip(".")))
    button.setToolTip(say(tip))
    return button
