"""Tasks: what the background process does while nobody waits for it."""

from __future__ import annotations

import pytest

from cryoplan import workflow
from cryoplan.app import tasks
from cryoplan.case.structure import Role
from cryoplan.core.progress import SILENT, Cancelled
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.simulation import tissue_map
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.settings import STANDARD
from tests.support import bodies

PLAN = Plan(
    probes=(Probe(name="1", model="generic-15g", tip_mm=(0.0, 22.0, 0.0), entry_mm=(0.0, -40.0, 0.0)),)
)


class _Busy:
    """A job waits already."""

    def report(self, report: object) -> None:
        raise AssertionError(report)

    def cancelled(self) -> bool:
        return True


@pytest.fixture
def case():
    tumour = bodies.ball("tumour", Role.TUMOUR, "tumour", (0.0, 12.0, 0.0), 15.0)
    liver = bodies.ball("liver", Role.ORGAN, "liver", (0.0, 12.0, 0.0), 45.0)
    case = bodies.body(tumour, liver, target="tumour")
    tissue_map.forget_regions()
    tasks._PREPARED.clear()
    tasks._keep(tasks._CASES, case.digest(), case)
    yield case
    tasks._CASES.clear()
    tasks._PREPARED.clear()
    tissue_map.forget_regions()


def _fails(*_: object, **__: object) -> None:
    raise AssertionError("the tissues were not ready")


def test_a_pause_makes_the_tissues_of_the_newest_case_ready_for_the_first_solve(case, monkeypatch):
    with pytest.raises(Cancelled):
        tasks.idle(_Busy())  # made up for in the next pause
    tasks.idle(SILENT)
    monkeypatch.setattr(tissue_map, "build_region", _fails)
    tasks.idle(SILENT)  # nothing is left to do
    problem = build_problem(case, PLAN, workflow.catalogue(), workflow.tissues(), STANDARD)
    assert "liver" in {m.name for m in problem.materials}


def test_a_case_that_cannot_be_computed_is_told_by_the_solve_and_not_by_the_pause(case):
    odd = bodies.ball("odd", Role.TUMOUR, "unobtainium", (0.0, 15.0, 0.0), 9.0)
    wrong = bodies.body(odd, target="odd")
    tasks._keep(tasks._CASES, wrong.digest(), wrong)
    tasks.idle(SILENT)
    assert wrong.digest() in tasks._PREPARED
    assert case.digest() not in tasks._PREPARED
