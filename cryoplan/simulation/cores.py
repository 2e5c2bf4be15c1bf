"""Cores: how many threads a solve uses, and leaving one core to the window beside it."""

from __future__ import annotations

import os

THREADS_VARIABLE = "CRYOPLAN_THREADS"
"""Environment variable with the number of threads."""


def default_threads() -> int:
    """Return how many threads to use: what the environment asks for, else one for each core."""
    asked = os.environ.get(THREADS_VARIABLE, "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else os.cpu_count() or 1


def leave_a_core() -> None:
    """Let solves of this process and of its children leave one core to the window beside them."""
    os.environ.setdefault(THREADS_VARIABLE, str(max(1, (os.cpu_count() or 1) - 1)))
