"""The card below a structure: a few lines, all of them on demand, grey while old, and the review."""

from __future__ import annotations

import pytest

from cryoplan.app import carding as module
from cryoplan.app.outlining import Outlining
from cryoplan.case.structure import Role
from cryoplan.gui.panels import StructuresPanel
from tests.support.desk import somebody_else_has
from tests.support.panels import with_structure

NAME = "tumour 1"


@pytest.fixture
def panel(desk, make, monkeypatch, qtbot):
    monkeypatch.setattr(module, "REST_MS", 20)
    desk.open(with_structure("liver, right lobe", Role.ORGAN, (-5.0, -10.0, 20.0)))
    one = make(StructuresPanel)
    yield one
    one.carding.choose("")
    qtbot.waitUntil(lambda: not one.carding.is_busy)


@pytest.fixture
def opened(panel, qtbot):
    """The panel with the card of the tumour."""
    panel.rows[NAME].opener.click()
    qtbot.waitUntil(lambda: panel.carding.is_current)
    return panel


def names(panel) -> list[str]:
    return [row.texts[1] for row in panel.card.rows.rows]


def value(panel, name: str) -> str:
    return next(row.texts[2] for row in panel.card.rows.rows if row.texts[1] == name)


def test_a_press_on_a_structure_opens_its_card_below_it_and_another_closes_it(panel, qtbot):
    assert not panel.card.isVisible()
    panel.rows[NAME].opener.click()
    assert panel.card.isVisible()
    assert panel.card.state.isVisible()
    qtbot.waitUntil(lambda: panel.carding.is_current)
    qtbot.waitUntil(lambda: panel.card.geometry().top() >= panel.rows[NAME].geometry().bottom())
    assert not panel.card.state.isVisible()
    panel.rows[NAME].opener.click()
    assert not panel.card.isVisible()


def test_the_name_opens_the_card_too(panel, qtbot):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    row = panel.rows[NAME]
    QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.name.geometry().center())
    qtbot.waitUntil(lambda: panel.carding.is_current)
    assert panel.carding.name == NAME


def test_the_short_card_says_size_depth_and_the_nearest_neighbour(opened):
    assert names(opened) == ["Size", "Under the skin", "To liver"]
    # A ball of 24 mm in pixels of 2 mm.
    assert value(opened, "Size") == "25 × 24 × 24 mm"
    assert value(opened, "Under the skin").endswith(" mm")


def test_the_whole_card_says_what_the_voxels_leave_open_and_where_it_came_from(opened, desk):
    desk.workspace.keeper.settle(10.0)
    opened.card.opener.click()
    assert {"Longest", "Across it", "Head to feet", "Pieces", "Holes", "Voxels"} <= set(names(opened))
    assert "±" in value(opened, "Longest")
    assert "From made." in opened.card.origin.text()
    opened.card.opener.click()
    assert names(opened)[0] == "Size"


def test_a_press_on_a_distance_goes_there(opened, desk):
    row = next(r for r in opened.card.rows.rows if r.texts[1] == "Under the skin")
    row.click()
    assert desk.view.cursor_mm == opened.carding.shown.card.skin.point_mm


def test_the_card_is_grey_after_a_stroke_until_it_is_measured_anew(opened, desk, qtbot):
    outlining = Outlining.of(desk.workspace)
    outlining.begin(NAME)
    outlining.ellipsoid((0.0, 30.0, 20.0), (14.0, 14.0, 14.0))
    outlining.finish()
    assert opened.card.rows.rows[0].tone == "stale"
    qtbot.waitUntil(lambda: opened.carding.is_current)
    assert opened.card.rows.rows[0].tone == "text"
    # What is odd about it is said on the card: the ellipsoid lies apart from the ball.
    assert opened.card.findings.texts()[0].startswith("It is in 2 pieces")
    desk.workspace.keeper.settle(10.0)
    opened.card.opener.click()
    assert opened.card.origin.text().startswith("From made, corrected by hand.")
    assert opened.card.origin.text().endswith(": ellipsoid 14 x 14 x 14 mm.")


def test_the_review_is_checked_marked_in_the_row_and_undone(opened, desk, qtbot, settled):
    opened.card.reviewed.click()
    settled(opened)
    assert desk.workspace.case.structure(NAME).is_reviewed
    assert "✓" in opened.rows[NAME].words.text()
    assert opened.card.isVisible()
    desk.workspace.keeper.settle(10.0)
    with qtbot.waitSignal(desk.workspace.reviews_changed):
        desk.workspace.undo()
    settled(opened)
    assert not opened.card.reviewed.isChecked()
    assert "✓" not in opened.rows[NAME].words.text()


def test_the_review_cannot_be_changed_in_a_case_that_is_only_looked_at(panel, desk, tmp_path, settled, qtbot):
    with somebody_else_has(desk, tmp_path / "c.cryoplan"):
        settled(panel)
        panel.rows[NAME].opener.click()
        assert not panel.card.reviewed.isEnabled()
        qtbot.waitUntil(lambda: panel.carding.is_current)


def test_the_card_is_no_wider_than_the_panel(opened, qtbot):
    opened.card.opener.click()
    qtbot.waitUntil(lambda: opened.card.width() > 0)
    assert opened.area.widget().minimumSizeHint().width() <= 300
