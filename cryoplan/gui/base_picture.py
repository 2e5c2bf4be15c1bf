"""Base picture: image, outlines and isotherms of a view as one pixmap, kept while only probes move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSizeF
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from cryoplan.gui.slice_camera import Camera
from cryoplan.gui.slice_layers import Picture, Stroke
from cryoplan.gui.slice_paint import SlicePainter, colour
from cryoplan.gui.wash_layer import WashImage, paint_wash
from cryoplan.scene.style import theme


class BasePicture:
    """The pixmaps of one view: the image alone, and the image with its lines."""

    def __init__(self) -> None:
        self._whole: tuple[tuple[Any, ...], QPixmap] | None = None
        self._grey: tuple[tuple[Any, ...], Picture | None, QPixmap] | None = None

    def pixmap(
        self,
        view: QWidget,
        camera: Camera,
        picture: Picture | None,
        layers: Sequence[Sequence[Stroke]],
        wash: WashImage | None = None,
    ) -> QPixmap:
        """Return the image with colours and layers of lines over it, the first ones lowest.

        Made only when another.
        """
        strokes = [stroke for layer in layers for stroke in layer]
        look = tuple((s.style, s.opacity, s.filled) for s in strokes)
        key = (self._place(view, camera), look, picture, wash, *(s.path for s in strokes))
        if self._whole is None or not _same(self._whole[0], key):
            # Its own copy of the image, which is slow to scale and stays when a stroke changes an outline.
            pixmap = self._image(view, camera, picture).copy()
            painter = QPainter(pixmap)
            try:
                drawing = SlicePainter(painter, camera, QSizeF(view.size()), view.font())
                if wash is not None:
                    paint_wash(drawing, wash)
                for layer in layers:
                    drawing.strokes(layer)
            finally:
                painter.end()
            self._whole = (key, pixmap)
        return self._whole[1]

    def _image(self, view: QWidget, camera: Camera, picture: Picture | None) -> QPixmap:
        """Return the image alone as it lies in the view, kept while it lies there."""
        place = self._place(view, camera)
        if self._grey is None or self._grey[0] != place or self._grey[1] is not picture:
            ratio = view.devicePixelRatioF()
            pixmap = QPixmap(view.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(colour(theme().dark.canvas))
            if picture is not None:
                painter = QPainter(pixmap)
                try:
                    SlicePainter(painter, camera, QSizeF(view.size()), view.font()).image(picture)
                finally:
                    painter.end()
            self._grey = (place, picture, pixmap)
        return self._grey[2]

    @staticmethod
    def _place(view: QWidget, camera: Camera) -> tuple[Any, ...]:
        return camera, view.size(), view.devicePixelRatioF(), theme().dark.canvas


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Tell whether two keys are of one picture; paths are compared as objects, which is fast."""
    return len(a) == len(b) and a[:2] == b[:2] and all(x is y for x, y in zip(a[2:], b[2:], strict=True))
