"""Helps: the ways to help - the page of a panel, the glossary, the tour, what messages mean, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog

from cryoplan.gui import actions, drawing, probe_set
from cryoplan.gui.dialogs.about import AboutDialog
from cryoplan.gui.dialogs.shortcuts import ShortcutsDialog
from cryoplan.gui.meaning import open_meaning
from cryoplan.gui.waiting import waiting

if TYPE_CHECKING:
    from cryoplan.gui.main_window import MainWindow
    from cryoplan.gui.tour import Tour


class Helps(QObject):
    """Opens each beside the work; what is long to load is loaded when it is asked for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._wants_tour = False
        self._tour: Tour | None = None
        window.workspace.meshes_changed.connect(self._begin_tour)

    @Slot()
    def show_panel(self) -> None:
        """Show the help on the step that is open."""
        self._dialog().show_panel(self._window.stack.currentIndex())

    @Slot()
    def show_glossary(self) -> None:
        """Show the glossary."""
        self._dialog().show_glossary()

    @Slot()
    def start_tour(self) -> None:
        """Walk through the desk: on the case that is open, else on the built-in one once it is there."""
        self._wants_tour = True
        if self._window.workspace.case is None:
            self._window.workspace.open_demo()
        else:
            self._begin_tour()

    @property
    def tour(self) -> Tour | None:
        """The tour that is under way, None when there is none."""
        return None if self._tour is None or self._tour.is_over else self._tour

    @Slot()
    def _begin_tour(self) -> None:
        window = self._window
        if not self._wants_tour or window.workspace.case is None:
            return
        self._wants_tour = False
        from cryoplan.gui.tour import Tour

        running = self.tour
        if running is not None:
            running.end()
        places = {
            "rail": lambda: window.rail,
            "views": lambda: window.grid,
            "panel": lambda: window.stack,
            "solve": lambda: window.top_bar,
            "bar": lambda: window.protocol_bar,
            "card": lambda: window.card,
        }
        self._tour = Tour(window, places, window.show_step)

    @Slot()
    def show_shortcuts(self) -> None:
        """Show the sheet of keys and gestures."""
        rows = [
            (", ".join(keys.toString() for keys in action.shortcuts()), action.text().replace("&", ""))
            for action in self._window.actions_by_id.values()
            if not action.shortcut().isEmpty()
        ]
        manners = [*actions.MANNERS, *drawing.MANNERS, *probe_set.MANNERS]
        ShortcutsDialog([*manners, *rows], self._window).exec()

    @Slot()
    def show_messages(self) -> None:
        """Show what every code of a message means."""
        open_meaning(self._window)

    @Slot()
    def show_accuracy(self) -> None:
        """Show how right the solver is."""
        # Plots and tables cost the start of the window a tenth of a second.
        with waiting():
            from cryoplan.gui.dialogs.accuracy import AccuracyDialog

            AccuracyDialog(self._window.workspace, self._window).show()

    @Slot()
    def show_about(self) -> None:
        """Show version and licences."""
        AboutDialog(self._window).exec()

    def _dialog(self):
        from cryoplan.gui.dialogs.help import HelpDialog

        dialog = self._window.findChild(HelpDialog) or HelpDialog(self._window)
        _to_front(dialog)
        return dialog


def _to_front(dialog: QDialog) -> None:
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
