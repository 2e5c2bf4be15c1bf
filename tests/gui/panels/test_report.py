"""The report panel: a PDF of a current result only, and its preview."""

from __future__ import annotations

import pytest

from cryoplan.gui.panels import (
    ReportPanel,
)
from cryoplan.gui.parts import OUT_OF_DATE
from cryoplan.plan import edits


def test_the_pdf_is_possible_for_a_current_result_only_and_the_reason_is_said(desk, make, settled, qtbot):
    panel = make(ReportPanel)
    assert not panel.export.isEnabled()
    desk.open()
    settled(panel)
    assert not panel.export.isEnabled()
    assert "not been solved" in panel.why.text()
    desk.solve()
    settled(panel)
    with qtbot.waitSignal(panel.export_pdf_requested):
        panel.export.click()
    plan = desk.workspace.plan
    desk.workspace.edit("moved", edits.nudge(plan, "1", (0.1, 0.0, 0.0)))
    settled(panel)
    assert not panel.export.isEnabled()
    assert OUT_OF_DATE in panel.why.text()
    assert not panel.title.isVisible()


def test_the_preview_of_the_report_shows_the_margins_that_will_be_printed(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReportPanel)
    assert "TEST-1" in panel.title.text()
    judged = desk.workspace.assessment
    values = {row.texts[1]: row.texts[2] for row in panel.cards.rows}
    ice = next(value for title, value in values.items() if title.startswith("Ice edge"))
    assert float(ice.replace("−", "-").removesuffix(" mm")) == pytest.approx(
        judged.margin(0.0).minimum_mm, abs=0.051
    )


def test_the_files_of_report_ask_the_window(desk, make, qtbot):
    desk.open()
    panel = make(ReportPanel)
    for button, signal in (
        (panel.save_case, panel.save_case_requested),
        (panel.save_plan, panel.save_plan_requested),
        (panel.open_plan, panel.open_plan_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()
