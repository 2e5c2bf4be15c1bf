"""Contours of one structure: closed planar polygons, checked and sorted into parallel planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.image.structures.coverage import edges_of, fill, signed_area
from cryoplan.image.structures.found import note, refusal

FloatArray = npt.NDArray[np.float64]

SAME_PLANE_MM = 0.05
"""Contours nearer than this belong to one plane: files round positions to a hundredth of a millimetre."""

BENT_MM = 0.5
"""A contour whose points leave their plane by more is not planar (files round to 0.01 mm at worst)."""

CROSSING_SHARE = 0.05
"""Share of its area that the even-odd rule and the direction of turning may judge differently."""

_TURN = 2e-3  # sine of the largest angle between planes that count as parallel (0.1 degrees)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContourPlanes:
    """The contours of a structure in parallel planes.

    Attributes
    ----------
    name : str
        Of the structure.
    normal, u, v : array (3,)
        Unit vectors (LPS): across the planes, and two at right angles within them.
    offsets_mm : array (p,)
        Place of each plane along the normal, rising.
    polygons : tuple of tuple of array (n, 3)
        LPS points of the polygons of each plane.
    """

    name: str
    normal: FloatArray
    u: FloatArray
    v: FloatArray
    offsets_mm: FloatArray
    polygons: tuple[tuple[FloatArray, ...], ...]

    def flat(self, plane: int) -> list[FloatArray]:
        """Return the polygons of a plane as points ``(n, 2)`` in millimetres along `u` and `v`."""
        across = np.stack([self.u, self.v], axis=1)
        return [points @ across for points in self.polygons[plane]]

    @property
    def points(self) -> FloatArray:
        """All points, ``(n, 3)``, LPS mm."""
        return np.concatenate([points for plane in self.polygons for points in plane])


def sort_contours(
    contours: list[FloatArray], name: str, file: str
) -> tuple[ContourPlanes | None, list[Finding]]:
    """Check closed contours ``(n, 3)`` and sort them into planes; None when none encloses an area.

    Raises
    ------
    StructureError
        If a point is no number, a contour is not planar or crosses itself, or the planes are not parallel.
    """
    findings: list[Finding] = []
    whole: list[FloatArray] = []
    normals: list[FloatArray] = []
    flat = 0
    for number, points in enumerate(contours, start=1):
        if not np.isfinite(points).all() or np.abs(points).max(initial=0.0) > 1e5:
            raise refusal(
                file, name, f"has points that are no places in its contour {number}", _AGAIN, "contour-points"
            )
        points = _without_repeats(points)
        normal, area = _normal(points)
        if len(points) < 3 or area < 1e-3:
            flat += 1
            continue
        bent = float(np.abs((points - points.mean(axis=0)) @ normal).max())
        if bent > BENT_MM:
            raise refusal(
                file,
                name,
                f"has a contour ({number}) that is not planar: it is bent by {bent:.1f} mm",
                _AGAIN,
                "contour-not-planar",
            )
        whole.append(points)
        normals.append(normal)
    if flat:
        text = (
            f"{flat} of the {len(contours)} contours of {name} in {file} enclose no area and were left out."
        )
        findings.append(note(Level.WARN, "contour-without-area", text, name))
    if not whole:
        return None, findings
    # The largest contour has the best known normal.
    sizes = [float(np.ptp(points, axis=0).max()) for points in whole]
    main = normals[int(np.argmax(sizes))]
    main = main * np.sign(main[int(np.argmax(np.abs(main)))])
    for points, normal in zip(whole, normals, strict=True):
        tilt = float(np.linalg.norm(np.cross(main, normal)))
        if tilt > _TURN and tilt * np.ptp(points, axis=0).max() > BENT_MM:
            raise refusal(
                file,
                name,
                f"has contours in planes that are not parallel ({np.degrees(np.arcsin(min(tilt, 1.0))):.1f} "
                "degrees apart)",
                "Export it with the contours of one orientation, or as a label map.",
                "contours-not-parallel",
            )
    return _in_planes(whole, main, name, file, findings), findings


_AGAIN = "Correct it in the program that drew it and export the structures again."


def _without_repeats(points: FloatArray) -> FloatArray:
    if len(points) < 2:
        return points
    keep = np.any(points != np.roll(points, 1, axis=0), axis=1)
    return points[keep]


def _normal(points: FloatArray) -> tuple[FloatArray, float]:
    """Return unit normal and area of a polygon in space (Newell); for no area any normal and 0."""
    if len(points) < 3:
        return np.array([0.0, 0.0, 1.0]), 0.0
    away = points - points.mean(axis=0)
    double = np.cross(away, np.roll(away, -1, axis=0)).sum(axis=0)
    length = float(np.linalg.norm(double))
    # A figure of eight has an area sum of nothing, though it covers something: then its plane is fitted.
    spread, axes = np.linalg.svd(away, full_matrices=False)[1:]
    if length < 1e-2 * spread[0] * spread[1] / len(points) or length == 0.0:
        width = float(spread[0] * spread[1] / len(points))
        return np.asarray(np.cross(axes[0], axes[1])), width
    return np.asarray(double / length), 0.5 * length


def _in_planes(
    contours: list[FloatArray], normal: FloatArray, name: str, file: str, findings: list[Finding]
) -> ContourPlanes:
    side = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = np.cross(side, normal)
    u = u / np.linalg.norm(u)
    offsets = np.array([float((points @ normal).mean()) for points in contours])
    order = np.argsort(offsets, kind="stable")
    planes: list[list[FloatArray]] = []
    places: list[list[float]] = []
    for index in order:
        if places and offsets[index] - places[-1][0] <= SAME_PLANE_MM:
            planes[-1].append(contours[index])
            places[-1].append(offsets[index])
        else:
            planes.append([contours[index]])
            places.append([offsets[index]])
    v = np.cross(normal, u)
    twice = crossed = 0
    for plane in planes:
        plane[:], doubled = _drawn_once(plane)
        twice += doubled
        flat = [points @ np.stack([u, v], axis=1) for points in plane]
        for points in flat:
            _refuse_self_crossing(points, name, file)
        crossed += len(flat) > 1 and _cross_each_other(flat)
    if twice:
        text = f"{twice} contours of {name} in {file} are there twice and count once."
        findings.append(note(Level.OK, "contour-twice", text, name))
    if crossed:
        text = (
            f"Contours of {name} in {file} cross each other on {crossed} slices; where two overlap it is "
            "empty. Check these slices."
        )
        findings.append(note(Level.WARN, "contours-cross", text, name))
    return ContourPlanes(
        name=name,
        normal=normal,
        u=u,
        v=v,
        offsets_mm=np.array([float(np.mean(p)) for p in places]),
        polygons=tuple(tuple(plane) for plane in planes),
    )


def _drawn_once(plane: list[FloatArray]) -> tuple[list[FloatArray], int]:
    seen: set[bytes] = set()
    kept = []
    for points in plane:
        # From its smallest point on, whichever way round, a contour is always the same.
        start = int(np.lexsort(points.T[::-1])[0])
        one = np.roll(points, -start, axis=0)
        other = np.roll(one[::-1], 1, axis=0)
        key = min(np.round(one, 3).tobytes(), np.round(other, 3).tobytes())
        if key not in seen:
            seen.add(key)
            kept.append(points)
    return kept, len(plane) - len(kept)


def _raster(polygons: list[FloatArray]) -> tuple[list[npt.NDArray[np.float32]], float]:
    """Return the coverage of each polygon on one fine raster, and the area of its pixels, mm2."""
    low = np.min([p.min(axis=0) for p in polygons], axis=0)
    high = np.max([p.max(axis=0) for p in polygons], axis=0)
    step = max(float((high - low).max()) / 200.0, 1e-3)
    shape = np.ceil((high - low) / step).astype(int) + 1
    return [
        fill(edges_of((p - low) / step), (int(shape[1]), int(shape[0])), lines=4) for p in polygons
    ], step * step


def _refuse_self_crossing(points: FloatArray, name: str, file: str) -> None:
    """Refuse a polygon whose loops turn both ways or twice: what is inside is then a guess."""
    (covered,), pixel = _raster([points])
    even_odd = float(covered.sum(dtype=float)) * pixel
    turned = abs(signed_area(points))
    if abs(even_odd - turned) > CROSSING_SHARE * max(even_odd, turned) and abs(even_odd - turned) > 1.0:
        raise refusal(
            file,
            name,
            f"has a contour that crosses itself ({even_odd:.0f} mm2, or {turned:.0f} mm2 by its direction)",
            _AGAIN,
            "contour-crosses-itself",
        )


def _cross_each_other(polygons: list[FloatArray]) -> bool:
    """Tell whether two polygons of a plane overlap in part, neither inside the other."""
    boxes = [(p.min(axis=0), p.max(axis=0)) for p in polygons]
    for a in range(len(polygons)):
        for b in range(a + 1, len(polygons)):
            if np.any(boxes[a][0] >= boxes[b][1]) or np.any(boxes[b][0] >= boxes[a][1]):
                continue
            (one, two), pixel = _raster([polygons[a], polygons[b]])
            both = float(np.minimum(one, two).sum(dtype=float)) * pixel
            least = min(float(one.sum(dtype=float)), float(two.sum(dtype=float))) * pixel
            if 0.05 * least < both < 0.95 * least and both > 1.0:
                return True
    return False
