"""Outlining: a structure is drawn by hand and by what is worked out: growing, marks, and the whole mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.app.drawn_structure import DrawnStructure, Working
from cryoplan.app.outline_commits import finished
from cryoplan.app.outline_tools import Tool, ToolSettings
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.progress import Progress
from cryoplan.core.volume import Volume
from cryoplan.image.outlining import contest, forming
from cryoplan.image.outlining.between_slices import empty_slices, interpolated
from cryoplan.image.outlining.growing import FIRST_OF_SPREAD, SEED_MM, Grown, Seed
from cryoplan.image.outlining.strokes import Patch
from cryoplan.image.resample import mask_to_grid

FloatArray = npt.NDArray[np.float64]


class Outlining(DrawnStructure):
    """What is outlined and with what; shared by the views and the panel of a window.

    The signals are those of `DrawnStructure`.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._seed: tuple[Point, list[Seed]] | None = None
        self._region: tuple[FloatArray, FloatArray] | None = None
        # What the range of a box was set by hand for; for anything else it is guessed.
        self._ranged = ""
        self._preview: Grown | None = None
        self._preview_text = ""

    @classmethod
    def of(cls, workspace: Workspace) -> Outlining:
        """Return the one of a workspace."""
        found = workspace.findChild(cls)
        return found if found is not None else cls(workspace)

    @property
    def preview(self) -> Patch | None:
        """What a click or the marks would add, until it is accepted."""
        return None if self._preview is None else self._preview.patch

    @property
    def preview_leaks(self) -> bool:
        """The preview has most likely run out into what is like the structure."""
        return self._preview is not None and self._preview.leaks

    def escape(self) -> bool:
        """Give up the innermost thing: stroke, work, preview, tool; False when there is none of them."""
        if self._stroke is not None:
            self.cancel_stroke()
        elif self._newest.is_busy:
            is_resampled = self._work is not Working.RESAMPLE
            self._newest.cancel()
            self.discard()
            if not is_resampled:
                self.stop()
        elif self._preview is not None or self._region is not None:
            self.discard()
        elif self.tool is not None:
            self.take(None)
        else:
            return False
        return True

    def _follow(self, old: ToolSettings) -> None:
        new = self._settings
        if new.tolerance != old.tolerance and self._seed is not None:
            self._grow()
        if (new.least, new.most) != (old.least, old.most):
            self._ranged = "" if self._subject is None else self._subject.name
            if self._region is not None:
                self._threshold()

    # Threshold in a box -----------------------------------------------------------------------------

    @property
    def region_mm(self) -> tuple[FloatArray, FloatArray] | None:
        """Least and greatest LPS corner of the box in which voxels are looked for; None without one."""
        return self._region

    def threshold(self, corner_mm: Point, other_mm: Point, normal: npt.ArrayLike) -> None:
        """Look for voxels of a range of values in a box; `preview` shows them.

        Parameters
        ----------
        corner_mm, other_mm : Point
            Opposite corners of a rectangle in a slice.
        normal : array_like (3,)
            Across that slice. In this direction the box stays as it was drawn in another view if it reaches
            this slice; else it is as deep as the rectangle is narrow.
        """
        if self._subject is None or self._image is None or not self._may_draw():
            return
        corners = np.sort(np.stack([np.asarray(corner_mm), np.asarray(other_mm)]), axis=0)
        across = int(np.argmax(np.abs(np.asarray(normal, float))))
        at = float(corners[0, across])
        before = self._region
        if before is not None and before[0][across] <= at <= before[1][across]:
            corners[:, across] = before[0][across], before[1][across]
        else:
            depth = 0.5 * float(np.delete(np.ptp(corners, axis=0), across).min())
            corners[:, across] = at - depth, at + depth
        self._seed, self._preview = None, None
        self._region = corners[0], corners[1]
        self.drawn.emit(None)
        self._threshold(is_first=self._ranged != self._subject.name)

    def _threshold(self, *, is_first: bool = False) -> None:
        assert self._region is not None
        first, last = self._region
        image, least, most = self._image, self._settings.least, self._settings.most

        def work(_progress: Progress) -> object:
            assert image is not None
            low, high = least, most
            x, y, z = (float(v) for v in 0.5 * (first + last))
            if is_first and bool(image.grid.contains_mm((x, y, z))):
                near = Seed(image, (x, y, z), reach_mm=2.0 * SEED_MM)
                off = max(FIRST_OF_SPREAD * near.spread, 1.0)
                low, high = float(round(near.level - off)), float(round(near.level + off))
            return low, high, forming.between(image, first, last, low, high)

        def then(value: Any) -> None:
            low, high, patch = value
            self._settings = replace(self._settings, least=low, most=high)
            if patch is None:
                self._preview = None
                self._workspace.message.emit("No voxel in the box has such a value.")
                self.drawn.emit(None)
                return
            self._show_preview(Grown(patch=patch, leaks=False), f"{low:g} to {high:g}{self.unit} in a box")

        self._ask(Working.PREVIEW, work, then, "Looking in the box")

    # Growing and the contest of strokes -------------------------------------------------------------

    def grow_from(self, point_mm: Point) -> None:
        """Look what is like the voxels at a point; `preview` shows it when it is worked out."""
        if self._subject is None or self._image is None or not self._may_draw():
            return
        self._region = None
        self._seed = (point_mm, [])
        self._grow(is_first=True)

    def _grow(self, *, is_first: bool = False) -> None:
        assert self._seed is not None
        point, seeds = self._seed
        image, tolerance = self._image, self._settings.tolerance

        def work(progress: Progress) -> object:
            assert image is not None
            seed = seeds[0] if seeds else Seed(image, point, progress=progress)
            if is_first:
                return (seed, *seed.grow_first(progress=progress))
            return seed, tolerance, seed.grow(tolerance, progress=progress)

        def then(value: Any) -> None:
            seed, wanted, grown = value
            seeds[:] = [seed]
            # Told by the settings, so that the slider follows; the seed is known, but this tolerance too.
            self._settings = replace(self._settings, tolerance=wanted)
            self._show_preview(grown, f"grown from a click, ±{wanted:g}{self.unit}")

        self._ask(Working.PREVIEW, work, then, "Growing")

    def contest(self) -> None:
        """Let the marks inside and outside decide between them; `preview` shows the answer."""
        image = self._image
        if self._subject is None or image is None or not self._may_draw():
            return
        self._seed = self._region = None
        patches = {
            tool: [] if mask.box is None else [Patch(mask.box, mask.values[mask.box.place].copy())]
            for tool, mask in self.marks.items()
        }

        def work(progress: Progress) -> object:
            patch = contest.contest(image, patches[Tool.INSIDE], patches[Tool.OUTSIDE], progress=progress)
            return Grown(patch=patch, leaks=False)

        self._ask(
            Working.PREVIEW,
            work,
            lambda value: self._show_preview(value, "grown from marks"),
            "Comparing with the marks",
        )

    def clear_marks(self) -> None:
        """Take all marks inside and outside away."""
        for mask in self.marks.values():
            mask.load(None)
        self.drawn.emit(None)
        self.changed.emit()

    def accept(self) -> bool:
        """Add the preview to the structure as one step; False when there is none."""
        preview, text = self._preview, self._preview_text
        if preview is None or self._newest.is_busy or not self._may_draw():
            return False
        self.discard()
        self._put(preview.patch, text)
        self.clear_marks()
        return True

    def discard(self) -> None:
        """Give the preview up, and what would become one."""
        if self._newest.is_busy and self._work is Working.PREVIEW:
            self._newest.cancel()
        if (self._preview, self._seed, self._region) != (None, None, None):
            self._preview, self._seed, self._region = None, None, None
            self.drawn.emit(None)
            self.changed.emit()

    def _show_preview(self, grown: object, text: str) -> None:
        assert isinstance(grown, Grown)
        self._preview, self._preview_text = grown, text
        self.drawn.emit(None)

    # The whole mask ---------------------------------------------------------------------------------

    def fill(self) -> None:
        """Fill holes."""
        self._form(forming.filled, "holes filled")

    def largest_island(self) -> None:
        """Keep the largest piece only."""
        self._form(forming.largest_island, "largest piece kept")

    def smooth(self, radius_mm: float) -> None:
        """Take bumps and dents smaller than a radius away."""
        self._form(lambda mask: forming.smoothed(mask, radius_mm), f"smoothed by {radius_mm:g} mm")

    def margin(self, by_mm: float) -> None:
        """Grow, or with a negative number shrink, by millimetres."""
        word = "grown" if by_mm > 0.0 else "shrunk"
        self._form(lambda mask: forming.with_margin(mask, by_mm), f"{word} by {abs(by_mm):g} mm")

    def interpolate(self) -> None:
        """Fill the empty slices between outlined ones, in whichever view they were outlined.

        The slices of the scan come first; only where none of them is empty is it looked across the others.
        """

        def between(mask: Volume) -> Volume:
            axis = next((axis for axis in (2, 1, 0) if empty_slices(mask, axis)), None)
            return mask if axis is None else interpolated(mask, axis)

        self._form(between, "slices between filled in")

    def combine(self, name: str, how: forming.Combination) -> None:
        """Add another structure, take it away, or keep what both have."""
        case = self._workspace.case
        if case is None:
            return
        other, grid = case.structure(name).mask, self.live.grid
        words = {
            forming.Combination.ADD: f"{name} added",
            forming.Combination.SUBTRACT: f"{name} taken away",
            forming.Combination.INTERSECT: f"only what {name} has too",
        }

        def together(mask: Volume) -> Volume:
            return forming.combined(mask, _on(other, grid), how)

        self._form(together, words[how])

    def _form(self, make: Callable[[Volume], Volume], text: str) -> None:
        if self._subject is None or not self._may_draw():
            return
        self.cancel_stroke()
        self.finish()
        base = self._base
        if base is None:
            self._workspace.message.emit(f"Nothing of {self._subject.name} is drawn yet.")
            return

        def work(_progress: Progress) -> object:
            made = make(base)
            if np.array_equal(made.values, base.values):
                return base
            return finished(made)

        def then(value: object) -> None:
            if value is base:
                self._workspace.message.emit("That changes nothing.")
                return
            assert value is None or isinstance(value, Volume)
            self._commits.whole(value, self._sentence(text))
            if value is not None:
                self.live.load(value)
                self.drawn.emit(None)
            self.finish()

        self.discard()
        self._ask(Working.FORM, work, then, text.capitalize())


def _on(mask: Volume, grid: Grid) -> Volume:
    return mask if mask.grid == grid else mask_to_grid(mask, grid)
