"""A case writer under a hand that edits as the window does, and a disk that hangs while a test says so."""

from __future__ import annotations

import threading
from pathlib import Path

from cryoplan import workflow
from cryoplan.app.steps import Step
from cryoplan.app.writer import CaseWriter
from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.plan.edits import rename_plan
from cryoplan.plan.plan import Plan
from tests.support.cases import ball, case, grid, scan, structure

LONG_S = 30.0
"""So long that only a thread that never answers takes it."""

WHERE = grid(size=(14, 12, 10))


def a_case(cyst_mm: float = 0.0) -> Case:
    parts = [structure("tumour", ball(WHERE, WHERE.centre_mm(), 6), Role.TUMOUR)]
    if cyst_mm:
        parts.append(structure("cyst", ball(WHERE, WHERE.centre_mm(), cyst_mm)))
    return case(scan(WHERE), *parts, target="tumour")


def plan(n: int) -> Plan:
    return rename_plan(Plan(), f"plan {n}")


class Hand:
    """Edits as the window does: it knows what it shows, and the writer keeps it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = CaseWriter(lambda: None)
        self.case, self.plan = a_case(), plan(0)

    def begin(self) -> Hand:
        self.writer.begin(self.path, self.case, self.plan).result(LONG_S)
        assert self.writer.settle(LONG_S)
        return self

    def edit(self, n: int, *, gesture: str | None = None, case: Case | None = None) -> None:
        before = (self.case, self.plan)
        self.plan, self.case = plan(n), case or self.case
        step = Step(text=f"Edit {n}", case=self.case, plan=self.plan, before=before, gesture=gesture)
        self.writer.record(step, lambda old, new: f"{old.name} to {new.name}")

    def undo(self) -> None:
        step = self.writer.take_back()
        state = step.before if step else self.writer.go(lambda file: file.undo()).result(LONG_S)
        self.case, self.plan = state

    def settled(self) -> None:
        assert self.writer.settle(LONG_S, again=True), self.writer.kept.trouble


def texts(path: Path) -> list[str]:
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.store.findings == ()
        return [entry.text for entry in file.history.entries]


def state(path: Path) -> tuple[str, Plan]:
    with workflow.CaseFile.open(path, read_only=True) as file:
        return file.case.digest(), file.plan


class Gate:
    """A disk that hangs: nothing is recorded while it is shut."""

    def __init__(self, monkeypatch) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()
        record = workflow.CaseFile.record

        def slow(file, *words, **options):
            self.reached.set()
            assert self.open.wait(LONG_S)
            return record(file, *words, **options)

        monkeypatch.setattr(workflow.CaseFile, "record", slow)

    def shut(self) -> None:
        self.reached.clear()
        self.open.clear()


def wait_for_trouble(hand: Hand) -> str:
    hand.writer.settle(LONG_S)
    kept = hand.writer.kept
    assert kept.waiting
    assert kept.trouble is not None
    assert kept.trouble.what
    assert kept.trouble.remedy
    return kept.trouble.code
