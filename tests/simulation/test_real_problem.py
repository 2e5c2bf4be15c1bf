"""Problems of real patients: many labels, table in the image, thick slices; the cache changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.settings import PREVIEW
from cryoplan.simulation.tissue_map import forget_regions
from tests.support.plans import three_lateral_probes, write_record
from tests.support.real import liver_ct_case


def _build(case, plan):
    return build_problem(case, plan, workflow.catalogue(), workflow.tissues(), PREVIEW)


def test_a_probe_that_is_dragged_finds_the_same_problem_as_one_that_was_always_there(
    data_root: Path, tmp_path: Path
):
    case = liver_ct_case(data_root)
    plan = workflow.load_plan(write_record(tmp_path, three_lateral_probes()), workflow.catalogue())
    moved = plan.probes[2]
    forget_regions()
    for step in (0.0, 9.0, 22.0):
        x, y, z = moved.tip_mm
        probe = Probe(
            name=moved.name, model=moved.model, tip_mm=(x + step, y, z - step), entry_mm=moved.entry_mm
        )
        there = Plan(probes=(*plan.probes[:2], probe), protocol=plan.protocol)
        kept = _build(case, there)
        skin = next(e for e in kept.exchanges if e.kind == "skin")
        forget_regions()
        fresh = _build(case, there)
        np.testing.assert_array_equal(kept.material_map, fresh.material_map)
        assert kept.materials == fresh.materials
        assert kept.findings == fresh.findings
        np.testing.assert_allclose(next(e for e in fresh.exchanges if e.kind == "skin").rate, skin.rate)
        assert kept.start_field_degc is not None
        # Skin of a patient on a table at rest: some degrees colder than the body, and never warmer.
        body = kept.start_field_degc[~kept.void]
        assert 28.0 < float(body.min()) < 36.0
        assert float(body.max()) < 37.05


def test_sixty_labels_make_a_problem_with_vessels(data_root: Path):
    folder = data_root / "abdomen_ct_totalseg"
    if not folder.is_dir():
        pytest.skip("the abdomen CT with sixty labels is not there")
    case = workflow.load_case(folder / "ct.nii.gz", structures=[folder / "labels.nii.gz"])
    portal = case.structure("portal_vein_and_splenic_vein").mask
    k, j, i = (float(axis.mean()) for axis in np.nonzero(portal.values))
    tip = portal.grid.index_to_mm((i, j, k)) + np.array([-5.0, 15.0, 0.0])
    entry = tip + np.array([-80.0, -30.0, 0.0])
    plan = Plan(probes=(Probe(name="1", model="generic-15g", tip_mm=tuple(tip), entry_mm=tuple(entry)),))
    problem = _build(case, plan)
    assert len(problem.materials) <= 256
    assert problem.held is not None
    held_ml = np.count_nonzero(problem.held) * problem.grid.voxel_volume_ml
    told = {f.place: f.text for f in problem.findings if f.code == "vessel-wall"}
    assert set(told) >= {"aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein"}
    assert "taken for: caval vein" in told["inferior_vena_cava"]
    # Aorta and caval vein of 15 to 25 mm over the height of the block.
    assert 30.0 < held_ml < 150.0
