"""AnsweredCase: the case on screen and its answer - which result belongs to it and is current."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.edited_case import EditedCase
from cryoplan.app.errands import Errands
from cryoplan.app.jobs import Asked, Failure
from cryoplan.app.live_ice import LiveIce
from cryoplan.app.recall import Recall
from cryoplan.app.rehearsal import rehearse
from cryoplan.app.results import Results
from cryoplan.app.saver import Saver
from cryoplan.app.state import BUSY_TEXT, State
from cryoplan.app.worker import Worker
from cryoplan.core.finding import Finding
from cryoplan.core.progress import ProgressReport
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.plan import Plan
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.settings import STANDARD, SolverSettings


class AnsweredCase(EditedCase):
    """Adds to a case that is edited what is worked out from it, and the processes that do so.

    Signals
    -------
    plan_changed, result_changed, state_changed
        Something is different; ask what.
    catalogue_changed
        Probes were made, changed or deleted, or others are in stock.
    """

    plan_changed = Signal()
    result_changed = Signal()
    state_changed = Signal()
    catalogue_changed = Signal()

    def __init__(self, worker: Worker | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.saver = Saver(self.keeper, self)
        self.saver.saved.connect(lambda path: self.message.emit(f"Saved {path.name}"))
        self.saver.failed.connect(self._fail)
        self.saver.changed.connect(self._told)
        self._errands = Errands(worker or Worker(parent=self, prepare=rehearse), self)
        self._errands.changed.connect(self._told)
        self.live = LiveIce(self._errands, self.catalogue, self)
        self.live.changed.connect(self._told)
        self.live.failed.connect(self.failed)
        # The question that previews follow already, and the solve that was begun by itself.
        self._followed = ""
        self._by_itself: Asked | None = None
        self._recall = Recall(self.keeper, self._errands, self)
        self._recall.missed.connect(self._missed)
        self._recall.changed.connect(self._follow)
        self._recall.changed.connect(self._told)
        self._settings: SolverSettings = STANDARD
        self._key = ""
        self._rules: tuple[Finding, ...] | None = None
        self._results = Results()
        # What the process answered, and the same by the limits that the case has had since.
        self._judged: tuple[Assessment, Assessment] | None = None
        self.limits_changed.connect(self._told)
        self._solving: Asked | None = None
        self._checked: workflow.ConvergenceReport | None = None

    # What there is ----------------------------------------------------------------------------------

    @property
    def solved(self) -> tuple[ThermalResult, Assessment] | None:
        """The result that is shown and its judgement, which may be out of date."""
        return self._results.shown

    @property
    def result(self) -> ThermalResult | None:
        """The newest result; only current if `is_current`."""
        return None if self._results.shown is None else self._results.shown[0]

    @property
    def assessment(self) -> Assessment | None:
        """The judgement of `result` by the limits of the case; of those it had when it became out of date."""
        self._judge()
        return None if self._judged is None else self._judged[1]

    @property
    def rules(self) -> tuple[Finding, ...]:
        """Findings about the plan that need no solve; worked out when asked for, once per plan."""
        if self._case is None or not self._plan.probes:
            return ()
        if self._rules is None:
            self._rules = workflow.check(self._case, self._plan, self.catalogue)
        return self._rules

    @property
    def settings(self) -> SolverSettings:
        """How the plan is solved; another grid makes another answer, so a change here outdates the result."""
        return self._settings

    @settings.setter
    def settings(self, value: SolverSettings) -> None:
        if value != self._settings:
            self._settings = value
            self._refresh_key()
            self._look_for_result()
            self._follow()
            self._told()

    @property
    def is_current(self) -> bool:
        """True when the result shown is the answer to exactly this case and plan."""
        return self._results.shown is not None and self._results.shown[0].key == self._key

    @property
    def convergence(self) -> workflow.ConvergenceReport | None:
        """What refining grid and step changed for exactly this case, plan and grid; None when not checked."""
        found = self._checked
        if found is None or self._case is None or found.key != self._key:
            return None
        # Its margins are those of the sides that counted then.
        return found if found.left_out == self._case.left_out else None

    @property
    def is_checking(self) -> bool:
        """True while the grid is being checked."""
        return self._errands.has("converge")

    @property
    def is_verifying(self) -> bool:
        """True while the solver is being checked."""
        return self._errands.has("verify")

    @property
    def can_export(self) -> bool:
        """True when numbers may leave the program."""
        return self.is_current

    @property
    def state(self) -> State:
        """What the state chip says."""
        if self._case is None:
            return State.EMPTY
        if self._solving is not None:
            return State.SOLVING
        if self.is_current:
            return State.CURRENT
        if self.live.shown is not None:
            return State.PREVIEW
        return State.READY if self._results.shown is None else State.OUT_OF_DATE

    @property
    def progress(self) -> ProgressReport | None:
        """How far the background process is."""
        return self._errands.progress

    @property
    def busy_text(self) -> str:
        """What is being done in the background, empty when nothing is."""
        recalling = BUSY_TEXT["recall"] if self._recall.is_under_way else ""
        return self._errands.busy_text or self.saver.busy_text or recalling

    @property
    def is_busy(self) -> bool:
        """True while something is under way in the background."""
        return self._errands.is_busy or self.saver.is_busy or self._recall.is_under_way

    # The plan ---------------------------------------------------------------------------------------

    def _set_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._rules = None
        self._refresh_key()
        self._look_for_result()
        self._follow()
        self.plan_changed.emit()
        self._told()

    def look_at_catalogue(self) -> None:
        """Take probes and stock as they are now; a result that rests on other numbers is out of date then.

        A model of the plan whose file is gone stays with the numbers it had, and that is said.
        """
        now, before = workflow.catalogue(), self.catalogue
        lost = [before[n] for n in dict.fromkeys(p.model for p in self._plan.probes) if n not in now]
        if lost:
            self.message.emit(
                f"The file of {', '.join(m.name for m in lost)} is gone: import it before you solve"
            )
            models = tuple(sorted((*now.models, *lost), key=lambda m: m.id))
            now = replace(now, models=models)
        self.catalogue = now
        self._rules = None
        changed = any(now[p.model] != before[p.model] for p in self._plan.probes)
        if changed:
            self._refresh_key()
            self._look_for_result()
        self.catalogue_changed.emit()
        if changed:
            self.plan_changed.emit()
        self._told()

    @Slot()
    def _follow(self) -> None:
        """Let a preview follow the plan in hand where its answer is not known; a question once."""
        if self._case is None or self.is_current or not self._key:
            self._followed = self._key
            self.live.drop()
            if self._case is not None and self._solving is self._by_itself:
                self._stop_solving()
            return
        if self._key == self._followed or self._recall.is_under_way:
            return
        self._followed = self._key
        if self.live.follows or self.live.solves:
            # The solve of the plan before this one would only stand in the way.
            self._stop_solving()
            self.live.want(self._case, self._plan, self._settings)

    def _stop_solving(self) -> None:
        asked, self._solving, self._by_itself = self._solving, None, None
        if asked is not None:
            self._errands.stop_one(asked)

    def _refresh_key(self) -> None:
        self._key = ""
        if self._case is not None and self._plan.probes:
            self._key = workflow.simulation_key(self._case, self._plan, self.catalogue, self._settings)
            if self._results.look_up(self._key):
                self.result_changed.emit()

    def _judge(self) -> None:
        """Judge the result that is shown by the limits of the case, as long as it is its answer.

        Thermocouples are read where the plan has them now.
        """
        shown = self._results.shown
        if shown is None:
            self._judged = None
            return
        if self._judged is None or self._judged[0] is not shown[1]:
            self._judged = (shown[1], shown[1])
        if self._case is not None and self.is_current:
            judged = workflow.judge_again(self._case, shown[0], self._judged[1])
            self._judged = (shown[1], workflow.sense_again(self._plan, shown[0], judged))

    def _look_for_result(self) -> None:
        """Bring the answer back from the file where another state of the same case is shown."""
        if self._case is None or self.is_current:
            self._recall.forget()
        else:
            self._recall.want(self._key, self._case, self._plan)

    def _told(self) -> None:
        self._judge()
        self.state_changed.emit()

    # Answers that come ------------------------------------------------------------------------------

    def _keep_result(self, result: ThermalResult, assessment: Assessment) -> None:
        self._errands.held.results.add(result.key)
        for old in self._results.keep((result, assessment)):
            self._errands.held.results.discard(old)
        # A late answer is kept for undo, but only the answer to the plan on screen may be shown.
        if result.key == self._key and self._case is not None:
            self._results.look_up(self._key)
            self._follow()
            self.result_changed.emit()

    @Slot(object)
    def _missed(self, failure: Failure) -> None:
        """Say why a stored result is not shown, in the status line unless our own process failed."""
        if failure.details:
            self.failed.emit(failure)
        else:
            self.message.emit(f"{failure.what} {failure.remedy}")
        self._follow()

    @property
    def errands(self) -> Errands:
        """What the background process was asked."""
        return self._errands
