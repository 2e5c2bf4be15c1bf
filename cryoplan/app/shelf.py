"""Shelf: the cases to choose from - the last ones and the drafts - looked at without making the window wait.

A folder on a network may not answer for minutes, so each folder is looked at by a thread of its own: what is
remembered of a case shows at once, and what its file says is filled in when it comes.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.keeper import cases_folder
from cryoplan.app.recent import Presence, RecentCases, presence_of
from cryoplan.case.history import Status
from cryoplan.case.store import summary
from cryoplan.core.errors import CryoplanError

ENDING = ".cryoplan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """One case to choose.

    Attributes
    ----------
    path : Path
        The file; not part of the record's text, because it may hold the patient's name.
    code, title : str
        Pseudonym, and what the user calls it.
    status, plan_name : str
        See `cryoplan.case.store.CaseSummary`.
    at : datetime or None
        When it was last changed; when it was last open, until the file was looked at.
    presence : Presence or None
        None until the file was looked at.
    is_draft : bool
        It lies in cryoplan's own folder.
    doubt : str
        Why the file cannot be read.
    """

    path: Path = field(repr=False)
    code: str
    title: str = ""
    status: str = Status.DRAFT.value
    plan_name: str = ""
    at: datetime | None = None
    presence: Presence | None = None
    is_draft: bool = False
    doubt: str = ""

    @property
    def name(self) -> str:
        """Pseudonym and title, as in questions about it."""
        return f"{self.code} ({self.title})" if self.title else self.code


def look(row: Shelved) -> Shelved:
    """Return a row as its file says it is; takes as long as the place of the file takes."""
    presence = presence_of(row.path)
    if presence is not Presence.HERE:
        return replace(row, presence=presence)
    try:
        said = summary(row.path)
    except CryoplanError as error:
        # The name of a file may be that of the patient; the list shows pseudonyms.
        return replace(row, presence=presence, doubt=error.what.replace(row.path.name, "The file"))
    at = row.at
    with suppress(ValueError, OSError):
        # Files of the first version hold no times.
        at = (
            datetime.fromisoformat(said.at)
            if said.at
            else datetime.fromtimestamp(row.path.stat().st_mtime, UTC)
        )
    return replace(
        row,
        code=said.code,
        title=said.title,
        status=said.status,
        plan_name=said.plan_name,
        at=at,
        presence=presence,
        doubt="",
    )


def drafts() -> list[Path]:
    """Return the cases in cryoplan's own folder."""
    with suppress(OSError):
        return sorted(cases_folder().glob(f"[!.]*{ENDING}"))
    return []


class Shelf(QObject):
    """The cases to choose from.

    Parameters
    ----------
    recent : RecentCases
        The last ones.

    Signals
    -------
    changed
        `rows` are others.
    """

    changed = Signal()
    _looked = Signal(object, object)

    def __init__(self, recent: RecentCases, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.recent = recent
        self._rows: dict[Path, Shelved] = {}
        self._under_way: set[Path] = set()
        self._again: set[Path] = set()
        self._looked.connect(self._take)

    @property
    def rows(self) -> tuple[Shelved, ...]:
        """The cases, the one that was changed last first."""
        return tuple(sorted(self._rows.values(), key=_when, reverse=True))

    @property
    def is_looking(self) -> bool:
        """True while a folder has not answered."""
        return bool(self._under_way)

    def row(self, path: Path) -> Shelved:
        """Return what is known of one case."""
        return self._rows.get(path) or Shelved(path=path, code="this case", is_draft=_is_draft(path))

    def refresh(self) -> None:
        """Show what is remembered, and look at the files again."""
        known = self._rows
        rows = {}
        for entry in self.recent.entries():
            old = known.get(entry.path)
            rows[entry.path] = old or Shelved(
                path=entry.path,
                code=entry.code,
                status=entry.status,
                at=entry.opened_at,
                is_draft=_is_draft(entry.path),
            )
        folder = cases_folder()
        # Drafts that were seen before stay until their folder was read anew.
        rows |= {path: row for path, row in known.items() if row.is_draft and path not in rows}
        self._rows = rows
        self.changed.emit()
        for place in {path.parent for path in rows} | {folder}:
            self._look_into(place)

    def _look_into(self, folder: Path) -> None:
        if folder in self._under_way:  # it may hang; one thread for it is enough
            self._again.add(folder)
            return
        self._under_way.add(folder)
        rows = [row for path, row in self._rows.items() if path.parent == folder]
        threading.Thread(target=self._work, args=(folder, rows), name="shelf", daemon=True).start()

    def _work(self, folder: Path, rows: list[Shelved]) -> None:
        found: list[Shelved] = []
        with suppress(RuntimeError):  # the window was closed meanwhile
            try:
                if folder == cases_folder():
                    remembered = {row.path for row in rows}
                    rows = [
                        *rows,
                        *(
                            Shelved(path=path, code=path.stem, is_draft=True)
                            for path in drafts()
                            if path not in remembered
                        ),
                    ]
                found = [look(row) for row in rows]
            finally:
                self._looked.emit(folder, found)

    @Slot(object, object)
    def _take(self, folder: Path, found: list[Shelved]) -> None:
        self._under_way.discard(folder)
        own = folder == cases_folder()
        remembered = {entry.path for entry in self.recent.entries()}
        for row in found:
            wanted = row.path in remembered or (own and row.presence is Presence.HERE)
            if wanted:
                self._rows[row.path] = row
            else:
                self._rows.pop(row.path, None)
        self.changed.emit()
        if folder in self._again:
            self._again.discard(folder)
            self._look_into(folder)


def _is_draft(path: Path) -> bool:
    return path.parent == cases_folder()


def _when(row: Shelved) -> tuple[datetime, str]:
    at = row.at or datetime.fromtimestamp(0, UTC)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)), row.code
