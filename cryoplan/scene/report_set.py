"""Report set: all pictures of a plan's report at once, the 3D view and the slices at the same time."""

from __future__ import annotations

from cryoplan.case.case import Case
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.scene.inline_pictures import probe_pictures
from cryoplan.scene.snapshot import Picture, begin_3d, slice_pictures
from cryoplan.simulation.result import ThermalResult


def all_pictures(
    case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult, assessment: Assessment | None
) -> tuple[Picture, ...]:
    """Return axial, coronal, sagittal and 3D, then one picture for each probe."""
    finish_3d = begin_3d(case, plan, catalogue, result, assessment)
    slices = slice_pictures(case, plan, catalogue, result)
    probes = probe_pictures(case, plan, catalogue, result)
    return (*slices, finish_3d(), *probes)
