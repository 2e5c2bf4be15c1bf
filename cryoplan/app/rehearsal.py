"""Rehearsal: a new case is checked once before it reaches the window, so that the window never waits for it.

The rules of placement measure to the outlines of all structures. Finding these takes a second the first time
and milliseconds from then on, because they are kept as long as their masks live, whichever thread found them.
"""

from __future__ import annotations

import logging

from cryoplan import workflow
from cryoplan.app.jobs import Answer, JobDone
from cryoplan.case.case import Case
from cryoplan.core.errors import CryoplanError
from cryoplan.core.geometry import as_point
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.clearance import clearances
from cryoplan.plan.edits import add_probe
from cryoplan.plan.path import passes
from cryoplan.plan.plan import Plan
from cryoplan.scene.readout import Readout

_log = logging.getLogger(__name__)


def rehearse(answer: Answer) -> None:
    """Check the case that an answer brings, if it brings one; called beside the window's thread."""
    case = _case_of(answer.value) if isinstance(answer, JobDone) else None
    if case is not None:
        rehearse_case(case)


def rehearse_case(case: Case) -> None:
    """Check a case before it is shown; called beside the window's thread."""
    catalogue = workflow.catalogue()
    plan = plan_through_the_middle(case, catalogue)
    try:
        workflow.check(case, plan, catalogue)
        for probe in plan.probes:
            clearances(case, probe, catalogue.model(probe.model).outer_diameter.value)
            passes(case, probe)
        Readout(case)  # the distance to the target's surface
    except CryoplanError as error:
        # The same words come again when the plan itself is checked, and then somebody reads them.
        _log.warning("a case could not be rehearsed: %s", error.code)


def plan_through_the_middle(case: Case, catalogue: Catalogue) -> Plan:
    """Return a plan of one probe in the middle of the planning grid; where it lies matters to nobody."""
    x, y, z = as_point(case.planning_grid.centre_mm())
    model = next(iter(catalogue))
    return add_probe(Plan(name="rehearsal"), model=model, tip_mm=(x, y, z), entry_mm=(x, y - 30.0, z))


def _case_of(value: object) -> Case | None:
    if isinstance(value, Case):
        return value
    if isinstance(value, workflow.SavedCase):
        return value.case
    if isinstance(value, tuple) and value and isinstance(value[0], Case):
        return value[0]
    return None
