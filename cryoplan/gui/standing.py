"""Standing: how the case file stands, in words - saved or not, approved or not, who has it open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cryoplan.app.jobs import Failure
from cryoplan.app.keeper import Keeper
from cryoplan.app.steps import Kept
from cryoplan.app.vacancy import Vacancy
from cryoplan.app.workspace import Workspace
from cryoplan.case.history import Status
from cryoplan.case.second_image import SecondImage
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Finding
from cryoplan.gui.parts import Later
from cryoplan.workflow import consent

SILENT_MS = 4000
"""A step that waits this long without a word hangs: a full disk says so at once, a lost place never."""

SHORT = {
    "disk-full": "disk full",
    "not-writable": "place is write-protected",
    "folder-missing": "folder is gone",
    "case-place-gone": "place is gone",
    "case-file-failed": "the disk reports an error",
    "case-file-gone": "file is gone",
    "case-file-changed": "changed by another program",
    "case-file-in-use": "open elsewhere",
    "case-file-unreadable": "place does not answer",
    "case-file-damaged": "file is damaged",
    "no-answer": "the place does not answer",
    "not-written": "could not be written",
}
"""Why a step is not on the disk, in few words."""

SILENT = CryoplanError(
    "The place of the case file does not answer.",
    "Wait until the disk or the network is back, or save the case elsewhere.",
    code="no-answer",
)

TRY_AGAIN, SAVE_ELSEWHERE, SHOW_HISTORY, SAVE_COPY, OPEN_TO_WRITE = (
    "Try again",
    "Save elsewhere...",
    "History...",
    "Save a copy...",
    "Open for writing now",
)

READ_AGAIN, REMOVE_SECOND = "Read again", "Remove second image"

STATUS_TONES = {Status.DRAFT: "muted", Status.READY: "accent", Status.APPROVED: "ok", Status.TREATED: "ok"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Whether all is saved: a quiet word, its tone, and a sentence."""

    text: str
    tone: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line above the views.

    Attributes
    ----------
    kind : str
        ``trouble``, ``read-only``, ``changed``, ``second``, ``withdrawn``, ``approved``, ``second-gone``,
        ``consent``.
    tone : str
        See `cryoplan.gui.parts.tone_colour`.
    buttons : tuple of str
        What can be done about it.
    details : str
        All of it, for a tooltip.
    about : str
        Tells a notice that was closed from the next one of its kind; empty: it cannot be closed.
    """

    kind: str
    text: str
    tone: str
    buttons: tuple[str, ...] = ()
    details: str = ""
    about: str = ""


class Standing(QObject):
    """Follows the case file of a workspace, and notices when the disk has stopped answering.

    Signals
    -------
    changed
        Something is different; once for many changes.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._keeper: Keeper = workspace.keeper
        self._second = workspace.second
        self._first: str | None = None
        self._is_silent = False
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(SILENT_MS)
        self._silence.timeout.connect(self._went_silent)
        self._soon = Later(self._follow, self)
        self._vacancy = Vacancy(workspace.keeper, self)
        self._vacancy.changed.connect(self._soon.ask)
        workspace.file_changed.connect(self._soon.ask)
        workspace.case_changed.connect(self._soon.ask)
        workspace.second.changed.connect(self._soon.ask)
        self._follow()

    @property
    def kept(self) -> Kept:
        """The case file."""
        return self._keeper.kept

    @property
    def trouble(self) -> CryoplanError | None:
        """Why steps are not on the disk; None while all is well or will be in a moment."""
        kept = self.kept
        return kept.trouble or (SILENT if self._is_silent and _first_waiting(kept) is not None else None)

    @property
    def word(self) -> Word:
        """Whether all is saved."""
        return save_word(self.kept, self.trouble, is_named=self._keeper.is_named)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What stands above the views, the most urgent first."""
        case = self._workspace.case
        agreed = () if case is None else about_consent(consent.agreed(case))
        made = notices(self.kept, self.trouble, is_free=self._vacancy.is_free)
        return (*made, *about_second(self._second.link, self._second.trouble), *agreed)

    @Slot()
    def _follow(self) -> None:
        # The text of a drag changes while it grows; one that hangs keeps its text.
        first = _first_waiting(self.kept)
        if first is None or first != self._first:
            self._is_silent = False
            self._silence.stop()
        if first is not None and not self._is_silent and not self._silence.isActive():
            self._silence.start()
        self._first = first
        self.changed.emit()

    @Slot()
    def _went_silent(self) -> None:
        self._is_silent = _first_waiting(self.kept) is not None
        self.changed.emit()


def local_time(at: str) -> str:
    """Return a time of the history by the clock on the wall: ``22 Nov 2026 14:05``."""
    when = _local(at)
    # Month names of our own: those of the system may be in any language.
    return at if when is None else f"{when.day} {MONTHS[when.month - 1]} {when.year} {when:%H:%M}"


def local_seconds(at: str) -> str:
    """Return a time of the history for a list: ``22 Nov 2026  14:05:09``."""
    when = _local(at)
    return at if when is None else f"{when.day:2d} {MONTHS[when.month - 1]} {when.year}  {when:%H:%M:%S}"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _local(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at).astimezone()
    except (ValueError, OverflowError, OSError):  # a file that somebody else has changed may say anything
        return None


def _first_waiting(kept: Kept) -> str | None:
    """Return the oldest step that is not on the disk, empty for the case as a whole; None when all is."""
    if kept.waiting:
        return kept.waiting[0]
    return "" if kept.path is not None and not kept.history.entries else None


def shown_status(kept: Kept) -> str:
    """Return the status of what is on the screen: a step that waits withdraws an approval already."""
    if kept.waiting and kept.history.approval is not None:
        return Status.DRAFT.value
    return kept.status


def short_reason(trouble: CryoplanError) -> str:
    """Return why something is not on the disk, in few words."""
    return SHORT.get(trouble.code) or trouble.what.rstrip(".")


def save_word(kept: Kept, trouble: CryoplanError | None, *, is_named: bool) -> Word:
    """Return whether all is saved; empty while there is no file."""
    if kept.path is None:
        return Word(text="", tone="muted", sentence="")
    if trouble is not None:
        return Word(
            text=f"NOT SAVED: {SHORT.get(trouble.code, 'see below')}",
            tone="warn",
            sentence=f"{trouble.what} {trouble.remedy}",
        )
    if kept.read_only:
        return Word(text="Read only", tone="warn", sentence=_read_only(kept))
    if _first_waiting(kept) is not None:
        return Word(text="Saving...", tone="muted", sentence="The last step is on its way to the disk.")
    if is_named or kept.status != Status.DRAFT:
        where = kept.path.name if is_named else "cryoplan's own folder. Save case gives it a place of yours"
        return Word(text="Saved", tone="muted", sentence=f"All steps are in {where}.")
    return Word(
        text="Saved as draft",
        tone="muted",
        sentence="All steps are in cryoplan's own folder. Save case gives the case a place of yours.",
    )


def notices(kept: Kept, trouble: CryoplanError | None, *, is_free: bool = False) -> tuple[Notice, ...]:
    """Return what has to be said about a case file, the most urgent first."""
    made = []
    if trouble is not None:
        count = len(kept.waiting)
        what = "The case is" if not count else "1 step is" if count == 1 else f"{count} steps are"
        it = "It is" if count <= 1 else "They are"
        made.append(
            Notice(
                kind="trouble",
                tone="warn",
                text=f"{what} not saved yet: {short_reason(trouble)}. {it} kept in memory. {trouble.remedy}",
                buttons=(TRY_AGAIN, SAVE_ELSEWHERE),
                details=trouble.what,
            )
        )
    if kept.read_only and kept.path is not None:
        text = "Open for reading only. Nobody else has it open for writing." if is_free else _read_only(kept)
        buttons = (OPEN_TO_WRITE, SAVE_COPY) if is_free else (SAVE_COPY,)
        made.append(Notice(kind="read-only", tone="warn", text=text, buttons=buttons))
    made += [
        Notice(kind="changed", tone="warn", text=finding.text, buttons=(SHOW_HISTORY,))
        for finding in kept.findings
    ]
    made += _about_approval(kept)
    return tuple(made)


def about_consent(findings: Collection[Finding]) -> tuple[Notice, ...]:
    """Return the line that says to what the user agreed when the image was opened; it stays."""
    if not findings:
        return ()
    text = f"Opened with your consent: {consent.agreed_in_words(findings)}."
    details = "\n".join(f.text for f in findings)
    return (Notice(kind="consent", tone="warn", text=text, details=details),)


def about_second(link: SecondImage | None, trouble: Failure | None) -> tuple[Notice, ...]:
    """Return what has to be said about a second image: that it is not shown, or what was agreed to."""
    if link is None:
        return ()
    if trouble is not None:
        text = f"{trouble.what} {trouble.remedy}"
        return (Notice(kind="second-gone", tone="warn", text=text, buttons=(READ_AGAIN, REMOVE_SECOND)),)
    return tuple(
        Notice(kind="second", tone="warn", text=finding.text, details=link.registration, about=link.sha256)
        for finding in link.findings()
    )


def _read_only(kept: Kept) -> str:
    _, _, who = kept.reason.partition(" is open for writing elsewhere: ")
    why = f": {who or kept.reason}".rstrip(".") if kept.reason else ""
    return f"Open for reading only{why}. Save a copy to work on it."


def _about_approval(kept: Kept) -> list[Notice]:
    history = kept.history
    approvals = history.approvals
    if not approvals:
        return []
    last = approvals[-1]
    ended = last.withdrawn
    if ended is None and not kept.waiting:
        said = f"Approved by {last.entry.person}, {local_time(last.entry.at)}"
        treated = " Treated." if history.status == Status.TREATED else ""
        return [Notice(kind="approved", tone="ok", text=f"{said}.{treated}")]
    if ended is None:
        why = kept.waiting[0]
    elif ended.document != last.entry.document and ended.number >= 2:
        # A change withdraws by an entry of its own, right after the one of the change.
        why = history.entries[ended.number - 2].text
    else:
        why = ended.text
    about = f"{last.entry.number} {last.entry.at}"
    return [Notice(kind="withdrawn", tone="warn", text=f"Approval withdrawn: {why}", about=about)]
