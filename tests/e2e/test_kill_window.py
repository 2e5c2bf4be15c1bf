"""A window that is killed while it is edited leaves a case that opens, with every recorded edit."""

from __future__ import annotations

import os

import pytest

from tests.e2e.kill_window import kill_loop


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")
def test_five_killed_windows_damage_nothing_and_lose_at_most_the_edit_in_flight(tmp_path, say):
    report = kill_loop(tmp_path, kills=5, seed=11)
    say(f"Killed windows: {report}")
    assert report.damaged == 0
    assert report.most_lost == 0, "what was reported as recorded is there"
    assert report.most_unreported <= 1
    assert report.edits > 0
