"""Slice needles: tools that do not freeze, ghosts of proposed probes, and skin marks, drawn on a slice."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPen, QPolygonF

from cryoplan.gui.grips import apart_px
from cryoplan.gui.slice_paint import SlicePainter, colour
from cryoplan.gui.words import say
from cryoplan.plan.mark import Mark
from cryoplan.plan.shaft import Shaft
from cryoplan.plan.tool import Tool
from cryoplan.scene.contours import strength_at
from cryoplan.scene.oblique import Plane

NEEDLE_PX = 1.5
GHOST_PX = 1.8
TIP_PX = 5.0
MARK_PX = 5.5


def paint_tools(drawing: SlicePainter, plane: Plane, tools: Sequence[Tool], selected: str | None) -> None:
    """Draw tools thinner than probes, with a cross at the tip and their name at the entry."""
    for tool in tools:
        tip, entry, strength = _ends(drawing, plane, tool)
        chosen = tool.name == selected
        ink = drawing.look.probes.selected if chosen else drawing.look.marks.thermocouple
        strength = 1.0 if chosen else strength
        for wider, shade in ((2.0, drawing.look.probes.halo), (0.0, ink)):
            drawing.p.setPen(QPen(colour(shade, strength), NEEDLE_PX + wider))
            drawing.p.drawLine(entry, tip)
            drawing.p.drawLine(tip + QPointF(-TIP_PX, -TIP_PX), tip + QPointF(TIP_PX, TIP_PX))
            drawing.p.drawLine(tip + QPointF(-TIP_PX, TIP_PX), tip + QPointF(TIP_PX, -TIP_PX))
        _write(drawing, entry, tip, f"{tool.name} locked" if tool.locked else tool.name, ink, strength)


def paint_ghosts(drawing: SlicePainter, plane: Plane, ghosts: Sequence[Shaft]) -> None:
    """Draw probes that are only proposed: dashed, with a ring at the tip and the name they would get."""
    ink = drawing.look.probes.selected
    for ghost in ghosts:
        tip, entry, strength = _ends(drawing, plane, ghost)
        strength = max(strength, 0.5)
        pen = QPen(colour(ink, strength), GHOST_PX)
        pen.setDashPattern([4.0, 3.0])
        drawing.p.setPen(pen)
        drawing.p.drawLine(entry, tip)
        drawing.p.setPen(QPen(colour(ink, strength), GHOST_PX))
        drawing.p.setBrush(Qt.BrushStyle.NoBrush)
        drawing.p.drawEllipse(tip, TIP_PX, TIP_PX)
        _write(drawing, entry, tip, f"{ghost.name}?", ink, strength)


def paint_marks(drawing: SlicePainter, plane: Plane, marks: Sequence[Mark]) -> None:
    """Draw skin marks: a diamond with a dot, and the name beside it."""
    ink = drawing.look.marks.letters
    for mark in marks:
        u, v = plane.mm_to_plane(mark.position_mm)
        strength = strength_at(float(plane.distance_mm(mark.position_mm)))
        at = drawing.at((float(u), float(v)))
        sides = (QPointF(0.0, -MARK_PX), QPointF(MARK_PX, 0.0), QPointF(0.0, MARK_PX), QPointF(-MARK_PX, 0.0))
        for wider, shade in ((2.0, drawing.look.probes.halo), (0.0, ink)):
            drawing.p.setPen(QPen(colour(shade, strength), NEEDLE_PX + wider))
            drawing.p.setBrush(Qt.BrushStyle.NoBrush)
            drawing.p.drawPolygon(QPolygonF([at + side for side in sides]))
            drawing.p.drawPoint(at)
        drawing.number(at, QPointF(1.0, 0.0), mark.name, ink, opacity=max(strength, 0.5))


def _ends(drawing: SlicePainter, plane: Plane, shaft: Shaft) -> tuple[QPointF, QPointF, float]:
    """Return tip and entry on the widget, and how strongly to draw by the nearer end or a crossing."""
    tip, entry = (plane.mm_to_plane(p) for p in (shaft.tip_mm, shaft.entry_mm))
    off = [float(plane.distance_mm(p)) for p in (shaft.tip_mm, shaft.entry_mm)]
    near = 0.0 if off[0] * off[1] <= 0.0 else min(abs(off[0]), abs(off[1]))
    ends = [drawing.at((float(uv[0]), float(uv[1]))) for uv in (tip, entry)]
    return ends[0], ends[1], strength_at(near)


def _write(drawing: SlicePainter, entry: QPointF, tip: QPointF, text: str, ink: str, strength: float) -> None:
    """Write a name outside the skin, clear of the shaft."""
    metrics = QFontMetricsF(drawing.bold)
    length = apart_px(entry, tip)
    out = (entry - tip) / length if length > 1.0 else QPointF(0.7, -0.7)
    box = QRectF(0.0, 0.0, metrics.horizontalAdvance(say(text)), metrics.height())
    box.moveCenter(entry + out * (12.0 + box.width() / 2.0))
    drawing.write(box, text, ink, Qt.AlignmentFlag.AlignCenter, drawing.bold, opacity=max(strength, 0.5))
