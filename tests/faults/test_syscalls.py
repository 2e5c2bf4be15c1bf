"""Failing system calls leave whole files or none, and sentences; some of each kind, all with the script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.syscalls import why_not

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_no_failing_call_damages_a_file_or_loses_an_edit_in_silence(tmp_path):
    if why_not():
        pytest.skip(why_not())
    # A program of its own: it forks, which a program with threads should not.
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.syscalls", "--every", "13"],
        cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert " 0 wrong" in run.stdout
    assert int(run.stdout.split()[0]) >= 20
