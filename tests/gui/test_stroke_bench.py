"""The brush is measured in a window of its own process, and the figure is of real strokes."""

from __future__ import annotations

import math
import multiprocessing

from cryoplan.gui.stroke_bench import stroke_times
from cryoplan.workflow.benchmark import TINY, run_benchmark


def test_the_brush_is_measured_in_a_process_with_a_window_and_ends_with_it():
    rows = run_benchmark(only=("brush",), sizes=TINY, stroke_times=stroke_times).rows
    assert [r.figure.case for r in rows] == ["brush", "brush-95"]
    median, high = rows
    assert median.repeats == TINY.strokes * TINY.stroke_points
    assert math.isfinite(median.value)
    assert 0.0 < median.value <= high.value
    assert multiprocessing.active_children() == []


def test_without_a_window_the_row_says_so():
    rows = run_benchmark(only=("brush",), sizes=TINY).rows
    assert [(r.value, r.repeats) for r in rows] == [(None, 0), (None, 0)]
    assert "window" in rows[0].note
