"""How many threads a solve uses."""

from __future__ import annotations

import os

from cryoplan.simulation import cores


def test_a_solve_uses_every_core_unless_it_is_told_otherwise(monkeypatch):
    monkeypatch.delenv(cores.THREADS_VARIABLE, raising=False)
    assert cores.default_threads() == os.cpu_count()
    monkeypatch.setenv(cores.THREADS_VARIABLE, "3")
    assert cores.default_threads() == 3
    for nonsense in ("0", "-1", "many", ""):
        monkeypatch.setenv(cores.THREADS_VARIABLE, nonsense)
        assert cores.default_threads() == os.cpu_count()


def test_beside_a_window_one_core_is_left_to_it(monkeypatch):
    monkeypatch.delenv(cores.THREADS_VARIABLE, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    cores.leave_a_core()
    assert cores.default_threads() == 3
    monkeypatch.setenv(cores.THREADS_VARIABLE, "2")
    cores.leave_a_core()
    assert cores.default_threads() == 2
