"""The next entry of a history: what each kind of step writes down, before it is written anywhere."""

from __future__ import annotations

from datetime import UTC, datetime

from cryoplan.case.differences import Difference, Json, differences, document_digest
from cryoplan.case.history import UNSEALED, Entry, History, Kind, Status
from cryoplan.core.errors import StoreError

LONGEST_TEXT = 500
LONGEST_PERSON = 120


def now() -> str:
    """Return the time as entries hold it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def first_entry(document: dict[str, Json], text: str, *, kind: str = Kind.START) -> Entry:
    """Return the entry that a history begins with; its differences are those from an empty object."""
    return Entry(
        number=1,
        at=now(),
        kind=kind,
        text=clean(text, LONGEST_TEXT),
        before=0,
        after=1,
        parent=0,
        document=document_digest(document),
    ).sealed(UNSEALED)


def edit_entries(
    history: History,
    kind: str,
    text: str,
    person: str,
    parent: int,
    before: dict[str, Json],
    after: dict[str, Json],
) -> tuple[Entry, ...]:
    """Return the entry of a new state, and if it withdraws an approval one more that says so.

    Parameters
    ----------
    history : History
        What there is so far.
    kind, text, person : str
        See `Entry`.
    parent : int
        State that undo goes to.
    before, after : dict
        Documents of `parent` and of the new state.
    """
    digest = document_digest(after)
    entry = _next_entry(
        history,
        kind,
        text,
        person,
        status=_status_after(history, digest),
        after=_next(history),
        parent=parent,
        changes=differences(before, after),
        document=digest,
    )
    return (entry, *_withdrawal(history, entry))


def move_entries(history: History, kind: str, text: str, state: int, person: str = "") -> tuple[Entry, ...]:
    """Return the entry of going to a state that exists, and the withdrawal that this may bring."""
    digest = history.maker(state).document
    entry = _next_entry(
        history,
        kind,
        text,
        person,
        status=_status_after(history, digest),
        after=state,
        parent=history.current,
        document=digest,
    )
    return (entry, *_withdrawal(history, entry))


def note_entry(
    history: History, kind: str, text: str, document: bytes, *, person: str = "", status: str = ""
) -> Entry:
    """Return an entry that leaves the document (of digest `document`) as it is."""
    return _next_entry(
        history,
        kind,
        text,
        person,
        status=status or history.status,
        after=history.current,
        parent=history.current,
        document=document,
    )


def approval_entry(history: History, person: str, text: str, document: bytes) -> Entry:
    """Return the entry of an approval.

    Raises
    ------
    StoreError
        If nobody is named.
    """
    if not clean(person, LONGEST_PERSON):
        raise StoreError(
            "An approval needs a name.", "Say who approves.", code="approval-without-name", place="person"
        )
    return note_entry(history, Kind.APPROVE, text, document, person=person, status=Status.APPROVED.value)


def status_entry(history: History, status: str, person: str, document: bytes) -> Entry:
    """Return the entry of another status; going back before an approval withdraws it.

    Raises
    ------
    StoreError
        If there is no such status, or it is the one that only an approval gives.
    """
    if status not in list(Status):
        raise StoreError(
            f"There is no status {status!r}.",
            f"Choose one of: {', '.join(s for s in Status if s is not Status.APPROVED)}.",
            code="status-unknown",
            place=status,
        )
    held = history.approval
    if status == Status.APPROVED:
        if held is None:
            raise StoreError(
                "A case becomes approved by approving it.",
                "Approve it with a name.",
                code="status-needs-approval",
                place=status,
            )
        return note_entry(history, Kind.STATUS, "Status: approved", document, person=person, status=status)
    if held is not None and status != Status.TREATED:
        said = f"Approval by {held.entry.person} withdrawn; status: {status}"
        return note_entry(history, Kind.WITHDRAW, said, document, person=person, status=status)
    return note_entry(history, Kind.STATUS, f"Status: {status}", document, person=person, status=status)


def clean(text: str, longest: int) -> str:
    """Return a text of one line without invisible characters."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())[:longest]


def _next(history: History) -> int:
    return history.entries[-1].number + 1 if history.entries else 1


def _next_entry(
    history: History,
    kind: str,
    text: str,
    person: str,
    *,
    status: str,
    after: int,
    parent: int,
    document: bytes,
    changes: tuple[Difference, ...] = (),
) -> Entry:
    """Return an entry at the end of `history`, from where that stands, sealed onto it."""
    return Entry(
        number=_next(history),
        at=now(),
        kind=kind,
        text=clean(text, LONGEST_TEXT),
        person=clean(person, LONGEST_PERSON),
        status=status,
        before=history.current,
        after=after,
        parent=parent,
        changes=changes,
        document=document,
    ).sealed(history.seal)


def _withdraws(history: History, digest: bytes) -> bool:
    return history.approval is not None and history.entries[-1].document != digest


def _status_after(history: History, digest: bytes) -> str:
    return Status.DRAFT.value if _withdraws(history, digest) else history.status


def _withdrawal(history: History, entry: Entry) -> tuple[Entry, ...]:
    held = history.approval
    if held is None or not _withdraws(history, entry.document):
        return ()
    said = f"Approval by {held.entry.person} withdrawn by: {entry.text}"
    return (
        note_entry(history.with_entry(entry), Kind.WITHDRAW, said, entry.document, status=Status.DRAFT.value),
    )
