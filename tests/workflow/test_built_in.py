"""The built-in case: the first thing a new user sees, and the bench that other tests stand on."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.structure import Role
from cryoplan.cli import main
from cryoplan.core.errors import StaleError
from cryoplan.core.finding import Level
from cryoplan.plan import edits
from cryoplan.simulation.settings import PREVIEW


@pytest.fixture(scope="module")
def case():
    return workflow.built_in_case()


@pytest.fixture(scope="module")
def plan(case):
    return workflow.built_in_plan(case)


@pytest.fixture(scope="module")
def result(case, plan):
    return workflow.simulate(case, plan, workflow.catalogue(), PREVIEW)


def test_its_plan_breaks_no_rule_of_placement(case, plan):
    assert [f.text for f in workflow.check(case, plan, workflow.catalogue()) if f.level is not Level.OK] == []


def test_every_tissue_it_names_is_in_the_table(case):
    for structure in case.structures:
        assert workflow.tissues().tissue(structure.tissue)


def test_flowing_blood_keeps_the_tumour_warmer_on_its_side(case, plan, result):
    vein = case.structure("portal vein").mask
    centre = case.planning_grid.centre_mm()
    points = vein.grid.index_to_mm(np.argwhere(vein.values)[:, ::-1])
    near = points[np.argmin(np.linalg.norm(points - centre, axis=1))]
    bloodless = case.changed(structures=tuple(s for s in case.structures if s.role is not Role.VESSEL))
    other = workflow.simulate(bloodless, plan, workflow.catalogue(), PREVIEW)

    def lowest(answer, fraction):
        place = centre + fraction * (near - centre)
        k, j, i = answer.grid.mm_to_index(place)[::-1].round().astype(int)
        return float(answer.minimum_degc.values[k, j, i])

    assert lowest(result, 0.85) > lowest(other, 0.85) + 5.0
    # Across the tumour the vein is not felt.
    assert lowest(result, -0.85) == pytest.approx(lowest(other, -0.85), abs=1.0)


def test_a_tenth_of_a_millimetre_makes_the_result_stale(case, plan, result):
    probes = workflow.catalogue()
    moved = edits.move_probe(plan, "1", (0.1, 0.0, 0.0))
    with pytest.raises(StaleError):
        workflow.assess(case, moved, probes, result)
    back = edits.move_probe(moved, "1", (-0.1, 0.0, 0.0))
    assert workflow.assess(case, edits.rename_plan(plan, "other name"), probes, result)
    assert back.probe("1").tip_mm == pytest.approx(plan.probe("1").tip_mm)


def test_saved_case_opens_to_the_same_numbers(case, plan, result, tmp_path):
    path = tmp_path / "demo.cryoplan"
    workflow.save_case(path, case, plan, result)
    saved = workflow.open_case(path)
    assert saved.plan == plan
    assert saved.case.digest() == case.digest()
    np.testing.assert_array_equal(saved.result.minimum_degc.values, result.minimum_degc.values)
    assert saved.assessment == workflow.assess(case, plan, workflow.catalogue(), result)


def test_saved_case_with_a_moved_probe_opens_without_the_old_ice(case, plan, result, tmp_path):
    path = tmp_path / "demo.cryoplan"
    workflow.save_case(path, case, edits.move_probe(plan, "1", (0.1, 0.0, 0.0)), result)
    saved = workflow.open_case(path)
    assert saved.result is None
    assert saved.assessment is None
    assert [f.code for f in saved.findings] == ["stale-result"]


def test_report_of_a_stale_case_is_refused_and_prints_nothing(case, plan, result, tmp_path, capsys):
    path = tmp_path / "demo.cryoplan"
    workflow.save_case(path, case, edits.move_probe(plan, "1", (0.1, 0.0, 0.0)), result)
    assert main(["report", str(path), "-o", str(tmp_path / "plan.pdf")]) == 3
    said = capsys.readouterr().err.strip()
    assert "demo.cryoplan" in said
    assert len(said.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["demo.cryoplan"]


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00 but nothing else", b"%PDF-1.4"])
def test_report_of_a_file_that_is_no_case_is_refused_untouched(content, tmp_path, capsys):
    path = tmp_path / "no.cryoplan"
    path.write_bytes(content)
    assert main(["report", str(path), "-o", str(tmp_path / "plan.pdf")]) == 3
    assert "no.cryoplan" in capsys.readouterr().err
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["no.cryoplan"]
