"""The tumour's surface in the review: shares, bars, unrolled map, and the walk from place to place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest

from cryoplan.app.margin_shown import margin_of
from cryoplan.app.margin_steps import kept_classes
from cryoplan.app.settings import Settings
from cryoplan.gui.margin_legend import legend_words
from cryoplan.gui.panels import ReviewPanel
from cryoplan.gui.parts import OUT_OF_DATE
from cryoplan.gui.worst_walk import NO_RESULT, NO_TARGET, WorstWalk
from cryoplan.margins.classes import MarginClasses
from cryoplan.plan import edits
from cryoplan.scene.style import theme
from tests.support.panels import Heard, enter
from tests.support.scenes import TUMOUR_MM, TUMOUR_RADIUS_MM


@pytest.fixture
def review(desk, make):
    """The review of a solved plan."""
    desk.open()
    desk.solve()
    return make(ReviewPanel)


def section_of(panel):
    return panel.margin_map


def shown_of(desk):
    return margin_of(desk.workspace, desk.view)


# What is said ---------------------------------------------------------------------------------------


def test_the_legend_tells_the_shares_of_the_surface_with_their_colours(review, desk):
    bars = shown_of(desk).bars
    text = section_of(review).legend.text()
    for share in bars.class_fraction:
        percent = f"{100 * share:.0f}&nbsp;%" if share == 0.0 or share >= 0.01 else "&lt;1&nbsp;%"
        assert percent in text
    assert all(colour in text for colour in theme().margin.colours(3))


def test_what_is_left_out_is_named_with_its_share_of_all(review, desk, settled):
    found = desk.workspace.assessment.margin_map
    some = found.without(found.surface.points_mm[:, 2] > TUMOUR_MM[2])
    desk.workspace._keep_result(
        desk.workspace.result, replace(desk.workspace.assessment, margin_map=some, margins=some.margins())
    )
    desk.workspace.result_changed.emit()
    settled(review)
    section = section_of(review)
    percent = f"{100.0 * (1.0 - some.share(some.counts)):.0f}"
    assert f"left&nbsp;out&nbsp;{percent}&nbsp;%&nbsp;of&nbsp;all" in section.legend.text()
    assert theme().margin.left_out in section.legend.text()
    view = section.unrolled
    up = view.pixel_of((TUMOUR_MM[0], TUMOUR_MM[1] - 5.0, TUMOUR_MM[2] + 8.0))
    assert view.words_at(up).startswith("left out")


def test_a_small_share_is_never_rounded_to_nothing_nor_a_large_one_to_all(desk):
    desk.open()
    desk.solve()
    shown = shown_of(desk)
    bars = replace(shown.bars, class_fraction=np.array([0.001, 0.004, 0.995]))

    class Told:
        classes, is_current = MarginClasses(), True

    Told.bars = bars
    words = [w for _, w in legend_words(Told(), with_shares=True)]
    assert words == ["< 0 mm <1 %", "0–5 mm <1 %", "≥ 5 mm 99 %"]


def test_the_gist_is_the_least_margin_to_the_chosen_isotherm(review, desk):
    section = section_of(review)
    for index in range(section.choice.count()):
        section.choice.setCurrentIndex(index)
        section.choice.activated.emit(index)
        degc = section.choice.itemData(index)
        least = desk.workspace.assessment.margin(degc).minimum_mm
        assert desk.view.margin_degc == degc
        assert section.gist.replace("−", "-").endswith(f"{least:+.1f} mm")
        assert section.gist.replace("−", "-").startswith(f"{degc:.0f} °C")


def test_before_a_solve_and_without_a_target_the_section_says_why_it_is_empty(desk, make, settled):
    panel = make(ReviewPanel)
    desk.open()
    settled(panel)
    assert section_of(panel).none.text() == NO_RESULT
    assert not section_of(panel).unrolled.isVisible()
    desk.solve()
    desk.workspace._keep_result(
        desk.workspace.result, replace(desk.workspace.assessment, margins=(), coverage=(), margin_map=None)
    )
    settled(panel)
    assert section_of(panel).none.text() == NO_TARGET


def test_an_isotherm_that_nothing_reaches_says_so_and_has_no_bars(review, desk, settled):
    warm = desk.workspace.assessment.margin_map
    none = replace(warm, signed_mm=np.full_like(warm.signed_mm, -np.inf))
    desk.workspace._keep_result(
        desk.workspace.result,
        replace(desk.workspace.assessment, margin_map=none, margins=none.margins()),
    )
    desk.workspace.result_changed.emit()
    settled(review)
    section = section_of(review)
    assert section.gist.endswith("no ice")
    assert "nothing reaches −40 °C" in section.place.text()
    assert not section.bars.isVisible()
    assert "100&nbsp;%" in section.legend.text()


# The unrolled map -----------------------------------------------------------------------------------


def press(view, at: QPointF) -> None:
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(at.x()), round(at.y())))


@pytest.mark.parametrize(
    "out", [(0.0, -1.0, 0.0), (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.6, -0.5, 0.6), (-0.5, -0.5, -0.7)]
)
def test_a_press_on_the_map_goes_to_the_surface_in_that_direction(review, desk, out):
    view = section_of(review).unrolled
    out = np.asarray(out) / np.linalg.norm(out)
    press(view, view.pixel_of(tuple(np.asarray(TUMOUR_MM) + 5.0 * out)))
    went = np.subtract(desk.view.cursor_mm, TUMOUR_MM)
    assert np.linalg.norm(went) == pytest.approx(TUMOUR_RADIUS_MM, abs=1.2)
    assert went @ out / np.linalg.norm(went) > np.cos(np.radians(8.0))
    assert desk.view.place_mm == desk.view.cursor_mm
    assert "Here:" in section_of(review).place.text()


def test_a_press_beside_the_oval_goes_nowhere(review, desk):
    before = desk.view.cursor_mm
    press(section_of(review).unrolled, QPointF(2.0, 2.0))
    assert desk.view.cursor_mm == before


def test_arrow_keys_walk_over_the_surface(review, desk):
    view = section_of(review).unrolled
    press(view, view.pixel_of((TUMOUR_MM[0], TUMOUR_MM[1] - 12.0, TUMOUR_MM[2])))
    start = desk.view.cursor_mm
    for _ in range(4):
        QTest.keyClick(view, Qt.Key.Key_Up)
    assert desk.view.cursor_mm[2] > start[2] + 0.5
    for _ in range(4):
        QTest.keyClick(view, Qt.Key.Key_Left)
    assert desk.view.cursor_mm[0] < start[0] - 0.5  # to the patient's right


def test_the_map_has_the_colour_of_the_worst_class_at_the_worst_place(review, desk):
    view, shown = section_of(review).unrolled, shown_of(desk)
    worst = shown.places[0]
    at = view.pixel_of(worst.point_mm)
    oval = view._oval()
    image = view.image
    x = int((at.x() - oval.left()) / oval.width() * image.width())
    y = int((at.y() - oval.top()) / oval.height() * image.height())
    expected = theme().margin.colours(3)[int(shown.classes.of(worst.margin_mm))]
    assert image.pixelColor(x, y).name() == expected


# The walk -------------------------------------------------------------------------------------------


def test_the_walk_goes_from_the_worst_place_on_and_back_and_round(review, desk):
    said = Heard(desk.workspace.message)
    walk, places = section_of(review).walk, shown_of(desk).places
    assert len(places) >= 2
    for place in (*places, places[0]):
        walk.next()
        assert desk.view.cursor_mm == desk.view.place_mm == place.point_mm
    walk.previous()
    assert desk.view.cursor_mm == places[-1].point_mm
    assert said[0].startswith(f"Place 1 of {len(places)}: ")
    assert places[0].direction in said[0]
    assert "from probe" in said[0]


def test_the_walk_begins_anew_at_the_worst_place_of_another_isotherm(review, desk):
    walk = section_of(review).walk
    walk.next()
    walk.next()
    desk.view.margin_degc = 0.0
    assert desk.view.place_mm is None
    walk.next()
    assert desk.view.cursor_mm == pytest.approx(desk.workspace.assessment.margin(0.0).worst_point_mm)


def test_the_walk_without_margins_says_why(desk, qapp):
    del qapp
    said = Heard(desk.workspace.message)
    desk.open()
    WorstWalk(desk.workspace, desk.view, desk.workspace).next()
    assert said[-1] == NO_RESULT


def test_after_an_edit_no_place_is_marked_and_no_probe_is_named(review, desk, settled):
    said = Heard(desk.workspace.message)
    walk = section_of(review).walk
    walk.next()
    desk.workspace.edit("moved", edits.nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    settled(review)
    assert desk.view.place_mm is None
    walk.next()
    assert said[-1].startswith(OUT_OF_DATE)
    assert "probe" not in said[-1]


# Out of date ----------------------------------------------------------------------------------------


def test_after_an_edit_everything_is_grey_and_says_so(review, desk, settled):
    desk.workspace.edit("moved", edits.nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    settled(review)
    section = section_of(review)
    assert section.gist == OUT_OF_DATE
    assert section.place.tone == "stale"
    assert section.place.text().startswith(OUT_OF_DATE)
    image = section.unrolled.image
    colours = {image.pixelColor(x, y).getRgb() for x in range(image.width()) for y in range(image.height())}
    assert all(r == g == b for r, g, b, _ in colours)
    assert not any(c in section.legend.text() for c in theme().margin.colours(3))
    assert section.unrolled.words_at(section.unrolled.pixel_of(TUMOUR_MM)).startswith(OUT_OF_DATE)


# The user's steps -----------------------------------------------------------------------------------


def test_steps_are_taken_kept_and_used_everywhere(review, desk, qtbot):
    section = section_of(review)
    enter(qtbot, section.steps, "3 5")
    assert desk.view.margin_classes == MarginClasses((0.0, 3.0, 5.0))
    assert kept_classes(Settings()) == MarginClasses((0.0, 3.0, 5.0))
    assert "3–5&nbsp;mm" in section.legend.text()
    assert theme().margin.light in section.legend.text()
    assert section.steps.text() == "0, 3, 5"


def test_steps_that_are_none_are_refused_beside_the_field_and_change_nothing(review, desk, qtbot):
    section = section_of(review)
    enter(qtbot, section.steps, "5 3")
    assert section.refused.isVisible()
    assert "rising" in section.refused.text()
    assert desk.view.margin_classes == MarginClasses()
    enter(qtbot, section.steps, "4")
    assert not section.refused.isVisible()


def test_damaged_settings_give_the_ordinary_steps():
    settings = Settings()
    settings.write("margin_steps", {"steps_mm": [7.0, 3.0]})
    assert kept_classes(settings) == MarginClasses()


# Bars -----------------------------------------------------------------------------------------------


def test_bars_are_drawn_in_the_colours_of_their_classes(review, desk):
    view, shown = section_of(review).bars, shown_of(desk)
    picture = view.grab().toImage()
    n = int(np.argmax(shown.bars.fraction.sum(axis=1)))
    middle = (shown.bars.edges_mm[n] + shown.bars.edges_mm[n + 1]) / 2.0
    colour = QColor(theme().margin.colours(3)[int(np.argmax(shown.bars.fraction[n]))])
    x = round(view._x(middle) * picture.width() / view.width())
    column = [picture.pixelColor(x, y).name() for y in range(picture.height())]
    assert colour.name() in column
    assert "of the surface" in view.words_at(view._x(middle))


def test_the_histogram_is_copied_as_csv(review, desk):
    section_of(review).copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.startswith("from_mm,to_mm,")
    assert len(text.splitlines()) == 1 + len(shown_of(desk).bars.fraction)


def test_the_box_in_3d_switches_the_colours_of_the_tumour(review, desk):
    section_of(review).in_3d.setChecked(False)
    assert not desk.view.shows("margin")
    desk.view.set_layer("margin", True)
    assert section_of(review).in_3d.isChecked()
