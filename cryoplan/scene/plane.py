"""Planes of the patient: what is right and down on the screen, and which letter stands at each edge.

A plane has two coordinates in millimetres: `u` grows to the right of the screen and `v` grows *down*. They
are patient coordinates, at most with the sign changed, so that one number means one place in every view:

========  ==================  =================  ==========================================
plane     u (right)           v (down)           seen
========  ==================  =================  ==========================================
axial     +x (to the left)    +y (to the back)   from the feet: R on the left, A on top
coronal   +x (to the left)    -z (to the feet)   from the front: R on the left, H on top
sagittal  +y (to the back)    -z (to the feet)   from the left: A on the left, H on top
========  ==================  =================  ==========================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray


class Orientation(Enum):
    """The three planes of the patient; the value is the word on the screen."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def axis(self) -> int:
        """Patient axis across the plane: x 0, y 1, z 2."""
        return {"axial": 2, "coronal": 1, "sagittal": 0}[self.value]

    @property
    def u_axis(self) -> int:
        """Patient axis that runs to the right of the screen."""
        return {"axial": 0, "coronal": 0, "sagittal": 1}[self.value]

    @property
    def v_axis(self) -> int:
        """Patient axis that runs along the screen's vertical."""
        return {"axial": 1, "coronal": 2, "sagittal": 2}[self.value]

    @property
    def v_sign(self) -> int:
        """+1 where the patient axis runs down the screen, -1 where it runs up."""
        return 1 if self is Orientation.AXIAL else -1

    @property
    def right(self) -> FloatArray:
        """Patient direction that runs to the right of the screen."""
        return np.asarray(np.eye(3)[self.u_axis])

    @property
    def down(self) -> FloatArray:
        """Patient direction that runs down the screen."""
        return np.asarray(self.v_sign * np.eye(3)[self.v_axis])

    @property
    def across(self) -> FloatArray:
        """Patient direction along which positions grow."""
        return np.asarray(np.eye(3)[self.axis])

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Letters of the left, right, top and bottom edge of the screen."""
        return letters_of(-self.right), letters_of(self.right), letters_of(-self.down), letters_of(self.down)

    @property
    def coordinate(self) -> str:
        """Name of the coordinate across the plane."""
        return "xyz"[self.axis]


@dataclass(frozen=True, slots=True)
class SlicePlane:
    """A plane of the patient: its orientation and its coordinate across (LPS millimetres)."""

    orientation: Orientation
    position_mm: float

    @classmethod
    def through(cls, orientation: Orientation, point_mm: npt.ArrayLike) -> SlicePlane:
        """Return the plane of that orientation through a point."""
        return cls(orientation, float(np.asarray(point_mm, float)[orientation.axis]))

    def plane_to_mm(self, u: npt.ArrayLike, v: npt.ArrayLike) -> FloatArray:
        """Convert plane coordinates, each ``(...)``, to LPS points ``(..., 3)``."""
        uu, vv = np.broadcast_arrays(np.asarray(u, float), np.asarray(v, float))
        points = np.empty((*uu.shape, 3))
        points[..., self.orientation.axis] = self.position_mm
        points[..., self.orientation.u_axis] = uu
        points[..., self.orientation.v_axis] = self.orientation.v_sign * vv
        return points

    def mm_to_plane(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Project LPS points ``(..., 3)`` onto the plane; returns u, v as ``(..., 2)``."""
        points = np.asarray(points_mm, float)
        o = self.orientation
        return np.stack([points[..., o.u_axis], o.v_sign * points[..., o.v_axis]], axis=-1)

    def distance_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Return how far LPS points ``(..., 3)`` lie from the plane, positive towards +axis."""
        return np.asarray(np.asarray(points_mm, float)[..., self.orientation.axis] - self.position_mm)

    def orientation_letters(self) -> tuple[str, str, str, str]:
        """Return the patient letters (R L A P H F) of the left, right, top and bottom edge."""
        return self.orientation.letters

    def position_text(self) -> str:
        """Return the slice position as the views and the report show it, for example ``z −302.0 mm``."""
        number = f"{self.position_mm:.1f}".replace("-", "\N{MINUS SIGN}")
        return f"{self.orientation.coordinate} {number} mm"


OBLIQUE_DEG = 3.0
"""From here on a direction between two patient axes gets two letters; below it is positioning noise
(assumed: nobody sees three degrees in a picture)."""

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


def letters_of(direction: npt.ArrayLike, *, oblique_deg: float = OBLIQUE_DEG) -> str:
    """Return the patient letters of a direction: that of its largest component, then those of the others.

    DICOM PS3.3 C.7.6.1.1.1 (Patient Orientation): letters in the order of their weight, those of lesser
    weight only where the direction is oblique by more than `oblique_deg` towards them.

    Parameters
    ----------
    direction : array_like
        LPS, ``(3,)``, of any length.

    Raises
    ------
    ValueError
        If the direction has no length or is not finite.
    """
    vector = np.asarray(direction, float)
    length = float(np.linalg.norm(vector))
    if not (np.isfinite(length) and length > 0.0):
        raise ValueError(f"a direction has a length, not {vector.tolist()}")
    vector = vector / length
    least = np.sin(np.radians(oblique_deg))
    # Equal components (45 degrees) come in the order x, y, z; rounding must not decide.
    order = sorted(range(3), key=lambda a: (-round(abs(float(vector[a])), 9), a))
    return "".join(
        _LETTERS[a][0 if vector[a] > 0.0 else 1]
        for n, a in enumerate(order)
        if n == 0 or abs(vector[a]) > least
    )


def axes_in_words(axes: npt.ArrayLike) -> str:
    """Return where columns, rows and slices of an image run, for example ``L, P, H`` or ``L, PF, HP``.

    Parameters
    ----------
    axes : array_like
        ``(3, 3)``; the columns are the unit vectors of i, j, k in LPS.
    """
    return ", ".join(letters_of(column) for column in np.asarray(axes, float).T)
