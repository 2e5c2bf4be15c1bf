"""StoredState: what an open case file holds, in memory and on disk, changed in both or in neither."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryoplan.case.case import Case
from cryoplan.case.differences import Json, applied, document_digest
from cryoplan.case.history import Entry, History
from cryoplan.case.history_write import move_entries
from cryoplan.case.store_document import case_of, empty_document, plan_text, with_case, with_plan
from cryoplan.case.store_file import content_sentences, disk_sentences, reading, transaction
from cryoplan.case.store_link import read_linked
from cryoplan.case.store_lock import WriterLock
from cryoplan.case.store_masks import StoredMasks
from cryoplan.case.store_rows import insert_entry, select_entries, select_image
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.image.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """What memory holds of a case file beside its case: enough to go on elsewhere when the file is lost.

    Attributes
    ----------
    document : dict
        See `cryoplan.case.store_document`: title, notes, plan, limits and all else that can be edited.
    history : History
        All that was done, approvals too.
    """

    document: dict[str, Json]
    history: History


class StoredState:
    """Document, history and case of an open file, and the one way to write them.

    Attributes
    ----------
    path : Path
        The file.
    read_only : bool
        True when nothing can be written.
    findings : tuple of Finding
        What opening noticed: a history that was changed outside of cryoplan.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: WriterLock | None, scan: Scan | None = None
    ) -> None:
        self.path = path
        self.read_only = lock is None
        self._connection = connection
        self._lock = lock
        self._scan = scan
        self._case: Case | None = None
        self._masks = StoredMasks(connection)
        self._gesture: tuple[str, int] | None = None
        self._read()
        self.findings = self._doubts()

    # What there is ----------------------------------------------------------------------------------

    def load_case(self) -> Case:
        """Return the case as it stands; the image is read once.

        Raises
        ------
        StoreError
            If anything in the file does not fit together, the voxels and their SHA-256 for example, or a
            linked image is missing or another one.
        """
        with disk_sentences(self.path), content_sentences(self.path), reading(self._connection):
            return self._loaded()

    @property
    def plan_text(self) -> str:
        """The plan as ``plan.json`` text; empty when there is none."""
        return plan_text(self._document)

    @property
    def title(self) -> str:
        """What the user calls the case; may be empty."""
        return str(self._document["case"].get("title", ""))

    @property
    def notes(self) -> str:
        """What the user wrote about it."""
        return str(self._document["case"].get("notes", ""))

    @property
    def status(self) -> str:
        """``draft``, ``ready``, ``approved`` or ``treated``."""
        return self._history.status

    @property
    def memory(self) -> Memory:
        """Document and history as they are now; asks no disk."""
        return Memory(document=self._document, history=self._history)

    @property
    def known_results(self) -> tuple[str, ...]:
        """Keys of the results as this program knows them, the newest last; asks no disk."""
        return self._results

    def history(self) -> History:
        """Return all that was done."""
        return self._history

    # Inside -----------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read document and history."""
        with disk_sentences(self.path), content_sentences(self.path), reading(self._connection):
            row = self._connection.execute('SELECT document, entries FROM "case"').fetchone()
            if row is None:
                raise ValueError("the case is missing")
            self._document: dict[str, Json] = json.loads(row[0])
            self._entries: int = row[1]
            self._history = History.of(select_entries(self._connection))
            self._masks.read()
            keys = self._connection.execute("SELECT key FROM result ORDER BY position").fetchall()
            self._results: tuple[str, ...] = tuple(key for (key,) in keys)
            if not self._document.keys() >= empty_document().keys() or not self._history.entries:
                raise ValueError("a part of the case is missing")
        self._doubtful = False

    def _doubts(self) -> tuple[Finding, ...]:
        broken = self._history.verify_chain()
        last = self._history.entries[-1] if self._history.entries else None
        text = ""
        if broken is not None:
            text = f"The history was changed outside cryoplan at entry {broken}."
        elif last is None or last.number != self._entries:
            text = f"The history was changed outside cryoplan: it ends before entry {self._entries}."
        elif last.document != self._digest():
            text = f"The case was changed outside cryoplan after entry {last.number} of its history."
        if not text:
            return ()
        return (Finding(level=Level.WARN, code="history-changed", text=text, place=self.path.name),)

    def _digest(self) -> bytes:
        return document_digest(self._document)

    def _loaded(self) -> Case:
        if self._case is None:
            self._case = self._made(self._document)
        return self._case

    def _made(self, document: dict[str, Json]) -> Case:
        return case_of(document, self._image(), self._masks.mask, self._case)

    def _image(self) -> Scan:
        if self._case is not None:
            return self._case.scan
        if self._scan is None or self._scan.volume.digest() != self._document["case"]["image"]:
            facts, digest, volume, link = select_image(self._connection)
            if digest != self._document["case"]["image"]:
                raise ValueError("the image is not that of the case")
            if volume is None and link is not None:
                volume = read_linked(link, digest, self.path)
            assert volume is not None
            self._scan = Scan(volume=volume, facts=facts)
        return self._scan

    def _edited(
        self, case: Case | None, plan: str | None, title: str | None, notes: str | None
    ) -> dict[str, Json]:
        document = self._document
        if case is not None:
            if case.scan.volume.digest() != document["case"]["image"]:
                raise StoreError(
                    f"{self.path.name} is about another image.",
                    "Save the case as a new file.",
                    code="case-other-image",
                    place=self.path.name,
                )
            document = with_case(document, case)
        if plan is not None:
            document = with_plan(document, plan)
        words = {key: value for key, value in (("title", title), ("notes", notes)) if value is not None}
        return document | {"case": document["case"] | words}

    def _go(self, kind: str, state: int, text: str) -> tuple[Case, str]:
        self._require_writable()
        with disk_sentences(self.path), content_sentences(self.path), reading(self._connection):
            document = self._document
            for entry, backwards in self._history.way(self._history.current, state):
                document = applied(document, entry.changes, backwards)
            if document_digest(document) != self._history.maker(state).document:
                raise ValueError(f"step {state} of its history cannot be made again")
            self._require_masks(document, state)
            self._loaded()
            case = self._made(document)
        self._write(move_entries(self._history, kind, text, state), document, case)
        return case, self.plan_text

    def _require_masks(self, document: dict[str, Json], state: int) -> None:
        """Refuse a state with a mask that only the file had which this one goes on from, see `Memory`."""
        rows = document["structures"]
        lost = [row["name"] for row in rows if row["mask"] not in self._masks]
        if lost:
            raise StoreError(
                f"Step {state} cannot be shown: {', '.join(lost)} as it was then is not in {self.path.name}.",
                "Go to another step, or open the file that this one goes on from.",
                code="step-without-structures",
                place=self.path.name,
            )

    def _write(
        self, made: Sequence[Entry], document: dict[str, Json] | None = None, case: Case | None = None
    ) -> Entry:
        """Write entries, document and the masks that are new; all or nothing."""
        new: dict[str, str | None] = {}
        with self._writing(made, self._document if document is None else document):
            if case is not None:
                new = self._masks.insert(case, self._case)
        if case is not None:
            self._masks.written(case, new)
            if self._case is not None and case.scan.volume is not self._case.scan.volume:
                case = case.changed(scan=self._case.scan)
            self._case = case
        return made[0]

    @contextmanager
    def _writing(self, made: Sequence[Entry], document: dict[str, Json]) -> Iterator[None]:
        """Write entries and document in one transaction with what the block writes."""
        try:
            with disk_sentences(self.path), transaction(self._connection):
                found = self._connection.execute('SELECT entries FROM "case"').fetchone()
                if found != (self._entries,):
                    raise StoreError(
                        f"{self.path.name} was changed by another program.",
                        "Open it again.",
                        code="case-file-changed",
                        place=self.path.name,
                    )
                yield
                for entry in made:
                    insert_entry(self._connection, entry)
                if made:
                    self._connection.execute(
                        'UPDATE "case" SET document = ?, entries = ?', (written(document), made[-1].number)
                    )
        except BaseException:
            # A commit that failed may have reached the disk; the file is asked before the next step.
            self._doubtful = True
            raise
        for entry in made:
            self._history = self._history.with_entry(entry)
        if made:
            self._entries = made[-1].number
        self._document = document
        self._gesture = None

    def _require_writable(self) -> None:
        if self.read_only:
            raise StoreError(
                f"{self.path.name} is open for reading only.",
                "Save a copy and work on that, or open it again when it is free.",
                code="case-read-only",
                place=self.path.name,
            )
        if self._doubtful:
            self._read()
            self.findings = self._doubts()
            self._case = None if self._case is None else self._reread()

    def _reread(self) -> Case:
        with disk_sentences(self.path), content_sentences(self.path), reading(self._connection):
            return self._made(self._document)


def written(document: dict[str, Json]) -> str:
    """Return the text of a document as the file holds it."""
    return json.dumps(document, allow_nan=False)
