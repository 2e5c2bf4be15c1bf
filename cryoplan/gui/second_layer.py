"""Second layer: the second image over the picture of a slice, with what is worked out for it kept."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from cryoplan.app.second import SecondShown
from cryoplan.app.view import ViewState, Window
from cryoplan.case.second_image import image_name
from cryoplan.image.scan import Scan
from cryoplan.scene.fusion import Overlay, Overlayer, alone, blend
from cryoplan.scene.oblique import ObliquePlane, Plane
from cryoplan.scene.slab import Slab
from cryoplan.scene.slices import SliceImage, SliceSampler
from cryoplan.scene.window import Window as GreyWindow

KEPT_CUTS = 8

Look = tuple[Scan, float, Window, bool]
"""What a picture depends on: the image, its opacity and window, and whether it is shown alone."""


class SecondLayer:
    """The second image of one view."""

    def __init__(self, second: SecondShown, view: ViewState) -> None:
        self._second = second
        self._view = view
        self._overlayer: Overlayer | None = None
        self._first: SliceSampler | None = None
        self._overlays: dict[tuple[Plane, Slab], Overlay] = {}

    @property
    def look(self) -> Look | None:
        """How the second image is seen now; None where only the first one is."""
        scan, view = self._second.scan, self._view
        if scan is None:
            return None
        opacity, alone_now = view.second_opacity, view.second_flicker
        if alone_now and opacity >= 1.0:
            return None  # the other one of the two is the first
        if opacity <= 0.0 and not alone_now:
            return None
        return scan, 1.0 if alone_now else opacity, view.second_window, alone_now

    def image(
        self, look: Look, first: SliceSampler, part: SliceImage, slab: Slab, grey: np.ndarray
    ) -> QImage:
        """Return the picture of both images, or of the second alone."""
        scan, opacity, window, is_alone = look
        overlay = self._over(scan, first, part, slab)
        own = GreyWindow(name="second", width=window.width, level=window.level)
        rows, columns = grey.shape
        if is_alone:
            shown = np.ascontiguousarray(alone(overlay, own))
            return QImage(shown.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
        mixed = np.ascontiguousarray(blend(grey, overlay, own, opacity))
        return QImage(mixed.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()

    def _over(self, scan: Scan, first: SliceSampler, part: SliceImage, slab: Slab) -> Overlay:
        if self._overlayer is None or self._overlayer.second is not scan.volume or self._first is not first:
            self._overlayer, self._first = Overlayer(scan.volume, first), first
            self._overlays.clear()
        if isinstance(part.plane, ObliquePlane):
            # Its pixels follow the view, and the picture itself is kept.
            return self._overlayer.over(part, slab)
        key = (part.plane, slab)
        known = self._overlays.get(key)
        if known is None:
            while len(self._overlays) >= KEPT_CUTS:
                del self._overlays[next(iter(self._overlays))]
            known = self._overlays[key] = self._overlayer.over(part, slab)
        return known


def words(first: Scan, second: SecondShown, view: ViewState) -> str:
    """Return what stands in the corner of a view: ``CT arterial + MR T2 50 %``; empty without a second."""
    link = second.link
    if link is None:
        return ""
    own = image_name(first.facts.modality, first.facts.description)
    if second.scan is None:
        state = "not shown" if second.trouble is not None else "is being read"
        return f"{own} (+ {link.name} {state})"
    percent = round(100 * view.second_opacity)
    if view.second_flicker:
        return f"{link.name} alone" if percent < 100 else f"{own} alone"
    return f"{own} + {link.name} {percent} %"
