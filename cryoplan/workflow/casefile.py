"""CaseFile: a case file in use; every edit is stored at once, and results say what they rest on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cryoplan import __version__
from cryoplan.case.case import Case
from cryoplan.case.history import Entry, History, Kind, Status
from cryoplan.case.store import CaseStore, StoredResult
from cryoplan.core.digest import digest
from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.image.scan import Scan
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.file import plan_from_json, plan_to_json
from cryoplan.plan.plan import Plan
from cryoplan.simulation.archive import pack, unpack
from cryoplan.simulation.settings import SolverSettings
from cryoplan.workflow.solving import MODEL_VERSION, catalogue, simulation_key, tissues

if TYPE_CHECKING:
    from cryoplan.simulation.result import ThermalResult

KEPT_RESULTS = 3
"""Results that stay in the file; a result is by far the largest thing in it."""

PARTS = {
    "image": "the image",
    "structures": "the structures",
    "plan": "the plan",
    "probes": "the table of probes",
    "tissues": "the table of tissues",
    "surroundings": "the table of surroundings",
    "settings": "the grid and steps",
    "model": "the version of the model",
}
"""What a result rests on, in the words of a finding."""


class CaseFile:
    """An open case file with its case and plan as records.

    Use it in a ``with`` block, or `close` it. One thread at a time may use it.

    Attributes
    ----------
    store : CaseStore
        Status, approval, title, notes, copies: see there.
    case, plan : Case, Plan
        As they stand.
    """

    def __init__(self, store: CaseStore, probes: Catalogue | None) -> None:
        self.store = store
        self._given = probes
        self.case: Case = store.load_case()
        self.plan: Plan = self._plan_of(store.plan_text)

    @classmethod
    def open(
        cls,
        path: Path,
        probes: Catalogue | None = None,
        *,
        read_only: bool = False,
        scan: Scan | None = None,
    ) -> Self:
        """Open a case file; see `CaseStore.open`.

        Raises
        ------
        StoreError
            If the store refuses it, or its plan cannot be read; the file is left as it was.
        """
        store = CaseStore.open(path, read_only=read_only, scan=scan)
        try:
            return cls(store, probes)
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free; a second call does nothing."""
        self.store.close()

    @property
    def _probes(self) -> Catalogue:
        # A probe may be made or changed while the file is open.
        return self._given or catalogue()

    @property
    def history(self) -> History:
        """All that was done."""
        return self.store.history()

    def record(
        self,
        text: str,
        *,
        case: Case | None = None,
        plan: Plan | None = None,
        kind: str = Kind.EDIT,
        person: str = "",
        gesture: str | None = None,
        **words: Any,
    ) -> Entry:
        """Store one step; see `CaseStore.record`, which also takes ``title`` and ``notes``.

        Raises
        ------
        StoreError
            If it cannot be written; case and plan here and in the file are then those before.
        """
        text_of_plan = None if plan is None else plan_to_json(plan)
        entry = self.store.record(
            text, case=case, plan_text=text_of_plan, kind=kind, person=person, gesture=gesture, **words
        )
        self.case = self.case if case is None else case
        self.plan = self.plan if plan is None else plan
        return entry

    def undo(self) -> tuple[Case, Plan]:
        """Take the last step back; see `CaseStore.undo`."""
        return self._taken(self.store.undo())

    def redo(self) -> tuple[Case, Plan]:
        """Make the step again that was taken back last; see `CaseStore.redo`."""
        return self._taken(self.store.redo())

    def go_to(self, state: int) -> tuple[Case, Plan]:
        """Go to any state of the history; see `CaseStore.go_to`."""
        return self._taken(self.store.go_to(state))

    def put_result(self, result: ThermalResult, *, text: str = "") -> None:
        """Keep a result beside the newest others; `text` becomes an entry of the history.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        self.put_stored(stored_result(result, self.case, self.plan, self._probes), text=text)

    def put_stored(self, stored: StoredResult, *, text: str = "") -> None:
        """Keep a result that was packed already, in another thread for example; see `put_result`."""
        self.store.put_result(stored, text=text)
        keys = self.store.result_keys()
        if len(keys) > KEPT_RESULTS:
            self.store.drop_results(keep=keys[-KEPT_RESULTS:])

    def stored(self, key: str) -> StoredResult | None:
        """Return a result as the file holds it, None when there is none of that key; see `stored_answer`.

        Raises
        ------
        StoreError
            If it cannot be read; ``result-damaged`` when nothing is wrong but this result.
        """
        try:
            return self.store.result(key)
        except StoreError as error:
            if error.code == "case-file-damaged":
                raise _damaged() from error
            raise

    def current_result(self) -> tuple[ThermalResult | None, tuple[Finding, ...]]:
        """Return the stored result that answers to exactly this case, plan and these tables.

        Returns
        -------
        ThermalResult or None
            None if there is none; a stale one is never returned.
        tuple of Finding
            Which part of the question differs, or that one cannot be read, when results are there and none
            of them is current.
        """
        found: StoredResult | None = None
        doubts: tuple[Finding, ...] = ()
        for key in reversed(self.store.result_keys()):
            # The settings are part of the key, so they are read from the result before it can be judged.
            try:
                stored = self.stored(key)
                if stored is None:
                    continue
                result = stored_answer(stored)
            except StoreError as error:
                # A result can be solved again: the case is opened without it.
                if error.code not in UNREADABLE:
                    raise
                doubts = doubts or (unreadable_finding(error, self.store.path.name),)
                continue
            if result.key == simulation_key(self.case, self.plan, self._probes, result.settings):
                return result, ()
            if found is None:
                found = stored
                now = question(self.case, self.plan, self._probes, result.settings)
        if found is None:
            return None, doubts
        return None, (*doubts, stale_finding(found.what, now, self.store.path.name))

    def _taken(self, state: tuple[Case, str]) -> tuple[Case, Plan]:
        self.case, self.plan = state[0], self._plan_of(state[1])
        return self.case, self.plan

    def _plan_of(self, text: str) -> Plan:
        if not text:
            return Plan()
        name = self.store.path.name
        try:
            return plan_from_json(text, self._probes, name)
        except PlanError as error:
            raise StoreError(
                f"The plan in {name} cannot be read: {error.what}",
                error.remedy,
                code="plan-in-case",
                place=name,
            ) from error


def question(case: Case, plan: Plan, probes: Catalogue, settings: SolverSettings) -> dict[str, str]:
    """Return what `simulation_key` is made of in parts, each a digest or a word.

    Two results of equal keys have equal parts; where keys differ, so does at least one part.
    """
    from cryoplan.simulation.conditions import load_conditions

    used = sorted({p.model for p in plan.probes})
    rows = [(s.name, s.role.value, s.tissue, s.mask.digest()) for s in case.structures]
    return {
        "image": digest(case.scan.volume.digest(), case.scan.facts.modality),
        "structures": digest(rows, case.target_name, case.planning_grid),
        "plan": digest(plan.physics_key()),
        "probes": digest([probes.model(name) for name in used]),
        "tissues": tissues().digest(),
        "surroundings": load_conditions().digest(),
        "settings": digest(settings),
        "model": str(MODEL_VERSION),
        "program": __version__,
    }


SEAL_DIGITS = 12


def standing(history: History) -> str:
    """Return in one line whether a plan is approved and which state of its case file it is, for print.

    The digits at the end stand for the whole history (`History.seal`): who has the paper can tell whether the
    file was changed behind it.
    """
    approval = history.approval
    said = "Not approved"
    if approval is not None:
        said = f"Approved by {approval.entry.person}, {approval.entry.at[:16].replace('T', ' ')} UTC"
    if history.status in (Status.READY, Status.TREATED):
        said = f"{said}, {history.status}"
    return f"{said} · entry {len(history)}, seal {history.seal.hex()[:SEAL_DIGITS]}"


def stored_result(result: ThermalResult, case: Case, plan: Plan, probes: Catalogue) -> StoredResult:
    """Return a result as the store keeps it, with its question in parts if it is the answer to this plan."""
    data = pack(result)
    header = json.dumps(
        {
            "version": __version__,
            "spacing_mm": result.settings.spacing_mm,
            "sha256": sha256(data).hexdigest(),
        }
    )
    current = result.key == simulation_key(case, plan, probes, result.settings)
    what = question(case, plan, probes, result.settings) if current else {}
    return StoredResult(key=result.key, header=header, data=data, what=what)


UNREADABLE = ("result-damaged", "result-older", "result-newer")
"""Codes of what may be wrong with one stored result while the rest of the file is sound."""


def stored_answer(stored: StoredResult) -> ThermalResult:
    """Return the temperatures of a stored result, exactly as they were stored under its key.

    Raises
    ------
    StoreError
        ``result-damaged``, ``result-older`` or ``result-newer``.
    """
    try:
        said = json.loads(stored.header).get("sha256")
    except (ValueError, AttributeError) as error:
        raise _damaged() from error
    # Results of earlier versions bear no digest of their own; the checks of the archive are left for those.
    if said is not None and said != sha256(stored.data).hexdigest():
        raise _damaged()
    result = unpack(stored.data)
    if result.key != stored.key:
        raise _damaged()
    return result


def _damaged() -> StoreError:
    return StoreError("The stored temperatures are damaged.", "Solve again.", code="result-damaged")


def unreadable_finding(error: StoreError, place: str) -> Finding:
    """Say that stored temperatures were left out because they cannot be read."""
    text = f"{error.what.rstrip('.')}; they were left out. {error.remedy}"
    return Finding(level=Level.WARN, code=error.code, text=text, place=place)


def stale_finding(what: Mapping[str, str], now: Mapping[str, str], place: str) -> Finding:
    """Say why stored temperatures were left out: which part of their question is another one now."""
    differ = [words for part, words in PARTS.items() if part in what and what[part] != now[part]]
    if "model" in what and what["model"] != now["model"]:
        differ[-1] += f" ({what['model']}, now {now['model']}; cryoplan {what.get('program', '?')})"
    said = "belong to another plan, table or version of cryoplan"
    if differ:
        said = "were solved before something changed: " + ", ".join(differ)
    return Finding(
        level=Level.WARN,
        code="stale-result",
        text=f"The stored temperatures {said}; they were left out. Solve again.",
        place=place,
    )
