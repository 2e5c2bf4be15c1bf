"""Props: meshes, cylinders, spheres and texts as VTK actors, made in one way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import perpendicular
from cryoplan.scene.meshes import MeshArrays
from cryoplan.scene.style import rgb

FloatArray = npt.NDArray[np.float64]

# Depths run from 0 to 1. VTK's unit of the offset is 0.000016 of that; nearly all of a scene lies beyond 0.4.
_FORWARD = 0.4 / 0.000016


def polydata(mesh: MeshArrays) -> Any:
    """Return a mesh as ``vtkPolyData`` with its own normals; the arrays are shared, not copied."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    to_vtk: Any = numpy_support.numpy_to_vtk
    data = vtkPolyData()
    points = vtkPoints()
    points.SetData(to_vtk(np.ascontiguousarray(mesh.points_mm), deep=False))
    data.SetPoints(points)
    cells = vtkCellArray()
    offsets = np.arange(0, 3 * len(mesh.triangles) + 1, 3, dtype=np.int32)
    cells.SetData(to_vtk(offsets, deep=True), to_vtk(mesh.triangles.ravel(), deep=True))
    data.SetPolys(cells)
    normals = to_vtk(np.ascontiguousarray(mesh.normals), deep=False)
    normals.SetName("Normals")
    data.GetPointData().SetNormals(normals)
    return data


def mesh_actor(
    mesh: MeshArrays, colour: str, opacity: float, *, point_colours: npt.NDArray[np.uint8] | None = None
) -> Any:
    """Return an actor of a mesh, with smooth shading; `point_colours` ``(n, 3)`` replace `colour`."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkRenderingCore import vtkPolyDataMapper

    mapper = vtkPolyDataMapper()
    data = polydata(mesh)
    if point_colours is not None:
        to_vtk: Any = numpy_support.numpy_to_vtk
        data.GetPointData().SetScalars(to_vtk(np.ascontiguousarray(point_colours), deep=True))
        mapper.SetColorModeToDirectScalars()
    else:
        mapper.ScalarVisibilityOff()
    mapper.SetInputData(data)
    return _actor(mapper, colour, opacity)


def tube_actor(colour: str, *, sides: int = 20, glow: float = 0.0) -> Any:
    """Return a cylinder of radius 1 from (0, 0, 0) to (0, 0, 1), to be put in place by `lay_tube`.

    `glow` is the share of its own light, for the active zone.
    """
    return _solid(_unit_tube(sides, 1.0), colour, glow)


def cone_actor(colour: str, *, sides: int = 20) -> Any:
    """Return a cone with base radius 1 at (0, 0, 0) and its point at (0, 0, 1)."""
    return _solid(_unit_tube(sides, 0.0), colour, 0.0)


def ball_actor(colour: str, *, glow: float = 0.35) -> Any:
    """Return a ball of radius 1 around (0, 0, 0)."""
    from vtkmodules.vtkFiltersSources import vtkSphereSource

    source = vtkSphereSource()
    source.SetRadius(1.0)
    source.SetThetaResolution(24)
    source.SetPhiResolution(16)
    source.Update()
    return _solid(source.GetOutput(), colour, glow)


def bring_to_front(actor: Any) -> None:
    """Let an actor be seen through everything that is in front of it: what can be held must be seen."""
    mapper = actor.GetMapper()
    mapper.SetResolveCoincidentTopologyToPolygonOffset()
    # Depths beyond the near plane are clamped to it.
    mapper.SetRelativeCoincidentTopologyPolygonOffsetParameters(0.0, -1e8)


def bring_forward(actor: Any, *, forward: bool) -> None:
    """Let an actor be seen through what is in front of it, or end that; all such keep their own order.

    Texts have no depth of their own and stay as they are.
    """
    mapper = getattr(actor, "GetMapper", lambda: None)()
    if mapper is not None:
        mapper.SetResolveCoincidentTopologyToPolygonOffset()
        mapper.SetRelativeCoincidentTopologyPolygonOffsetParameters(0.0, -_FORWARD if forward else 0.0)


def flatten(actor: Any) -> None:
    """Shade an actor little and without gloss, so that its colours are those of its legend."""
    style = actor.GetProperty()
    style.SetAmbient(0.5)
    style.SetDiffuse(0.55)
    style.SetSpecular(0.0)
    # What is drawn through everything must not be seen through itself.
    style.BackfaceCullingOn()


def text_actor(colour: str, *, size_px: int = 15) -> Any:
    """Return a text that always faces the camera, with a dark rim so that it is readable on anything."""
    from vtkmodules.vtkRenderingCore import vtkBillboardTextActor3D

    actor = vtkBillboardTextActor3D()
    style = actor.GetTextProperty()
    style.SetFontFamilyToArial()
    style.BoldOn()
    style.SetFontSize(size_px)
    style.SetColor(*rgb(colour))
    style.SetJustificationToCentered()
    style.SetVerticalJustificationToCentered()
    style.ShadowOn()
    actor.PickableOff()
    return actor


def lay_tube(actor: Any, start_mm: npt.ArrayLike, end_mm: npt.ArrayLike, radius_mm: float) -> None:
    """Put a unit tube or cone in place by its matrix alone: cheap enough for every move of the mouse."""
    start = np.asarray(start_mm, float)
    along = np.asarray(end_mm, float) - start
    u, v = perpendicular(along)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2], matrix[:3, 3] = u * radius_mm, v * radius_mm, along, start
    _set_matrix(actor, matrix)


def lay_ball(actor: Any, centre_mm: npt.ArrayLike, radius_mm: float) -> None:
    """Put a unit ball in place by its matrix alone."""
    matrix = np.diag([radius_mm, radius_mm, radius_mm, 1.0])
    matrix[:3, 3] = np.asarray(centre_mm, float)
    _set_matrix(actor, matrix)


def paint(actor: Any, colour: str, opacity: float) -> None:
    """Change colour and opacity of an actor."""
    actor.GetProperty().SetColor(*rgb(colour))
    actor.GetProperty().SetOpacity(opacity)


def _set_matrix(actor: Any, matrix: FloatArray) -> None:
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    held = vtkMatrix4x4()
    held.DeepCopy(matrix.ravel().tolist())
    actor.SetUserMatrix(held)


def _unit_tube(sides: int, top_radius: float) -> Any:
    angles = 2.0 * np.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    bottom = np.column_stack([ring, np.zeros(sides)])
    top = np.column_stack([ring * top_radius, np.ones(sides)])
    n = np.arange(sides)
    m = (n + 1) % sides
    walls = np.concatenate([np.stack([n, m, sides + m], 1), np.stack([n, sides + m, sides + n], 1)])
    # Caps have points of their own so that the walls' normals stay smooth and the edges sharp.
    caps = np.concatenate([bottom, top])
    low = 2 * sides + np.stack([np.zeros(sides - 2, int), n[2:], n[1:-1]], 1)
    high = 3 * sides + np.stack([np.zeros(sides - 2, int), n[1:-1], n[2:]], 1)
    wall_normals = np.column_stack([ring, np.full(sides, 1.0 - top_radius)])
    wall_normals /= np.linalg.norm(wall_normals, axis=1, keepdims=True)
    down, up = np.tile((0.0, 0.0, -1.0), (sides, 1)), np.tile((0.0, 0.0, 1.0), (sides, 1))
    return polydata(
        MeshArrays(
            points_mm=np.concatenate([bottom, top, caps]).astype(np.float32),
            triangles=np.concatenate([walls, low, high]).astype(np.int32),
            normals=np.concatenate([wall_normals, wall_normals, down, up]).astype(np.float32),
        )
    )


def _solid(data: Any, colour: str, glow: float) -> Any:
    from vtkmodules.vtkRenderingCore import vtkPolyDataMapper

    mapper = vtkPolyDataMapper()
    mapper.ScalarVisibilityOff()
    mapper.SetInputData(data)
    actor = _actor(mapper, colour, 1.0)
    actor.GetProperty().SetAmbient(glow)
    return actor


def _actor(mapper: Any, colour: str, opacity: float) -> Any:
    from vtkmodules.vtkRenderingCore import vtkActor

    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.PickableOff()
    style = actor.GetProperty()
    style.SetInterpolationToPhong()
    style.SetAmbient(0.12)
    style.SetDiffuse(0.85)
    style.SetSpecular(0.18)
    style.SetSpecularPower(18.0)
    paint(actor, colour, opacity)
    return actor
