"""Commits: strokes become masks for good, one after the other, beside the window's thread.

The mask of a large CT has 78 million voxels. Copying it and working out its digest takes a twentieth of a
second here and a quarter on an old machine: too long for the hand that draws the next stroke.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from cryoplan.case.planning import voxel_box_ijk
from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Commit:
    """A step of the history that is being made.

    Attributes
    ----------
    text : str
        Its sentence.
    mask : Future of Volume or None
        None where no voxel is left.
    """

    text: str
    mask: Future[Volume | None]


class Commits(QObject):
    """Makes masks in the order in which strokes were drawn.

    Signals
    -------
    ready
        One more mask is made; see `take`.
    """

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="strokes")
        self._waiting: deque[Commit] = deque()
        # Only the pool's one thread touches it.
        self._base: list[Volume | None] = [None]

    @property
    def is_waiting(self) -> bool:
        """True while a stroke is not yet a step."""
        return bool(self._waiting)

    def start(self, base: Volume | None) -> None:
        """Go on from another mask, whose voxels the next strokes change; what waits is dropped."""
        self._waiting.clear()
        self._base = [base]

    def stroke(self, grid: Grid, box: VoxelBox, voxels: npt.NDArray[np.bool_], text: str) -> None:
        """Make the next mask: the last one with other voxels in a box."""
        base = self._base

        def make() -> Volume | None:
            last = base[0]
            values = np.zeros(grid.shape, bool) if last is None else last.values.copy()
            values[box.place] = voxels
            base[0] = finished(Volume(grid=grid, values=values))
            return base[0]

        self._do(Commit(text, self._pool.submit(make)))

    def whole(self, mask: Volume | None, text: str) -> None:
        """Take a mask that was made elsewhere as the next one."""
        base = self._base

        def make() -> Volume | None:
            base[0] = mask
            return mask

        self._do(Commit(text, self._pool.submit(make)))

    def take(self, *, wait: bool = False) -> Commit | None:
        """Return the next step whose mask is made and forget it; with `wait`, wait for it."""
        if not self._waiting or not (wait or self._waiting[0].mask.done()):
            return None
        if wait:
            self._waiting[0].mask.exception()
        return self._waiting.popleft()

    def _do(self, commit: Commit) -> None:
        self._waiting.append(commit)
        commit.mask.add_done_callback(self._tell)

    def _tell(self, _done: Future[Volume | None]) -> None:
        with suppress(RuntimeError):  # the window was closed meanwhile
            self.ready.emit()


def finished(mask: Volume) -> Volume | None:
    """Return a mask of which everything is worked out that somebody would wait for; None if it is empty."""
    if not mask.values.any():
        return None
    voxel_box_ijk(mask)
    mask.digest()
    return mask
