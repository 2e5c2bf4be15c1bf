"""Protection in the Review step: pockets, warmers and flows are steps; what changed stands beside before."""

from __future__ import annotations

import pytest

from cryoplan.case.pocket import Fill
from cryoplan.gui.panels.review_compare import CompareBox
from cryoplan.gui.panels.review_protect import ProtectSections
from cryoplan.gui.slice_layers import SliceLayers, before_line
from cryoplan.plan import edits
from cryoplan.plan.warmer import WarmerKind
from cryoplan.scene.plane import Orientation, SlicePlane
from tests.support.scenes import TUMOUR_MM


@pytest.fixture
def protect(desk, qtbot):
    desk.open()
    part = ProtectSections(desk.workspace, desk.view)
    qtbot.addWidget(part)
    part.refresh()
    return part


def free_point():
    """A point of the fat, 30 mm beside the tumour."""
    return (TUMOUR_MM[0] + 30.0, TUMOUR_MM[1], TUMOUR_MM[2])


def test_a_pocket_is_one_step_and_undone_with_it(desk, protect, qtbot):
    desk.view.cursor_mm = free_point()
    protect.pocket.volume.setValue(2.0)
    before = desk.workspace.case
    protect.pocket.inflate.click()
    made = desk.workspace.case
    assert [s.name for s in made.structures[len(before.structures) :]] == ["pocket 1"]
    assert made.structures[-1].volume_ml == pytest.approx(2.0, abs=made.scan.volume.grid.voxel_volume_ml)
    protect.refresh()
    assert "pocket 1" in protect.pocket.pockets.text()
    assert protect.sections["pocket"].gist == "2 ml"
    desk.workspace.keeper.settle(10.0)
    desk.workspace.undo()
    qtbot.waitUntil(lambda: len(desk.workspace.case.structures) == len(before.structures))


def test_a_pocket_in_the_tumour_is_refused_and_nothing_changes(desk, protect):
    desk.view.cursor_mm = TUMOUR_MM
    before = desk.workspace.case
    protect.pocket.inflate.click()
    assert desk.workspace.case is before
    assert "no pocket can begin here" in protect.pocket.said.text()
    assert not protect.pocket.said.isHidden()


def test_the_fills_are_all_there_is(protect):
    assert [protect.pocket.fill.itemData(n) for n in range(protect.pocket.fill.count())] == [
        f.value for f in Fill
    ]


def test_warmers_are_added_changed_switched_off_and_removed_as_steps(desk, protect):
    name = desk.workspace.case.structures[-1].name
    protect.warmers.add_one(WarmerKind.BALLOON, name)
    protect.refresh()
    row = protect.warmers.rows[0]
    key = desk.workspace.plan.physics_key()
    row.degc.setValue(40.0)
    assert desk.workspace.plan.warmers[0].temperature_degc == 40.0
    assert desk.workspace.plan.physics_key() != key
    row.tick.click()
    assert not desk.workspace.plan.warmers[0].is_on
    protect.refresh()
    assert protect.sections["warmers"].gist == "none"
    row.remove.click()
    protect.refresh()
    assert protect.warmers.rows == []


def test_a_warmer_follows_the_new_name_of_its_structure_and_says_when_it_is_gone(desk, protect):
    name = desk.workspace.case.structures[-1].name
    protect.warmers.add_one(WarmerKind.BALLOON, name)
    assert desk.workspace.rename_structure(name, "other name")
    assert desk.workspace.plan.warmers[0].structure == "other name"
    desk.workspace.delete_structure("other name")
    protect.refresh()
    assert "warms nothing" in protect.warmers.rows[0].lost.text()


def test_before_and_now_stand_side_by_side_only_while_the_answer_is_current(desk, protect):
    box: CompareBox = protect.compare
    assert not box.keep.isEnabled()
    desk.solve()
    protect.refresh()
    box.keep.click()
    workspace = desk.workspace
    assert workspace.before.result.minimum_degc is workspace.result.minimum_degc
    assert not workspace.before.is_other
    plan = workspace.plan
    workspace.edit("moved", edits.nudge(plan, plan.probes[0].name, (6.0, 0.0, 0.0)))
    protect.refresh()
    assert box.state.text().startswith("! Solve to compare.")
    assert not box.better.rows
    assert not box.worse.rows
    desk.solve()
    protect.refresh()
    assert workspace.before.is_other
    shown = [*box.better.rows, *box.worse.rows, *box.other.rows]
    assert len(shown) == 1 + sum(c.is_change for c in workspace.before.changes if c.threshold_degc != -30.0)
    assert shown
    assert all("→" in row.texts[2] for row in shown if row.texts[1] != "Largest difference")
    assert "moved 6.0 mm" in box.state.text()
    box.forget.click()
    assert workspace.before.result is None


def test_the_ice_edge_before_is_dashed_grey_and_gone_with_the_patient(desk):
    desk.open()
    desk.solve()
    workspace = desk.workspace
    layers = SliceLayers(workspace, desk.view)
    plane = SlicePlane.through(Orientation.AXIAL, TUMOUR_MM)
    assert layers.before(plane) == []
    workspace.before.keep()
    plan = workspace.plan
    workspace.edit("moved", edits.nudge(plan, plan.probes[0].name, (6.0, 0.0, 0.0)))
    desk.solve()
    (stroke,) = layers.before(plane)
    assert stroke.style == before_line()
    assert before_line().dash
    assert "before" in before_line().label
    desk.open()
    assert workspace.before.result is None
