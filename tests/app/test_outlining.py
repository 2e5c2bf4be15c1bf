"""Drawing on a scan: what each tool makes, one step of the history each, and undo back to the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.app.outline_tools import Tool, ToolSettings
from cryoplan.app.outlining import Outlining
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.grid import Grid
from cryoplan.image.outlining import forming
from cryoplan.image.outlining.between_slices import interpolated
from cryoplan.image.outlining.contest import contest
from cryoplan.image.outlining.growing import Seed
from cryoplan.image.outlining.strokes import Patch, brush, lasso, painted
from cryoplan.image.resample import mask_to_grid
from tests.support.desk import Desk, small_case, somebody_else_has
from tests.support.scenes import BODY_MM, TUMOUR_MM, grid_around, make_case, turned

AXIAL = (0.0, 0.0, 1.0)
X, Y, Z = TUMOUR_MM


@pytest.fixture
def outlining(desk: Desk) -> Outlining:
    """The small case with its tumour begun."""
    desk.failures = []
    desk.messages = []
    desk.workspace.failed.connect(desk.failures.append)
    desk.workspace.message.connect(desk.messages.append)
    one = Outlining.of(desk.workspace)
    assert one.begin("tumour 1")
    return one


def steps(desk: Desk) -> list[str]:
    """Return the sentences of the history of the open case, oldest first."""
    desk.workspace.keeper.settle(10.0)
    return [entry.text for entry in desk.workspace.keeper.kept.history.entries]


def mask_of(desk: Desk, name: str = "tumour 1") -> np.ndarray:
    return desk.workspace.case.structure(name).mask.values


def stroke(outlining: Outlining, *points, tool: Tool = Tool.BRUSH, turn: bool = False) -> None:
    outlining.take(tool)
    assert outlining.press(points[0], AXIAL, turn=turn)
    for point in points[1:]:
        outlining.move(point)
    outlining.release()


def wait_idle(outlining: Outlining, qtbot) -> None:
    qtbot.waitUntil(lambda: not outlining.is_busy, timeout=20_000)
    outlining.finish()


# Strokes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_ball", [False, True])
@pytest.mark.parametrize(("tool", "turn", "erases"), [
    (Tool.BRUSH, False, False), (Tool.ERASER, False, True),
    (Tool.BRUSH, True, True), (Tool.ERASER, True, False),
])  # fmt: skip
def test_a_stroke_is_one_step_and_covers_what_the_brush_covers(desk, outlining, is_ball, tool, turn, erases):
    before = steps(desk)
    points = [(X - 12.0, Y, Z), (X - 18.0, Y + 5.0, Z), (X - 14.0, Y + 9.0, Z)]
    expected = mask_of(desk).copy()
    grid = desk.workspace.case.scan.volume.grid
    # The brush goes from place to place, so it covers the way between them.
    patch = brush(grid, points, 5.0, normal=None if is_ball else AXIAL)
    painted(expected, patch, erase=erases)
    outlining.settings = ToolSettings(radius_mm=5.0, is_ball=is_ball)
    stroke(outlining, *points, tool=tool, turn=turn)
    outlining.finish()
    assert np.array_equal(mask_of(desk), expected)
    assert np.array_equal(outlining.live.values, expected)
    assert outlining.live.count == np.count_nonzero(expected)
    assert steps(desk) == [*before, f"tumour 1: {'eraser' if erases else 'brush'}"]
    assert desk.workspace.case.structure("tumour 1").source == "made, corrected by hand"


def test_the_brush_leaves_voxels_beyond_the_limits_as_they_are(desk, outlining):
    outlining.settings = ToolSettings(radius_mm=20.0, low=0.0, high=100.0)
    stroke(outlining, (X - 12.0, Y, Z))
    outlining.finish()
    hu = desk.workspace.case.scan.volume.values
    # All of the tumour is drawn already, and around it is fat: nothing is within the limits.
    assert np.array_equal(mask_of(desk), mask_of_small())
    outlining.settings = ToolSettings(radius_mm=20.0, low=-150.0, high=-50.0)
    stroke(outlining, (X - 12.0, Y, Z))
    outlining.finish()
    new = mask_of(desk) & ~mask_of_small()
    assert new.any()
    assert (hu[new] == -100).all()


def mask_of_small() -> np.ndarray:
    return small_case().structure("tumour 1").mask.values


def test_a_stroke_that_changes_nothing_is_no_step(desk, outlining):
    before = steps(desk)
    stroke(outlining, TUMOUR_MM)
    outlining.finish()
    assert steps(desk) == before


def test_a_stroke_that_is_given_up_leaves_nothing(desk, outlining):
    before = steps(desk)
    outlining.take(Tool.ERASER)
    outlining.press(TUMOUR_MM, AXIAL)
    outlining.move((X + 8.0, Y, Z))
    assert outlining.live.count < np.count_nonzero(mask_of(desk))
    assert outlining.escape()
    assert np.array_equal(outlining.live.values, mask_of(desk))
    assert outlining.tool is Tool.ERASER
    assert outlining.escape()
    assert outlining.tool is None
    assert not outlining.escape()
    assert steps(desk) == before


def test_the_last_voxel_cannot_be_erased(desk, outlining):
    before = steps(desk)
    outlining.settings = ToolSettings(radius_mm=40.0, is_ball=True)
    stroke(outlining, TUMOUR_MM, tool=Tool.ERASER)
    outlining.finish()
    assert np.array_equal(outlining.live.values, mask_of(desk))
    assert np.array_equal(mask_of(desk), mask_of_small())
    assert desk.messages == ["Put back: nothing of tumour 1 would be left."]
    assert steps(desk) == before


@pytest.mark.parametrize("axis_deg", [(0.0, 0.0, 0.0), (14.0, -9.0, 21.0)], ids=["straight", "oblique"])
def test_lasso_and_ellipsoid_are_those_of_the_image_package(desk, axis_deg):
    grid = grid_around(BODY_MM, (260, 200, 160), (2, 2, 4), turned(axis_deg))
    desk.open(make_case(grid))
    outlining = Outlining.of(desk.workspace)
    outlining.begin("tumour 1")
    expected = mask_of(desk).copy()
    corners = [(X - 30.0, Y - 5.0, Z), (X, Y - 5.0, Z), (X - 15.0, Y + 20.0, Z)]
    outlining.lasso(corners, AXIAL)
    painted(expected, lasso(grid, corners, AXIAL))
    outlining.ellipsoid((X + 20.0, Y, Z), (30.0, 20.0, 16.0))
    painted(expected, forming.ellipsoid(grid, (X + 20.0, Y, Z), (30.0, 20.0, 16.0)))
    outlining.lasso([*corners[:2], (X, Y + 9.0, Z)], AXIAL, turn=True)
    painted(expected, lasso(grid, [*corners[:2], (X, Y + 9.0, Z)], AXIAL), erase=True)
    outlining.finish()
    assert np.array_equal(mask_of(desk), expected)
    assert steps(desk)[-3:] == [
        "tumour 1: lasso",
        "tumour 1: ellipsoid 30 x 20 x 16 mm",
        "tumour 1: lasso taken away",
    ]


def test_volume_and_extents_follow_the_hand(outlining):
    outlining.settings = ToolSettings(radius_mm=6.0)
    outlining.take(Tool.BRUSH)
    outlining.press((X - 30.0, Y, Z), AXIAL)
    live = outlining.live
    assert live.volume_ml == pytest.approx(np.count_nonzero(live.values) * 0.016)
    k, j, i = np.nonzero(live.values)
    assert live.extents_mm == (2.0 * (np.ptp(i) + 1), 2.0 * (np.ptp(j) + 1), 4.0 * (np.ptp(k) + 1))
    outlining.release()


# Something new --------------------------------------------------------------------------------------


def test_something_new_becomes_a_structure_and_the_target_with_its_first_stroke(desk):
    desk.open(make_case(with_target=False))
    outlining = Outlining.of(desk.workspace)
    assert outlining.begin_new()
    assert outlining.subject.name == "tumour 2"
    before = steps(desk)
    assert "tumour 2" not in [s.name for s in desk.workspace.case.structures]
    stroke(outlining, (40.0, 0.0, 0.0))
    outlining.finish()
    made = desk.workspace.case.structure("tumour 2")
    assert (made.role, made.source, made.tissue) == (Role.TUMOUR, "drawn in this case", "tumour")
    assert desk.workspace.case.target_name == "tumour 2"
    lower, upper = desk.workspace.case.planning_grid.bounds_mm()
    assert (lower <= (34.0, -6.0, -2.0)).all()
    assert (upper >= (46.0, 6.0, 2.0)).all()
    assert steps(desk) == [*before, "tumour 2: brush"]
    # Taken back it is no structure; drawing on makes it one again.
    desk.workspace.undo()
    assert "tumour 2" not in [s.name for s in desk.workspace.case.structures]
    assert outlining.live.count == 0
    stroke(outlining, (40.0, 0.0, 0.0))
    outlining.finish()
    assert np.array_equal(mask_of(desk, "tumour 2"), made.mask.values)


def test_a_name_that_is_taken_is_refused(outlining):
    with pytest.raises(StructureError) as caught:
        outlining.begin_new("Tumour 1")
    assert caught.value.code == "structure-name-twice"
    assert outlining.subject.name == "tumour 1"


def test_overlaps_are_looked_for_again_when_a_structure_is_drawn_anew(desk):
    desk.open()
    outlining = Outlining.of(desk.workspace)
    outlining.begin_new("tumour 7")
    outlining.ellipsoid((X + 10.0, Y, Z), (20.0, 20.0, 20.0))
    outlining.finish()
    codes = [f.code for f in desk.workspace.case.findings]
    assert codes.count("structures-overlap") == 1
    outlining.combine("tumour 1", forming.Combination.SUBTRACT)
    while outlining.is_busy:
        _pump()
    assert "structures-overlap" not in [f.code for f in desk.workspace.case.findings]


def _pump() -> None:
    from PySide6.QtWidgets import QApplication

    QApplication.processEvents()


# What is worked out ---------------------------------------------------------------------------------


def test_a_click_grows_with_a_tolerance_of_its_own_and_the_slider_grows_again(desk, qtbot, outlining):
    outlining.begin_new("tumour 2")
    before = steps(desk)
    outlining.take(Tool.GROW)
    outlining.grow_from(TUMOUR_MM)
    wait_idle(outlining, qtbot)
    image = desk.workspace.case.scan.volume
    seed = Seed(image, TUMOUR_MM)
    tolerance = outlining.settings.tolerance
    assert tolerance == max(1.0, round(2.0 * seed.spread, 1))
    assert np.array_equal(outlining.preview.voxels, seed.grow(tolerance).patch.voxels)
    outlining.settings = ToolSettings(tolerance=60.0)
    wait_idle(outlining, qtbot)
    grown = seed.grow(60.0)
    assert np.array_equal(outlining.preview.voxels, grown.patch.voxels)
    assert outlining.preview_leaks == grown.leaks
    assert steps(desk) == before  # a preview is no step
    assert outlining.live.count == 0
    assert outlining.accept()
    outlining.finish()
    assert outlining.preview is None
    expected = np.zeros(image.grid.shape, bool)
    painted(expected, grown.patch)
    assert np.array_equal(mask_of(desk, "tumour 2"), expected)
    assert steps(desk) == [*before, "tumour 2: grown from a click, ±60 HU"]


def test_growing_that_runs_out_says_so(qtbot, outlining):
    outlining.take(Tool.GROW)
    outlining.grow_from((0.0, -40.0, 0.0))
    wait_idle(outlining, qtbot)
    outlining.settings = ToolSettings(tolerance=50.0)
    wait_idle(outlining, qtbot)
    assert outlining.preview_leaks
    assert outlining.escape()
    assert outlining.preview is None
    assert not outlining.accept()


@pytest.mark.parametrize("what", ["grow", "marks", "smooth"])
def test_esc_gives_up_what_is_worked_out_and_leaves_everything_as_it_was(desk, qtbot, outlining, what):
    before = steps(desk)
    if what == "grow":
        outlining.take(Tool.GROW)
        outlining.grow_from(TUMOUR_MM)
    elif what == "marks":
        stroke(outlining, TUMOUR_MM, tool=Tool.INSIDE)
        stroke(outlining, (X - 30.0, Y, Z), tool=Tool.OUTSIDE)
        outlining.contest()
    else:
        outlining.smooth(4.0)
    assert outlining.is_busy
    assert outlining.escape()
    assert not outlining.is_busy
    # Whatever the thread still says is not heard.
    outlining.take(Tool.BRUSH)
    stroke(outlining, (X - 16.0, Y, Z))
    outlining.finish()
    qtbot.wait(50)
    assert outlining.preview is None
    assert steps(desk) == [*before, "tumour 1: brush"]


def test_a_click_beside_the_image_is_refused_in_words(desk, qtbot, outlining):
    outlining.take(Tool.GROW)
    outlining.grow_from((9999.0, 0.0, 0.0))
    qtbot.waitUntil(lambda: bool(desk.failures))
    assert desk.failures[0].code == "seed-outside"
    assert outlining.preview is None


def test_a_box_finds_voxels_of_a_range_that_is_guessed_from_its_middle_and_can_be_set(desk, qtbot, outlining):
    outlining.begin_new("tumour 2")
    before = steps(desk)
    outlining.take(Tool.BOX)
    outlining.threshold((X - 20.0, Y - 16.0, Z), (X + 20.0, Y + 16.0, Z), AXIAL)
    wait_idle(outlining, qtbot)
    lower, upper = outlining.region_mm
    assert tuple(upper - lower) == (40.0, 32.0, 32.0)  # as deep as the rectangle is narrow
    settings = outlining.settings
    assert settings.least <= 20.0 <= settings.most < 60.0
    image = desk.workspace.case.scan.volume
    inside = desk.workspace.case.structure("tumour 1").mask.values
    expected = forming.between(image, lower, upper, settings.least, settings.most)
    assert np.array_equal(outlining.preview.voxels, expected.voxels)
    # In another view the rectangle says how deep it is, and the third direction stays.
    outlining.threshold((X, Y - 16.0, Z - 10.0), (X, Y + 16.0, Z + 14.0), (1.0, 0.0, 0.0))
    wait_idle(outlining, qtbot)
    lower, upper = outlining.region_mm
    assert tuple(np.concatenate([lower, upper])) == (X - 20, Y - 16, Z - 10, X + 20, Y + 16, Z + 14)
    outlining.settings = replace(settings, least=-150.0, most=30.0)
    wait_idle(outlining, qtbot)
    expected = forming.between(image, lower, upper, -150.0, 30.0)
    assert np.array_equal(outlining.preview.voxels, expected.voxels)
    assert np.count_nonzero(expected.voxels) > np.count_nonzero(inside)
    assert steps(desk) == before
    assert outlining.accept()
    outlining.finish()
    assert outlining.region_mm is None
    assert steps(desk) == [*before, "tumour 2: -150 to 30 HU in a box"]
    # The range was set by hand: the next box takes it over.
    outlining.threshold((X - 20.0, Y - 16.0, Z), (X + 20.0, Y + 16.0, Z), AXIAL)
    wait_idle(outlining, qtbot)
    assert (outlining.settings.least, outlining.settings.most) == (-150.0, 30.0)
    assert outlining.escape()
    assert outlining.preview is None


def test_a_box_without_such_voxels_says_so_and_can_be_given_up(desk, qtbot, outlining):
    outlining.take(Tool.BOX)
    outlining.settings = replace(outlining.settings, least=900.0, most=950.0)
    outlining.threshold((X - 20.0, Y - 16.0, Z), (X + 20.0, Y + 16.0, Z), AXIAL)
    wait_idle(outlining, qtbot)
    assert desk.messages == ["No voxel in the box has such a value."]
    assert not outlining.accept()
    assert outlining.escape()
    assert (outlining.region_mm, outlining.tool) == (None, Tool.BOX)


def test_a_stroke_keeps_the_role_that_was_given_meanwhile(desk, outlining):
    case = desk.workspace.case
    other = replace(case.structure("tumour 1"), role=Role.ORGAN, tissue="liver")
    desk.workspace.take_case("Role", case.changed(structures=(case.structures[0], other)))
    stroke(outlining, (X - 16.0, Y, Z))
    outlining.finish()
    assert desk.workspace.case.structure("tumour 1").role is Role.ORGAN
    desk.workspace.undo()
    desk.workspace.undo()
    stroke(outlining, (X - 16.0, Y, Z))
    outlining.finish()
    assert desk.workspace.case.structure("tumour 1").role is Role.TUMOUR


def test_marks_inside_and_outside_decide_between_them(desk, qtbot, outlining):
    outlining.begin_new("tumour 2")
    outlining.settings = ToolSettings(radius_mm=3.0)
    stroke(outlining, TUMOUR_MM, tool=Tool.INSIDE)
    outlining.contest()
    qtbot.waitUntil(lambda: bool(desk.failures))
    assert desk.failures[0].code == "stroke-missing"
    stroke(outlining, (X - 18.0, Y - 18.0, Z), (X + 18.0, Y - 18.0, Z), tool=Tool.OUTSIDE)
    before = steps(desk)
    patches = {t: Patch(m.box, m.values[m.box.place].copy()) for t, m in outlining.marks.items()}
    outlining.contest()
    wait_idle(outlining, qtbot)
    image = desk.workspace.case.scan.volume
    expected = contest(image, [patches[Tool.INSIDE]], [patches[Tool.OUTSIDE]])
    assert np.array_equal(outlining.preview.voxels, expected.voxels)
    assert outlining.accept()
    outlining.finish()
    assert steps(desk) == [*before, "tumour 2: grown from marks"]
    assert all(m.count == 0 for m in outlining.marks.values())


FORMS = {
    "holes filled": (lambda o: o.fill(), forming.filled),
    "largest piece kept": (lambda o: o.largest_island(), forming.largest_island),
    "smoothed by 4 mm": (lambda o: o.smooth(4.0), lambda m: forming.smoothed(m, 4.0)),
    "grown by 5 mm": (lambda o: o.margin(5.0), lambda m: forming.with_margin(m, 5.0)),
    "shrunk by 3 mm": (lambda o: o.margin(-3.0), lambda m: forming.with_margin(m, -3.0)),
    "slices between filled in": (lambda o: o.interpolate(), interpolated),
}


@pytest.mark.parametrize("text", FORMS)
def test_forming_is_that_of_the_image_package_and_one_step(desk, qtbot, outlining, text):
    # A piece apart, a hole, and a slice left out give every form something to do.
    outlining.settings = ToolSettings(radius_mm=3.0)
    stroke(outlining, (X, Y, Z - 20.0))
    stroke(outlining, TUMOUR_MM, tool=Tool.ERASER)
    outlining.finish()
    before, start = steps(desk), desk.workspace.case.structure("tumour 1").mask
    act, direct = FORMS[text]
    act(outlining)
    wait_idle(outlining, qtbot)
    expected = direct(start).values
    assert not np.array_equal(expected, start.values)
    assert np.array_equal(mask_of(desk), expected)
    assert np.array_equal(outlining.live.values, expected)
    assert steps(desk) == [*before, f"tumour 1: {text}"]
    act(outlining)
    wait_idle(outlining, qtbot)
    desk.workspace.undo()
    desk.workspace.keeper.settle(10.0)


def test_slices_that_were_outlined_in_another_view_are_filled_between_too(desk, qtbot, outlining):
    outlining.begin_new("tumour 2")
    outlining.settings = ToolSettings(radius_mm=10.0)
    outlining.take(Tool.BRUSH)
    for y in (Y - 10.0, Y + 10.0):
        outlining.press((X, y, Z), (0.0, 1.0, 0.0))
        outlining.release()
    outlining.finish()
    start = desk.workspace.case.structure("tumour 2").mask
    assert len(np.unique(np.nonzero(start.values)[1])) == 2
    outlining.interpolate()
    wait_idle(outlining, qtbot)
    assert np.array_equal(mask_of(desk, "tumour 2"), interpolated(start, 1).values)
    assert len(np.unique(np.nonzero(mask_of(desk, "tumour 2"))[1])) == 11


def test_nothing_is_drawn_while_the_whole_mask_is_worked_on(desk, outlining, qtbot):
    outlining.smooth(4.0)
    outlining.take(Tool.BRUSH)
    assert not outlining.press((X - 20.0, Y, Z), AXIAL)
    assert "One moment" in desk.messages[-1]
    wait_idle(outlining, qtbot)
    assert outlining.press((X - 20.0, Y, Z), AXIAL)
    outlining.release()


# History, file and refusals -------------------------------------------------------------------------


def test_undo_takes_a_stroke_back_that_was_drawn_a_moment_ago(desk, outlining):
    start = mask_of(desk)
    stroke(outlining, (X - 16.0, Y, Z))
    desk.workspace.undo()  # before the window has heard of the new mask
    assert np.array_equal(mask_of(desk), start)
    assert np.array_equal(outlining.live.values, start)
    desk.workspace.redo()
    assert np.count_nonzero(mask_of(desk)) > np.count_nonzero(start)
    assert np.array_equal(outlining.live.values, mask_of(desk))


def test_an_edit_of_the_plan_comes_after_the_stroke_that_was_drawn_before_it(desk, outlining):
    from cryoplan.plan.edits import nudge

    stroke(outlining, (X - 16.0, Y, Z))
    desk.workspace.edit("Probe 1 moved", nudge(desk.workspace.plan, "1", (1.0, 0.0, 0.0)))
    assert steps(desk)[-2:] == ["tumour 1: brush", "Probe 1 moved"]


def test_strokes_are_in_the_file_after_a_restart_and_can_be_undone_there(desk, outlining, tmp_path):
    start = mask_of(desk)
    path = tmp_path / "kept.cryoplan"
    desk.workspace.keeper.move(path).result(10)
    stroke(outlining, (X - 16.0, Y, Z))
    stroke(outlining, (X, Y + 14.0, Z))
    desk.workspace.set_case(None)
    assert outlining.subject is None
    saved = workflow.open_case(path)
    desk.workspace.set_case(saved.case, saved.plan, file=path)
    assert steps(desk)[-2:] == ["tumour 1: brush", "tumour 1: brush"]
    assert outlining.begin("tumour 1")
    desk.workspace.undo()
    desk.workspace.undo()
    desk.workspace.keeper.settle(10.0)
    assert np.array_equal(mask_of(desk), start)
    assert np.array_equal(outlining.live.values, start)


def test_a_case_that_is_open_for_reading_only_is_not_drawn_on(desk, outlining, tmp_path):
    outlining.stop()
    with somebody_else_has(desk, tmp_path / "theirs.cryoplan"):
        one = Outlining.of(desk.workspace)
        assert not one.begin("tumour 1")
        assert not one.begin_new()
        assert one.subject is None
        assert {f.code for f in desk.failures} == {"case-read-only"}


def test_a_mask_on_another_grid_is_resampled_first_and_it_is_said(desk, qtbot):
    case = make_case()
    mine = case.structure("tumour 1")
    coarse = Grid(size=(52, 40, 32), spacing_mm=(5.0, 5.0, 5.0), origin_mm=(-127.5, -97.5, -77.5))
    other = mask_to_grid(mine.mask, coarse)
    desk.open(case.changed(structures=(case.structures[0], replace(mine, mask=other))))
    messages: list[str] = []
    desk.workspace.message.connect(messages.append)
    outlining = Outlining.of(desk.workspace)
    assert outlining.begin("tumour 1")
    qtbot.waitUntil(lambda: not outlining.is_busy, timeout=20_000)
    assert "resampled" in messages[-1]
    grid = case.scan.volume.grid
    expected = mask_to_grid(other, grid).values.copy()
    assert np.array_equal(outlining.live.values, expected)
    assert desk.workspace.case.structure("tumour 1").mask is other  # looking changes nothing
    stroke(outlining, (X - 16.0, Y, Z))
    outlining.finish()
    painted(expected, brush(grid, [(X - 16.0, Y, Z)], 6.0, normal=AXIAL))
    assert np.array_equal(mask_of(desk), expected)
    assert steps(desk)[-1] == "tumour 1: resampled to the scan's grid, brush"
    desk.workspace.undo()
    assert desk.workspace.case.structure("tumour 1").mask.grid == coarse
    qtbot.waitUntil(lambda: not outlining.is_busy, timeout=20_000)


def test_another_case_puts_everything_down(desk, outlining):
    outlining.take(Tool.BRUSH)
    desk.open(make_case(grid_around(BODY_MM, (260, 200, 160), (4, 4, 4))))
    assert (outlining.subject, outlining.tool) == (None, None)
    assert not outlining.press(TUMOUR_MM, AXIAL)
