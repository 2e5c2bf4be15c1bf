"""Drawn layer: live mask, marks and preview of what is outlined, as lines and fills of one slice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QPainterPath

from cryoplan.app.live_mask import LiveMask
from cryoplan.app.outline_tools import Tool
from cryoplan.app.outlining import Outlining
from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.gui.slice_camera import Camera
from cryoplan.gui.slice_layers import Stroke, lines_path
from cryoplan.image.outlining.strokes import Patch
from cryoplan.scene.contours import Line, contour_lines
from cryoplan.scene.oblique import Plane
from cryoplan.scene.plane import SlicePlane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.style import LineStyle, theme

SPARE_PX = 4.0
"""Lines are drawn beyond the voxels that they surround."""


class DrawnLayer:
    """What one view shows of the structure that is outlined; cut anew only when it has changed."""

    def __init__(self, outlining: Outlining) -> None:
        self._outlining = outlining
        self._kept: dict[object, tuple[object, QPainterPath]] = {}

    def strokes(self, plane: Plane) -> list[Stroke]:
        """Return what is drawn on a slice, lowest first."""
        outlining, look = self._outlining, theme()
        if outlining.subject is None:
            return []
        found = []
        if outlining.region_mm is not None and isinstance(plane, SlicePlane):
            found.append(_filled(_box_path(*outlining.region_mm, plane), _line(look.dark.accent, 1.2), 0.0))
        preview = outlining.preview
        if preview is not None:
            path = self._path("preview", (plane, id(preview)), self._patch_volume(preview), plane)
            found.append(_filled(path, _line(look.dark.accent, 1.8, (5.0, 3.0)), 0.22))
        marks = {Tool.INSIDE: look.dark.ok, Tool.OUTSIDE: look.dark.fail}
        for tool, ink in marks.items():
            found.append(_filled(self._mask_path(tool, outlining.marks[tool], plane), _line(ink, 1.2), 0.45))
        style = look.outline(outlining.subject.role)
        found.append(_filled(self._mask_path("live", outlining.live, plane), style, 0.14))
        return [stroke for stroke in found if not stroke.path.isEmpty()]

    def _mask_path(self, name: object, mask: LiveMask, plane: Plane) -> QPainterPath:
        if mask.box is None:
            return QPainterPath()
        return self._path(name, (plane, id(mask), mask.revision), mask.volume, plane)

    def _path(self, name: object, key: object, volume: object, plane: Plane) -> QPainterPath:
        known = self._kept.get(name)
        if known is None or known[0] != key:
            known = self._kept[name] = (key, _cut(volume(), plane))
        return known[1]

    def _patch_volume(self, patch: Patch):
        grid = self._outlining.live.grid

        def make() -> Volume | None:
            drawn = VoxelBox.drawn(patch.voxels)
            if drawn is None:
                return None
            # One empty voxel around, so that the line goes all the way round.
            voxels = np.pad(patch.voxels[drawn.place], 1)
            first = np.asarray(patch.box.first_ijk) + np.asarray(drawn.first_ijk) - 1
            origin = grid.index_to_mm(first)
            nk, nj, ni = voxels.shape
            part = Grid(
                size=(ni, nj, nk),
                spacing_mm=grid.spacing_mm,
                origin_mm=tuple(origin),
                direction=grid.direction,
            )
            return Volume(grid=part, values=voxels)

        return make

    def dirty(self, box: VoxelBox, plane: SlicePlane, camera: Camera, size: QSizeF) -> QRect | None:
        """Return which part of the view shows voxels of a box; None when the slice does not meet it."""
        lower, upper = box.grid(self._outlining.live.grid).bounds_mm()
        across = plane.orientation.axis
        if not lower[across] - 1e-6 <= plane.position_mm <= upper[across] + 1e-6:
            return None
        corners = plane.mm_to_plane(np.stack([lower, upper]))
        a, b = (camera.to_px(float(u), float(v), size) for u, v in corners)
        spare = SPARE_PX + 2.0 * max(box_spacing(self._outlining.live)) / camera.mm_per_px
        return around(QRectF(a, b).normalized(), spare)


def _box_path(
    lower: npt.NDArray[np.float64], upper: npt.NDArray[np.float64], plane: SlicePlane
) -> QPainterPath:
    """Return where a box along the patient axes is cut by a slice; empty where it is not."""
    path, across = QPainterPath(), plane.orientation.axis
    if lower[across] <= plane.position_mm <= upper[across]:
        (u0, v0), (u1, v1) = plane.mm_to_plane(np.stack([lower, upper]))
        path.addRect(QRectF(QPointF(float(u0), float(v0)), QPointF(float(u1), float(v1))).normalized())
    return path


def box_spacing(mask: LiveMask) -> tuple[float, float, float]:
    """Return the voxel spacing of a mask."""
    return mask.grid.spacing_mm


def around(rect: QRectF, spare_px: float) -> QRect:
    """Return the whole pixels of a rectangle with some more on every side."""
    return rect.adjusted(-spare_px, -spare_px, spare_px, spare_px).toAlignedRect()


def ring(at: QPointF, radius_px: float) -> QRectF:
    """Return the square around a circle."""
    return QRectF(at.x() - radius_px, at.y() - radius_px, 2.0 * radius_px, 2.0 * radius_px)


def _line(ink: str, width_px: float, dash: tuple[float, ...] = ()) -> LineStyle:
    return LineStyle(label="", colour=ink, width_px=width_px, dash=dash)


def _filled(path: QPainterPath, style: LineStyle, filled: float) -> Stroke:
    return Stroke(path=path, style=style, filled=filled, haloed=False)


def _cut(volume: Volume | None, plane: Plane) -> QPainterPath:
    if volume is None or min(volume.values.shape) < 1:
        return QPainterPath()
    sampler = SliceSampler(Volume(grid=volume.grid, values=volume.values.view(np.uint8)), outside=0.0)
    if not sampler.covers(plane):
        return QPainterPath()
    image = sampler.extract(plane, interpolate=True)
    return lines_path([without_straight(line) for line in contour_lines(image, 0.5)])


def without_straight(line: Line) -> Line:
    """Return a line without the points that it goes straight on through; it is the same line."""
    if len(line) < 4:
        return line
    steps = np.diff(line, axis=0)
    turns = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0])
    lengths = np.hypot(*steps.T)
    return line[np.concatenate([[True], turns > 1e-9 * (lengths[:-1] * lengths[1:]), [True]])]
