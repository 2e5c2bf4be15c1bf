"""The images panel: the scan, what its header does not say, its fitness and its looks."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from cryoplan.app.view import Window
from cryoplan.core.finding import Finding, Level
from cryoplan.gui.panels import (
    ImagesPanel,
    fitness,
)
from cryoplan.gui.parts import DASH, Text
from cryoplan.scene.slab import Slab, SlabKind
from tests.support.desk import small_case


def test_images_shows_the_scan_and_says_what_the_header_does_not(desk, make):
    desk.open()
    panel = make(ImagesPanel)
    grid = small_case().scan.volume.grid
    assert panel.facts["Voxels"].text() == " × ".join(str(n) for n in grid.size)
    assert panel.facts["Pixel"].text() == "2.00 × 2.00 mm"
    assert panel.facts["Slices"].text() == "4.00 mm apart"
    assert panel.facts["Gantry tilt"].text() == "not in the header"
    assert panel.facts["Series"].text() == DASH


def test_import_findings_are_shown_the_worst_first(desk, make):
    case = small_case()
    found = (
        Finding(level=Level.OK, code="fine", text="The spacing is even."),
        Finding(level=Level.WARN, code="old", text="The scan is 40 days old."),
    )
    scan = replace(case.scan, facts=replace(case.scan.facts, findings=found))
    desk.open(case.changed(scan=scan))
    panel = make(ImagesPanel)
    assert panel.findings.texts()[:2] == ["The scan is 40 days old.", "The spacing is even."]


def test_images_says_whether_the_scan_is_fit_for_planning(desk, make, qtbot):
    desk.open()
    panel = make(ImagesPanel)
    qtbot.waitUntil(lambda: len(panel.fitness.findings.texts()) == 8)
    texts = panel.fitness.findings.texts()
    assert any("Slices 4 mm apart" in text for text in texts)
    assert texts[0].startswith(("Contrast phase unknown", "Patient position unknown"))
    first = panel.fitness.findings.rows[0]
    assert first.accessibleName().startswith("warn: ")
    # Another state of the case keeps what is known until it is judged anew.
    desk.workspace._show_case(small_case().changed(target_name=""))
    assert panel.fitness.findings.texts() == texts


def test_fitness_that_cannot_be_judged_is_said(desk, make, qtbot, monkeypatch):
    def fail(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(fitness, "check_fitness", fail)
    desk.open()
    panel = make(ImagesPanel)
    qtbot.waitUntil(lambda: any(t.text() == fitness.FAILED for t in panel.fitness.findChildren(Text)))


def test_the_looks_follow_the_keys_and_the_keys_follow_the_looks(desk, make):
    desk.open()
    panel = make(ImagesPanel)
    looks = panel.looks
    assert looks.preset.currentText() == "soft tissue"
    looks.preset.activated.emit(2)
    assert (desk.view.window.width, desk.view.window.level) == (1500.0, -600.0)
    assert looks.numbers.text() == "W 1500  L \N{MINUS SIGN}600"
    desk.view.window = Window(width=333.0, level=3.0)
    assert looks.preset.currentText() == "set by hand"
    assert not looks.thickness.isEnabled()
    looks.slab.activated.emit(1)
    looks.thickness.setValue(25.0)
    assert desk.view.slab == Slab(kind=SlabKind.MIP, thickness_mm=25.0)
    desk.view.slab = Slab(kind=SlabKind.MEAN, thickness_mm=5.0)
    assert (looks.slab.currentText(), looks.thickness.value()) == ("mean", 5.0)


def test_the_buttons_of_images_ask_the_window(make, qtbot):
    panel = make(ImagesPanel)
    for button, signal in (
        (panel.open_folder, panel.open_folder_requested),
        (panel.open_file, panel.open_file_requested),
        (panel.demo, panel.demo_requested),
    ):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
