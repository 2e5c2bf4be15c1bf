"""CaseFiles: rename, duplicate, copy, de-identify and delete a case, the open one or one of the list."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from cryoplan.app import bureau
from cryoplan.app.asking import Asking
from cryoplan.app.keeper import cases_folder
from cryoplan.app.shelf import Shelf, Shelved
from cryoplan.app.steps import Step
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.dialogs import cases
from cryoplan.gui.files import Files
from cryoplan.plan.edit_words import describe_change


class CaseFiles(QObject):
    """Asks what has to be asked, and has it done in a thread.

    Every method takes the case file, or nothing for the case that is open.

    Parameters
    ----------
    files : Files
        Opens cases and asks for places.
    shelf : Shelf
        The cases to choose from; it is kept up to date.
    window : QWidget
        What dialogs stand before.
    """

    def __init__(self, workspace: Workspace, files: Files, shelf: Shelf, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._files, self._shelf, self._window = workspace, files, shelf, window
        self._asking = Asking(workspace, self)
        self._asking.answered.connect(self._done)
        self._noted: tuple[Path, str, str] | None = None
        workspace.file_changed.connect(self._note)

    @property
    def is_busy(self) -> bool:
        """True while something is being done."""
        return self._asking.is_under_way

    @Slot(str, object)
    def do(self, deed: str, path: Path) -> None:
        """Do one of `cryoplan.gui.case_list.DEEDS`."""
        deeds: dict[str, Callable[[Path], None]] = {
            "open": self._files.open_path,
            "look": self._files.look_at,
            "rename": self.rename,
            "duplicate": self.duplicate,
            "copy": self.save_copy,
            "deidentify": self.save_deidentified,
            "forget": self.forget,
            "delete": self.delete,
        }
        deeds[deed](path)

    def rename(self, path: Path | None = None) -> None:
        """Give a case another title."""
        row = self._row(path)
        if row is None:
            return
        title = cases.ask_title(row.code, row.title, row.status, self._window)
        if title is None:
            return
        if not self._is_open(path):
            self._run(lambda: bureau.rename(row.path, title), lambda _: "Renamed")
            return
        workspace = self._workspace
        case, plan = workspace.case, workspace.plan
        assert case is not None
        text = f"Case renamed to {title}" if title else "Title removed"
        step = Step(text=text, case=case, plan=plan, before=(case, plan), words={"title": title})
        try:
            workspace.keeper.record(step, describe=describe_change)
        except CryoplanError as error:
            self._files.fail(error)

    def duplicate(self, path: Path | None = None) -> None:
        """Copy a case to a place beside it; work goes on in the original."""
        row = self._row(path)
        if row is None:
            return
        keeper = self._workspace.keeper

        def work() -> Path:
            if self._is_open(path):
                return keeper.call(bureau.duplicate_open).result()
            return bureau.duplicate(row.path)

        self._run(
            work, lambda place: self._copied(place, row, "Duplicated; the copy is in the list of cases")
        )

    def save_copy(self, path: Path | None = None) -> None:
        """Copy a case to another place; work goes on in the original."""
        row = self._row(path)
        place = None if row is None else self._files.ask_place("Save a copy", f"{row.code} copy")
        if row is None or place is None:
            return
        keeper = self._workspace.keeper

        def work() -> Path:
            if self._is_open(path):
                return keeper.call(lambda file: bureau.save_copy_open(file, place)).result()
            return bureau.save_copy(row.path, place)

        self._run(work, lambda _: f"Copy saved: {place.name}")

    def save_deidentified(self, path: Path | None = None) -> None:
        """Write a copy without words that lead to the patient."""
        row = self._row(path)
        keep = None if row is None else cases.ask_deidentify(row.name, self._window)
        if row is None or keep is None:
            return
        # The pseudonym of the case is not that of the copy, so it is not in the proposed name either.
        place = self._files.ask_place("Save a de-identified copy", "deidentified")
        if place is None:
            return
        workspace = self._workspace
        case, plan = workspace.case, workspace.plan
        result = workspace.result if workspace.is_current else None

        def work() -> Path:
            if self._is_open(path) and case is not None:
                bureau.require_other(row.path, place)
                return bureau.write_deidentified(case, plan, result, place, keep_names=keep)
            return bureau.save_deidentified(row.path, place, keep_names=keep)

        self._run(work, lambda _: f"De-identified copy saved: {place.name}")

    def delete(self, path: Path | None = None) -> None:
        """Ask once, then delete a case; the open one is closed before."""
        row = self._row(path)
        if row is None or not cases.ask_delete(row.name, self._window):
            return
        if self._is_open(path):
            self._workspace.new_case()

        def said(is_in_trash: object) -> str:
            self._shelf.recent.forget(row.path)
            return f"Case {row.code} is in the trash" if is_in_trash else f"Case {row.code} is deleted"

        self._run(lambda: bureau.delete(row.path), said)

    def forget(self, path: Path) -> None:
        """Take a case off the list; its file stays."""
        self._shelf.recent.forget(path)
        self._shelf.refresh()

    # Inside -----------------------------------------------------------------------------------------

    def _is_open(self, path: Path | None) -> bool:
        kept = self._workspace.keeper.kept.path
        return kept is not None and (path is None or path == kept)

    def _row(self, path: Path | None) -> Shelved | None:
        """Return what is known of a case; None when there is none."""
        if not self._is_open(path):
            return None if path is None else self._shelf.row(path)
        kept, case = self._workspace.keeper.kept, self._workspace.case
        if case is None or kept.path is None:
            return None
        named = self._workspace.keeper.is_named
        return Shelved(
            path=kept.path, code=case.code, title=kept.title, status=kept.status, is_draft=not named
        )

    def _copied(self, place: object, row: Shelved, said: str) -> str:
        assert isinstance(place, Path)
        if place.parent != cases_folder():
            self._shelf.recent.note(place, row.code, "draft")
        return said

    def _run(self, work: Callable[[], object], said: Callable[[object], str]) -> None:
        self._asking.run(lambda: (said, work()))

    @Slot(object)
    def _done(self, answer: tuple[Callable[[object], str], object]) -> None:
        said, value = answer
        self._workspace.message.emit(said(value))
        self._shelf.refresh()

    @Slot()
    def _note(self) -> None:
        """Remember the case that is open, whenever it has another place or status."""
        workspace = self._workspace
        kept, case = workspace.keeper.kept, workspace.case
        if case is None or kept.path is None or not kept.history.entries or not workspace.keeper.is_named:
            return
        if kept.read_only and kept.path.is_relative_to(tempfile.gettempdir()):
            return  # looked at in the attachment of a mail, for example; it will not be there again
        mark = (kept.path, case.code, kept.status)
        if mark != self._noted:
            self._noted = mark
            self._shelf.recent.note(*mark)
