"""Help: F1 explains the step that is open, the glossary finds words, the tour walks through the desk."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from cryoplan.core.help_pages import glossary, panel_pages, tour_stops
from cryoplan.gui import theme
from cryoplan.gui.dialogs.help import HelpDialog
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.rail import STEPS
from cryoplan.gui.tour import Tour
from tests.support.desk import Desk


class FlatCanvas(QWidget):
    """A 3D view without OpenGL."""

    def __init__(self, *about) -> None:
        super().__init__(about[-1])


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    return empty_desk


@pytest.fixture
def window(desk, qapp, qtbot) -> MainWindow:
    made = MainWindow(desk.workspace, desk.view, theme.apply(qapp), FlatCanvas)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    qtbot.waitExposed(made)
    return made


def dialog(window: MainWindow) -> HelpDialog:
    found = window.findChildren(HelpDialog)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_f1_explains_the_step_that_is_open(window, number):
    window.show_step(number)
    window.actions_by_id["help"].trigger()
    page = panel_pages("en")[number]
    assert page.title == STEPS[number]
    assert {page.title, page.what_for, page.beware, *page.how} <= set(dialog(window).texts())


def test_a_second_call_uses_the_dialog_that_is_there(window):
    window.actions_by_id["help"].trigger()
    window.actions_by_id["glossary"].trigger()
    shown = dialog(window)
    assert {term.name for term in glossary("en")} <= set(shown.texts())
    assert shown.search.isVisible()


def test_the_glossary_is_searched_by_word(window):
    window.actions_by_id["glossary"].trigger()
    shown = dialog(window)
    QTest.keyClicks(shown.search, "pull-back")
    assert "Pull-back (tip offset)" in shown.texts()
    assert "Ice ball" not in shown.texts()
    shown.search.setText("qqq")
    assert shown.texts() == ("Nothing is called so here.",)


def test_the_tour_opens_the_built_in_case_and_begins_when_it_is_there(window, desk):
    window.actions_by_id["tour"].trigger()
    assert desk.worker.last("demo")
    assert window.helps.tour is None
    desk.open()
    desk.workspace.meshes_changed.emit()
    assert isinstance(window.helps.tour, Tour)


def test_each_stop_shows_its_panel_and_card_and_ring_lie_in_the_window(window, desk):
    desk.open()
    for size in (QSize(1280, 720), QSize(1920, 1080)):
        window.resize(size)
        window.actions_by_id["tour"].trigger()
        tour = window.helps.tour
        for number, stop in enumerate(tour_stops("en")):
            assert tour.number == number
            assert tour.card.text.text() == stop.text
            assert stop.step is None or window.stack.currentIndex() == stop.step
            assert window.rect().contains(tour.card.geometry())
            assert window.focusWidget() is tour.card.on
            assert tour.card.text.height() >= tour.card.text.heightForWidth(tour.card.text.width())
            QTest.keyClick(tour.card.on, Qt.Key.Key_Return)
        assert tour.card.isHidden()


def test_the_tour_goes_back_and_is_ended_with_escape(window, desk):
    desk.open()
    window.actions_by_id["tour"].trigger()
    tour = window.helps.tour
    assert not tour.card.back.isEnabled()
    tour.card.on.click()
    tour.card.back.click()
    assert tour.number == 0
    QTest.keyClick(tour.card, Qt.Key.Key_Escape)
    assert tour.card.isHidden()
