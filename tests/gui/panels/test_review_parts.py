"""Sections of the review: coverage and volumes, organs, histogram; grey when they are of an earlier plan."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication

from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.units import show_clock, show_ml
from cryoplan.gui.dialogs.histogram import HistogramDialog
from cryoplan.gui.histogram_section import chosen
from cryoplan.gui.panels import ReviewPanel
from cryoplan.gui.parts import SIGNS
from cryoplan.margins.alerts import first_below_s
from cryoplan.plan import edits
from tests.gui.test_plan_card import case_with_colon, solve
from tests.support.panels import with_structure


@pytest.fixture
def panel(desk, make):
    desk.open(case_with_colon())
    solve(desk)
    return make(ReviewPanel)


def moved(desk) -> None:
    desk.workspace.edit("moved", edits.nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))


def test_healthy_tissue_and_ice_stand_below_the_target_for_every_isotherm(panel, desk):
    judged = desk.workspace.assessment
    cells = [(box.accessibleName().partition(":")[0], box.texts[0]) for box in panel.coverage.rows]
    healthy = [text for name, text in cells if name == "Healthy tissue, ml"]
    assert healthy == [show_ml(ml).removesuffix(" ml") for _, ml in judged.healthy_below_ml]
    ice = [text for name, text in cells if name == "All, ml"]
    assert ice == [show_ml(judged.volume_ml(t)).removesuffix(" ml") for t, _ in judged.healthy_below_ml]


def test_a_press_on_a_cell_goes_to_the_worst_place_of_its_isotherm(panel, desk):
    box = next(b for b in panel.coverage.rows if b.accessibleName().startswith("+10 mm at −40"))
    box.click()
    assert desk.view.cursor_mm == pytest.approx(desk.workspace.assessment.margin(-40.0).worst_point_mm)


def test_an_organ_says_how_cold_when_and_how_near_the_ice(panel, desk):
    organ = next(s for s in desk.workspace.assessment.structures if s.name == "colon")
    sign, name, value, limit, when = panel.organs.alerts[0].texts
    level = desk.workspace.limits.organ("bowel").level(organ.minimum_degc)
    assert (sign, name, limit) == (SIGNS[level], "colon", "≥ 5 °C")
    assert "°C" in value
    if level is not Level.OK:
        assert "coldest at" in when
    assert f"ice {organ.to_ice_mm:.1f} mm away" in when or "ice" in when
    panel.organs.alerts[0].click()
    assert desk.view.cursor_mm == pytest.approx(organ.at_mm)


def test_since_when_an_organ_is_too_cold_is_said_as_soon_as_it_is_found(make, desk, qtbot):
    desk.open(with_structure("colon", Role.BOWEL, (-40.0, 12.0, 20.0)))
    solve(desk)
    panel, workspace = make(ReviewPanel), desk.workspace
    limit = workspace.limits.organ(Role.BOWEL, "colon")
    since = first_below_s(workspace.case.structure("colon"), workspace.result, limit.fail.value)
    assert since is not None
    qtbot.waitUntil(lambda: f"from {show_clock(since)}" in panel.organs.alerts[0].texts[4])
    assert panel.organs.alerts[0].tone != "stale"


def test_the_histogram_is_drawn_when_opened_and_names_target_and_organs(panel, desk):
    section = panel.histogram
    assert section.chart.content.series == ()
    section.head.click()
    curves = chosen(desk.workspace.assessment.histograms)
    assert [s.name for s in section.chart.series] == ["tumour 1", *[c.structure for c in curves[1:]]]
    tumour = desk.workspace.assessment.histogram("tumour 1")
    assert section.chart.series[0].at(-20.0) == pytest.approx(100.0 * tumour.fraction_below(-20.0))
    section.unit.setCurrentIndex(1)
    assert section.chart.series[0].at(-20.0) == pytest.approx(tumour.volume_below_ml(-20.0))
    section.kind.setCurrentIndex(1)
    step = tumour.volume_below_ml(-20.0) - tumour.volume_below_ml(-25.0)
    assert section.chart.series[0].at(-22.5) == pytest.approx(step, abs=1e-6)


def test_the_curves_that_are_shown_are_copied(panel):
    section = panel.histogram
    section.head.click()
    section.copy.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[1].startswith("lowest temperature [°C],tumour 1:")


def test_all_of_it_is_grey_after_an_edit(panel, desk, settled):
    panel.histogram.head.click()
    moved(desk)
    settled(panel)
    assert {b.tone for b in (*panel.coverage.rows, *panel.organs.alerts)} == {"stale"}
    assert panel.histogram.chart.content.stale
    assert panel.histogram.reached.tone == "stale"


def test_a_structure_that_was_deleted_stays_in_the_grey_list_without_its_times(panel, desk, settled):
    assert desk.workspace.delete_structure("colon")
    settled(panel)
    assert [row.tone for row in panel.organs.alerts if not row.isHidden()] == ["stale"]
    desk.workspace.undo()
    settled(panel)
    assert panel.organs.alerts[0].tone != "stale"


def test_without_a_result_nothing_is_claimed(make):
    panel = make(ReviewPanel)
    assert panel.coverage.rows == []
    assert panel.organs.none.text() == "Nothing is solved yet."
    panel.histogram.head.click()
    assert panel.histogram.chart.series == ()
    assert not panel.histogram.copy.isEnabled()
    assert panel.coverage.gist == panel.organs.gist == panel.histogram.gist == ""


def test_a_window_of_its_own_shows_the_same_curves_and_greys_with_them(panel, desk, qtbot):
    panel.histogram.head.click()
    panel.histogram.chart.set_hidden(["colon"])
    panel.histogram.enlarge.click()
    dialog = panel.window().findChild(HistogramDialog)
    assert not dialog.isModal()
    assert [s.name for s in dialog.section.chart.series] == ["tumour 1"]
    assert dialog.section.enlarge.isHidden()
    moved(desk)
    qtbot.waitUntil(lambda: dialog.section.chart.content.stale)
    assert dialog.stale.isVisible()
    dialog.reject()
