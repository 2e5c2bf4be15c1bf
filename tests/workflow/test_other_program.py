"""TotalSegmentator for a case: what is offered, the published outlines on their whole way, acceptance."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.volume import Volume
from cryoplan.image.labels import read_masks
from cryoplan.image.read import read_scan
from cryoplan.image.write import write_volume
from tests.support import bodies
from tests.support.fake_totalseg import Installed


def case():
    tumour = bodies.ball("tumour", Role.TUMOUR, "tumour", (0.0, 12.0, 0.0), 15.0)
    return bodies.body(
        tumour, bodies.ball("liver", Role.ORGAN, "liver", (0.0, 12.0, 0.0), 45.0), target="tumour"
    )


def ct(of):
    return replace(of.scan, facts=replace(of.scan.facts, modality="CT"))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    made = Installed(tmp_path, monkeypatch)
    made.add_weights(297)
    return made


def outlined(installed: Installed, tmp_path: Path, of):
    grid = of.scan.volume.grid
    values = np.zeros(grid.shape, np.uint8)
    nk, nj, ni = grid.shape
    values[nk // 2 :, nj // 2, ni // 2 :] = 1
    values[nk // 4, nj // 3, ni // 3] = 2
    write_volume(Volume(grid=grid, values=values), tmp_path / "answer.nii.gz")
    installed.answers(tmp_path / "answer.nii.gz")
    return workflow.run_ai(ct(of), "total-fast")


def test_without_the_package_every_task_is_named_and_none_can_be_started():
    offers = workflow.find_offers(ct(case()))
    assert offers.installation is None
    assert {offer.task.id for offer in offers.offers} == {"total-fast", "total", "liver-lesions"}
    assert offers.ready == ()
    with pytest.raises(StructureError, match=r"pip install cryoplan\[ai\]") as caught:
        workflow.run_ai(ct(case()), "total-fast")
    assert caught.value.code == "ai-not-installed"


def test_only_tasks_of_the_image_whose_weights_are_there_can_be_started(installed):
    scan = ct(case())
    assert [offer.task.id for offer in workflow.find_offers(scan).ready] == ["total-fast"]
    installed.add_weights(591)
    offers = workflow.find_offers(scan)
    assert [offer.task.id for offer in offers.ready] == ["total-fast", "liver-lesions"]
    assert offers.ready[0].on_cpu.seconds > 0.0
    assert offers.ready[1].on_cpu is None
    mr = replace(scan, facts=replace(scan.facts, modality="MR"))
    assert [offer.task.modality for offer in workflow.find_offers(mr).offers] == ["MR", "MR"]
    unknown = replace(scan, facts=replace(scan.facts, modality=""))
    assert len(workflow.find_offers(unknown).offers) == 5


def test_the_published_outlines_come_through_voxel_by_voxel_each_with_a_sure_role(installed, data_root):
    folder = data_root / "abdomen_ct_totalseg"
    names = json.loads((folder / "labels.json").read_text())
    table = names.get("labels", names)
    installed.name_classes(
        {int(k): v["name"] if isinstance(v, dict) else v for k, v in table.items() if k.isdigit()}
    )
    installed.answers(folder / "labels.nii.gz")
    scan = read_scan(folder / "ct.nii.gz")
    found = workflow.run_ai(scan, "total-fast")
    expected = read_masks(folder / "labels.nii.gz", scan)
    assert [m.name for m in found.masks] == [m.name for m in expected]
    assert len(found.masks) > 50
    for one, other in zip(found.masks, expected, strict=True):
        assert np.array_equal(one.mask.values, other.mask.values)
    made = workflow.outlines_case(scan, found)
    assert [s.name for s in made.structures if s.role_is_guess] == []
    roles = {s.name: (s.role, s.tissue) for s in made.structures}
    assert roles["liver"] == (Role.ORGAN, "liver")
    assert roles["kidney_left"] == (Role.KIDNEY, "kidney")
    assert roles["aorta"] == (Role.VESSEL, "blood")
    assert roles["colon"][0] is Role.BOWEL


def test_accepted_outlines_stand_behind_those_of_the_case_and_keep_its_target(installed, tmp_path):
    before = case()
    found = outlined(installed, tmp_path, before)
    new = workflow.outlines_case(before.scan, found)
    after = workflow.add_outlines(before, new.structures, new.findings)
    names = [s.name for s in after.structures]
    assert names == [*(s.name for s in before.structures), "liver (TotalSegmentator)", "kidney_right"]
    assert after.target_name == "tumour"
    assert not {"no-target", "several-targets"} & {f.code for f in after.findings}
    assert after.structure("liver") is before.structure("liver")
    again = workflow.add_outlines(after, new.structures, new.findings)
    assert [s.name for s in again.structures][-2:] == [
        "liver (TotalSegmentator 2)",
        "kidney_right (TotalSegmentator)",
    ]
    places = {f.place for f in again.findings if f.place}
    assert places <= {s.name for s in again.structures}


def test_only_the_chosen_outlines_are_taken(installed, tmp_path):
    before = case()
    found = outlined(installed, tmp_path, before)
    new = workflow.outlines_case(before.scan, found, which=["kidney_right"])
    assert [s.name for s in new.structures] == ["kidney_right"]
    with pytest.raises(StructureError) as caught:
        workflow.outlines_case(before.scan, found, which=["spleen"])
    assert caught.value.code == "ai-none-chosen"


def test_outlines_of_another_image_are_not_added(installed, tmp_path):
    before = case()
    new = workflow.outlines_case(before.scan, outlined(installed, tmp_path, before))
    grid = replace(before.scan.volume.grid, origin_mm=(1.0, 2.0, 3.0))
    moved = replace(before.scan, volume=Volume(grid=grid, values=before.scan.volume.values))
    with pytest.raises(StructureError) as caught:
        workflow.add_outlines(before.changed(scan=moved), new.structures)
    assert caught.value.code == "ai-other-image"


def test_a_lesion_of_a_case_without_a_target_becomes_its_target(installed, tmp_path):
    before = case().changed(target_name="")
    bare = before.changed(structures=before.structures[1:])
    installed.name_classes({1: "liver_lesions", 2: "spleen"})
    new = workflow.outlines_case(bare.scan, outlined(installed, tmp_path, bare))
    after = workflow.add_outlines(bare, new.structures, new.findings)
    assert after.target_name == "liver_lesions"
    assert "no-target" not in {f.code for f in after.findings}


def test_organs_added_to_a_case_with_several_tumours_say_that_there_are_several(installed, tmp_path):
    first = case().changed(target_name="")
    second = bodies.ball("nodule", Role.TUMOUR, "tumour", (5.0, 20.0, 0.0), 5.0)
    two = first.changed(structures=(*first.structures, second))
    new = workflow.outlines_case(two.scan, outlined(installed, tmp_path, two))
    codes = [f.code for f in workflow.add_outlines(two, new.structures, new.findings).findings]
    assert "several-targets" in codes
    assert "no-target" not in codes
