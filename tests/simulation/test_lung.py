"""Lung: the warning comes where lung is within reach, names true figures, and reaches card and report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.progress import Cancelled
from cryoplan.margins.assess import assess
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from cryoplan.simulation import lung
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve
from cryoplan.simulation.surroundings import Flood
from cryoplan.simulation.tissue import load_tissues
from cryoplan.simulation.tissue_map import forget_regions
from cryoplan.simulation.verification.published import figure
from cryoplan.simulation.verification.rig import living, shipped
from cryoplan.simulation.verification.single_probe import Outcome
from tests.support import bodies

CODE = "lung-underestimated"
SETTINGS = SolverSettings(spacing_mm=2.0, margin_mm=25.0)
PLAN = Plan(
    probes=(Probe(name="7", model="generic-15g", tip_mm=(0.0, 20.0, 0.0), entry_mm=(0.0, -40.0, 0.0)),),
    protocol=Protocol(phases=(Phase(kind=PhaseKind.FREEZE, duration_s=30.0),)),
)


def _problem(*structures, plan=PLAN, **changes):
    return build_problem(
        bodies.body(*structures, **changes), plan, load_catalogue(), load_tissues(), SETTINGS
    )


def _warnings(*structures, **changes):
    return [f for f in _problem(*structures, **changes).findings if f.code == CODE]


def _slab(from_mm: float):
    x = bodies.coordinates()[0]
    return bodies.structure("lung", Role.LUNG, "lung-inflated", x >= from_mm)


def test_lung_within_reach_of_an_active_zone_is_warned_of_once_by_probe_and_distance():
    (finding,) = _warnings(_slab(9.0))
    assert finding.level is Level.WARN
    assert finding.place == "7"
    # Voxels of 2.5 mm across x: the outline lies half a voxel before the first centre at 10 mm.
    said = float(finding.text.split("Lung lies ")[1].split(" mm")[0])
    assert said == pytest.approx(8.75, abs=1.3)
    for words in ("probe 7", "far too small", "do not rely on ice and margins in lung"):
        assert words in finding.text
    assert finding.text.count(". ") == 0
    assert finding.text.endswith(".")
    assert _warnings(_slab(18.0))
    assert not _warnings(_slab(24.0))
    assert not _warnings()


def test_lung_that_only_the_image_shows_counts_as_well():
    x, y, z = bodies.coordinates()
    airy = (x > 8.0) & (x < 40.0) & (np.abs(y - 10.0) < 25.0) & (np.abs(z) < 30.0)
    assert len(_warnings(hu=np.where(airy, -750, 60))) == 1
    # Gas is not lung.
    assert not _warnings(hu=np.where(airy, -1000, 60))


def test_a_probe_within_lung_says_so():
    (finding,) = _warnings(bodies.ball("lung", Role.LUNG, "lung-inflated", (0.0, 15.0, 0.0), 20.0))
    assert finding.text.startswith("Lung lies around the active zone")


def test_a_warmer_in_lung_does_not_freeze_it():
    warmer = Probe(name="U", model="urethral-warmer", tip_mm=(0.0, 40.0, 0.0), entry_mm=(0.0, -40.0, 0.0))
    y = bodies.coordinates()[1]
    far = bodies.structure("lung", Role.LUNG, "lung-inflated", y > 45.0)
    aside = Probe(name="7", model="generic-15g", tip_mm=(-25.0, 5.0, 0.0), entry_mm=(-25.0, -40.0, 0.0))
    plan = replace(PLAN, probes=(aside, warmer))
    assert not _warnings(far, plan=plan)
    assert _warnings(far, plan=replace(PLAN, probes=(replace(aside, tip_mm=(-25.0, 35.0, 0.0)), warmer)))


def test_the_warning_reaches_the_assessment():
    target = bodies.ball("tumour", Role.TUMOUR, "tumour", (0.0, 15.0, 0.0), 6.0)
    case = bodies.body(target, _slab(12.0), target="tumour")
    result = solve(build_problem(case, PLAN, load_catalogue(), load_tissues(), SETTINGS))
    assessment = assess(case, PLAN, load_catalogue(), result)
    assert [f.level for f in assessment.findings if f.code == CODE] == [Level.WARN]


def test_the_figures_of_the_warning_are_those_that_are_computed_and_published():
    found = figure("hinshaw2010_pig_lung", "hinshaw2010_pig_lung", "isotherm_diameter", 0.0)
    assert found.value == lung.PUBLISHED_MM
    phases = (("freeze", 600.0), ("passive", 300.0), ("freeze", 600.0))
    rig = shipped().setup("endocare-2.4mm", living("lung-inflated"), 37.0, *phases, room_mm=20.0)
    problem = replace(
        rig.problem(),
        materials=(living("lung-inflated"), living("lung-flooded")),
        floods=(Flood(at_s=600.0, rim_mm=4.0, changes=((0, 1),)),),
    )
    outcome = Outcome(source=problem.probes[0], result=solve(problem))
    assert outcome.size(0.0).width_mm == pytest.approx(lung.COMPUTED_MM, abs=0.2)


class _After:
    """Cancels at the nth question."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def report(self, report: object) -> None:
        raise AssertionError(report)

    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("questions", [0, 1, 4, 6])
def test_building_stops_when_it_is_asked_to_and_the_next_build_is_whole(questions):
    case = bodies.body(_slab(9.0), bodies.ball("tumour", Role.TUMOUR, "tumour", (0.0, 15.0, 0.0), 6.0))
    whole = build_problem(case, PLAN, load_catalogue(), load_tissues(), SETTINGS)
    forget_regions()
    with pytest.raises(Cancelled):
        build_problem(case, PLAN, load_catalogue(), load_tissues(), SETTINGS, progress=_After(questions))
    again = build_problem(case, PLAN, load_catalogue(), load_tissues(), SETTINGS)
    np.testing.assert_array_equal(again.material_map, whole.material_map)
