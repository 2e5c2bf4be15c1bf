"""Kept volume: triangles are moved until they enclose what their mask holds, or drawn from its very voxels.

Smoothing takes off what sticks out, so small and thin things lose most: of a lesion of 0.3 ml a tenth.
Moving every point along its normal by (volume lacking / area) gives that back to first order; a few rounds
leave less than a thousandth. The way is limited to a fraction of a voxel, so that nothing is drawn where
nothing was outlined. What lacks more than that has lost parts (a wall thinner than a slice, a tube from slice
to slice): then the faces of the voxels themselves are the surface (surface nets: Gibson, MERL TR99-24, 1999),
with their stairs smoothed as far as the volume allows (windowed sinc: Taubin, Zhang and Golub, ECCV 1996).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.volume import Volume

Points = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

ROUNDS = 4
CLOSE_ENOUGH = 1e-4
"""Of the volume: further rounds change nothing that could be seen or read."""

SINC_ROUNDS = 20
_KEY = np.array([1, 1 << 20, 1 << 40])
"""Makes one number of three indices below half a million."""

PASS_BAND = 0.1
"""Stairs of one voxel are above this frequency, the shape of the outline below (Taubin and others, 1996)."""


def volume_mm3(points: Points, triangles: Ints) -> float:
    """Return the volume that triangles ``(m, 3)`` over points ``(n, 3)`` enclose (divergence theorem)."""
    if len(triangles) == 0:
        return 0.0
    # Seen from a near point, so that large coordinates do not eat the digits.
    middle = points.mean(axis=0)
    a, b, c = ((points - middle)[triangles[:, n]] for n in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6.0


def normals_of(points: Points, triangles: Ints) -> Points:
    """Return the area-weighted mean of the unit normals of the triangles at each point ``(n, 3)``."""
    if len(triangles) == 0:
        return np.zeros((len(points), 3))
    faces = _twice_areas(points, triangles)
    corners = triangles.ravel()
    total = np.stack(
        [np.bincount(corners, np.repeat(faces[:, n], 3), minlength=len(points)) for n in range(3)], axis=1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.where(length > 0.0, length, 1.0))


def fitted(points: Points, triangles: Ints, wanted_mm3: float, limit_mm: float) -> Points:
    """Return the points moved along their normals, in sum by at most `limit_mm`, so that the volume fits.

    Parameters
    ----------
    points, triangles : numpy.ndarray
        A closed surface, ``(n, 3)`` millimetres and ``(m, 3)``.
    wanted_mm3 : float
        What it should enclose.
    limit_mm : float
        How far a point may go; where that is not far enough the volume stays short of the wanted one.
    """
    moved = 0.0
    for _ in range(ROUNDS):
        lacking = wanted_mm3 - volume_mm3(points, triangles)
        if abs(lacking) <= CLOSE_ENOUGH * wanted_mm3:
            break
        area = float(np.linalg.norm(_twice_areas(points, triangles), axis=1).sum()) / 2.0
        step = float(np.clip(moved + lacking / area, -limit_mm, limit_mm)) - moved
        if step == 0.0:
            break
        points = points + step * normals_of(points, triangles)
        moved += step
    return points


def faces_of(mask: Volume) -> tuple[Points, Ints]:
    """Return the outer faces of a mask's voxels as triangles, LPS mm; they enclose exactly its volume."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D

    box = VoxelBox.drawn(mask.values)
    if box is None:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int32)
    to_vtk: Any = numpy_support.numpy_to_vtk
    to_numpy: Any = numpy_support.vtk_to_numpy
    # Two layers of nothing around it: the nets close only inside of the lattice.
    framed = np.pad(mask.values[box.place], 2).astype(np.uint8)
    lattice = vtkImageData()
    lattice.SetDimensions(framed.shape[2], framed.shape[1], framed.shape[0])
    flat = framed.ravel()
    lattice.GetPointData().SetScalars(to_vtk(flat, deep=False))
    nets = vtkSurfaceNets3D()
    nets.SetInputData(lattice)
    nets.SetValue(0, 1)
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToTriangles()
    nets.Update()
    output = nets.GetOutput()
    points_ijk = to_numpy(output.GetPoints().GetData()).astype(np.float64)
    triangles = to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    # Where voxels touch by an edge only, some corners come twice; apart they would open a crack.
    keys = np.rint(2.0 * points_ijk).astype(np.int64) @ _KEY
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    triangles = number[triangles].astype(np.int32)
    points = mask.grid.index_to_mm(points_ijk[first] - 2.0 + np.asarray(box.first_ijk))
    return points, triangles if volume_mm3(points, triangles) > 0.0 else triangles[:, ::-1].copy()


def without_stairs(points: Points, triangles: Ints) -> Points:
    """Return the points of a surface moved so that steps of single voxels become slopes."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

    to_numpy: Any = numpy_support.vtk_to_numpy
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputData(as_polydata(points, triangles))
    smooth.SetNumberOfIterations(SINC_ROUNDS)
    smooth.SetPassBand(PASS_BAND)
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    smooth.FeatureEdgeSmoothingOff()
    smooth.BoundarySmoothingOff()
    smooth.Update()
    return np.asarray(to_numpy(smooth.GetOutput().GetPoints().GetData()), np.float64)


def as_polydata(points: npt.NDArray[Any], triangles: Ints) -> Any:
    """Return triangles as VTK's filters take them."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    to_vtk: Any = numpy_support.numpy_to_vtk
    places = vtkPoints()
    places.SetData(to_vtk(np.ascontiguousarray(points, np.float32), deep=True))
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int32)
    cells = vtkCellArray()
    cells.SetData(to_vtk(offsets, deep=True), to_vtk(np.ascontiguousarray(triangles).ravel(), deep=True))
    data = vtkPolyData()
    data.SetPoints(places)
    data.SetPolys(cells)
    return data


def _twice_areas(points: Points, triangles: Ints) -> Points:
    a, b, c = (points[triangles[:, n]] for n in range(3))
    return np.asarray(np.cross(b - a, c - a))
