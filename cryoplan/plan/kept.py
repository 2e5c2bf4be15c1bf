"""Kept: what was found out about a mask and a shaft, for as long as the mask lives.

While one probe is dragged, the others are asked again and again for what they were told.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from cryoplan.core.geometry import Point
from cryoplan.core.volume import Volume

MOST_SHAFTS = 32

_Found = TypeVar("_Found")


class Kept(Generic[_Found]):
    """Answers by mask and by the two ends of a shaft; the oldest of a mask are forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of_mask: WeakKeyDictionary[Volume, OrderedDict[tuple[Point, Point], _Found]] = (
            WeakKeyDictionary()
        )

    def get(self, mask: Volume, tip_mm: Point, entry_mm: Point) -> _Found | None:
        """Return what is known, None when nothing is."""
        with self._lock:
            known = self._of_mask.get(mask)
            return None if known is None else known.get((tip_mm, entry_mm))

    def put(self, mask: Volume, tip_mm: Point, entry_mm: Point, found: _Found) -> _Found:
        """Keep an answer and return it."""
        with self._lock:
            known = self._of_mask.setdefault(mask, OrderedDict())
            known[(tip_mm, entry_mm)] = found
            while len(known) > MOST_SHAFTS:
                known.popitem(last=False)
        return found
