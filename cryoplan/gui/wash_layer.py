"""Wash layer: the colours over the slices that the user has chosen, of the answer on screen only."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter

from cryoplan.app.timing import Timing
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc
from cryoplan.core.volume import Volume
from cryoplan.gui.slice_paint import SlicePainter, colour
from cryoplan.gui.words import say
from cryoplan.margins.exposure import THRESHOLDS_DEGC
from cryoplan.margins.survival import survival_model
from cryoplan.scene.oblique import Plane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.wash import Wash, cut_wash, held_wash, reached_wash, survival_wash

REACHED, HELD, SURVIVAL = "reached", "held", "survival"

KEPT = 24
SWATCH_PX = 12.0


def choices() -> tuple[tuple[str, str], ...]:
    """Return (id, words) of all that can colour the slices; the survival model's curves last."""
    return (
        ("", "nothing"),
        *((f"{REACHED} {t:g}", f"minute at which {show_degc(t)} is reached") for t in THRESHOLDS_DEGC),
        *((f"{HELD} {t:g}", f"minutes below {show_degc(t)}") for t in THRESHOLDS_DEGC),
        *((f"{SURVIVAL} {s.id}", f"research: {s.name}") for s in survival_model().series),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WashImage:
    """The colours of one slice as Qt wants them."""

    image: QImage
    rect_mm: QRectF


class WashLayer:
    """What one view shows of the chosen wash; nothing of a plan that has changed since."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        self._workspace, self._view = workspace, view
        self._timing = Timing.of(workspace)
        self._key: tuple[str, Volume] | None = None
        self._wash: Wash | None = None
        self._sampler: SliceSampler | None = None
        self._images: dict[Plane, WashImage | None] = {}

    def wash(self) -> Wash | None:
        """Return what colours the slices now."""
        chosen = self._view.wash
        result = self._workspace.result
        if not chosen or result is None or not self._workspace.is_current or self._view.overlays_hidden:
            return None
        kind, name = chosen.split(" ", 1)
        volume: Volume | None
        if kind == REACHED:
            volume = self._timing.reached_at(float(name))
        elif kind == HELD:
            volume = next((v for t, v in result.time_below if t == float(name)), None)
        else:
            volume = result.minimum_degc
        if volume is None:
            return None
        if self._key is None or self._key[0] != chosen or self._key[1] is not volume:
            self._key = (chosen, volume)
            if kind == REACHED:
                self._wash = reached_wash(volume, show_degc(float(name)))
            elif kind == HELD:
                self._wash = held_wash(volume, show_degc(float(name)))
            else:
                self._wash = survival_wash(volume, survival_model().of(name))
            self._sampler = SliceSampler(self._wash.volume)
            self._images.clear()
        return self._wash

    def image(self, plane: Plane) -> WashImage | None:
        """Return the colours of a plane, None where there are none."""
        wash = self.wash()
        if wash is None or self._sampler is None:
            return None
        if plane not in self._images:
            while len(self._images) >= KEPT:
                del self._images[next(iter(self._images))]
            self._images[plane] = _image(wash, self._sampler, plane)
        return self._images[plane]


def _image(wash: Wash, sampler: SliceSampler, plane: Plane) -> WashImage | None:
    cut = cut_wash(wash, sampler, plane)
    if cut is None:
        return None
    rows, columns, _ = cut.rgba.shape
    kind = QImage.Format.Format_RGBA8888_Premultiplied
    # A copy belongs to Qt: the array may go.
    image = QImage(cut.rgba.data, columns, rows, 4 * columns, kind).copy()
    rect = QRectF(cut.left_mm, cut.top_mm, cut.right_mm - cut.left_mm, cut.bottom_mm - cut.top_mm)
    return WashImage(image=image, rect_mm=rect)


def paint_wash(drawing: SlicePainter, wash: WashImage) -> None:
    """Lay the colours of a slice over its image."""
    rect = wash.rect_mm
    corners = drawing.at((rect.left(), rect.top())), drawing.at((rect.right(), rect.bottom()))
    # Classes have borders: to smooth the picture would invent colours between them.
    drawing.p.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    drawing.p.drawImage(QRectF(*corners), wash.image)
    drawing.p.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)


def paint_key(drawing: SlicePainter, wash: Wash | None) -> None:
    """Draw which colour is what as two lines below the name of the view: it must not lie on the ice.

    The panel has the classes in full.
    """
    if wash is None:
        return
    metrics = QFontMetricsF(drawing.small)
    row = metrics.height()
    title = f"{wash.title}, {wash.unit}"
    cells = [metrics.horizontalAdvance(say(text)) + SWATCH_PX + 9.0 for text in wash.short]
    width = max(metrics.horizontalAdvance(say(title)), sum(cells)) + 10.0
    box = QRectF(6.0, 2.0 * row + 12.0, width, 2.0 * row + 6.0)
    drawing.chip(box)
    drawing.keep_clear(box)
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    at = QRectF(box.left() + 5.0, box.top() + 2.0, width, row)
    drawing.plain(at, title, drawing.look.dark.text_muted, left, drawing.small)
    at.translate(0.0, row + 1.0)
    for text, ink, cell in zip(wash.short, wash.colours, cells, strict=True):
        drawing.p.fillRect(QRectF(at.left(), at.top() + 2.0, SWATCH_PX, row - 4.0), colour(ink))
        words = at.translated(SWATCH_PX + 3.0, 0.0)
        drawing.plain(words, text, drawing.look.marks.text, left, drawing.small)
        at.translate(cell, 0.0)
