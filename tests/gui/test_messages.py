"""From a message on the screen to the help on its code: the dialog, the banner, the rows of findings."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.core.finding import Finding, Level
from cryoplan.gui import meaning, rows
from cryoplan.gui.banner import Banner
from cryoplan.gui.dialogs.messages import MessagesDialog
from cryoplan.gui.rows import Findings
from cryoplan.scene.style import theme
from cryoplan.workflow import find_meanings, meaning_of

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def dialog(qtbot) -> MessagesDialog:
    dialog = MessagesDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(500, 300)
    return window


def failure(code: str) -> Failure:
    return Failure(what="It did not work.", remedy="Try again.", code=code)


def test_all_codes_are_listed_and_the_first_is_explained(dialog):
    assert dialog.shown == [m.code for m in find_meanings("")]
    assert dialog.chosen.code == dialog.shown[0]
    assert dialog.means.text() == dialog.chosen.means
    assert dialog.remedy.text() == dialog.chosen.remedy


def test_typing_a_word_leaves_what_speaks_of_it_and_explains_the_first(dialog):
    dialog.search.setFocus()
    QTest.keyClicks(dialog.search, "dicomdir")
    assert dialog.shown == ["dicomdir"]
    assert dialog.chosen.code == dialog.code.text() == "dicomdir"
    dialog.search.clear()
    assert len(dialog.shown) == len(find_meanings(""))


def test_arrows_walk_through_the_codes_while_the_search_field_keeps_the_focus(dialog):
    dialog.search.setFocus()
    first, second = dialog.shown[:2]
    QTest.keyClick(dialog.search, Qt.Key.Key_Down)
    assert dialog.chosen.code == second
    assert dialog.means.text() == meaning_of(second).means
    QTest.keyClick(dialog.search, Qt.Key.Key_Up)
    assert dialog.chosen.code == first


def test_arrows_step_over_the_headings(dialog):
    codes = []
    for _ in dialog.shown:
        codes.append(dialog.chosen.code)
        QTest.keyClick(dialog.search, Qt.Key.Key_Down)
    assert codes == dialog.shown


def test_return_in_the_search_field_neither_closes_nor_copies(dialog):
    QGuiApplication.clipboard().setText("before")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert QGuiApplication.clipboard().text() == "before"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_copy_takes_the_code_and_what_is_said_about_it(dialog):
    dialog.ask("missing-slice")
    QTest.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == meaning_of("missing-slice").to_text()


def test_a_word_that_is_nowhere_is_said_to_be_and_nothing_can_be_copied(dialog):
    dialog.search.setText("qqzz")
    assert dialog.shown == []
    assert dialog.count.text() == "nothing found"
    assert not dialog.copy.isEnabled()
    assert not dialog.means.isVisible()


def test_the_banner_leads_to_the_help_on_its_code_in_one_dialog(window):
    banner = Banner(theme().dark, window)
    banner.show_failure(failure("disk-full"))
    window.show()
    QTest.mouseClick(banner.explain, Qt.MouseButton.LeftButton)
    banner.show_failure(failure("not-writable"))
    QTest.mouseClick(banner.explain, Qt.MouseButton.LeftButton)
    (dialog,) = window.findChildren(MessagesDialog)
    assert dialog.isVisible()
    assert dialog.chosen.code == "not-writable"


@pytest.mark.parametrize("code", ["refused", "a-code-of-tomorrow"])
def test_the_banner_offers_no_help_where_there_is_none(window, code):
    banner = Banner(theme().dark, window)
    banner.show_failure(failure("disk-full"))
    assert not banner.explain.isHidden()
    banner.show_failure(failure(code))
    assert banner.explain.isHidden()


def test_a_finding_says_on_hover_what_its_code_means(window):
    findings = Findings()
    findings.setParent(window)
    known = Finding(level=Level.FAIL, code="path-through-bowel", text="Probe 1 passes through bowel.")
    findings.show_findings([known, Finding(level=Level.OK, code="not-one", text="Something else.")])
    tip = findings.rows[0].toolTip()
    assert meaning_of("path-through-bowel").means in tip
    assert "path-through-bowel" in tip
    assert findings.rows[1].toolTip() == "Something else."
    window.show()
    point = findings.rows[0].geometry().center()
    QApplication.sendEvent(findings, QHelpEvent(QEvent.Type.ToolTip, point, findings.mapToGlobal(point)))
    assert QToolTip.text() == tip


def test_a_right_click_on_a_finding_offers_the_help_even_where_a_press_does_nothing(
    qtbot, window, monkeypatch
):
    asked = []
    monkeypatch.setattr(rows, "offer_meaning", lambda _widget, code, _place: asked.append(code))
    findings = Findings()
    findings.setParent(window)
    findings.resize(480, 200)
    findings.show_findings(
        [
            Finding(level=Level.FAIL, code="shaft-too-short", text="Too short."),
            Finding(level=Level.WARN, code="spacing-wide", text="Far apart."),
            Finding(level=Level.OK, code="not-one", text="Something else."),
        ]
    )
    window.show()
    qtbot.waitExposed(window)
    for row in findings.rows:
        assert not row.isEnabled()
        # At the window, as the system does it: one sent to the row would not show who takes it.
        QTest.mouseClick(
            window.windowHandle(), RIGHT, Qt.KeyboardModifier.NoModifier, row.geometry().center()
        )
    QTest.mouseClick(window.windowHandle(), RIGHT, Qt.KeyboardModifier.NoModifier, QPoint(5, 195))
    assert asked == ["shaft-too-short", "spacing-wide"]


def test_a_damaged_help_leaves_the_messages_as_they_are(monkeypatch, tmp_path):
    from cryoplan.core import meanings

    def read():
        return meanings.read_meanings(tmp_path / "codes.toml")

    monkeypatch.setattr(meanings, "load_meanings", read)
    found = Finding(level=Level.FAIL, code="disk-full", text="The disk is full.")
    assert meaning.tip_of(found) == "The disk is full."
    assert not meaning.has_meaning("disk-full")
