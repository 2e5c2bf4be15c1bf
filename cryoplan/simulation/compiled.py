"""Compiled: how every kernel is compiled - without the interpreter lock, kept on disk if possible."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import numba

from cryoplan.simulation.lanes import FAST

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile with a cache on disk where there is a place for one, else without."""
    return _compile(function)


def bare(function: _F) -> _F:
    """Compile without reference counting, for functions that make no array.

    Counting the arrays that one kernel hands to the next took half of the time of a stage.
    """
    return _compile(function, _nrt=False)


def inner(function: _F) -> _F:
    """Compile a bare function that only other kernels call: the way in from Python takes long to compile."""
    return _compile(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compile(function: _F, **more: Any) -> _F:
    options: dict[str, Any] = {
        "nogil": True,
        "fastmath": set(FAST),
        "boundscheck": False,
        "error_model": "numpy",
        **more,
    }
    if os.environ.get("CRYOPLAN_NO_KERNEL_CACHE"):
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
