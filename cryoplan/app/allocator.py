"""Allocator: what is freed goes back to the system, or to the next who needs it, whichever thread had it.

The C library of Linux keeps freed blocks in heaps of its own, up to eight for each core.
From which size on a block is given back instead, it learns from the program: up to 32 MB, after one block of
that size was freed. Then masks and pictures of some megabytes lie in these heaps, what is needed for longer
comes to lie between them, and the window grows with every hour of work although nothing is held.
"""

from __future__ import annotations

import ctypes
import sys

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Of ``malloc.h``."""

LARGE_BYTES = 1 << 20
"""Less is needed for a short time and often; to ask the system for it each time would cost more."""

HEAPS = 2
"""The window's thread has one, and all others: they seldom work at the same time."""


def give_back_what_is_freed() -> bool:
    """Let the system have every large block once it is freed, and all threads the rest; tell whether it will.

    It should come first in a process: blocks and heaps that are there already stay as they are.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries than that of GNU have none
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)) and bool(mallopt(_M_ARENA_MAX, HEAPS))
