"""Both margins side by side on large maps: each with its own numbers, grey when out of date."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.gui.dialogs.margin_maps import MarginMapsDialog
from cryoplan.gui.parts import OUT_OF_DATE
from cryoplan.plan.edits import nudge
from tests.support.scenes import TUMOUR_MM, TUMOUR_RADIUS_MM


@pytest.fixture
def dialog(desk, qtbot) -> MarginMapsDialog:
    desk.solve()
    made = MarginMapsDialog(desk.workspace, desk.view)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_the_two_margins_are_never_one_number(dialog, desk):
    titles = [c.title.text().replace("−", "-") for c in dialog.columns]
    for title, degc, name in zip(titles, (0.0, -40.0), ("ice edge", "lethal"), strict=True):
        assert title.startswith(name)
        assert f": {desk.workspace.assessment.margin(degc).minimum_mm:+.1f} mm (" in title


def test_a_press_on_either_map_goes_to_the_surface(dialog, desk):
    for column in dialog.columns:
        point = column.unrolled._shown.unrolled.point_at(0.5, 0.5)
        column.unrolled.chosen.emit(point)
        went = np.subtract(desk.view.cursor_mm, TUMOUR_MM)
        assert np.linalg.norm(went) == pytest.approx(TUMOUR_RADIUS_MM, abs=1.2)
        assert went[1] < -10.0


def test_after_an_edit_both_are_out_of_date_and_after_closing_the_case_gone(dialog, desk, qtbot):
    desk.workspace.edit("a tenth", nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    qtbot.waitUntil(lambda: OUT_OF_DATE in dialog.state.text())
    assert {c.title.tone for c in dialog.columns} == {"stale"}
    desk.workspace.set_case(None)
    qtbot.waitUntil(lambda: not dialog.columns[0].title.isVisible())
    assert "solve first" in dialog.state.text()
