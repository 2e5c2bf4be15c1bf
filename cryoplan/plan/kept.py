"""Kept: what was found out about a mask and a shaft, for as long as the mask lives.

While one probe is dragged, the others are asked again and again for what they were told. So what was not
asked for longest is forgotten first: the steps of the drag, not the probes that stand still.
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
    """Answers by mask and by the two ends of a shaft; those longest not asked for are forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of_mask: WeakKeyDictionary[Volume, OrderedDict[tuple[Point, Point], _Found]] = (
            WeakKeyDictionary()
        )

    def get(self, mask: Volume, tip_mm: Point, entry_mm: Point) -> _Found | None:
        """Return what is known, None when nothing is."""
        with self._lock:
            known = self._of_mask.get(mask)
            if known is None or (tip_mm, entry_mm) not in known:
                return None
            known.move_to_end((tip_mm, entry_mm))
            return known[(tip_mm, entry_mm)]

    def put(self, mask: Volume, tip_mm: Point, entry_mm: Point, found: _Found) -> _Found:
        """Keep an answer and return it."""
        with self._lock:
            known = self._of_mask.setdefault(mask, OrderedDict())
            known[(tip_mm, entry_mm)] = found
            known.move_to_end((tip_mm, entry_mm))
            while len(known) > MOST_SHAFTS:
                known.popitem(last=False)
        return found
