"""The second image is seen where it lies in the patient, faded, flickered, windowed by itself and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from scipy import ndimage

from cryoplan import workflow
from cryoplan.app.jobs import Failure
from cryoplan.app.view import Window
from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.gui.banner import Notices
from cryoplan.gui.opening import Opening
from cryoplan.gui.panels.images import ImagesPanel
from cryoplan.gui.plan_card import PlanCard
from cryoplan.gui.second_files import ADD, SecondFiles
from cryoplan.gui.standing import READ_AGAIN, REMOVE_SECOND
from cryoplan.gui.status_line import StatusLine
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.image.series import PathDescription, SeriesDescription
from cryoplan.scene.plane import Orientation
from cryoplan.scene.slab import Slab, SlabKind
from cryoplan.scene.window import presets_of
from tests.gui.conftest import open_case
from tests.support.playing import GRID, Played
from tests.support.scenes import TUMOUR_MM, grid_around, make_case, points_mm, turned

OWN = Window(width=800.0, level=500.0)
DIRECTIONS = {
    "flipped": (-1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, -1.0, 0.0),
    "oblique": turned((14.0, -9.0, 33.0)),
}
MOVED = Finding(
    level=Level.WARN, code="another-frame-of-reference", text="It lies in another frame of reference."
)


def second_scan(direction="oblique", name="T2") -> Scan:
    grid = grid_around((-20.0, -5.0, 10.0), (150.0, 140.0, 120.0), (3.0, 2.0, 2.5), DIRECTIONS[direction])
    waves = np.sin(points_mm(grid) / (9.0, 11.0, 8.0)).sum(axis=-1) * 160.0 + 500.0
    facts = ScanFacts(path="/x/mr", kind="dicom-series", code="TEST-1", modality="MR", description=name)
    return Scan(volume=Volume(grid=grid, values=waves.astype(np.int16)), facts=facts)


def add(desk, scan=None, differences=()) -> Scan:
    scan = scan or second_scan()
    desk.workspace.second.add(scan.facts.path)
    desk.worker.done("second", workflow.Partner(scan=scan, differences=differences))
    desk.view.second_window = OWN
    return scan


def expected_value(scan, point) -> float:
    index = scan.volume.grid.mm_to_index(point)
    return float(ndimage.map_coordinates(scan.volume.values.astype(float), index[::-1, None], order=1)[0])


def pixel(view, point):
    """Return the colour of the picture before it is scaled, and the place of that pixel's middle."""
    plane = view.plane
    picture = view._layers.picture(plane, view._view.window)
    rect, image = picture.rect_mm, picture.image
    u, v = plane.mm_to_plane(point)
    column = int((u - rect.left()) / rect.width() * image.width())
    row = int((v - rect.top()) / rect.height() * image.height())
    middle = (
        rect.left() + (column + 0.5) * rect.width() / image.width(),
        rect.top() + (row + 0.5) * rect.height() / image.height(),
    )
    return image.pixelColor(column, row), plane.plane_to_mm(*middle)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("first", ["straight", "turned"])
@pytest.mark.parametrize("orientation", Orientation)
def test_every_view_shows_the_second_image_at_its_place_in_the_patient(
    empty_desk, qtbot, orientation, first, direction
):
    from cryoplan.gui.slice_view import SliceView

    axes = {"straight": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), "turned": turned((6.0, 10.0, -20.0))}
    grid = grid_around((0.0, 0.0, 0.0), (200.0, 160.0, 120.0), (4.0, 4.0, 5.0), axes[first])
    desk = empty_desk
    open_case(desk, make_case(grid, with_target=False))
    scan = add(desk, second_scan(direction))
    view = SliceView(desk.workspace, desk.view, orientation)
    qtbot.addWidget(view)
    view.resize(300, 300)
    desk.view.second_opacity = 1.0
    colours = np.round(colormaps["cividis"](np.arange(256))[:, :3] * 255)
    for offset in np.random.default_rng(2).uniform(-25.0, 25.0, (12, 3)):
        shown, point = pixel(view, np.asarray(TUMOUR_MM) + offset)
        value = expected_value(scan, point)
        shade = np.clip((value - OWN.level) / OWN.width + 0.5, 0.0, 1.0) * 255.0
        near = colours[[int(np.floor(shade)), int(np.ceil(shade))]]
        seen = np.array([shown.red(), shown.green(), shown.blue()])
        assert (seen >= near.min(axis=0) - 2).all()
        assert (seen <= near.max(axis=0) + 2).all()


def test_each_view_names_both_images_and_how_much_of_the_second_is_seen(desk, show):
    add(desk)
    for orientation in Orientation:
        view = show(orientation)
        view.grab()
        assert "CT + MR T2 50 %" in view.texts
        desk.view.second_opacity = 0.3
        desk.view.slab = Slab(kind=SlabKind.MIP, thickness_mm=10.0)
        view.grab()
        assert "CT + MR T2 30 % · MIP 10 mm" in view.texts
        desk.view.second_opacity = 0.5
        desk.view.slab = Slab()
    desk.workspace.second.remove()
    view.grab()
    assert not any("T2" in text for text in view.texts)


def test_f_shows_the_other_image_while_it_is_held_and_only_then(desk, show):
    scan = add(desk)
    view = show()
    before, _ = pixel(view, TUMOUR_MM)
    QTest.keyPress(view, Qt.Key.Key_F)
    alone, point = pixel(view, TUMOUR_MM)
    view.grab()
    assert "MR T2 alone" in view.texts
    grey = np.clip((expected_value(scan, point) - OWN.level) / OWN.width + 0.5, 0.0, 1.0) * 255.0
    assert alone.red() == alone.green() == alone.blue()
    assert alone.red() == pytest.approx(grey, abs=1.0)
    QTest.keyRelease(view, Qt.Key.Key_F)
    assert pixel(view, TUMOUR_MM)[0] == before
    # At full opacity the other one is the first.
    desk.view.second_opacity = 1.0
    QTest.keyPress(view, Qt.Key.Key_F)
    first, _ = pixel(view, TUMOUR_MM)
    view.grab()
    assert "CT alone" in view.texts
    assert first.red() == first.green() == first.blue() == round((20 - 40) / 400 * 255 + 127.5)
    # Another window takes the keys: the release will be heard there.
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusOut))
    assert not desk.view.second_flicker


def test_f_without_a_second_image_says_so(desk, show):
    said = []
    desk.workspace.message.connect(said.append)
    view = show()
    QTest.keyPress(view, Qt.Key.Key_F)
    assert not desk.view.second_flicker
    assert "no second image" in said[-1]


def wheel(view, notches, modifiers):
    event = QWheelEvent(
        QPointF(50, 50), view.mapToGlobal(QPointF(50, 50)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def test_shift_and_wheel_fade_the_second_image_and_scroll_where_there_is_none(desk, show):
    view = show()
    number = view.slice_number
    wheel(view, 1, Qt.KeyboardModifier.ShiftModifier)
    assert view.slice_number == number + 1
    add(desk)
    wheel(view, 2, Qt.KeyboardModifier.ShiftModifier)
    assert desk.view.second_opacity == pytest.approx(0.7)
    wheel(view, -20, Qt.KeyboardModifier.ShiftModifier)
    assert desk.view.second_opacity == 0.0
    assert view.slice_number == number + 1
    plain, _ = pixel(view, TUMOUR_MM)
    assert plain.red() == plain.green() == plain.blue()  # the first image alone


def test_a_right_drag_with_shift_and_digits_with_alt_change_the_second_window_only(desk, show):
    scan = add(desk)
    view = show()
    first = desk.view.window
    QTest.mousePress(view, Qt.MouseButton.RightButton, Qt.KeyboardModifier.ShiftModifier, QPoint(100, 100))
    QTest.mouseMove(view, QPoint(150, 130))
    QTest.mouseRelease(view, Qt.MouseButton.RightButton, Qt.KeyboardModifier.ShiftModifier, QPoint(150, 130))
    assert desk.view.window == first
    assert desk.view.second_window.width > OWN.width
    assert desk.view.second_window.level > OWN.level
    QTest.keyClick(view, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    preset = presets_of(scan)[1]
    assert desk.view.second_window == Window(width=preset.width, level=preset.level)
    assert desk.view.window == first


def test_the_status_line_reads_both_values_at_one_point(desk, qtbot):
    scan = add(desk)
    parent = QWidget()
    qtbot.addWidget(parent)
    line = StatusLine(desk.workspace, desk.view, parent)
    line.point_at(TUMOUR_MM)
    qtbot.waitUntil(lambda: bool(line._reading.text()))
    value = expected_value(scan, np.asarray(TUMOUR_MM))
    assert line._reading.text().startswith(f"HU 20   |   MR T2 signal {value:.0f}")
    desk.workspace.second.remove()
    line.point_at(TUMOUR_MM)
    qtbot.waitUntil(lambda: "T2" not in line._reading.text())


def test_the_panel_fades_windows_and_removes_it_and_offers_to_add_one(desk, qtbot):
    panel = ImagesPanel(desk.workspace, desk.view)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh()
    assert panel.second.add.isVisibleTo(panel)
    assert not panel.second.remove.isVisibleTo(panel)
    add(desk)
    panel.second.refresh()
    assert panel.second.name.text() == "MR T2"
    assert "nothing was registered" in panel.second.note.text()
    panel.second.opacity.setValue(80)
    assert desk.view.second_opacity == 0.8
    panel.second.preset.activated.emit(0)
    assert desk.view.second_window != OWN
    panel.second.remove.click()
    assert desk.workspace.second.link is None
    assert panel.second.add.isVisibleTo(panel)


def test_a_consent_stands_above_the_views_and_on_the_plan_card(desk, qtbot):
    notices, card = Notices(desk.workspace), PlanCard(desk.workspace, desk.view)
    qtbot.addWidget(notices)
    qtbot.addWidget(card)
    offers = []
    desk.workspace.second.asked.connect(offers.append)
    add(desk, differences=(MOVED,))
    desk.workspace.second.agree(offers[0])
    words = "agreed to although it lies in another frame of reference"
    qtbot.waitUntil(lambda: any(words in text for text in notices.texts))
    card.refresh_slow()
    (row,) = [r for r in card.rules.rows if r.isVisibleTo(card.rules) and words in r.accessibleName()]
    assert row is not None
    desk.workspace.second.remove()
    qtbot.waitUntil(lambda: notices.texts == [])


def test_one_that_is_gone_is_told_above_the_views_with_two_ways_out(desk, qtbot, show):
    notices = Notices(desk.workspace)
    qtbot.addWidget(notices)
    add(desk)
    link = desk.workspace.second.link
    desk.workspace.edit_second("moved away", replace(link, sha256="0" * 64))
    gone = Failure(what="The second image MR T2 is not shown: it is gone.", remedy="Put it back.", code="x")
    desk.worker.failed("second-again", gone)
    qtbot.waitUntil(lambda: any("it is gone" in text for text in notices.texts))
    view = show()
    view.grab()
    assert "CT (+ MR T2 not shown)" in view.texts
    row = notices.rows[0]
    assert row.notice.buttons == (READ_AGAIN, REMOVE_SECOND)
    jobs = len(desk.worker.jobs)
    row.buttons[0].click()
    assert desk.worker.jobs[jobs:][0].kind == "second-again"
    desk.worker.failed("second-again", gone)
    qtbot.waitUntil(lambda: bool(notices.rows))
    notices.rows[0].buttons[1].click()
    assert desk.workspace.second.link is None


@pytest.mark.parametrize("agrees", [True, False])
def test_the_question_names_what_differs_and_no_is_the_default(desk, qtbot, monkeypatch, agrees):
    parent = QWidget()
    qtbot.addWidget(parent)
    files = SecondFiles(desk.workspace, parent, Opening(desk.workspace, parent))
    asked = []

    def answer(box):
        asked.append((box.text(), box.informativeText(), box.defaultButton().text()))
        wanted = ADD if agrees else "Do not add"
        monkeypatch.setattr(
            QMessageBox, "clickedButton", lambda b: next(x for x in b.buttons() if x.text() == wanted)
        )
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    add(desk, differences=(MOVED,))
    assert files is not None
    ((question, reasons, default),) = asked
    assert question == "Show MR T2 over the first image?"
    assert MOVED.text in reasons
    assert "printed in the PDF" in reasons
    assert default == "Do not add"
    assert (desk.workspace.second.link is not None) == agrees


def test_a_series_with_a_warning_is_chosen_and_agreed_to_as_for_the_first_image(
    desk, qtbot, monkeypatch, tmp_path
):
    parent = QWidget()
    qtbot.addWidget(parent)
    opening = Opening(desk.workspace, parent)
    opening.make_surveying = Played
    files = SecondFiles(desk.workspace, parent, opening)
    asked = []
    monkeypatch.setattr(
        "cryoplan.gui.dialogs.open_series.ask_consent",
        lambda findings, *_: asked.append(tuple(f.code for f in findings)) or True,
    )
    files.add_path(tmp_path)
    series = SeriesDescription(
        uid="1.2", kind="dicom-series", modality="MR", description="T2", path=str(tmp_path), grid=GRID,
        findings=(Finding(level=Level.WARN, code="uneven-spacing", text="Slices are uneven."),),
    )  # fmt: skip
    found = PathDescription(path=str(tmp_path), kind="dicom-folder", series=(series,), findings=())
    opening.dialog._surveying.found.emit(found)
    opening.dialog.open_button.click()
    assert asked == [("uneven-spacing",)]
    job = desk.worker.last("second").arguments
    assert (job["path"], job["series_uid"], job["accept"]) == (tmp_path, "1.2", ("uneven-spacing",))


def test_a_warning_that_shows_while_it_is_read_is_asked_about_and_read_again(desk, qtbot, monkeypatch):
    parent = QWidget()
    qtbot.addWidget(parent)
    opening = Opening(desk.workspace, parent)
    monkeypatch.setattr("cryoplan.gui.opening.ask_consent", lambda *_: True)
    SecondFiles(desk.workspace, parent, opening).add_path(Path("/x/mr.nii.gz"))
    jobs = len(desk.worker.jobs)
    warned = Finding(level=Level.WARN, code="two-orientations", text="Two positions.")
    desk.worker.failed("second", Failure(what="a", remedy="b", code="two-orientations", to_agree=(warned,)))
    ((again),) = desk.worker.jobs[jobs:]
    assert (again.kind, again.arguments["accept"]) == ("second", ("two-orientations",))
