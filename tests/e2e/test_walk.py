"""One walk through the real window: from the first screen to the printed plan, by mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel

from cryoplan.app.state import State
from cryoplan.app.view import Display
from cryoplan.gui.main_window import MainWindow
from cryoplan.plan.edits import nudge
from cryoplan.scene.plane import Orientation
from cryoplan.scene.view3d import Layer
from tests.support.real_window import LOAD_MS, SOLVE_MS, drag, open_demo, press
from tests.support.stalls import StallMonitor

pytestmark = pytest.mark.display

CONTROL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def key(window: MainWindow, which: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(window, which, held)


@pytest.mark.slow
def test_from_the_first_screen_to_the_printed_plan(window, qtbot, tmp_path, monkeypatch, say):
    workspace, view = window.workspace, window.view
    assert window.pages.currentWidget() is window.welcome
    assert any(label.text() == "RESEARCH USE" and label.isVisible() for label in window.findChildren(QLabel))
    open_demo(window, qtbot)
    assert window.pages.currentWidget() is not window.welcome
    assert [p.name for p in workspace.plan.probes] == ["1", "2", "3"]
    assert window.top_bar.chip.text().endswith("NOT SOLVED")

    # Place a probe: P, the target in one view, the skin in the same.
    axial = window.slices[Orientation.AXIAL]
    x, y, z = target = view.cursor_mm
    key(window, Qt.Key.Key_P)
    assert view.placing
    press(axial, axial.pixel_of(target).toPoint())
    press(axial, axial.pixel_of((x - 60.0, y, z)).toPoint())
    placed = workspace.plan.probe("4")
    np.testing.assert_allclose(placed.tip_mm, target, atol=axial.mm_per_px)
    assert placed.entry_mm[0] < placed.tip_mm[0] - 20.0
    assert view.selected_probe == "4"
    assert workspace.keeper.undo_count == 1

    # Drag its tip 10 mm towards the back; one step of the history, whatever the mouse did on the way.
    before = workspace.plan
    start = axial.pixel_of(placed.tip_mm)
    drag(axial, start, start + QPointF(0.0, 10.0 / axial.mm_per_px))
    moved = workspace.plan.probe("4")
    assert moved.tip_mm[1] - placed.tip_mm[1] == pytest.approx(10.0, abs=2 * axial.mm_per_px)
    assert moved.entry_mm == placed.entry_mm
    assert workspace.keeper.undo_count == 2
    key(window, Qt.Key.Key_Z, CONTROL)
    assert workspace.plan == before
    key(window, Qt.Key.Key_Z, CONTROL)
    assert len(workspace.plan.probes) == 3

    # Solve, and go on working meanwhile: the crosshair follows the keys while the numbers are made.
    qtbot.waitUntil(lambda: window.canvas.is_at_rest)
    monitor = StallMonitor(window)
    key(window, Qt.Key.Key_F9)
    assert workspace.state is State.SOLVING
    assert not window.actions_by_id["pdf"].isEnabled()
    qtbot.waitUntil(
        lambda: workspace.progress is not None and workspace.progress.fraction > 0.02, timeout=SOLVE_MS
    )
    slice_before = view.cursor_mm
    axial.setFocus()
    QTest.keyClick(axial, Qt.Key.Key_PageUp)
    assert view.cursor_mm != slice_before
    assert workspace.state is State.SOLVING
    while workspace.state is State.SOLVING:
        longest_ms = monitor.longest_ms
        QTest.qWait(20)
    say(f"Longest stall of the window while solving: {longest_ms:.0f} ms")
    assert workspace.state is State.CURRENT
    assert monitor.ticks > 50
    assert workspace.assessment is not None
    assert workspace.assessment.volume_ml(-40.0) < workspace.assessment.volume_ml(0.0)
    canvas = window.canvas
    qtbot.waitUntil(lambda: canvas.scene.bounds_mm(Layer.ICE_0) is not None)

    # The time slider shows the field of its minute.
    bar = window.protocol_bar.bar
    press(bar, QPoint(bar.width() * 2 // 5, bar.height() // 2))
    assert view.display is Display.NOW
    assert view.time_s == pytest.approx(600.0, abs=15.0)

    # A step of 0.1 mm outdates everything; taking it back makes it current again without a solve.
    view.selected_probe = "1"
    solved = workspace.result
    workspace.edit("0.1 mm", nudge(workspace.plan, "1", (0.0, 0.0, 0.1)))
    assert workspace.state is State.OUT_OF_DATE
    assert window.top_bar.chip.text().endswith("OUT OF DATE")
    assert not window.actions_by_id["pdf"].isEnabled()
    key(window, Qt.Key.Key_Z, CONTROL)
    assert workspace.state is State.CURRENT
    assert workspace.result is solved

    # Print it.
    out = tmp_path / "plan.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(out), ""))
    with qtbot.waitSignal(
        workspace.message, timeout=LOAD_MS, check_params_cb=lambda text: "plan.pdf" in text
    ):
        key(window, Qt.Key.Key_P, CONTROL)
    pages = PdfReader(out).pages
    assert 2 <= len(pages) <= 4
    assert "Research use" in pages[0].extract_text()


def test_nothing_is_printed_before_a_solve(desk, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_a, **_k: asked.append(1) or (str(tmp_path / "x"), "")
    )
    desk.exports.print_plan()
    assert asked == []
    assert desk.banner.isVisible()
    assert "Solve first" in desk.banner.text


def test_a_grip_in_3d_moves_its_probe_and_escape_puts_it_back(desk, qtbot):
    workspace, canvas = desk.workspace, desk.canvas
    plotter = canvas.picture
    size = (float(plotter.width()), float(plotter.height()))
    plan = workspace.plan
    found = []
    # Only the selected probe has grips: nothing else can be caught by accident.
    assert canvas.scene.grips() == ()
    desk.view.selected_probe = plan.probes[0].name

    def look_for_grips() -> bool:
        for grip in canvas.scene.grips():
            at = pixel_in_3d(canvas, grip.position_mm, size)
            if at is not None and canvas.scene.pick_grip(at.x(), at.y(), size) == grip:
                found.append((grip, at))
        return bool(found)

    qtbot.waitUntil(look_for_grips)  # the camera is set with the first picture
    grip, at = found[0]
    drag(plotter, at, at + QPointF(30.0, 20.0), release=False)
    assert workspace.plan != plan
    assert desk.view.selected_probe == grip.probe
    QTest.keyClick(plotter, Qt.Key.Key_Escape)
    assert workspace.plan == plan
    assert workspace.keeper.undo_count == 0
    QTest.mouseRelease(plotter, Qt.MouseButton.LeftButton, pos=at.toPoint())

    drag(plotter, at, at + QPointF(30.0, 20.0))
    assert workspace.plan != plan
    assert workspace.keeper.undo_count == 1
    other = [p for p in plan.probes if p.name != grip.probe]
    assert [workspace.plan.probe(p.name) for p in other] == other


def pixel_in_3d(canvas, point_mm, size) -> QPointF | None:
    """Return where a point is drawn in the 3D view, None when it is not within it."""
    x, y, _z, w = canvas.scene.world_to_ndc() @ np.append(point_mm, 1.0)
    at = QPointF((x / w + 1.0) * size[0] / 2.0, (1.0 - y / w) * size[1] / 2.0)
    inside = 5 < at.x() < size[0] - 40 and 5 < at.y() < size[1] - 40
    return at if inside else None


def test_the_keys_of_vtk_do_not_reach_it(desk):
    plotter = desk.canvas.picture
    plan = desk.workspace.plan
    QTest.keyClick(plotter, Qt.Key.Key_W)
    QTest.keyClick(plotter, Qt.Key.Key_Q)
    assert desk.isVisible()
    assert desk.workspace.plan == plan
