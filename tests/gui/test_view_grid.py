"""The four views lie in equal cells, and making one large and small again changes no zoom."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from cryoplan.gui.placing import Placing
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.view_grid import ViewGrid
from cryoplan.scene.plane import Orientation
from tests.support.desk import Desk


@pytest.fixture
def grid(desk: Desk, qtbot) -> ViewGrid:
    placing = Placing(desk.workspace, desk.view)
    views = {o: SliceView(desk.workspace, desk.view, o, placing) for o in Orientation}
    grid = ViewGrid(views, QLabel("3D"), desk.view)
    qtbot.addWidget(grid)
    grid.resize(901, 701)
    grid.show()
    qtbot.waitExposed(grid)
    grid.grab()
    return grid


def double_click(widget) -> None:
    QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(40, 330))


def test_four_views_of_one_size_fill_the_area_in_reading_order(grid: ViewGrid):
    cells = [grid.widget(name).geometry() for name in ("axial", "coronal", "sagittal", "3d")]
    assert len({(c.width(), c.height()) for c in cells}) == 1
    assert [(c.left() > 300, c.top() > 300) for c in cells] == [
        (False, False), (True, False), (False, True), (True, True),
    ]  # fmt: skip
    assert cells[0].topLeft() == QPoint(0, 0)
    assert cells[3].bottomRight() == grid.rect().bottomRight()
    assert 0 < cells[1].left() - cells[0].right() - 1 <= 3


@pytest.mark.parametrize("name", ["axial", "coronal", "sagittal"])
def test_a_double_click_makes_a_view_large_and_back_without_changing_any_zoom(grid: ViewGrid, name: str):
    views = [grid.widget(n) for n in ("axial", "coronal", "sagittal")]
    for factor, view in zip((1.0, 1.7, 0.6), views, strict=True):
        view.zoom(factor, QPointF(30, 40))
    cameras = [view.camera for view in views]
    one = grid.widget(name)
    double_click(one)
    assert grid.enlarged == name
    assert one.size() == grid.size()
    assert [grid.widget(n).isVisible() for n in grid.names] == [n == name for n in grid.names]
    grid.grab()
    assert [view.camera for view in views] == cameras
    double_click(one)
    assert grid.enlarged is None
    assert all(grid.widget(n).isVisible() for n in grid.names)
    grid.grab()
    assert [view.camera for view in views] == cameras


def test_a_canvas_that_does_not_tell_its_double_clicks_is_made_large_as_well(grid: ViewGrid):
    double_click(grid.widget("3d"))
    assert grid.enlarged == "3d"
    assert grid.widget("3d").size() == grid.size()


def test_enlarging_by_name_goes_from_one_to_the_other_and_tells_it(grid: ViewGrid, qtbot):
    with qtbot.waitSignal(grid.enlarged_changed) as told:
        grid.enlarge("axial")
    assert told.args == ["axial"]
    grid.enlarge("coronal")
    assert not grid.widget("axial").isVisible()
    assert grid.widget("coronal").size() == grid.size()
    grid.enlarge(None)
    assert grid.widget("axial").isVisible()


def test_a_view_that_does_not_exist_is_refused_by_name(grid: ViewGrid):
    with pytest.raises(ValueError, match="probe's eye"):
        grid.enlarge("probe's eye")


def test_the_gaps_are_lit_while_a_probe_is_placed(desk: Desk, grid: ViewGrid):
    def gap() -> str:
        return grid.grab().toImage().pixelColor(grid.width() // 2, 100).name()

    before = gap()
    desk.view.placing = True
    assert gap() != before
    desk.view.placing = False
    assert gap() == before


def test_every_view_has_a_name_for_screen_readers(grid: ViewGrid):
    assert [grid.widget(n).accessibleName() for n in grid.names] == [
        "Axial view", "Coronal view", "Sagittal view", "3D view",
    ]  # fmt: skip
