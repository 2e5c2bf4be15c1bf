"""HeldFile: the case file that is written to, and how to tell that memory does not know it any more."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryoplan import workflow
from cryoplan.app.steps import State
from cryoplan.case.store import Memory
from cryoplan.core.errors import CryoplanError, StoreError

_OURS = 6
"""Entries that may have arrived although writing them failed, at most: two for each of some attempts."""

_UNREADABLE = ("case-place-gone", "case-file-failed", "case-file-damaged")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remembered:
    """All that memory holds of a case, written or not.

    Attributes
    ----------
    state : (Case, Plan)
        What the first step that waits goes on from.
    text : str
        What the history of another file says of this; empty for a case that begins there.
    memory : Memory or None
        Title, notes, limits and history in that state; None for a case that never had a file here.
    """

    state: State
    text: str
    memory: Memory | None = None

    @property
    def words(self) -> tuple[str, str]:
        """Title and notes."""
        said = {} if self.memory is None else self.memory.document["case"]
        return str(said.get("title", "")), str(said.get("notes", ""))

    def write(self, path: Path) -> None:
        """Write it as a new file.

        Raises
        ------
        StoreError
            If that place cannot be written.
        """
        workflow.save_case(path, *self.state, text=self.text, memory=self.memory)


class HeldFile:
    """An open case file in the state that memory is in.

    Attributes
    ----------
    file : CaseFile
        Another one after `reopen`.
    """

    def __init__(self, file: workflow.CaseFile) -> None:
        self.file = file
        self._inode = _inode(file.store.path)
        self.agree()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.file.store.path

    @property
    def is_in_place(self) -> bool:
        """False when it was removed or replaced: it can still be written, but nobody would find that."""
        return self._inode is not None and _inode(self.path) == self._inode

    @property
    def is_ahead(self) -> bool:
        """True when a step arrived although writing it failed."""
        return self.file.history.current != self._stood

    def agree(self) -> None:
        """Note that file and memory are in the same state."""
        self._stands = ((self.file.case, self.file.plan), self.file.store.memory)
        self._seal, self._stood = self.file.history.seal, self.file.history.current

    @property
    def remembered(self) -> Remembered:
        """What is left of it if it cannot be read any more."""
        state, memory = self._stands
        text = f"Continued after {self.path.name} was out of reach"
        return Remembered(state=state, text=text, memory=memory)

    def require_place(self) -> None:
        """Raise a StoreError unless the file is where others will find it."""
        if not self.is_in_place:
            raise StoreError(
                f"{self.path.name} was removed, is out of reach, or another file was put in its place.",
                "Bring it back, or save the case elsewhere.",
                code="case-file-gone",
                place=self.path.name,
            )

    def reopen(self) -> None:
        """Open the file anew after trouble: a handle of a folder that was away may be dead.

        Raises
        ------
        StoreError
            If it cannot be opened or was changed by others. While another file is in its place the handle
            stays open: it may be all that is left of the case.
        """
        path, scan = self.path, self.file.case.scan
        found = _inode(path)
        if found is None:
            self.require_place()
        elif found != self._inode:
            # A stick that was put in anew is another device to the system.
            with workflow.CaseFile.open(path, scan=scan, read_only=True) as other:
                self._require_ours(other)
        with suppress(CryoplanError):
            self.file.close()
        new = workflow.CaseFile.open(path, scan=scan)
        try:
            self._require_ours(new)
        except CryoplanError:
            new.close()
            raise
        self.file, self._inode = new, _inode(path)
        self._seal = new.history.seal

    def go_back(self) -> None:
        """Go to the state that memory is in."""
        self.file.go_to(self._stood)
        self.agree()

    def copied(self, path: Path) -> HeldFile | None:
        """Copy the file with its history and return the copy; None when it cannot be read any more.

        Raises
        ------
        StoreError
            If the new place is at fault.
        """
        scan = self.file.case.scan
        try:
            self.file.store.save_copy(path)
        except StoreError as error:
            if error.code not in _UNREADABLE:
                raise
            try:
                with workflow.CaseFile.open(self.path, scan=scan, read_only=True) as again:
                    self._require_ours(again)
                    again.store.save_copy(path)
            except StoreError:
                return None
        copy = HeldFile(workflow.CaseFile.open(path, scan=scan))
        copy._seal, copy._stood, copy._stands = self._seal, self._stood, self._stands
        return copy

    def close(self) -> None:
        """Give it free; a second call does nothing."""
        with suppress(CryoplanError):
            self.file.close()

    def _require_ours(self, file: workflow.CaseFile) -> None:
        # What failed last may have arrived all the same; anything else is somebody else's.
        if self._seal not in {entry.hash for entry in file.history.entries[-_OURS:]}:
            raise changed_meanwhile(self.path)


def changed_meanwhile(path: Path) -> StoreError:
    """Return the error of a file that somebody else wrote to."""
    return StoreError(
        f"{path.name} was changed by another program meanwhile.",
        "Save the case elsewhere, or open it again.",
        code="case-file-changed",
        place=path.name,
    )


def _inode(path: Path) -> tuple[int, int] | None:
    """Return what names a file for the system; None where it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, and what it raises is wanted
    except OSError:
        return None
    return found.st_dev, found.st_ino
