"""Contours: isotherms, outlines and probes as lines in the millimetres of a slice plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import contourpy
import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.structure import Structure
from cryoplan.core.volume import Volume
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.scene.oblique import ObliquePlane, Plane
from cryoplan.scene.shape import structure_field
from cryoplan.scene.slices import SliceImage, SliceSampler
from cryoplan.simulation.isotherm import scale_of

FloatArray = npt.NDArray[np.float64]
Line = FloatArray
"""A polyline ``(n, 2)`` of u, v in millimetres; closed when its last point equals its first."""

NEAR_MM = 2.0
FAR_MM = 20.0
FAINTEST = 0.25


def contour_lines(image: SliceImage, level: float) -> tuple[Line, ...]:
    """Return the lines where a picture crosses `level`, linear between pixel centres."""
    rows, columns = image.values.shape
    if rows < 2 or columns < 2:
        return ()
    low, high = float(np.min(image.values)), float(np.max(image.values))
    if not low <= level <= high or low == high:
        return ()
    generator = contourpy.contour_generator(
        image.column_centres_mm(),
        image.row_centres_mm(),
        np.asarray(image.values, np.float64),
        name="serial",
        line_type=contourpy.LineType.Separate,
    )
    return tuple(np.asarray(line, np.float64) for line in generator.lines(level) if len(line) >= 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Isotherm:
    """Lines of one threshold on one plane."""

    threshold_degc: float
    lines: tuple[Line, ...]


class IsothermCutter:
    """Cuts the isotherms of one temperature field; keep one as long as its field is shown.

    Parameters
    ----------
    field_degc : Volume
        Temperatures, degC, on the solver grid (or any other).
    """

    def __init__(self, field_degc: Volume) -> None:
        self._scale = scale_of(field_degc)
        read = self._scale.volume(field_degc)
        # Outside an oblique field nothing is cold: the warmest value draws no line there.
        self._sampler = SliceSampler(read, outside=float(np.max(read.values)))

    def cut(self, plane: Plane, thresholds_degc: Iterable[float]) -> tuple[Isotherm, ...]:
        """Return the isotherms on a plane as `cryoplan.simulation.isotherm` reads them; none outside."""
        thresholds = tuple(float(t) for t in thresholds_degc)
        if not self._sampler.covers(plane):
            return tuple(Isotherm(threshold_degc=t, lines=()) for t in thresholds)
        image = self._sampler.extract(plane, interpolate=True)
        level = self._scale.level
        return tuple(Isotherm(threshold_degc=t, lines=contour_lines(image, level(t))) for t in thresholds)


class OutlineCutter:
    """Cuts the smooth outline of one structure; keep one as long as the structure is shown.

    Parameters
    ----------
    structure : Structure
        What to outline.
    case : Case
        Its case, which says whether it is the target (`shape.structure_field`).
    """

    def __init__(self, structure: Structure, case: Case) -> None:
        self._sampler = SliceSampler(structure_field(structure, case))

    def cut(self, plane: Plane, seen_uv: tuple[float, float, float, float] | None = None) -> tuple[Line, ...]:
        """Return the outline on a plane; no lines where the plane misses the mask.

        Of an oblique plane with `seen_uv` (left, right, top, bottom) only the lines there are wanted: they
        end where that part ends.
        """
        if isinstance(plane, ObliquePlane) and seen_uv is not None:
            lattice = self._sampler.lattice_on(plane, seen_uv=seen_uv)
            return (
                () if lattice is None else contour_lines(self._sampler.extract_oblique(plane, lattice), 0.0)
            )
        if not self._sampler.covers(plane):
            return ()
        return contour_lines(self._sampler.extract(plane, interpolate=True), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeMark:
    """A probe projected onto a plane.

    Attributes
    ----------
    name : str
        The probe's name.
    index : int
        Its place in the plan, from 0; chooses the colour.
    tip_uv, entry_uv : tuple of float
        Metal tip and skin entry in plane coordinates.
    active_uv : tuple of two tuples
        Front (tip side) and back end of the active zone.
    tip_distance_mm, entry_distance_mm : float
        Signed distances of tip and entry from the plane.
    active_distance_mm : float
        Least distance of the active zone from the plane, 0 where it crosses.
    crossing_uv : tuple of float or None
        Where the axis between entry and tip crosses the plane, None when it does not.
    strength : float
        How strongly to draw it, 1 on the plane to 0.25 far off; by the nearest point of the whole probe.
    """

    name: str
    index: int
    tip_uv: tuple[float, float]
    entry_uv: tuple[float, float]
    active_uv: tuple[tuple[float, float], tuple[float, float]]
    tip_distance_mm: float
    entry_distance_mm: float
    active_distance_mm: float
    crossing_uv: tuple[float, float] | None
    strength: float


def project_probe(probe: Probe, model: ProbeModel, plane: Plane, *, index: int = 0) -> ProbeMark:
    """Project a placed probe onto a plane."""
    front, back = probe.active_zone_mm(model)
    points = np.array([probe.tip_mm, probe.entry_mm, front, back])
    uv = plane.mm_to_plane(points)
    distance = plane.distance_mm(points)
    crossing = None
    if distance[0] * distance[1] <= 0.0 and distance[0] != distance[1]:
        share = distance[0] / (distance[0] - distance[1])
        crossing = _pair(uv[0] + share * (uv[1] - uv[0]))
    return ProbeMark(
        name=probe.name,
        index=index,
        tip_uv=_pair(uv[0]),
        entry_uv=_pair(uv[1]),
        active_uv=(_pair(uv[2]), _pair(uv[3])),
        tip_distance_mm=float(distance[0]),
        entry_distance_mm=float(distance[1]),
        active_distance_mm=_least(float(distance[2]), float(distance[3])),
        crossing_uv=crossing,
        strength=strength_at(_least(float(distance[0]), float(distance[1]))),
    )


def strength_at(distance_mm: float) -> float:
    """Return how strongly a mark is drawn at a distance from the slice: 1 within 2 mm, 0.25 from 20 mm on."""
    share = (abs(distance_mm) - NEAR_MM) / (FAR_MM - NEAR_MM)
    return min(max(1.0 - share * (1.0 - FAINTEST), FAINTEST), 1.0)


def scale_bar_mm(visible_width_mm: float) -> tuple[float, str]:
    """Return length and label of a scale bar: 1, 2 or 5 times a power of ten, at most a quarter of the view.

    Raises
    ------
    ValueError
        If the view has no width.
    """
    if not visible_width_mm > 0:
        raise ValueError(f"a view needs a positive width, not {visible_width_mm}")
    power = 10.0 ** np.floor(np.log10(visible_width_mm / 4.0))
    length = max(float(step * power) for step in (1, 2, 5) if step * power <= visible_width_mm / 4.0 * 1.0001)
    return length, f"{length / 10:g} cm" if length >= 10 else f"{length:g} mm"


def _least(a: float, b: float) -> float:
    """Return the least absolute value on the way from `a` to `b`."""
    return 0.0 if a * b <= 0.0 else min(abs(a), abs(b))


def _pair(uv: FloatArray) -> tuple[float, float]:
    return float(uv[0]), float(uv[1])
