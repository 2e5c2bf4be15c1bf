"""Finding by itself in the panel: what is looked for, what is said, and that only Accept changes the case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.case.structure import Role
from cryoplan.gui.panels import StructuresPanel
from cryoplan.gui.panels.find import FindSection
from cryoplan.image.anatomy.found import Part
from tests.app.test_proposed import gas, nothing, proposal
from tests.support.desk import small_case
from tests.support.panels import with_structure


def without_body():
    case = small_case()
    return case.changed(structures=tuple(s for s in case.structures if s.role is not Role.BODY))


@pytest.fixture
def find(desk, make, settled) -> FindSection:
    desk.open(without_body())
    panel = make(StructuresPanel)
    panel.find.open_button.click()
    settled(panel)
    return panel.find


def test_nothing_is_offered_without_a_case_and_the_boxes_fold_away(desk, make, settled):
    panel = make(StructuresPanel)
    assert not panel.find.isVisible()
    desk.open()
    settled(panel)
    assert panel.find.open_button.isVisible()
    assert not panel.find.choice.isVisible()


def test_the_boxes_that_are_checked_are_looked_for(desk, find):
    find.boxes[Part.GAS].click()
    find.boxes[Part.FAT].click()
    find.find_button.click()
    wanted = set(desk.worker.last("propose").arguments["which"])
    assert wanted == {Part.BODY, Part.BONE, Part.LUNG, Part.FAT, Part.VESSEL}
    assert find.cancel_button.isVisible()
    assert not find.find_button.isVisible()


def test_cancel_stops_the_search_and_offers_it_again(desk, find):
    find.find_button.click()
    find.cancel_button.click()
    assert desk.worker.cancelled[-1] == desk.worker.last("propose").id
    desk.worker.gave_up("propose")
    assert find.find_button.isVisible()
    assert not find.cancel_button.isVisible()


def test_without_any_box_there_is_nothing_to_find(find):
    for box in find.boxes.values():
        box.setChecked(False)
    assert not find.find_button.isEnabled()


def test_a_case_with_a_body_is_not_offered_a_second_one(desk, make, settled):
    desk.open(with_structure("patient", Role.BODY, (0.0, 0.0, 0.0)))
    panel = make(StructuresPanel)
    panel.find.open_button.click()
    settled(panel)
    assert not panel.find.boxes[Part.BODY].isEnabled()
    assert "has a body" in panel.find.why_not.text()
    panel.find.find_button.click()
    assert Part.BODY not in desk.worker.last("propose").arguments["which"]


def test_an_mr_is_offered_the_skin_alone(desk, make, settled):
    case = without_body()
    facts = replace(case.scan.facts, modality="MR")
    desk.open(case.changed(scan=replace(case.scan, facts=facts)))
    panel = make(StructuresPanel)
    panel.find.open_button.click()
    settled(panel)
    assert [p for p, box in panel.find.boxes.items() if box.isEnabled()] == [Part.BODY]
    assert "Only a CT" in panel.find.why_not.text()


def test_each_proposal_has_a_row_with_its_warnings_and_its_own_answer(desk, find, qtbot):
    find.find_button.click()
    desk.worker.done("propose", (gas(), proposal()))
    assert set(find.rows) == {Part.GAS, Part.BONE}
    before = len(desk.workspace.case.structures)
    find.rows[Part.GAS].discard.click()
    assert set(find.rows) == {Part.BONE}
    assert len(desk.workspace.case.structures) == before
    find.rows[Part.BONE].accept.click()
    qtbot.waitUntil(lambda: len(desk.workspace.case.structures) == before + 1, timeout=20_000)
    qtbot.waitUntil(lambda: not find.rows)
    assert not find.answers.isVisible()


def test_accept_all_takes_all_and_the_eye_hides_one(desk, find, qtbot):
    find.find_button.click()
    desk.worker.done("propose", (gas(), proposal()))
    find.rows[Part.GAS].shown.click()
    assert not desk.view.is_checked("proposal:gas")
    find.accept_all.click()
    qtbot.waitUntil(lambda: not desk.workspace.proposed.is_accepting, timeout=20_000)
    assert {"gas", "bone"} <= {s.name for s in desk.workspace.case.structures}


def test_what_is_not_there_is_said_and_can_be_put_away(desk, find):
    find.find_button.click()
    desk.worker.done("propose", (nothing(),))
    assert find.nothing.texts() == ["There is no lung in the image."]
    find.discard_all.click()
    assert not find.answers.isVisible()


def test_a_heat_sink_says_how_wide_it_is(desk, find):
    vessel = replace(proposal(Part.VESSEL, "contrast vessels", Role.VESSEL, "blood"), widths_mm=(3.9, 15.7))
    find.find_button.click()
    desk.worker.done("propose", (vessel,))
    assert "heat sink, 4 to 16 mm wide" in find.rows[Part.VESSEL].words.text()
