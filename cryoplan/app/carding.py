"""Carding: the card of the chosen structure, measured beside the window and anew after each change."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cryoplan.app.newest import Newest
from cryoplan.app.steps import Kept
from cryoplan.app.workspace import Workspace
from cryoplan.case.card import StructureCard, make_card
from cryoplan.case.case import Case
from cryoplan.case.history import Entry
from cryoplan.core.errors import CryoplanError
from cryoplan.core.progress import Progress

REST_MS = 500
"""Who draws one stroke after the other is not disturbed; the card follows when the hand rests."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carded:
    """A card, the case that it is about, and since when the structure is as it is.

    Attributes
    ----------
    card : StructureCard
    case : Case
        In which it was measured.
    since : Entry or None
        The step of the history that brought this outline in; None while that is not on the disk.
    """

    card: StructureCard
    case: Case
    since: Entry | None


class Carding(QObject):
    """The card of one structure at a time; the newest choice wins.

    Signals
    -------
    changed
        Another structure is chosen, or its card has come or is out of date.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._name = ""
        self._shown: Carded | None = None
        self._trouble = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._measure)
        self._newest = Newest("card", self)
        self._newest.failed.connect(self._not_measured)
        workspace.case_changed.connect(self._case_changed)

    @property
    def name(self) -> str:
        """The chosen structure; empty when none is."""
        return self._name

    @property
    def shown(self) -> Carded | None:
        """The last card of the chosen structure, which may be out of date; None before the first."""
        return self._shown

    @property
    def is_current(self) -> bool:
        """True when the card is that of the structures as they are now."""
        case = self._workspace.case
        return self._shown is not None and case is not None and self._measures_same(self._shown.case, case)

    @property
    def is_busy(self) -> bool:
        """True while the card is being measured or will be in a moment."""
        return self._rest.isActive() or self._newest.is_busy

    @property
    def trouble(self) -> str:
        """Why it could not be measured; empty when it could."""
        return self._trouble

    def choose(self, name: str) -> None:
        """Choose a structure; an empty name chooses none."""
        if name == self._name:
            return
        self._name, self._shown, self._trouble = name, None, ""
        self._newest.cancel()
        self._rest.stop()
        if name:
            self._measure()
        self.changed.emit()

    @Slot()
    def _measure(self) -> None:
        case, name = self._workspace.case, self._name
        if case is None or not name:
            return
        kept = self._workspace.keeper.kept
        self._trouble = ""

        def work(progress: Progress) -> object:
            card = make_card(case, name, progress=progress)
            return Carded(card=card, case=case, since=since(kept, case, name))

        self._newest.ask(work, self._take, f"Measuring {name}")

    @Slot(object)
    def _take(self, value: object) -> None:
        assert isinstance(value, Carded)
        self._shown = value
        self.changed.emit()

    @Slot(object)
    def _not_measured(self, error: BaseException) -> None:
        if not isinstance(error, CryoplanError):
            raise error
        self._trouble = f"{error.what} {error.remedy}"
        self.changed.emit()

    @Slot()
    def _case_changed(self) -> None:
        case = self._workspace.case
        if not self._name:
            return
        if case is None or all(s.name != self._name for s in case.structures):
            self.choose("")
        elif self._shown is None or not self._measures_same(self._shown.case, case):
            self._newest.cancel()
            self._rest.start()
        self.changed.emit()

    @staticmethod
    def _measures_same(a: Case, b: Case) -> bool:
        """Tell whether all that a card is made of is the same; volumes are compared by identity."""

        def parts(case: Case) -> list[object]:
            return [(s.name, s.role, id(s.mask)) for s in case.structures]

        return a.scan.volume is b.scan.volume and parts(a) == parts(b)


def since(kept: Kept, case: Case, name: str) -> Entry | None:
    """Return the step that brought the outline of a structure into the case; None before that is written."""
    entries = kept.history.entries
    found = kept.history.brought_in(case.structure(name).mask.digest())
    if found is not None or kept.waiting or not entries:
        return found
    return entries[0]
