"""Closed mesh: surfaces for other programs, with every edge in exactly two triangles and the right volume.

What is drawn may have an edge in four triangles or a crack too fine to see; a printer, a mesh library or a
navigator stumbles over it. Points of a file are float32, and those of one place are one point: so a surface
is judged as its reader will see it, not as it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.structure import Structure
from cryoplan.core.geometry import FloatArray, as_point, perpendicular
from cryoplan.core.grid import Grid
from cryoplan.core.units import MM3_PER_ML
from cryoplan.core.volume import Volume
from cryoplan.margins.iceball import isotherm_surface
from cryoplan.margins.surface import Surface, level_surface
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.tool import Tool
from cryoplan.scene.kept_volume import faces_of, fitted, volume_mm3, without_stairs
from cryoplan.scene.meshes import KEPT_SHARE, structure_mesh, thinned
from cryoplan.scene.shape import cropped, shape_field

Ints = npt.NDArray[np.int64]

AROUND = 64
"""Corners of a round shaft; its volume is then within 0.2 % of the round one's."""

_NUDGES_K = (0.0, 1e-3, -1e-3, 3e-3, -3e-3)
"""Where a voxel has the very temperature that is asked for, two sheets may meet in it; this parts them."""

_MOST_PARTS = 20_000_000
"""Parts of voxels that a surface is made of where nothing smoother will do."""

_ROOM = 0.3
"""How far a point may be moved to keep the volume, in voxels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosedMesh:
    """A surface as a file holds it.

    Attributes
    ----------
    points_mm : ndarray
        float32 ``(n, 3)``, LPS; no two of one place.
    triangles : ndarray
        int64 ``(m, 3)``, counter-clockwise seen from outside; none without an area's worth of corners.
    is_watertight : bool
        True when every edge belongs to exactly two triangles that pass it in opposite directions.
    """

    points_mm: npt.NDArray[np.float32]
    triangles: Ints
    is_watertight: bool

    @property
    def is_empty(self) -> bool:
        """True when nothing is enclosed."""
        return len(self.triangles) == 0

    def volume_ml(self) -> float:
        """Return the enclosed volume (divergence theorem)."""
        return volume_mm3(self.points_mm.astype(np.float64), self.triangles.astype(np.int32)) / MM3_PER_ML


def closed(points_mm: FloatArray, triangles: npt.NDArray[np.integer]) -> ClosedMesh:
    """Return a surface with its points rounded to float32 and those of one place made one."""
    # Adding zero makes -0.0 and 0.0 the same bits, which compare as one place.
    rounded = np.asarray(points_mm, np.float32) + np.float32(0.0)
    unique, number = np.unique(rounded, axis=0, return_inverse=True)
    merged = number.reshape(-1)[np.asarray(triangles, np.int64)].reshape(-1, 3)
    a, b, c = merged.T
    merged = merged[(a != b) & (b != c) & (c != a)]
    used, number = np.unique(merged, return_inverse=True)
    merged = np.ascontiguousarray(number.reshape(-1, 3), np.int64)
    return ClosedMesh(points_mm=unique[used], triangles=merged, is_watertight=edges_pair(merged))


def edges_pair(triangles: Ints) -> bool:
    """Tell whether every edge belongs to exactly two triangles, once in each direction."""
    if len(triangles) == 0:
        return True
    count = int(triangles.max()) + 1
    start = triangles[:, [0, 1, 2]].ravel()
    end = triangles[:, [1, 2, 0]].ravel()
    there, back = np.sort(start * count + end), np.sort(end * count + start)
    return bool((np.diff(there) > 0).all() and np.array_equal(there, back))


def structure_surface(structure: Structure, case: Case) -> ClosedMesh:
    """Return the surface of a structure, within `KEPT_SHARE` of the volume of its voxels.

    What the window draws, where that is watertight; else the same shape made in a way that always is, at last
    the voxels themselves with their edges cut off. Only of something large that needs this last way the very
    faces of the voxels are returned, with edges in four triangles (`ClosedMesh.is_watertight` says so).
    """
    wanted = structure.volume_ml
    best: ClosedMesh | None = None
    for mesh in _ways(structure, case):
        off = abs(mesh.volume_ml() / wanted - 1.0)
        if mesh.is_watertight and off <= KEPT_SHARE:
            return mesh
        best = mesh  # the last way is the faces of the voxels
    assert best is not None
    return best


def _ways(structure: Structure, case: Case) -> Iterator[ClosedMesh]:
    drawn = structure_mesh(structure, case)
    yield closed(drawn.points_mm.astype(np.float64), drawn.triangles)
    wanted = MM3_PER_ML * structure.volume_ml
    limit_mm = _ROOM * min(structure.mask.grid.spacing_mm)
    field = shape_field(structure.mask)
    for voxel_mm in (2.0, 0.0):
        made = thinned(field, voxel_mm) if voxel_mm else field
        found = level_surface(
            -made.values.astype(np.float64), made.grid, 0.0, outside=float(-made.values.min())
        )
        if found.is_empty:  # what is smaller than the thinner lattice
            continue
        points = fitted(np.array(found.points_mm), found.triangles.astype(np.int32), wanted, limit_mm)
        yield closed(points, found.triangles)
    points, triangles = faces_of(structure.mask)
    yield closed(without_stairs(points, triangles), triangles)
    for parts in (4, 2):
        if field.values.size * parts**3 <= _MOST_PARTS:
            found = _bevelled(structure.mask, parts)
            moved = fitted(np.array(found.points_mm), found.triangles.astype(np.int32), wanted, limit_mm)
            yield closed(moved, found.triangles)
            break
    yield closed(points, triangles)


def _bevelled(mask: Volume, parts: int) -> Surface:
    """Return the faces of a mask's voxels with their edges cut off, so that no two sheets share one.

    Each voxel is taken as ``parts`` in every direction, whose values are all or nothing; the surface between
    their centres is the voxels' own but for half a part at the edges.
    """
    inside, grid = cropped(mask, 1)
    for axis in range(3):
        inside = np.repeat(inside, parts, axis=axis)
    shift = 0.5 / parts - 0.5
    corner = grid.index_to_mm((shift, shift, shift))
    finer = Grid(
        size=(inside.shape[2], inside.shape[1], inside.shape[0]),
        spacing_mm=(grid.spacing_mm[0] / parts, grid.spacing_mm[1] / parts, grid.spacing_mm[2] / parts),
        origin_mm=as_point(corner),
        direction=grid.direction,
    )
    return level_surface(np.where(inside, 0.0, 1.0), finer, 0.5, outside=1.0)


def isotherm_mesh(field_degc: Volume, threshold_degc: float) -> ClosedMesh:
    """Return the surface of everything at or below a temperature: the very one that its size is told from."""
    mesh = None
    for nudge in _NUDGES_K:
        found = isotherm_surface(field_degc, threshold_degc + nudge)
        mesh = closed(found.points_mm, found.triangles)
        if mesh.is_watertight:
            break
    assert mesh is not None  # there is always a first way
    return mesh


def probe_mesh(probe: Probe, model: ProbeModel) -> ClosedMesh:
    """Return a whole probe, from its tip to its hub, pointed in front of the active zone."""
    return lathe(
        np.asarray(probe.tip_mm),
        -probe.direction,
        (model.tip_offset.value, model.shaft_length.value),
        model.outer_diameter.value / 2.0,
        pointed=model.tip_offset.value > 0.0,
    )


def active_zone_mesh(probe: Probe, model: ProbeModel) -> ClosedMesh:
    """Return the part of a probe that freezes."""
    start = model.tip_offset.value
    return lathe(
        np.asarray(probe.tip_mm),
        -probe.direction,
        (start, start + model.active_length.value),
        model.outer_diameter.value / 2.0,
    )


def tool_mesh(tool: Tool) -> ClosedMesh:
    """Return a tool from its tip to its hub."""
    return lathe(np.asarray(tool.tip_mm), -tool.direction, (0.0, tool.length_mm), tool.diameter_mm / 2.0)


def lathe(
    tip_mm: FloatArray,
    back: FloatArray,
    span_mm: tuple[float, float],
    radius_mm: float,
    *,
    pointed: bool = False,
) -> ClosedMesh:
    """Return a cylinder behind a tip, `pointed` with the cone from the tip to its beginning.

    Parameters
    ----------
    back : ndarray
        Unit vector from the tip along the axis.
    span_mm : tuple of float
        Where the cylinder begins and ends, from the tip.
    """
    u, v = perpendicular(back)
    angles = 2.0 * np.pi * np.arange(AROUND) / AROUND
    # Corners a little outside of the circle, so that the polygon has the circle's area.
    out = radius_mm * float(np.sqrt(2.0 * np.pi / AROUND / np.sin(2.0 * np.pi / AROUND)))
    ring = out * (np.cos(angles)[:, None] * u + np.sin(angles)[:, None] * v)
    first, last = (tip_mm + distance * back for distance in span_mm)
    points = np.concatenate([[tip_mm if pointed else first, last], first + ring, last + ring])
    here = np.arange(AROUND)
    after = (here + 1) % AROUND
    near, far = 2, 2 + AROUND
    zero, one = np.zeros_like(here), np.ones_like(here)
    triangles = np.concatenate(
        [
            np.stack([zero, near + after, near + here], axis=1),
            np.stack([near + here, near + after, far + after], axis=1),
            np.stack([near + here, far + after, far + here], axis=1),
            np.stack([one, far + here, far + after], axis=1),
        ]
    )
    if volume_mm3(points, triangles.astype(np.int32)) < 0.0:
        triangles = triangles[:, ::-1]
    return closed(points, triangles)
