"""Slice camera: which part of a plane a view shows, and how its millimetres become pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

FINEST_MM_PER_PX, COARSEST_MM_PER_PX = 0.02, 5.0


@dataclass(frozen=True, slots=True)
class Camera:
    """Which part of the plane is seen: the plane point in the middle of the widget and the zoom."""

    u_mm: float
    v_mm: float
    mm_per_px: float

    def to_px(self, u_mm: float, v_mm: float, size: QSizeF) -> QPointF:
        """Return where a plane point is on a widget of that size."""
        return QPointF(
            size.width() / 2.0 + (u_mm - self.u_mm) / self.mm_per_px,
            size.height() / 2.0 + (v_mm - self.v_mm) / self.mm_per_px,
        )

    def to_mm(self, pos: QPointF, size: QSizeF) -> tuple[float, float]:
        """Return the plane point at a place of the widget."""
        return (
            self.u_mm + (pos.x() - size.width() / 2.0) * self.mm_per_px,
            self.v_mm + (pos.y() - size.height() / 2.0) * self.mm_per_px,
        )

    def transform(self, size: QSizeF) -> QTransform:
        """Return the map from plane millimetres to the widget."""
        origin = self.to_px(0.0, 0.0, size)
        scale = 1.0 / self.mm_per_px
        return QTransform(scale, 0.0, 0.0, scale, origin.x(), origin.y())

    def seen(self, size: QSizeF) -> QRectF:
        """Return the part of the plane that a widget of that size shows."""
        width, height = size.width() * self.mm_per_px, size.height() * self.mm_per_px
        return QRectF(self.u_mm - width / 2.0, self.v_mm - height / 2.0, width, height)

    def zoomed(self, factor: float, at: QPointF, size: QSizeF) -> Camera:
        """Return the camera `factor` times nearer, the point under `at` staying where it is."""
        u, v = self.to_mm(at, size)
        scale = float(np.clip(self.mm_per_px / factor, FINEST_MM_PER_PX, COARSEST_MM_PER_PX))
        new = replace(self, mm_per_px=scale)
        u2, v2 = new.to_mm(at, size)
        return replace(new, u_mm=self.u_mm + u - u2, v_mm=self.v_mm + v - v2)
