"""Menu: everything that can be done by a menu or a key, in the order in which it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from cryoplan.gui import actions
from cryoplan.gui.actions import Entry, Needs
from cryoplan.gui.chosen import copy_selected, delete_selected, select_next, toggle_lock
from cryoplan.gui.rail import STEPS
from cryoplan.scene.plane import Orientation

if TYPE_CHECKING:
    from cryoplan.gui.main_window import MainWindow


class Menu(QObject):
    """The table of the window's actions, and what those of one line do."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def entries(self) -> tuple[Entry, ...]:
        """Return the table in the order of the menus."""
        window = self._window
        workspace, files, exports = window.workspace, window.files, window.exports
        line = Entry(actions.SEPARATOR, "&File", "", "", Needs.NOTHING, window.close)
        helps = window.helps
        steps = tuple(
            Entry(f"step-{n}", "&View", name, f"Ctrl+{n + 1}", Needs.NOTHING, getattr(self, f"_step_{n}"))
            for n, name in enumerate(STEPS)
        )
        return (
            Entry(
                "open-folder", "&File", "Open DICOM &folder...", "Ctrl+O", Needs.NOTHING, files.open_folder
            ),
            Entry(
                "open-file", "&File", "Open &image file...", "Ctrl+Shift+O", Needs.NOTHING, files.open_file
            ),
            Entry(
                "structures", "&File", "Add &structures...", "Ctrl+L", Needs.MAY_EDIT, files.add_structures
            ),
            Entry(
                "outline",
                "&File",
                "Outline with T&otalSegmentator...",
                "",
                Needs.NOTHING,
                window.show_outlining,
            ),
            Entry(
                "second",
                "&File",
                "Add seco&nd image...",
                "Ctrl+Shift+A",
                Needs.MAY_EDIT,
                window.second_files.add,
            ),
            Entry("demo", "&File", "Open the &demonstration case", "", Needs.NOTHING, workspace.open_demo),
            line,
            Entry("open-case", "&File", "Open &case...", "", Needs.NOTHING, files.open_case),
            Entry("save-case", "&File", "&Save case...", "Ctrl+S", Needs.CASE, files.save_case),
            Entry("save-as", "&File", "Save &as...", "Ctrl+Shift+S", Needs.CASE, files.save_elsewhere),
            Entry("copy-case", "&File", "Save a cop&y...", "", Needs.CASE, self._save_copy),
            Entry("deidentify", "&File", "Save a de-&identified copy...", "", Needs.CASE, self._deidentify),
            Entry("rename-case", "&File", "&Rename case...", "", Needs.MAY_EDIT, self._rename_case),
            Entry("duplicate", "&File", "Duplica&te case", "", Needs.CASE, self._duplicate_case),
            Entry("delete-case", "&File", "Delete case...", "", Needs.MAY_EDIT, self._delete_case),
            Entry("close-case", "&File", "Close case", "Ctrl+W", Needs.CASE, files.close_case),
            line,
            Entry("open-plan", "&File", "Open &plan...", "", Needs.MAY_EDIT, files.open_plan),
            Entry("save-plan", "&File", "Save p&lan...", "", Needs.PROBES, files.save_plan),
            line,
            Entry("pdf", "&File", "&Export PDF...", "Ctrl+P", Needs.CURRENT, exports.print_plan),
            Entry(
                "sheet",
                "&File",
                "Print s&heet for the room...",
                "Ctrl+Shift+P",
                Needs.CURRENT,
                exports.print_sheet,
            ),
            Entry("export", "&File", "E&xport files...", "Ctrl+E", Needs.CURRENT, exports.export_files),
            line,
            Entry("quit", "&File", "&Quit", "Ctrl+Q", Needs.NOTHING, window.close),
            Entry("undo", "&Edit", "↶ Undo", "Ctrl+Z", Needs.UNDO, workspace.undo),
            Entry("redo", "&Edit", "↷ Redo", "Ctrl+Y", Needs.REDO, workspace.redo),
            Entry("history", "&Edit", "&History...", "Ctrl+H", Needs.CASE, window.show_history),
            Entry("limits", "&Edit", "&Limits of this case...", "", Needs.CASE, window.show_limits),
            *window.drawing.entries(),
            Entry("place", "&Probe", "&Place a probe", "P", Needs.MAY_EDIT, self._place_probe),
            Entry("copy", "&Probe", "&Copy parallel", "D", Needs.EDIT_PROBES, self._copy_probe),
            Entry("lock", "&Probe", "&Lock or free", "L", Needs.EDIT_PROBES, self._lock_probe),
            Entry("next", "&Probe", "&Next probe", "", Needs.PROBES, self._next_probe),
            Entry("delete", "&Probe", "&Delete", "Del", Needs.EDIT_PROBES, self._delete_probe),
            Entry(
                "catalogue", "&Probe", "Pro&be catalogue...", "Ctrl+K", Needs.NOTHING, window.show_catalogue
            ),
            Entry("solve", "&Solve", "&Solve", "F9; Ctrl+Return", Needs.PROBES, workspace.request_simulation),
            Entry("cancel", "&Solve", "&Cancel", "Ctrl+.", Needs.BUSY, workspace.cancel),
            Entry("overlays", "&View", "&Hide or show overlays", "H", Needs.CASE, self._toggle_overlays),
            *window.probe_set.entries(),
            Entry("worst", "&View", "Next &worst place", "N", Needs.CASE, self._next_place),
            Entry("worst-back", "&View", "Worst place &before", "Shift+N", Needs.CASE, self._place_before),
            *steps,
            Entry("views", "&View", "&Go to the axial view", "Ctrl+0", Needs.CASE, self._to_views),
            Entry("look", "&View", "Look and lan&guage...", "", Needs.NOTHING, window.show_look),
            Entry("help", "&Help", "&Help on this step", "F1", Needs.NOTHING, helps.show_panel),
            Entry("tour", "&Help", "Guided &tour", "", Needs.NOTHING, helps.start_tour),
            Entry("glossary", "&Help", "&Glossary", "", Needs.NOTHING, helps.show_glossary),
            Entry("shortcuts", "&Help", "&Shortcuts", "?", Needs.NOTHING, helps.show_shortcuts),
            Entry(
                "messages",
                "&Help",
                "What &messages mean...",
                "Shift+F1",
                Needs.NOTHING,
                helps.show_messages,
            ),
            Entry("accuracy", "&Help", "&Accuracy...", "", Needs.NOTHING, helps.show_accuracy),
            Entry(
                "file-type",
                "&Help",
                "Open cases by &double click...",
                "",
                Needs.NOTHING,
                window.file_type.ask,
            ),
            Entry("about", "&Help", "A&bout cryoplan", "", Needs.NOTHING, helps.show_about),
        )

    def _step_0(self) -> None:
        self._go_to_step(0)

    def _step_1(self) -> None:
        self._go_to_step(1)

    def _step_2(self) -> None:
        self._go_to_step(2)

    def _step_3(self) -> None:
        self._go_to_step(3)

    def _step_4(self) -> None:
        self._go_to_step(4)

    def _step_5(self) -> None:
        self._go_to_step(5)

    def _go_to_step(self, number: int) -> None:
        """Show a panel and give it the keys: who asks for it by a key has no mouse in hand."""
        self._window.show_step(number)
        panel = self._window.panels[number]
        first = panel.nextInFocusChain()
        while not (panel.isAncestorOf(first) and _takes_tab(first)) and first is not panel:
            first = first.nextInFocusChain()
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _to_views(self) -> None:
        self._window.slices[Orientation.AXIAL].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _save_copy(self) -> None:
        self._window.case_files.save_copy()

    def _deidentify(self) -> None:
        self._window.case_files.save_deidentified()

    def _rename_case(self) -> None:
        self._window.case_files.rename()

    def _duplicate_case(self) -> None:
        self._window.case_files.duplicate()

    def _delete_case(self) -> None:
        self._window.case_files.delete()

    def _place_probe(self) -> None:
        self._window.show_step(2)
        self._window.placing.start()

    def _copy_probe(self) -> None:
        copy_selected(self._window.workspace, self._window.view)

    def _lock_probe(self) -> None:
        toggle_lock(self._window.workspace, self._window.view)

    def _delete_probe(self) -> None:
        delete_selected(self._window.workspace, self._window.view)

    def _next_probe(self) -> None:
        select_next(self._window.workspace, self._window.view)

    def _next_place(self) -> None:
        self._window.walk.next()

    def _place_before(self) -> None:
        self._window.walk.previous()

    def _toggle_overlays(self) -> None:
        view = self._window.view
        view.overlays_hidden = not view.overlays_hidden


def _takes_tab(widget: QWidget) -> bool:
    takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    return bool(takes) and widget.isVisible() and widget.isEnabled()
