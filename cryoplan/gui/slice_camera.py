"""Slice camera: which part of a plane a view shows and how large; plain numbers, no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cryoplan.scene.slices import SliceImage

FINEST_MM = 0.02
COARSEST_MM = 5.0
FIT_SHARE = 0.98
"""Share of the view that a fitted picture fills, so that its edge can be seen."""

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCamera:
    """The middle of the view in plane coordinates, and the size of a screen pixel.

    Attributes
    ----------
    centre_uv : tuple of float
        Plane coordinates (`cryoplan.scene.slices`) in the middle of the view, millimetres.
    mm_per_px : float
        Millimetres of the patient that one (logical) screen pixel shows, in both directions.
    """

    centre_uv: Pair
    mm_per_px: float

    @classmethod
    def fitted(cls, image: SliceImage, size_px: Pair) -> SliceCamera:
        """Return the camera that shows a whole picture in a view of that size."""
        wide, high = image.right_mm - image.left_mm, image.bottom_mm - image.top_mm
        scale = max(wide / max(size_px[0], 1.0), high / max(size_px[1], 1.0)) / FIT_SHARE
        centre = (0.5 * (image.left_mm + image.right_mm), 0.5 * (image.top_mm + image.bottom_mm))
        return cls(centre_uv=centre, mm_per_px=_limited(scale))

    def to_px(self, uv: Pair, size_px: Pair) -> Pair:
        """Convert plane coordinates to screen pixels from the top left corner."""
        return (
            0.5 * size_px[0] + (uv[0] - self.centre_uv[0]) / self.mm_per_px,
            0.5 * size_px[1] + (uv[1] - self.centre_uv[1]) / self.mm_per_px,
        )

    def to_uv(self, px: Pair, size_px: Pair) -> Pair:
        """Convert screen pixels to plane coordinates."""
        return (
            self.centre_uv[0] + (px[0] - 0.5 * size_px[0]) * self.mm_per_px,
            self.centre_uv[1] + (px[1] - 0.5 * size_px[1]) * self.mm_per_px,
        )

    def zoomed(self, factor: float, at_px: Pair, size_px: Pair) -> SliceCamera:
        """Return the camera that shows everything `factor` times as large; the place at `at_px` stays."""
        scale = _limited(self.mm_per_px / factor)
        u, v = self.to_uv(at_px, size_px)
        centre = (
            u - (at_px[0] - 0.5 * size_px[0]) * scale,
            v - (at_px[1] - 0.5 * size_px[1]) * scale,
        )
        return SliceCamera(centre_uv=centre, mm_per_px=scale)

    def panned(self, dx_px: float, dy_px: float) -> SliceCamera:
        """Return the camera after the picture was pulled by so many pixels."""
        u, v = self.centre_uv
        return replace(self, centre_uv=(u - dx_px * self.mm_per_px, v - dy_px * self.mm_per_px))

    def showing(self, uv: Pair, size_px: Pair) -> SliceCamera:
        """Return the camera moved just so far that a place is in the view; itself when it is already."""
        x, y = self.to_px(uv, size_px)
        if 0.0 <= x <= size_px[0] and 0.0 <= y <= size_px[1]:
            return self
        return replace(self, centre_uv=uv)


def _limited(mm_per_px: float) -> float:
    return min(max(mm_per_px, FINEST_MM), COARSEST_MM)
