"""History: every step of a case as an entry that is never changed, and the tree of states they make.

Undo, redo and going to a step are entries themselves, so the list of entries is the audit log. Each state of
the case bears the number of the entry that first made it. Undo goes to the state that it was made from, redo
to the one that was left last. Each entry holds the hash of the one before it: who changes one outside of
cryoplan breaks the chain (who rewrites all of it does not, which is why reports may print `History.seal`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from cryoplan.case.differences import Difference, Json, canonical

UNSEALED = bytes(32)
"""What stands in the first entry for the hash of the one before."""


class Kind(StrEnum):
    """What an entry did."""

    START = "start"
    EDIT = "edit"
    UNDO = "undo"
    REDO = "redo"
    GO = "go"
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    STATUS = "status"
    RESULT = "result"
    EXPORT = "export"


class Status(StrEnum):
    """How far the planning of a case has come."""

    DRAFT = "draft"
    READY = "ready"
    APPROVED = "approved"
    TREATED = "treated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the history.

    Attributes
    ----------
    number : int
        Counted from 1.
    at : str
        UTC, ISO 8601 with milliseconds.
    kind : str
        One of `Kind`.
    text : str
        A sentence ("Probe 2: tip moved 3.1 mm").
    person : str
        Who approved or withdrew; empty for all else.
    status : str
        One of `Status`, after this entry.
    before, after : int
        State that was current before and after; 0 before the first. Equal when the document stayed.
    parent : int
        For an entry that made a state, the state that undo goes to. It is `before`, but for a later part of
        one gesture, which takes the place of the part before it.
    changes : tuple of Difference
        What turns `parent` into `after`; empty for an entry that made no state.
    document : bytes
        SHA-256 of the document after this entry.
    hash : bytes
        SHA-256 over all of this and the hash of the entry before.
    """

    number: int
    at: str
    kind: str
    text: str
    person: str = ""
    status: str = Status.DRAFT
    before: int
    after: int
    parent: int
    changes: tuple[Difference, ...] = ()
    document: bytes
    hash: bytes = b""

    @property
    def makes_state(self) -> bool:
        """True when the state after this entry did not exist before it."""
        return self.after == self.number

    def sealed(self, previous: bytes) -> Self:
        """Return this entry with its hash, which covers that of the entry before."""
        return type(self)(**{name: getattr(self, name) for name in _FIELDS}, hash=self.seal_after(previous))

    def seal_after(self, previous: bytes) -> bytes:
        """Return the hash that this entry has to have after an entry of hash `previous`."""
        fields: dict[str, Json] = {name: getattr(self, name) for name in _FIELDS}
        fields["changes"] = [list(map(list, change)) for change in self.changes]
        fields["document"] = self.document.hex()
        fields["previous"] = previous.hex()
        return hashlib.sha256(canonical(fields).encode()).digest()


_FIELDS = (
    "number", "at", "kind", "text", "person", "status", "before", "after", "parent", "changes", "document",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approval, and what became of it.

    Attributes
    ----------
    entry : Entry
        The approval: `Entry.person`, `Entry.at`, and the state `Entry.after` that it is about.
    withdrawn : Entry or None
        What ended it; None while it holds.
    """

    entry: Entry
    withdrawn: Entry | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All entries of a case in their order.

    Attributes
    ----------
    entries : tuple of Entry
        From the first on.
    current : int
        State that the case is in; 0 when there is no entry.
    """

    entries: tuple[Entry, ...] = ()
    current: int = 0
    _parents: dict[int, int] = field(default_factory=dict, repr=False)
    _ahead: dict[int, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Return the history of entries as a file holds them; a damaged list makes one that can be shown."""
        parents: dict[int, int] = {}
        ahead: dict[int, int] = {}
        listed = tuple(entries)
        current = 0
        for entry in listed:
            current = _taken(entry, current, parents, ahead)
        return cls(listed, current, parents, ahead)

    def with_entry(self, entry: Entry) -> Self:
        """Return the history with one entry more."""
        parents, ahead = dict(self._parents), dict(self._ahead)
        current = _taken(entry, self.current, parents, ahead)
        return type(self)((*self.entries, entry), current, parents, ahead)

    # Where one can go -------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.entries)

    def has_state(self, state: int) -> bool:
        """Return whether there is such a state to go to."""
        return state in self._parents

    def maker(self, state: int) -> Entry:
        """Return the entry that made a state.

        Raises
        ------
        KeyError
            If there is no such state.
        """
        if not self.has_state(state):
            raise KeyError(state)
        entry = self.entries[state - 1] if state <= len(self.entries) else None
        if entry is None or entry.number != state:  # only in a file from which entries were taken
            entry = next(e for e in self.entries if e.number == state)
        return entry

    @property
    def undo_state(self) -> int | None:
        """State that undo goes to; None when there is nothing to undo."""
        parent = self._parents.get(self.current, 0)
        return parent if parent in self._parents else None

    @property
    def redo_state(self) -> int | None:
        """State that redo goes to; None when there is nothing to redo."""
        return self._ahead.get(self.current)

    @property
    def can_undo(self) -> bool:
        """True when a step can be taken back."""
        return self.undo_state is not None

    @property
    def can_redo(self) -> bool:
        """True when a step that was taken back can be made again."""
        return self.redo_state is not None

    @property
    def undo_text(self) -> str:
        """What undo would take back; empty when there is nothing."""
        return self.maker(self.current).text if self.can_undo else ""

    @property
    def redo_text(self) -> str:
        """What redo would make again; empty when there is nothing."""
        state = self.redo_state
        return "" if state is None else self.maker(state).text

    @property
    def line(self) -> tuple[int, ...]:
        """States from the first through the current one to the last that redo reaches."""
        behind = list(self._back(self.current))[::-1]
        state = self._ahead.get(self.current)
        while state is not None:
            behind.append(state)
            state = self._ahead.get(state)
        return tuple(behind)

    def way(self, start: int, end: int) -> tuple[tuple[Entry, bool], ...]:
        """Return the entries whose changes lead from one state to another, and whether to take them back.

        Raises
        ------
        KeyError
            If there is no such state, or no way (which only a file changed outside of cryoplan has).
        """
        for state in (start, end):
            if not self.has_state(state):
                raise KeyError(state)
        up = {state: steps for steps, state in enumerate(self._back(start))}
        down: list[int] = []
        for state in self._back(end):
            if state in up:
                back = [(self.maker(s), True) for s in list(up)[: up[state]]]
                return tuple(back + [(self.maker(s), False) for s in reversed(down)])
            down.append(state)
        raise KeyError(end)

    def brought_in(self, text: str) -> Entry | None:
        """Return the first entry that put a text into the document, such as the digest of a mask.

        None when no change did: then it was there from the start, or is not in the document.
        """
        return next((e for e in self.entries if any(_holds(c.after, text) for c in e.changes)), None)

    # What holds -------------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """Status of the case now."""
        return self.entries[-1].status if self.entries else Status.DRAFT.value

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """All approvals, those withdrawn too."""
        found: list[Approval] = []
        for entry in self.entries:
            if found and found[-1].withdrawn is None and entry.kind in (Kind.APPROVE, Kind.WITHDRAW):
                found[-1] = Approval(entry=found[-1].entry, withdrawn=entry)
            if entry.kind == Kind.APPROVE:
                found.append(Approval(entry=entry))
        return tuple(found)

    @property
    def approval(self) -> Approval | None:
        """The approval that holds now, None when there is none."""
        for entry in reversed(self.entries):
            if entry.kind == Kind.WITHDRAW:
                return None
            if entry.kind == Kind.APPROVE:
                return Approval(entry=entry)
        return None

    @property
    def seal(self) -> bytes:
        """Hash of the last entry, which stands for the whole history."""
        return self.entries[-1].hash if self.entries else UNSEALED

    def verify_chain(self) -> int | None:
        """Return the number that the first entry which does not fit should bear, None when all fit."""
        previous = UNSEALED
        for number, entry in enumerate(self.entries, 1):
            if entry.number != number or entry.hash != entry.seal_after(previous):
                return number
            previous = entry.hash
        return None

    def _back(self, state: int) -> Iterator[int]:
        while state in self._parents:
            yield state
            state = self._parents[state]


def _taken(entry: Entry, current: int, parents: dict[int, int], ahead: dict[int, int]) -> int:
    """Note what `entry` makes of the tree, and return the state after it."""
    if entry.makes_state:
        # A parent has a smaller number, or a damaged file could send undo round in circles.
        parents[entry.after] = entry.parent if entry.parent < entry.after else 0
    elif entry.after not in parents:
        return current
    if entry.after == current:
        return current
    if parents.get(entry.after) == current:
        ahead[current] = entry.after
    elif parents.get(current) == entry.after:
        ahead[entry.after] = current
    else:
        # Somewhere else in the tree: from now on redo leads here.
        state = entry.after
        while (parent := parents.get(state, 0)) in parents:
            ahead[parent] = state
            state = parent
    return entry.after


def _holds(value: Json, text: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(inner, text) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(inner, text) for inner in value)
    return bool(value == text)
