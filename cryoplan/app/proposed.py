"""Proposed: structures that were found by themselves and wait for somebody to accept or discard them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.jobs import Asked, Failure
from cryoplan.app.keeper import failure_of
from cryoplan.app.newest import Newest
from cryoplan.app.rehearsal import rehearse_case
from cryoplan.case.case import Case
from cryoplan.core.finding import Finding
from cryoplan.core.progress import Progress
from cryoplan.image.anatomy.found import Part

if TYPE_CHECKING:
    from cryoplan.app.workspace import Workspace

JOB = "propose"


class Proposed(QObject):
    """What is looked for, what was found, and its way into the case; nothing of it is kept with the case.

    Signals
    -------
    changed
        A search began, went on or ended; a proposal came, was accepted or discarded.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._shown: tuple[int, str] = (0, "")
        self._proposals: tuple[workflow.Proposal, ...] = ()
        self._nothing: tuple[Finding, ...] = ()
        self._looking: Asked | None = None
        self._accepting = Newest("accepting", self)
        self._accepting.failed.connect(self._fail)
        self._accepting.changed.connect(self.changed)
        workspace.case_changed.connect(self._follow)
        workspace.errands.changed.connect(self._went_on)

    # What there is ----------------------------------------------------------------------------------

    @property
    def proposals(self) -> tuple[workflow.Proposal, ...]:
        """What was found and is neither accepted nor discarded."""
        return self._proposals

    @property
    def nothing(self) -> tuple[Finding, ...]:
        """What the last search says of parts that it did not find."""
        return self._nothing

    @property
    def is_looking(self) -> bool:
        """True while a search is under way."""
        return self._looking is not None

    @property
    def is_accepting(self) -> bool:
        """True while proposals are on their way into the case."""
        return self._accepting.is_busy

    @property
    def busy_text(self) -> str:
        """How far the search or the accepting is; empty when neither is under way."""
        if self._accepting.is_busy:
            return self._accepting.text
        if self._looking is None:
            return ""
        report = self._workspace.progress
        if report is None or not self._workspace.errands.is_at(self._looking):
            return "Waiting for its turn"
        return f"{report.text} \N{MIDDLE DOT} {100.0 * report.fraction:.0f} %"

    def can_look_for(self) -> tuple[Part, ...]:
        """Return what can be found in the image: all in a CT, the body alone in an MR."""
        case = self._workspace.case
        return () if case is None else workflow.can_propose(case)

    # What can be done -------------------------------------------------------------------------------

    def look_for(self, which: Collection[Part]) -> None:
        """Look in the background; what was proposed of the same parts before gives way to the answer."""
        if not which or self._looking is not None or not self._workspace.need_case():
            return
        case = self._workspace.case
        self._looking = self._workspace.errands.ask(JOB, case=case, which=tuple(which))
        self.changed.emit()

    def cancel(self) -> None:
        """Stop looking; what was found before stays."""
        if self._looking is not None:
            self._workspace.errands.stop_one(self._looking)

    def accept(self, proposals: Collection[workflow.Proposal]) -> None:
        """Make structures of some proposals, all in one step of the history.

        What a window would wait for afterwards (the rules of placement look at every outline) is worked out
        before, in a thread. Where the case changes meanwhile, it is done again for the new one.
        """
        case = self._workspace.case
        chosen = tuple(p for p in self._proposals if p in proposals)
        if case is None or not chosen or self._accepting.is_busy or not self._workspace.may_edit():
            return
        self._workspace.finish_strokes()
        case = self._workspace.case

        def work(_progress: Progress) -> object:
            assert case is not None
            made = workflow.accept_proposals(case, workflow.with_free_names(case, chosen))
            made.digest()
            rehearse_case(made)
            return made

        def then(made: object) -> None:
            assert isinstance(made, Case)
            if self._workspace.case is not case:
                self.accept(chosen)
                return
            names = [s.name for s in made.structures[-len(chosen) :]]
            if self._workspace.take_case(f"Accepted, found by cryoplan: {', '.join(names)}", made):
                self._proposals = tuple(p for p in self._proposals if p not in chosen)

        self._accepting.ask(work, then, "Accepting")

    def discard(self, proposals: Collection[workflow.Proposal]) -> None:
        """Forget proposals; the case never hears of them."""
        self._proposals = tuple(p for p in self._proposals if p not in proposals)
        if not self._proposals:
            self._nothing = ()
        self.changed.emit()

    # What comes back --------------------------------------------------------------------------------

    def take(self, asked: Asked, found: tuple[workflow.Proposal, ...]) -> None:
        """Take what the background process has found."""
        if asked is not self._looking:
            return  # of a case that was closed
        self._looking = None
        parts = set(asked.arguments["which"])
        kept = tuple(p for p in self._proposals if p.part not in parts)
        self._proposals = (*kept, *(p for p in found if p.volume_ml > 0.0))
        self._nothing = tuple(n for p in found if p.volume_ml == 0.0 for n in p.notes)
        self.changed.emit()

    def give_up(self, asked: Asked) -> None:
        """A search was stopped or failed."""
        if asked is self._looking:
            self._looking = None
            self.changed.emit()

    @Slot()
    def _follow(self) -> None:
        """Forget everything with the case that it was found in; other structures of it change nothing."""
        case = self._workspace.case
        shown = (self._workspace.keeper.tenure, "" if case is None else case.scan.volume.digest())
        if shown == self._shown:
            return
        self._shown = shown
        self.cancel()
        self._looking = None
        self._accepting.cancel()
        self._proposals, self._nothing = (), ()
        self.changed.emit()

    @Slot()
    def _went_on(self) -> None:
        if self._looking is not None:
            self.changed.emit()

    @Slot(object)
    def _fail(self, error: Exception) -> None:
        known = failure_of(error)
        self._workspace.failed.emit(
            Failure(what=known.what, remedy=known.remedy, code=known.code, place=known.place)
        )
