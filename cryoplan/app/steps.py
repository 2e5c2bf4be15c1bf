"""Steps on their way to the case file, and what the window may know of that file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryoplan.case.case import Case
from cryoplan.case.history import History
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Finding
from cryoplan.plan.plan import Plan

State = tuple[Case, Plan]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One edit on its way to the file.

    Attributes
    ----------
    text : str
        A sentence for the history.
    case, plan : Case, Plan
        As they are after it.
    before : (Case, Plan)
        As they were before it.
    gesture : str or None
        Steps of one gesture that follow one another are one step.
    continues : bool
        The beginning of its gesture is on the disk already, or on its way there.
    words : dict
        ``title`` or ``notes`` where the step changes them.
    """

    text: str
    case: Case
    plan: Plan
    before: State
    gesture: str | None = None
    continues: bool = False
    words: dict[str, Any] = field(default_factory=dict)

    @property
    def leads_back(self) -> bool:
        """True when nothing is left of it: a drag that ended where it began."""
        return self.plan == self.before[1] and self.case is self.before[0] and not self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the window shows of the case file.

    Attributes
    ----------
    path : Path or None
        The file; None while there is no case.
    title, notes, status : str
        See `cryoplan.case.store.CaseStore`.
    history : History
        As it is on the disk.
    waiting : tuple of str
        Steps that are not on the disk yet, oldest first.
    continues : int
        How many of them are no steps of their own but go on with a gesture that was begun before.
    trouble : CryoplanError or None
        Why not, when it is more than a moment.
    read_only : bool
        Nothing is written; `reason` says why.
    reason : str
        Who has the file, for example.
    findings : tuple of Finding
        What opening noticed.
    """

    path: Path | None = None
    title: str = ""
    notes: str = ""
    status: str = "draft"
    history: History = field(default_factory=History)
    waiting: tuple[str, ...] = ()
    continues: int = 0
    trouble: CryoplanError | None = None
    read_only: bool = False
    reason: str = ""
    findings: tuple[Finding, ...] = ()
