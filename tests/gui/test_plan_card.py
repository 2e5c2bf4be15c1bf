from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from cryoplan import workflow
from cryoplan.app.jobs import JobFrame
from cryoplan.case.structure import Role, Structure
from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_degc, show_ml, show_mm, show_percent
from cryoplan.gui.numbers import coverage_name, margin_row, organ_row, short_limit, worst_places
from cryoplan.gui.parts import DASH, OUT_OF_DATE, SIGNS
from cryoplan.gui.plan_card import PlanCard
from cryoplan.margins.assess import assess
from cryoplan.margins.assessment import Margin, OrganTemperature
from cryoplan.margins.limits import load_limits
from cryoplan.plan import edits
from cryoplan.plan.plan import Plan
from tests.support.desk import Desk, small_case
from tests.support.scenes import ellipsoid, make_plan, make_result


def case_with_colon():
    """Return the small case with a colon that the cold just reaches."""
    case = small_case()
    colon = Structure(
        name="colon",
        role=Role.BOWEL,
        tissue="colon",
        mask=ellipsoid(case.scan.volume.grid, (-40.0, 22.0, 20.0), (8.0, 8.0, 8.0)),
        source="made",
    )
    return case.changed(structures=(*case.structures, colon))


def solve(desk: Desk, *found: Finding) -> None:
    """Answer a solve of whatever is on screen with a field of formulas."""
    workspace = desk.workspace
    workspace.request_simulation()
    case, plan = workspace.case, workspace.plan
    key = workflow.simulation_key(case, plan, workspace.catalogue, workspace.settings)
    result = replace(make_result(case, plan, workspace.catalogue), key=key, settings=workspace.settings)
    result = replace(result, findings=found)
    for frame in result.frames:
        desk.worker.answered.emit(JobFrame(id=desk.worker.last("solve").id, frame=frame))
    desk.worker.done("solve", (result, assess(case, plan, workspace.catalogue, result)))


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def card(desk, qtbot):
    card = PlanCard(desk.workspace, desk.view)
    card.resize(280, 720)
    qtbot.addWidget(card)
    card.show()
    qtbot.waitExposed(card)
    return card


def shown(rows):
    return {row.texts[1]: row for row in rows.rows}


def settled(qtbot, card):
    """Wait until the card has caught up with all changes."""
    qtbot.waitUntil(lambda: not card.is_busy_refreshing)


def test_without_a_case_every_number_is_a_dash(card):
    assert [box.texts[1] for box in card.margins] == [DASH, DASH]
    assert {row.texts[2] for row in card.coverage.rows} == {DASH}
    assert {row.texts[2] for row in card.volumes.rows} == {DASH}


def test_values_are_those_of_the_assessment_beside_their_limits(desk, card, qtbot):
    desk.open(case_with_colon())
    solve(desk)
    settled(qtbot, card)
    judged, limits = desk.workspace.assessment, load_limits()
    for box, threshold in zip(card.margins, (0.0, -40.0), strict=True):
        margin = judged.margin(threshold)
        assert float(box.texts[1].replace("−", "-").removesuffix(" mm")) == pytest.approx(
            margin.minimum_mm, abs=0.051
        )
        limit = limits.margin(threshold)
        assert short_limit(limit) in box.texts[2]
        assert box.tone == limit.level(margin.minimum_mm).value
    rows = shown(card.coverage)
    for name, threshold, rim in (("at −40 °C", -40.0, 0.0), ("rim 5 mm −20 °C", -20.0, 5.0)):
        share = float(rows[name].texts[2].removesuffix(" %")) / 100.0
        assert share == pytest.approx(judged.covered(threshold, rim).fraction, abs=0.00051)
    assert shown(card.volumes)["−20 °C"].texts[2] == show_ml(judged.volume_ml(-20.0))
    organ = next(o for o in judged.structures if o.name == "colon")
    row = shown(card.organs)["colon"]
    level = limits.organ("bowel").level(organ.minimum_degc)
    assert row.texts[0] == SIGNS[level]
    assert row.texts[3] == "≥ 5 °C"


def test_every_limit_of_the_department_has_its_row_with_a_sign(desk, card, qtbot):
    desk.open(case_with_colon())
    solve(desk)
    settled(qtbot, card)
    limits, judged = desk.workspace.limits, desk.workspace.assessment
    large = {"0 °C", "−40 °C"}
    assert all(any(box.texts[0].endswith(degc) for box in card.margins) for degc in large)
    others = [m for m in limits.margins if show_degc(m.threshold_degc) not in large]
    rows = shown(card.further)
    assert set(rows) == {f"lethal {show_degc(m.threshold_degc)}" for m in others}
    for known in others:
        level = known.limit.level(judged.margin(known.threshold_degc).minimum_mm)
        assert rows[f"lethal {show_degc(known.threshold_degc)}"].texts[0] == SIGNS[level]
    signs = {row.texts[1]: row.texts[0] for row in card.coverage.rows}
    for known in limits.coverage:
        level = known.limit.level(judged.covered(known.threshold_degc, known.rim_mm).fraction)
        assert signs[coverage_name(known.threshold_degc, known.rim_mm)] == SIGNS[level]


def test_no_organ_beyond_its_limit_is_left_to_the_review(desk, card, qtbot):
    case = small_case()
    cold = [
        Structure(
            name=f"colon {n}",
            role=Role.BOWEL,
            tissue="colon",
            mask=ellipsoid(case.scan.volume.grid, (-40.0, 2.0 + 3.0 * n, 20.0), (5.0, 5.0, 5.0)),
            source="made",
        )
        for n in range(6)
    ]
    desk.open(case.changed(structures=(*case.structures, *cold)))
    solve(desk)
    settled(qtbot, card)
    limit = desk.workspace.limits.organ("bowel")
    bad = {
        s.name
        for s in desk.workspace.assessment.structures
        if s.role == "bowel" and limit.level(s.minimum_degc) is not Level.OK
    }
    assert len(bad) > 4
    assert bad <= set(shown(card.organs))


def test_the_two_margins_are_two_boxes_with_their_isotherm_in_the_title(desk, card, qtbot):
    desk.open()
    solve(desk)
    settled(qtbot, card)
    assert [box.texts[0] for box in card.margins] == ["ice edge 0 °C", "lethal −40 °C"]
    assert card.margins[0].texts[1] != card.margins[1].texts[1]


def test_a_tenth_of_a_millimetre_greys_every_number_and_says_out_of_date(desk, card, qtbot):
    desk.open(case_with_colon())
    solve(desk)
    settled(qtbot, card)
    assert not card.stale.isVisible()
    before = card.margins[0].texts[1]
    plan = desk.workspace.plan
    desk.workspace.edit("moved", edits.nudge(plan, "1", (0.1, 0.0, 0.0)))
    settled(qtbot, card)
    assert card.stale.isVisible()
    assert OUT_OF_DATE in card.stale.text()
    assert card.margins[0].texts[1] == before
    rows = (*card.coverage.rows, *card.volumes.rows, *card.organs.rows)
    assert rows
    assert {part.tone for part in (*card.margins, *rows)} == {"stale"}
    assert not any("from probe" in place.texts[0] for place in card.places)
    desk.workspace.undo()
    settled(qtbot, card)
    assert not card.stale.isVisible()
    assert card.margins[0].tone != "stale"


def test_a_warning_that_lung_is_computed_too_small_stands_above_the_margins(desk, card, qtbot):
    desk.open()
    solve(desk)
    settled(qtbot, card)
    assert card.doubt.isHidden()
    warning = Finding(level=Level.WARN, code="lung-underestimated", text="Ice in lung is far too small.")
    solve(desk, warning)
    settled(qtbot, card)
    assert card.doubt.text() == f"! {warning.text}"
    assert card.doubt.isVisible()
    assert card.doubt.mapTo(card, QPoint()).y() < card.margins[0].mapTo(card, QPoint()).y()


def test_a_press_on_a_margin_a_row_or_the_worst_place_moves_the_crosshair_there(desk, card, qtbot):
    desk.open(case_with_colon())
    solve(desk)
    settled(qtbot, card)
    judged = desk.workspace.assessment
    card.margins[1].click()
    assert desk.view.cursor_mm == pytest.approx(judged.margin(-40.0).worst_point_mm)
    shown(card.organs)["colon"].click()
    organ = next(o for o in judged.structures if o.name == "colon")
    assert desk.view.cursor_mm == pytest.approx(organ.at_mm)
    card.places[0].click()
    assert desk.view.cursor_mm == pytest.approx(judged.margin(0.0).worst_point_mm)


def test_rules_of_the_plan_are_shown_before_anything_is_solved_and_lead_to_the_probe(desk, card, qtbot):
    x, y, z = make_plan().probes[0].tip_mm
    plan = edits.move_tip(make_plan(), "1", (x, y - 300.0, z))
    desk.open(plan=plan)
    settled(qtbot, card)
    texts = card.rules.texts()
    assert any("Probe 1 has its tip outside" in text for text in texts)
    row = next(r for r in card.rules.rows if r.finding.place == "probe 1")
    row.click()
    assert desk.view.selected_probe == "1"


def test_the_card_fits_its_width_and_never_scrolls_sideways(desk, card, qtbot):
    desk.open(case_with_colon())
    solve(desk)
    settled(qtbot, card)
    content = card.area.widget()
    assert content.minimumSizeHint().width() <= card.area.viewport().width()


def test_every_control_of_the_card_has_a_name_for_screen_readers(desk, card, qtbot):
    from PySide6.QtWidgets import QAbstractButton

    desk.open(case_with_colon())
    solve(desk)
    settled(qtbot, card)
    buttons = [b for b in card.findChildren(QAbstractButton) if b.isVisible()]
    assert len(buttons) > 8
    assert [b for b in buttons if not b.accessibleName()] == []


def margin(minimum_mm: float, **more) -> Margin:
    return Margin(
        structure="tumour 1",
        threshold_degc=0.0,
        minimum_mm=minimum_mm,
        p05_mm=minimum_mm,
        median_mm=minimum_mm,
        worst_point_mm=(0.0, 0.0, 0.0),
        worst_direction="cranial",
        fraction_below_0=0.0,
        fraction_0_to_5=0.0,
        fraction_5_up=1.0,
        **more,
    )


def test_a_margin_that_just_misses_its_limit_never_looks_like_it():
    row = margin_row(margin(4.97), load_limits())
    assert row.level is Level.WARN
    assert row.value == "+4.97 mm"
    assert margin_row(margin(6.13), load_limits()).value == show_mm(6.13, signed=True)


def test_a_margin_without_ice_has_no_number_and_no_place():
    row = margin_row(margin(-np.inf, no_ice=True), load_limits())
    assert (row.value, row.point, row.level) == ("no ice", None, Level.FAIL)


def test_an_organ_without_limit_has_no_verdict():
    organ = OrganTemperature(
        name="liver", role="organ", minimum_degc=-120.0, at_s=600.0, at_mm=(1.0, 2.0, 3.0), volume_below_ml=()
    )
    row = organ_row(organ, load_limits())
    assert (row.value, row.limit, row.level) == (show_degc(-120.0), "", None)


def test_almost_all_is_not_shown_as_all():
    assert show_percent(0.9997) == "99.9 %"


def test_two_margins_worst_at_one_place_are_said_in_one_row(desk):
    desk.open()
    solve(desk)
    judged = desk.workspace.assessment
    ice, lethal = judged.margin(0.0), judged.margin(-40.0)
    together = replace(judged, margins=(ice, replace(lethal, worst_point_mm=ice.worst_point_mm)))
    apart = replace(judged, margins=(ice, replace(lethal, worst_point_mm=(0.0, 0.0, 0.0))))
    assert len(worst_places(together, Plan(), desk.workspace.catalogue, load_limits())) == 1
    assert len(worst_places(apart, Plan(), desk.workspace.catalogue, load_limits())) == 2
    assert "lethal" in worst_places(together, Plan(), desk.workspace.catalogue, load_limits())[0].value
