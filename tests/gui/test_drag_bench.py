"""The drag is measured in a process with a window and a background process of its own."""

from __future__ import annotations

import math
import multiprocessing

import pytest

from cryoplan.gui.drag_bench import drag_times
from cryoplan.workflow.benchmark import TINY, run_benchmark


@pytest.mark.slow
def test_a_drag_is_measured_in_a_window_and_ends_with_it():
    rows = run_benchmark(only=("preview-latency",), sizes=TINY, drag_times=drag_times).rows
    assert [r.figure.case for r in rows] == ["preview-latency", "preview-latency-95", "preview-stall"]
    median, high, stall = rows
    assert median.repeats >= 1
    assert all(math.isfinite(r.value) and r.value > 0.0 for r in rows)
    assert median.value <= high.value
    assert "letting go" in stall.note
    assert multiprocessing.active_children() == []


def test_without_a_window_the_rows_say_so():
    rows = run_benchmark(only=("preview-stall",), sizes=TINY).rows
    assert [(r.value, r.repeats) for r in rows] == [(None, 0)] * 3
    assert all("window" in r.note for r in rows)


def test_the_distance_of_the_preview_is_measured_both_ways():
    rows = run_benchmark(only=("preview-distance",), sizes=TINY).rows
    assert [r.figure.case for r in rows] == ["preview-distance", "preview-distance-95"]
    assert all(0.0 < r.value < 2.5 for r in rows)
