"""CaseStore: one patient's case with its plan, history and results in one SQLite file, ``*.cryoplan``.

Decision (architecture 11.1): one database instead of a folder or a zip. Every edit is one transaction that is
on the disk before `record` returns, so a killed program loses at most the gesture in hand, and undo outlives
it. What can be edited is one JSON document (`store_document`); a step is the difference of two documents
(`differences`), and the steps are the history (`history`). Masks are kept once, by digest, for good: each
of them belongs to a step that one can go back to. What a stroke made is kept as the voxels that it changed
(`store_masks`). The store knows texts and bytes of later rooms, nothing of
plans or simulations. No pickle.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from cryoplan.case.case import Case
from cryoplan.case.differences import Json, applied, document_digest, same
from cryoplan.case.history import Entry, Kind
from cryoplan.case.history_write import (
    approval_entry,
    edit_entries,
    first_entry,
    move_entries,
    note_entry,
    status_entry,
)
from cryoplan.case.store_document import empty_document, with_case, with_plan
from cryoplan.case.store_file import (
    SCHEMA_VERSION,
    check_content,
    checked_version,
    connect,
    connect_new,
    content_sentences,
    disk_sentences,
    transaction,
)
from cryoplan.case.store_link import link_to
from cryoplan.case.store_lock import WriterLock
from cryoplan.case.store_masks import insert_masks
from cryoplan.case.store_rows import (
    SCHEMA,
    ImageLink,
    StoredResult,
    insert_entry,
    insert_image,
    insert_result,
    result_from,
)
from cryoplan.case.store_state import Memory, StoredState, written
from cryoplan.case.store_summary import CaseSummary, summary
from cryoplan.case.store_upgrade import upgrade_file, upgraded_in_memory
from cryoplan.core.atomic import replace_when_written
from cryoplan.core.errors import StoreError
from cryoplan.image.scan import Scan

__all__ = ["CaseStore", "CaseSummary", "Memory", "StoredResult", "load_case", "save_case", "summary"]


class CaseStore(StoredState):
    """An open case file. Use it in a ``with`` block, or `close` it.

    While it is open for writing nobody else can write the file, but anybody can read it. One thread at a time
    may use it, not always the same. Made by `open`; `create` writes a new file.
    """

    # Whole files ------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        path: Path,
        case: Case,
        plan_text: str = "",
        *,
        title: str = "",
        notes: str = "",
        results: Sequence[StoredResult] = (),
        link_image: bool = False,
        text: str = "Case created",
    ) -> None:
        """Write a whole new case file; an old one at `path` is replaced only once the new one is whole.

        Parameters
        ----------
        link_image : bool
            Keep only where the image was read from and the SHA-256 of its voxels, not the voxels.

        Raises
        ------
        StoreError
            If the place cannot be written or is open elsewhere, the disk is full, or the image is too large
            to be embedded or has no file to link to.
        """
        document = with_plan(with_case(empty_document(), case), plan_text)
        document["case"] = document["case"] | {"title": title, "notes": notes}
        link = link_to(case.scan, path) if link_image else None
        cls._write_new(path, case, document, (first_entry(document, text),), results, link)

    @classmethod
    def go_on(
        cls, path: Path, case: Case, memory: Memory, *, results: Sequence[StoredResult] = (), text: str
    ) -> None:
        """Write a whole new case file that goes on from one of which only memory is left.

        Title, notes, limits, status and history are those of memory, with `text` as one more entry, so an
        approval holds on. Masks are those of `case` only: a step with others can be read of, but not gone to.

        Raises
        ------
        StoreError
            If the place cannot be written or is open elsewhere, or the disk is full.
        """
        document, history = memory.document, memory.history
        note = note_entry(history, Kind.EXPORT, text, document_digest(document))
        cls._write_new(path, case, document, (*history.entries, note), results, None)

    @staticmethod
    def _write_new(
        path: Path,
        case: Case,
        document: dict[str, Json],
        entries: Sequence[Entry],
        results: Sequence[StoredResult],
        link: ImageLink | None,
    ) -> None:
        _require_folder(path)
        with (
            WriterLock.take(path),
            replace_when_written(path) as temporary,
            disk_sentences(path),
            closing(connect_new(temporary)) as connection,
            transaction(connection),
        ):
            for statement in SCHEMA:
                connection.execute(statement)
            insert_image(connection, case.scan, link)
            insert_masks(connection, case, {})
            for entry in entries:
                insert_entry(connection, entry)
            connection.execute('INSERT INTO "case" VALUES (1, ?, ?)', (written(document), entries[-1].number))
            for result in results:
                insert_result(connection, result)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, scan: Scan | None = None) -> Self:
        """Open a case file; one of an older version becomes one of the present version first.

        Parameters
        ----------
        read_only : bool
            Works beside a writer and on a write-protected place; an older version is then upgraded in memory.
        scan : Scan, optional
            The image, when it is in memory already: `load_case` takes it if its digest is that of the file.

        Raises
        ------
        StoreError
            If it is missing, not a case file, of a newer version, damaged, or (``case-file-in-use``) open for
            writing elsewhere. The file is then as it was.
        """
        version = checked_version(path)
        if not read_only and not os.access(path, os.W_OK):
            raise StoreError(
                f"{path.name} may not be written.",
                "Open it for reading only, or copy it to a folder that you may write to.",
                code="not-writable",
                place=path.name,
            )
        lock = None if read_only else WriterLock.take(path)
        connection: sqlite3.Connection | None = None
        try:
            if lock is not None:
                version = checked_version(path)  # another writer may just have upgraded it
                if version < SCHEMA_VERSION:
                    upgrade_file(path, version)
            with disk_sentences(path):
                if version < SCHEMA_VERSION and read_only:
                    connection = upgraded_in_memory(path, version)
                else:
                    connection = connect(path, read_only=read_only)
                    check_content(path, connection, SCHEMA)
            return cls(path, connection, lock, scan)
        except BaseException:
            if connection is not None:
                connection.close()
            if lock is not None:
                lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free; a second call does nothing."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def save_copy(self, path: Path) -> None:
        """Write the whole file, history and results too, to another place.

        Raises
        ------
        StoreError
            If that place cannot be written, is this file, or is open elsewhere; what was there stays.
        """
        _require_folder(path)
        with (
            WriterLock.take(path),
            replace_when_written(path) as temporary,
            disk_sentences(path),
            closing(sqlite3.connect(temporary, isolation_level=None)) as copy,
        ):
            self._connection.backup(copy)

    # Steps ------------------------------------------------------------------------------------------

    def record(
        self,
        text: str,
        *,
        case: Case | None = None,
        plan_text: str | None = None,
        title: str | None = None,
        notes: str | None = None,
        kind: str = Kind.EDIT,
        person: str = "",
        gesture: str | None = None,
    ) -> Entry:
        """Store one step; when this returns, it is on the disk.

        What is not given stays. A step that changes nothing is not written, unless its kind says that
        something happened all the same (a result, an export).

        Parameters
        ----------
        text : str
            A sentence for the history.
        gesture : str, optional
            Parts of one gesture that follow one another become one step for undo; each is an entry.

        Returns
        -------
        Entry
            The entry written; the last one there is if nothing was.

        Raises
        ------
        StoreError
            If it cannot be written: the file is then in the state before. Also for a case of another image.
        """
        if kind not in (Kind.EDIT, Kind.RESULT, Kind.EXPORT):
            raise ValueError(f"entries of kind {kind} are written by a method of their own")
        self._require_writable()
        document = self._edited(case, plan_text, title, notes)
        history = self._history
        current = history.current
        if same(document, self._document):
            if kind == Kind.EDIT:
                return history.entries[-1]
            return self._write([note_entry(history, kind, text, self._digest(), person=person)])
        parent, base = current, self._document
        if gesture is not None and self._gesture == (gesture, current):
            begun = history.maker(current)
            parent = begun.parent
            base = applied(base, begun.changes, backwards=True)
        if parent != current and same(base, document):
            made = move_entries(history, kind, text, parent, person)
        else:
            made = edit_entries(history, kind, text, person, parent, base, document)
        entry = self._write(made, document, case)
        self._gesture = (gesture, entry.after) if gesture is not None and entry.makes_state else None
        return entry

    def resume_gesture(self, gesture: str) -> None:
        """Let the next part of `gesture` go on with the last step, though the file was opened anew since."""
        if self._history.can_undo:
            self._gesture = (gesture, self._history.current)

    def undo(self) -> tuple[Case, str]:
        """Take the last step back and return case and plan text.

        Raises
        ------
        StoreError
            If there is nothing to undo or it cannot be written.
        """
        state = self._history.undo_state
        if state is None:
            raise StoreError("There is nothing to undo.", "Go on.", code="nothing-to-undo")
        return self._go(Kind.UNDO, state, f"Undone: {self._history.undo_text}")

    def redo(self) -> tuple[Case, str]:
        """Make the step again that was taken back last and return case and plan text.

        Raises
        ------
        StoreError
            If there is nothing to redo or it cannot be written.
        """
        state = self._history.redo_state
        if state is None:
            raise StoreError("There is nothing to redo.", "Go on.", code="nothing-to-redo")
        return self._go(Kind.REDO, state, f"Redone: {self._history.redo_text}")

    def go_to(self, state: int) -> tuple[Case, str]:
        """Go to any state of the history and return case and plan text.

        Raises
        ------
        StoreError
            If there is no such state or it cannot be written.
        """
        if not self._history.has_state(state):
            raise StoreError(
                f"The history has no step {state}.",
                "Choose one of its steps.",
                code="step-unknown",
                place=str(state),
            )
        if state == self._history.current:
            return self.load_case(), self.plan_text
        text = f"Back to step {state}" if state < self._history.current else f"To step {state}"
        return self._go(Kind.GO, state, f"{text}: {self._history.maker(state).text}")

    def rename(self, title: str) -> Entry:
        """Give the case another title."""
        return self.record(f"Case renamed to {title}" if title else "Title removed", title=title)

    def approve(self, person: str, text: str = "Plan approved") -> Entry:
        """Approve the case as it stands; the first change after this withdraws the approval.

        Raises
        ------
        StoreError
            If nobody is named or it cannot be written.
        """
        self._require_writable()
        return self._write([approval_entry(self._history, person, text, self._digest())])

    def set_status(self, status: str, person: str = "") -> Entry:
        """Say that the case is a draft, ready or treated; draft and ready withdraw an approval.

        Raises
        ------
        StoreError
            If there is no such status, or it needs an approval, or it cannot be written.
        """
        self._require_writable()
        if status == self.status:
            return self._history.entries[-1]
        return self._write([status_entry(self._history, status, person, self._digest())])

    # Results ----------------------------------------------------------------------------------------

    def result_keys(self) -> tuple[str, ...]:
        """Return the keys of all results, the newest last."""
        with disk_sentences(self.path):
            rows = self._connection.execute("SELECT key FROM result ORDER BY position").fetchall()
        return tuple(row[0] for row in rows)

    def result(self, key: str) -> StoredResult | None:
        """Return the result of that key, None when there is none."""
        with disk_sentences(self.path), content_sentences(self.path):
            row = self._connection.execute(
                "SELECT key, header, what, data FROM result WHERE key = ?", (key,)
            ).fetchone()
            return None if row is None else result_from(row)

    def put_result(self, result: StoredResult, *, text: str = "") -> None:
        """Add a result, or replace the one of the same key; `text` becomes an entry of the history.

        Raises
        ------
        StoreError
            If the file cannot be written; it then holds what it held.
        """
        self._require_writable()
        made = [note_entry(self._history, Kind.RESULT, text, self._digest())] if text else []
        with self._writing(made, self._document):
            self._connection.execute("DELETE FROM result WHERE key = ?", (result.key,))
            insert_result(self._connection, result)
        self._results = (*(key for key in self._results if key != result.key), result.key)

    def drop_results(self, keep: Sequence[str] = ()) -> None:
        """Remove all results but those of the keys in `keep`, in one transaction."""
        self._require_writable()
        with self._writing([], self._document):
            for (key,) in self._connection.execute("SELECT key FROM result").fetchall():
                if key not in keep:
                    self._connection.execute("DELETE FROM result WHERE key = ?", (key,))
        self._results = tuple(key for key in self._results if key in keep)


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(
            f"The folder of {path.name} does not exist.",
            "Make the folder or choose another.",
            code="folder-missing",
            place=path.name,
        )


def save_case(case: Case, path: Path) -> None:
    """Write `case` alone as a new file; see `CaseStore.create`."""
    CaseStore.create(path, case)


def load_case(path: Path) -> Case:
    """Read the case of a file; see `CaseStore.open` and `CaseStore.load_case`."""
    with CaseStore.open(path, read_only=True) as store:
        return store.load_case()
