"""The fields of the limits: typed, refused with a sentence, set back, greyed; the card follows at once."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cryoplan.case.own_limits import Judged
from cryoplan.case.structure import Role, Structure
from cryoplan.gui.panels import ReviewPanel
from cryoplan.gui.panels.limits import LimitEditor, rows_of
from cryoplan.gui.plan_card import PlanCard
from tests.gui.test_plan_card import solve
from tests.support.desk import Desk, small_case
from tests.support.scenes import ellipsoid, make_plan

ICE = Judged.margin(0.0)
COLON = Judged.organ("colon")


def case_with_colon():
    case = small_case()
    colon = Structure(
        name="colon",
        role=Role.BOWEL,
        tissue="colon",
        mask=ellipsoid(case.scan.volume.grid, (-40.0, 22.0, 20.0), (8.0, 8.0, 8.0)),
        source="made",
    )
    return case.changed(structures=(*case.structures, colon))


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    empty_desk.open(case_with_colon())
    return empty_desk


@pytest.fixture
def panel(desk: Desk, qtbot) -> ReviewPanel:
    panel = ReviewPanel(desk.workspace, desk.view)
    panel.resize(300, 900)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show_limits()
    qtbot.waitUntil(lambda: not panel.is_busy_refreshing)
    return panel


def write(editor: LimitEditor, judged: Judged, side: int, text: str) -> None:
    """Type into a field and press Enter."""
    box = editor.rows[judged].boxes[side]
    box.setFocus()
    box.selectAll()
    QTest.keyClick(box, Qt.Key.Key_Delete)
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def texts(editor: LimitEditor, judged: Judged) -> tuple[str, str]:
    first, second = editor.rows[judged].boxes
    return first.text(), second.text()


def test_every_limit_of_the_case_has_its_fields(panel, desk):
    rows = panel.limits.rows
    assert list(rows) == rows_of(desk.workspace.case)
    assert {ICE, Judged.margin(-40.0), Judged.coverage(0.0, 5.0), COLON} <= set(rows)
    assert not {Judged.organ("body"), Judged.organ("tumour 1")} & set(rows)
    assert texts(panel.limits, ICE) == ("5", "0")
    assert texts(panel.limits, Judged.margin(-30.0)) == ("", "")
    assert texts(panel.limits, Judged.coverage(0.0, 0.0)) == ("99.9", "99")
    assert texts(panel.limits, COLON) == ("5", "0")


def test_an_entry_is_one_step_and_the_card_shows_it_at_once(panel, desk, qtbot):
    workspace = desk.workspace
    card = PlanCard(workspace, desk.view)
    qtbot.addWidget(card)
    card.show()
    solve(desk)
    write(panel.limits, COLON, 0, "0")
    write(panel.limits, ICE, 0, "7,5 mm")
    qtbot.waitUntil(lambda: not card.is_busy_refreshing and not panel.is_busy_refreshing)
    assert card.margins[0].texts[2].endswith("limit ≥ 7.5 mm *")
    assert panel.margins[0].texts == card.margins[0].texts
    assert {r.texts[1]: r.texts[3] for r in card.organs.rows}["colon"] == "≥ 0 °C *"
    assert card.own.isVisible()
    assert card.own.text() == "! * not the default limit: the ice edge margin (0 °C), colon"
    assert card.own.tone == "warn"  # that of the colon is laxer
    assert any("was changed for this case" in text for text in panel.findings.texts())
    assert workspace.keeper.settle()
    said = [e.text for e in workspace.keeper.kept.history.entries][-2:]
    assert said[0] == "Limit of colon: 0 °C instead of 5 °C"
    assert said[1] == "Limit of the ice edge margin (0 °C): +7.5 mm instead of +5 mm"
    assert "(2 changed)" in panel.limits.opener.text()


def test_undo_shows_the_limit_before_and_the_arrow_sets_the_default(panel, desk, qtbot):
    write(panel.limits, COLON, 0, "3")
    write(panel.limits, COLON, 1, "-2")
    assert texts(panel.limits, COLON) == ("3", "−2")
    assert desk.workspace.keeper.settle()
    desk.workspace.undo()
    qtbot.waitUntil(lambda: texts(panel.limits, COLON) == ("3", "0"))
    row = panel.limits.rows[COLON]
    assert row.back.isVisible()
    assert row.name.text() == "colon *"
    QTest.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert texts(panel.limits, COLON) == ("5", "0")
    assert not row.back.isVisible()
    assert desk.workspace.case.limits == ()
    assert desk.workspace.keeper.undo_text == "Limit of colon: 5 °C instead of 3 °C (the default)"


@pytest.mark.parametrize(
    ("side", "text", "said"),
    [
        (0, "cold", "“cold” is no number, so the limit of colon stays as it is."),
        (0, "99", "99 °C cannot be the limit of colon. Give a value from −100 °C to 37 °C."),
        (0, "nan", "nan cannot be the limit of colon."),
        (0, "-1", "what is wanted (−1 °C) lies below what must never be missed (0 °C)"),
        (1, "6", "Change the other value first."),
    ],
)
def test_a_bad_entry_is_answered_by_a_sentence_and_changes_nothing(panel, desk, side, text, said):
    before = desk.workspace.keeper.undo_count
    write(panel.limits, COLON, side, text)
    assert panel.limits.refused.isVisible()
    assert said in panel.limits.refused.text()
    assert texts(panel.limits, COLON) == ("5", "0")
    assert desk.workspace.keeper.undo_count == before
    write(panel.limits, COLON, 0, "4")
    assert not panel.limits.refused.isVisible()


def test_nothing_in_a_field_is_no_limit(panel, desk):
    write(panel.limits, COLON, 1, "")
    write(panel.limits, COLON, 0, "")
    assert texts(panel.limits, COLON) == ("", "")
    assert desk.workspace.limits.organ("bowel", "colon") is None
    assert desk.workspace.keeper.undo_text == "Limit of colon: none instead of 5 °C"


def test_what_is_being_typed_is_left_alone(panel, desk, qtbot):
    box = panel.limits.rows[COLON].boxes[0]
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "1")
    desk.workspace.set_limit(ICE, 9.0, 0.0)
    qtbot.waitUntil(lambda: texts(panel.limits, ICE) == ("9", "0"))
    assert box.text() == "1"
    QTest.keyClicks(box, "2")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert texts(panel.limits, COLON) == ("12", "0")


def test_fields_of_a_case_that_is_read_only_are_grey(panel, desk, qtbot):
    write(panel.limits, COLON, 0, "3")
    workspace = desk.workspace
    assert workspace.keeper.settle()
    other = Desk()
    other.workspace.set_case(workspace.case, workspace.plan, file=workspace.keeper.kept.path)
    second = ReviewPanel(other.workspace, other.view)
    qtbot.addWidget(second)
    second.show()
    second.show_limits()
    qtbot.waitUntil(lambda: other.workspace.keeper.kept.read_only, timeout=5000)
    qtbot.waitUntil(lambda: not second.limits.rows[COLON].boxes[0].isEnabled(), timeout=5000)
    parts = [p for row in second.limits.rows.values() for p in (*row.boxes, row.back)]
    assert not any(part.isEnabled() for part in parts)
    assert texts(second.limits, COLON) == ("3", "0")
    other.workspace.close()


def test_the_limit_of_an_organ_that_is_gone_can_only_be_set_back(panel, desk, qtbot):
    write(panel.limits, COLON, 0, "3")
    case = desk.workspace.case
    desk.workspace.set_case(case.changed(structures=small_case().structures), make_plan())
    qtbot.waitUntil(lambda: "not in this case" in panel.limits.rows[COLON].name.toolTip())
    row = panel.limits.rows[COLON]
    assert not any(box.isEnabled() for box in row.boxes)
    QTest.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert COLON not in panel.limits.rows


def test_without_a_case_there_is_nothing_to_edit(panel, desk, qtbot):
    desk.workspace.new_case()
    qtbot.waitUntil(lambda: not panel.limits.isVisible())


def test_the_card_leads_to_the_fields(desk, qtbot):
    card = PlanCard(desk.workspace, desk.view)
    qtbot.addWidget(card)
    card.show()
    assert not card.own.isVisible()
    with qtbot.waitSignal(card.limits_requested):
        QTest.mouseClick(card.limits, Qt.MouseButton.LeftButton)
