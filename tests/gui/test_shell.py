"""The shell: bars, rail, banner, menus and first screen say what is true; only the possible can be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QMessageBox, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.state import State
from cryoplan.app.view import Display
from cryoplan.gui import canvas as canvas_module
from cryoplan.gui import theme
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.protocol_bar import ProtocolBar
from cryoplan.gui.rail import Rail
from cryoplan.gui.status_line import StatusLine
from cryoplan.gui.top_bar import TopBar, describe_scan
from cryoplan.plan.edits import nudge
from cryoplan.plan.plan import Plan
from cryoplan.scene.plane import Orientation
from tests.support.desk import Desk, small_case
from tests.support.scenes import TUMOUR_MM


class FakeCanvas(QWidget):
    """A 3D view without OpenGL; knows whether it was told to close."""

    def __init__(self, workspace, view, palette, placing, parent) -> None:
        del workspace, view, palette, placing
        super().__init__(parent)
        self.is_closed = False

    def close_canvas(self) -> None:
        self.is_closed = True


@pytest.fixture
def palette(qapp):
    return theme.apply(qapp)


@pytest.fixture
def parent(palette, qtbot) -> QWidget:
    del palette
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def window(empty_desk: Desk, palette, qtbot) -> MainWindow:
    made = MainWindow(empty_desk.workspace, empty_desk.view, palette, FakeCanvas)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    qtbot.waitExposed(made)
    return made


def enabled(window: MainWindow) -> set[str]:
    return {name for name, action in window.actions_by_id.items() if action.isEnabled()}


# Top bar ------------------------------------------------------------------------------------------------


@pytest.fixture
def top_bar(empty_desk: Desk, palette, parent) -> TopBar:
    return TopBar(empty_desk.workspace, palette, [QAction("&Undo", parent)], parent)


def test_the_chip_says_each_state(top_bar, empty_desk):
    seen = [top_bar.chip.text()]
    empty_desk.open()
    seen.append(top_bar.chip.text())
    empty_desk.workspace.request_simulation()
    empty_desk.worker.progress("solve", 0.43, "Solving", 3.0)
    seen.append(top_bar.chip.text())
    empty_desk.worker.gave_up("solve")
    empty_desk.solve()
    seen.append(top_bar.chip.text())
    workspace = empty_desk.workspace
    workspace.edit("a tenth", nudge(workspace.plan, "1", (0.1, 0.0, 0.0)))
    seen.append(top_bar.chip.text())
    workspace.undo()
    seen.append(top_bar.chip.text())
    assert seen == [
        "○ NO CASE", "○ NOT SOLVED", "◔ SOLVING 43 %", "● CURRENT", "! OUT OF DATE", "● CURRENT",
    ]  # fmt: skip


def test_the_scan_is_described_in_words():
    words = describe_scan(small_case().scan)
    assert "4.0 mm slices" in words
    assert "TEST-1" not in words


# Rail ---------------------------------------------------------------------------------------------------


def test_the_rail_says_what_is_missing_and_what_is_done(empty_desk, parent):
    rail = Rail(empty_desk.workspace, parent)
    assert [text.splitlines()[-1] for text in rail.texts()] == ["○"] * 6
    empty_desk.open(plan=Plan())
    assert [text.splitlines()[-1] for text in rail.texts()] == ["✓", "✓", "○", "○", "○", "○"]
    empty_desk.open()
    assert [text.splitlines()[-1] for text in rail.texts()] == ["✓", "✓", "✓", "!", "○", "○"]
    empty_desk.solve()
    assert [text.splitlines()[-1] for text in rail.texts()] == ["✓"] * 6
    workspace = empty_desk.workspace
    workspace.edit("a tenth", nudge(workspace.plan, "1", (0.1, 0.0, 0.0)))
    assert [text.splitlines()[-1] for text in rail.texts()] == ["✓", "✓", "✓", "!", "!", "○"]


# Protocol bar -------------------------------------------------------------------------------------------


@pytest.fixture
def protocol_bar(empty_desk, palette, parent, qtbot) -> ProtocolBar:
    bar = ProtocolBar(empty_desk.workspace, empty_desk.view, palette, parent)
    parent.resize(800, 100)
    bar.resize(800, 90)
    parent.show()
    qtbot.waitExposed(parent)
    return bar


def test_the_time_slider_rests_until_there_is_a_result(protocol_bar, empty_desk):
    empty_desk.open()
    QTest.mouseClick(protocol_bar.bar, Qt.MouseButton.LeftButton, pos=QPoint(400, 10))
    assert empty_desk.view.display is Display.LOWEST
    assert not protocol_bar.play.isEnabled()
    assert "solve" in protocol_bar.why


def test_a_press_on_the_bar_goes_to_that_minute(protocol_bar, empty_desk):
    empty_desk.open()
    empty_desk.solve()
    bar = protocol_bar.bar
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(round(1 + 0.6 * (bar.width() - 2)), 10))
    assert empty_desk.view.display is Display.NOW
    assert empty_desk.view.time_s == pytest.approx(900.0, abs=2.0)


def test_arrows_on_the_bar_step_from_frame_to_frame(protocol_bar, empty_desk):
    empty_desk.open()
    empty_desk.solve()
    times = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        QTest.keyClick(protocol_bar.bar, key)
        times.append(empty_desk.view.time_s)
    assert times == [600.0, 900.0, 1500.0, 1500.0, 900.0]


def test_play_runs_to_the_end_and_stops(protocol_bar, empty_desk, qtbot, monkeypatch):
    monkeypatch.setattr("cryoplan.gui.protocol_bar.PLAY_SECONDS", 0.3)
    empty_desk.open()
    empty_desk.solve()
    empty_desk.view.time_s = 1400.0
    QTest.mouseClick(protocol_bar.play, Qt.MouseButton.LeftButton)
    assert empty_desk.view.playing
    qtbot.waitUntil(lambda: not empty_desk.view.playing)
    assert empty_desk.view.time_s == 1500.0


def test_pausing_puts_the_hand_where_the_picture_at_rest_is_from(protocol_bar, empty_desk, qtbot):
    empty_desk.open()
    empty_desk.solve()
    empty_desk.view.time_s = 650.0
    QTest.mouseClick(protocol_bar.play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: empty_desk.view.time_s > 651.0)
    QTest.mouseClick(protocol_bar.play, Qt.MouseButton.LeftButton)
    assert not empty_desk.view.playing
    assert empty_desk.view.time_s in {f.time_s for f in empty_desk.workspace.result.frames}


# Status line --------------------------------------------------------------------------------------------


@pytest.fixture
def status_line(empty_desk, parent) -> StatusLine:
    return StatusLine(empty_desk.workspace, empty_desk.view, parent)


def shown(line: QWidget) -> str:
    return " ".join(label.text() for label in line.findChildren(QLabel))


def test_the_status_line_reads_what_is_under_the_mouse(status_line, empty_desk, qtbot):
    empty_desk.open()
    empty_desk.solve()
    status_line.point_at(TUMOUR_MM)
    qtbot.waitUntil(lambda: "HU 20" in shown(status_line))
    assert "tumour 1" in shown(status_line)
    assert "lowest −" in shown(status_line)
    status_line.point_at(None)
    qtbot.waitUntil(lambda: "HU" not in shown(status_line))


def test_temperatures_of_another_plan_are_not_read_out(status_line, empty_desk, qtbot):
    empty_desk.open()
    empty_desk.solve()
    workspace = empty_desk.workspace
    workspace.edit("a tenth", nudge(workspace.plan, "1", (0.1, 0.0, 0.0)))
    status_line.point_at(TUMOUR_MM)
    qtbot.waitUntil(lambda: "HU 20" in shown(status_line))
    assert "lowest" not in shown(status_line)


def test_long_work_shows_how_far_it_is_and_can_be_cancelled(status_line, empty_desk):
    empty_desk.open()
    empty_desk.worker.done("meshes", None)
    empty_desk.workspace.request_simulation()
    empty_desk.worker.progress("solve", 0.43, "Solving, 10:45 of 25:00 min", 3.0)
    assert "Solving, 10:45 of 25:00 min  43 %, 3 s left" in shown(status_line)
    QTest.mouseClick(status_line.cancel, Qt.MouseButton.LeftButton)
    assert empty_desk.worker.last("solve").id in empty_desk.worker.cancelled


# Window -------------------------------------------------------------------------------------------------


def test_only_what_is_possible_can_be_chosen(window, empty_desk):
    nothing = enabled(window)
    assert {"open-folder", "open-file", "demo", "open-case", "quit", "shortcuts", "about"} <= nothing
    assert not nothing & {"structures", "save-case", "place", "solve", "pdf", "undo", "redo", "cancel"}
    empty_desk.open(plan=Plan())
    assert {"structures", "save-case", "place"} <= enabled(window)
    assert not enabled(window) & {"solve", "copy", "pdf", "undo"}
    empty_desk.open()
    assert "solve" in enabled(window)
    empty_desk.solve()
    assert "pdf" in enabled(window)
    workspace = empty_desk.workspace
    workspace.edit("a tenth", nudge(workspace.plan, "1", (0.1, 0.0, 0.0)))
    assert "pdf" not in enabled(window)
    assert {"undo"} == enabled(window) & {"undo", "redo"}
    workspace.undo()
    assert {"redo"} == enabled(window) & {"undo", "redo"}


def test_the_first_screen_gives_way_to_the_case(window, empty_desk):
    assert window.pages.currentWidget() is window.welcome
    QTest.mouseClick(window.welcome.demo, Qt.MouseButton.LeftButton)
    assert empty_desk.worker.last("demo")
    assert window.welcome.hint == "Making the demonstration case ..."
    assert not window.welcome.demo.isEnabled()
    empty_desk.worker.gave_up("demo")
    assert window.welcome.demo.isEnabled()
    empty_desk.open()
    assert window.pages.currentWidget() is not window.welcome
    assert "TEST-1" in window.windowTitle()
    assert "Research use; not a medical device" in window.windowTitle()
    assert empty_desk.view.cursor_mm == pytest.approx(TUMOUR_MM, abs=2.0)


def test_a_failure_is_a_banner_with_a_remedy_and_details_without_the_file(window, empty_desk):
    assert not window.banner.isVisible()
    empty_desk.workspace.failed.emit(
        Failure(what="It is no image.", remedy="Choose another.", code="not-an-image", place="Meier_Anna.txt")
    )
    assert window.banner.isVisible()
    assert window.banner.text == "Meier_Anna.txt: It is no image. Choose another."
    QTest.mouseClick(window.banner.copy, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert "not-an-image" in copied
    assert "Meier" not in copied


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    arguments = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(500, 300), *arguments)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.dropEvent(QDropEvent(QPointF(500, 300), *arguments))


def test_what_is_dropped_is_opened_and_shows_at_once(window, empty_desk, tmp_path):
    drop(window, tmp_path / "ct.nii.gz")
    assert empty_desk.worker.last("load").arguments["path"] == tmp_path / "ct.nii.gz"
    assert "Reading the scan" in shown(window.status_line)
    drop(window, tmp_path / "x.cryoplan")
    assert empty_desk.worker.last("open").arguments == {"path": tmp_path / "x.cryoplan"}


def test_what_is_dropped_on_the_structures_step_is_added(window, empty_desk, tmp_path):
    empty_desk.open()
    window.actions_by_id["step-1"].trigger()
    drop(window, tmp_path / "labels.nii.gz")
    assert empty_desk.worker.last("structures").arguments["path"] == tmp_path / "labels.nii.gz"


@pytest.mark.parametrize("typed", ["plan", "plan.pdf"])
def test_the_ending_of_a_saved_file_is_put_right(window, empty_desk, tmp_path, monkeypatch, typed):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(tmp_path / typed), ""))
    empty_desk.open()
    empty_desk.solve()
    window.actions_by_id["pdf"].trigger()
    assert empty_desk.worker.last("report").arguments["path"] == tmp_path / "plan.pdf"


@pytest.mark.parametrize("yes", [True, False])
def test_a_file_that_the_ending_makes_to_an_old_one_is_replaced_only_after_a_yes(
    window, empty_desk, tmp_path, monkeypatch, yes
):
    (tmp_path / "plan.pdf").write_bytes(b"old")
    answer = QMessageBox.StandardButton.Yes if yes else QMessageBox.StandardButton.No
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(tmp_path / "plan"), ""))
    monkeypatch.setattr(QMessageBox, "question", lambda *_a, **_k: answer)
    empty_desk.open()
    empty_desk.solve()
    window.actions_by_id["pdf"].trigger()
    assert any(job.kind == "report" for job in empty_desk.worker.jobs) is yes


def test_giving_up_a_file_dialog_does_nothing(window, empty_desk, monkeypatch):
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_a, **_k: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: "")
    empty_desk.open()
    empty_desk.solve()
    before = len(empty_desk.worker.jobs)
    for name in (
        "open-folder",
        "open-file",
        "structures",
        "open-case",
        "save-case",
        "open-plan",
        "save-plan",
        "pdf",
    ):
        window.actions_by_id[name].trigger()
    assert len(empty_desk.worker.jobs) == before


def test_the_steps_of_the_rail_have_their_keys(window):
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    for number, key in enumerate(
        (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_6)
    ):
        QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert window.stack.currentIndex() == number
        assert window.panels[number].isAncestorOf(window.focusWidget())


def test_ctrl_0_takes_the_keys_to_the_axial_view(window, empty_desk):
    empty_desk.open()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    window.panels[0].setFocus()
    QTest.keyClick(window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert window.focusWidget() is window.slices[Orientation.AXIAL]


def test_tab_reaches_every_control_of_every_panel(window, empty_desk):
    from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider

    empty_desk.open()
    empty_desk.view.selected_probe = "1"
    unreached = []
    for step, panel in enumerate(window.panels):
        window.actions_by_id[f"step-{step}"].trigger()
        QTest.qWait(1)
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider):
            unreached += [
                (type(panel).__name__, type(widget).__name__, widget.accessibleName())
                for widget in panel.findChildren(kind)
                if widget.isVisible()
                and widget.isEnabled()
                and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus
                and not isinstance(widget.parent(), QAbstractSpinBox)
            ]
    assert unreached == []


def test_every_control_has_a_name_for_those_who_cannot_see_it(window, empty_desk):
    from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

    empty_desk.open()
    empty_desk.view.selected_probe = "1"
    for step in range(6):
        window.actions_by_id[f"step-{step}"].trigger()
        QTest.qWait(1)
    nameless = [
        (type(widget).__name__, type(widget.parent()).__name__)
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit)
        for widget in window.findChildren(kind)
        if not widget.accessibleName()
        and not widget.objectName().startswith("qt_")
        and not (isinstance(widget, QAbstractButton) and widget.text())
    ]
    assert nameless == []


@pytest.mark.parametrize("show", ["catalogue", "accuracy"])
def test_a_dialog_that_takes_its_time_shows_that_one_has_to_wait(window, monkeypatch, show):
    shown, really = [], QApplication.setOverrideCursor
    monkeypatch.setattr(QApplication, "setOverrideCursor", lambda c: shown.append(c) or really(c))
    window.actions_by_id[show].trigger()
    assert shown == [Qt.CursorShape.WaitCursor]
    assert QApplication.overrideCursor() is None
    (dialog,) = (d for d in window.findChildren(QDialog) if d.isVisible())
    dialog.close()


def test_closing_ends_the_3d_view_and_the_background_process(window, empty_desk):
    empty_desk.open()
    window.close()
    assert window.canvas.is_closed
    assert empty_desk.worker.is_closed


def test_without_opengl_there_is_a_sentence_in_place_of_the_3d_view(empty_desk, palette, qtbot, monkeypatch):
    monkeypatch.setattr(canvas_module, "opengl_is_good_enough", lambda: False)
    made = MainWindow(empty_desk.workspace, empty_desk.view, palette, canvas_module.make_canvas)
    qtbot.addWidget(made)
    assert isinstance(made.canvas, QLabel)
    assert "no 3D view" in made.canvas.text()
    empty_desk.open()
    empty_desk.solve()
    assert empty_desk.workspace.state is State.CURRENT
    made.close()


def test_the_light_look_is_another_one(qapp):
    light = theme.apply(qapp, dark=False)
    assert qapp.palette().window().color().name() == light.window
    dark = theme.apply(qapp)
    assert qapp.palette().window().color().name() == dark.window != light.window
