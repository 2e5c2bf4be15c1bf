"""While a disk hangs, what is drawn stays within a bound of memory, and nothing of it is lost."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from cryoplan.app import packed_steps
from cryoplan.app.outline_tools import Tool, ToolSettings
from cryoplan.app.outlining import Outlining
from cryoplan.core.packed_mask import PackedMask
from cryoplan.core.volume import Volume
from tests.support.desk import Desk
from tests.support.scenes import TUMOUR_MM, grid_around, make_case, make_plan
from tests.support.writing import LONG_S

STROKES = 40
X, Y, Z = TUMOUR_MM
AXIAL = (0.0, 0.0, 1.0)


@pytest.fixture
def drawing(desk: Desk, tmp_path) -> Outlining:
    """A scan of two million voxels, its file in place."""
    desk.open(make_case(grid_around(TUMOUR_MM, (128.0, 128.0, 128.0), (1.0, 1.0, 1.0))), make_plan())
    desk.workspace.keeper.move(tmp_path / "a.cryoplan").result(LONG_S)
    desk.workspace.keeper.settle(LONG_S)
    one = Outlining.of(desk.workspace)
    assert one.begin("tumour 1")
    one.settings = ToolSettings(radius_mm=4.0)
    return one


def stroke(outlining: Outlining, n: int) -> None:
    outlining.take(Tool.BRUSH)
    angle = 0.7 * n
    reach = 14.0 + 0.5 * n
    assert outlining.press((X + reach * np.cos(angle), Y + reach * np.sin(angle), Z + n % 9 - 4.0), AXIAL)
    outlining.release()
    outlining.finish()


def test_strokes_that_wait_for_a_disk_take_no_more_memory_than_is_said(desk, drawing, gate, monkeypatch):
    mask_bytes = drawing.live.values.nbytes
    monkeypatch.setattr(packed_steps, "UNPACKED_BYTES", 3 * mask_bytes)
    desk.worker.submit = lambda *_words, **_options: 0  # it would keep what it is asked about
    workspace = desk.workspace
    start = workspace.case.digest()
    gate.shut()
    stroke(drawing, 0)
    assert gate.reached.wait(LONG_S)
    tracemalloc.start()
    try:
        for n in range(1, STROKES):
            stroke(drawing, n)
        # Beside the bound: what the window shows, what is being written, and the next one being made.
        held, _ = tracemalloc.get_traced_memory()
        assert held < 3 * mask_bytes + 3 * mask_bytes
    finally:
        tracemalloc.stop()
    assert len(workspace.keeper.kept.waiting) == STROKES
    end = workspace.case.digest()
    gate.open.set()
    assert workspace.keeper.settle(LONG_S)
    for _ in range(STROKES):
        workspace.undo()
        while workspace._travel.is_under_way:
            _pump()
        assert not any(isinstance(s.mask, PackedMask) for s in workspace.case.structures)
    assert workspace.case.digest() == start
    for _ in range(STROKES):
        workspace.redo()
        while workspace._travel.is_under_way:
            _pump()
    assert workspace.case.digest() == end


def test_packed_strokes_are_undone_and_redone_before_they_are_written(desk, drawing, gate, monkeypatch):
    monkeypatch.setattr(packed_steps, "UNPACKED_BYTES", 0)
    workspace = desk.workspace
    gate.shut()
    digests = [workspace.case.digest()]
    for n in range(8):
        stroke(drawing, n)
        digests.append(workspace.case.digest())
    steps = workspace.keeper._writer._steps
    assert any(isinstance(s.mask, PackedMask) for step in steps for s in step.case.structures)
    for digest in digests[-2:1:-1]:
        workspace.undo()
        assert workspace.case.digest() == digest
        shown = workspace.case.structure("tumour 1").mask
        assert not isinstance(shown, PackedMask)
        assert np.array_equal(drawing.live.values, shown.values)
    for digest in digests[3:]:
        workspace.redo()
        assert workspace.case.digest() == digest
    gate.open.set()
    assert workspace.keeper.settle(LONG_S)


def test_a_packed_mask_is_the_same_mask():
    grid = grid_around(TUMOUR_MM, (40.0, 30.0, 20.0), (2.0, 3.0, 1.0))
    for values in (np.random.default_rng(1).random(grid.shape) > 0.9, np.zeros(grid.shape, bool)):
        mask = Volume(grid=grid, values=values)
        packed = PackedMask(mask)
        assert np.array_equal(packed.values, values)
        assert packed.digest() == mask.digest()
        assert packed.unpacked().digest() == mask.digest()
        assert packed.packed_bytes < values.nbytes
        assert not packed.values.flags.writeable
        with pytest.raises(AttributeError):
            packed.grid = None


def _pump() -> None:
    from PySide6.QtWidgets import QApplication

    QApplication.processEvents()
