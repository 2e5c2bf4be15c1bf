"""Meshes: volumes and masks as triangles in LPS millimetres, plain arrays that any process can make.

**Oriented images never enter VTK.** Surfaces are found on the bare lattice (flying edges on indices) and the
grid's 4 x 4 affine moves them to the patient; a left-handed grid turns the triangles round, so that normals
always point outwards. VTK says that not all its filters honour directions; here none of them gets any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.grid import Grid
from cryoplan.core.units import MM3_PER_ML
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from cryoplan.margins.surface import Surface
from cryoplan.scene.kept_volume import as_polydata, faces_of, fitted, normals_of, volume_mm3, without_stairs
from cryoplan.scene.shape import shape_field, structure_field
from cryoplan.simulation.isotherm import scale_of

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

BONE_HU = 250.0
"""Above enhanced vessels of most portal phases, below cortical bone; oral contrast is seen as well."""

ORGAN_VOXEL_MM = 2.0
LARGE_VOXEL_MM = 3.0
LARGE_ML = 300.0
"""From here on an organ is smooth at the scale of its surface, and is meshed on `LARGE_VOXEL_MM`."""

BONE_VOXEL_MM = 2.5
SKIN_VOXEL_MM = 3.2
MOST_TRIANGLES = 10_000
"""Of one surface but the tumour's. A drawn picture of all of them then stays below 0.1 s without a graphics
card, and no edge is seen at the size of a view."""

KEPT_SHARE = 0.01
"""How far the volume of a drawn structure may be from that of its voxels."""

_LEAST_BONE_ML = 1.0
_LARGEST_OFFSET = 0.3

_LOCK = Lock()
_CACHE: WeakKeyDictionary[Volume, MeshArrays] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class MeshArrays:
    """A triangle mesh.

    Attributes
    ----------
    points_mm : numpy.ndarray
        float32 ``(n, 3)``, LPS millimetres.
    triangles : numpy.ndarray
        int32 ``(m, 3)``, counter-clockwise seen from outside.
    normals : numpy.ndarray
        float32 ``(n, 3)``, unit vectors outwards, for smooth shading.
    """

    points_mm: Floats
    triangles: Ints
    normals: Floats

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to draw."""
        return len(self.triangles) == 0

    def volume_ml(self) -> float:
        """Return the enclosed volume (divergence theorem); of a closed mesh."""
        return volume_mm3(self.points_mm.astype(np.float64), self.triangles) / MM3_PER_ML

    def centroid_mm(self) -> npt.NDArray[np.float64]:
        """Return the centroid of the enclosed volume; of a closed mesh that is not empty."""
        points = self.points_mm.astype(np.float64)
        middle = points.mean(axis=0)
        a, b, c = ((points - middle)[self.triangles[:, n]] for n in range(3))
        six_volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
        return np.asarray(middle + ((a + b + c) * six_volumes[:, None]).sum(axis=0) / (4 * six_volumes.sum()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureMesh:
    """Surface of one structure and what decides how it is drawn."""

    name: str
    role: Role
    volume_ml: float
    mesh: MeshArrays


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseMeshes:
    """Everything of a case that does not change with the plan; picklable and small.

    Attributes
    ----------
    target_name : str
        Name of the target, empty when there is none.
    bounds_mm : tuple of Point
        Lower and upper corner of the scan.
    skin, bone : MeshArrays or None
        From a mask of the case if there is one, else from Hounsfield units; None for MR without masks.
    structures : tuple of StructureMesh
        In the case's order, without body, skin, fat and muscle.
    """

    target_name: str
    bounds_mm: tuple[Point, Point]
    skin: MeshArrays | None
    bone: MeshArrays | None
    structures: tuple[StructureMesh, ...]

    def of(self, name: str) -> MeshArrays | None:
        """Return the mesh of a structure, None when it is not drawn."""
        return next((s.mesh for s in self.structures if s.name == name), None)

    @property
    def target(self) -> MeshArrays | None:
        """The mesh of the target, None when there is no target."""
        return self.of(self.target_name)


_THIN = (
    Role.VESSEL, Role.DIAPHRAGM, Role.PLEURA, Role.BILE_DUCT, Role.URETER, Role.URETHRA, Role.NERVE,
    Role.SPINAL_CORD,
)  # fmt: skip
_AROUND = (Role.BODY, Role.SKIN, Role.FAT, Role.MUSCLE)  # they would hide all the others


def build_case_meshes(case: Case) -> CaseMeshes:
    """Return all meshes of a case; pure, so that it can run in another process beside the window."""
    body = body_mask(case)
    bones = any(s.role is Role.BONE for s in case.structures)
    lower, upper = case.scan.volume.grid.bounds_mm()
    return CaseMeshes(
        target_name=case.target_name,
        bounds_mm=(as_point(lower), as_point(upper)),
        skin=skin_mesh(body) if body is not None else None,
        bone=bone_mesh(case.scan) if case.scan.facts.has_hounsfield and not bones else None,
        structures=tuple(
            StructureMesh(name=s.name, role=s.role, volume_ml=s.volume_ml, mesh=structure_mesh(s, case))
            for s in case.structures
            if s.role not in _AROUND
        ),
    )


def structure_mesh(structure: Structure, case: Case) -> MeshArrays:
    """Return the surface of a structure, kept as long as its field lives.

    Tumours keep every triangle, and thin things (vessels, ducts, nerves, diaphragm) every voxel. Others are
    thinned to some 2 mm, large ones to 3 mm; flat parts are drawn with fewer triangles (`lighter`). At last
    the surface is moved by at most 0.3 voxels so that it encloses the volume of the voxels. Where that is not
    enough to come within `KEPT_SHARE` of it, a finer way is taken, in the end the faces of the voxels, which
    enclose it exactly.
    """
    field = structure_field(structure, case)
    known = _cached(field)
    if known is not None:
        return known
    wanted = MM3_PER_ML * structure.volume_ml
    limit_mm = _LARGEST_OFFSET * min(structure.mask.grid.spacing_mm)
    best: MeshArrays | None = None
    error = np.inf
    for made in _finer_and_finer(structure, field):
        light = made if structure.role is Role.TUMOUR else lighter(made)
        mesh = light
        if not light.is_empty:
            points = fitted(light.points_mm.astype(np.float64), light.triangles, wanted, limit_mm)
            mesh = _mesh(points, light.triangles)
        off = abs(MM3_PER_ML * mesh.volume_ml() / wanted - 1.0)
        if best is None or off < error:
            best, error = mesh, off
        if error <= KEPT_SHARE:
            break
    assert best is not None  # there is always a first way
    return _keep(field, best)


def _finer_and_finer(structure: Structure, field: Volume) -> Iterator[MeshArrays]:
    """Yield surfaces of a structure, each nearer to its voxels and less smooth than the one before."""
    if structure.role is not Role.TUMOUR and structure.role not in _THIN:
        # Every other voxel of something thin would leave crumbs of it.
        yield surface(thinned(field, LARGE_VOXEL_MM if _is_large(structure) else ORGAN_VOXEL_MM), 0.0)
    yield surface(field, 0.0)
    own = shape_field(structure.mask)
    if own is not field:  # that of the target is made of its mask on the planning grid
        yield surface(own, 0.0)
    points, triangles = faces_of(structure.mask)
    yield _mesh(without_stairs(points, triangles), triangles)
    yield _mesh(points, triangles)


def _is_large(structure: Structure) -> bool:
    return structure.role in (Role.ORGAN, Role.KIDNEY, Role.LUNG) and structure.volume_ml > LARGE_ML


def _cached(source: Volume) -> MeshArrays | None:
    with _LOCK:
        return _CACHE.get(source)


def _keep(source: Volume, mesh: MeshArrays) -> MeshArrays:
    with _LOCK:
        _CACHE[source] = mesh
    return mesh


def surface(field: Volume, level: float) -> MeshArrays:
    """Return the surface around all places above `level`, closed where the region ends inside the grid.

    Parameters
    ----------
    field : Volume
        Numbers on any grid, larger inside.
    level : float
        In the unit of the field.
    """
    points_ijk, triangles = _flying_edges(np.asarray(field.values, np.float32), level)
    points = field.grid.index_to_mm(points_ijk)
    if np.linalg.det(field.grid.axes) < 0.0:
        triangles = triangles[:, ::-1]
    return _mesh(points, triangles)


def of_surface(found: Surface) -> MeshArrays:
    """Return a surface of the margins, which already lies in LPS, for drawing."""
    return _mesh(np.asarray(found.points_mm, np.float64), found.triangles)


def isotherm_meshes(field_degc: Volume, thresholds_degc: Iterable[float]) -> tuple[MeshArrays, ...]:
    """Return the surfaces of everything at or below each temperature; open where they leave the grid."""
    scale = scale_of(field_degc)
    inside = Volume(grid=field_degc.grid, values=-scale.values(field_degc.values))
    return tuple(surface(inside, -scale.level(t)) for t in thresholds_degc)


def skin_mesh(body: Volume) -> MeshArrays:
    """Return the surface of a body mask, made on blocks of about 3 mm and open where the image ends.

    Open ends matter: a closed one would be taken for skin when an entry snaps to it.
    """
    known = _cached(body)
    if known is None:
        blocks = _block_mean(body, SKIN_VOXEL_MM)
        smooth = ndimage.gaussian_filter(blocks.values, 0.9, mode="nearest")
        known = _keep(body, lighter(surface(Volume(grid=blocks.grid, values=smooth), 0.5)))
    return known


def bone_mesh(scan: Scan) -> MeshArrays | None:
    """Return everything above 250 HU in pieces of at least 1 ml: bone, and contrast medium where it is."""
    blocks = _block_mean(scan.volume, BONE_VOXEL_MM)
    dense = blocks.values > BONE_HU
    labels, _ = ndimage.label(dense)
    sizes = np.bincount(labels.ravel())
    large = sizes * blocks.grid.voxel_volume_ml >= _LEAST_BONE_ML
    large[0] = False
    if not large.any():
        return None
    # Grey values next to the kept pieces give the surface its place between the blocks.
    near = ndimage.binary_dilation(large[labels])
    return lighter(surface(Volume(grid=blocks.grid, values=np.where(near, blocks.values, -1000.0)), BONE_HU))


def lighter(mesh: MeshArrays, most: int = MOST_TRIANGLES) -> MeshArrays:
    """Return a mesh of at most about `most` triangles, merged where the surface is flat.

    Method: quadric error metrics, Garland and Heckbert (1997), as VTK has them; the volume stays.
    """
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

    if len(mesh.triangles) <= most:
        return mesh
    to_numpy: Any = numpy_support.vtk_to_numpy
    fewer = vtkQuadricDecimation()
    fewer.SetInputData(as_polydata(mesh.points_mm, mesh.triangles))
    fewer.SetTargetReduction(1.0 - most / len(mesh.triangles))
    fewer.VolumePreservationOn()
    fewer.Update()
    output = fewer.GetOutput()
    triangles = to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return _mesh(to_numpy(output.GetPoints().GetData()).astype(np.float64), triangles.astype(np.int32))


def thinned(field: Volume, voxel_mm: float) -> Volume:
    """Return every n-th voxel of a smooth field, where n steps come nearest to `voxel_mm` along each axis.

    The last layer is repeated where it would be lost, so that closed surfaces stay closed.
    """
    steps = [max(1, round(voxel_mm / s)) for s in field.grid.spacing_mm]
    if max(steps) == 1:
        return field
    extra = [(-(n - 1)) % step for n, step in zip(field.grid.size, steps, strict=True)]
    values = np.pad(field.values, [(0, extra[2]), (0, extra[1]), (0, extra[0])], mode="edge")
    values = values[:: steps[2], :: steps[1], :: steps[0]]
    return Volume(grid=_coarser(field.grid, values.shape, steps, 0.0), values=values)


def _block_mean(volume: Volume, voxel_mm: float) -> Volume:
    steps = [max(1, round(voxel_mm / s)) for s in volume.grid.spacing_mm]
    steps = [min(step, n) for step, n in zip(steps, volume.grid.size, strict=True)]
    counts = [n // step for n, step in zip(volume.grid.size, steps, strict=True)]
    a, b, c = (counts[axis] * steps[axis] for axis in (2, 1, 0))
    blocks = volume.values[:a, :b, :c].reshape(counts[2], steps[2], counts[1], steps[1], counts[0], steps[0])
    values = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    return Volume(grid=_coarser(volume.grid, values.shape, steps, 0.5), values=values)


def _coarser(grid: Grid, shape: tuple[int, ...], steps: list[int], shift: float) -> Grid:
    corner = grid.index_to_mm([shift * (step - 1) for step in steps])
    return Grid(
        size=(shape[2], shape[1], shape[0]),
        spacing_mm=(
            grid.spacing_mm[0] * steps[0],
            grid.spacing_mm[1] * steps[1],
            grid.spacing_mm[2] * steps[2],
        ),
        origin_mm=(float(corner[0]), float(corner[1]), float(corner[2])),
        direction=grid.direction,
    )


def _flying_edges(values: Floats, level: float) -> tuple[npt.NDArray[np.float64], Ints]:
    """Return points in indices ``(n, 3)`` as i, j, k and triangles wound for a right-handed grid."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    to_vtk: Any = numpy_support.numpy_to_vtk
    to_numpy: Any = numpy_support.vtk_to_numpy
    nothing = np.zeros((0, 3)), np.zeros((0, 3), np.int32)
    if min(values.shape) < 2 or not float(values.min()) <= level < float(values.max()):
        return nothing
    flat = np.ascontiguousarray(values).ravel()
    lattice = vtkImageData()
    lattice.SetDimensions(values.shape[2], values.shape[1], values.shape[0])
    lattice.GetPointData().SetScalars(to_vtk(flat, deep=False))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(lattice)
    contour.SetValue(0, level)
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    output = contour.GetOutput()
    if output.GetNumberOfPolys() == 0:
        return nothing
    points = to_numpy(output.GetPoints().GetData())
    triangles = to_numpy(output.GetPolys().GetConnectivityArray())
    return points.astype(np.float64), triangles.reshape(-1, 3).astype(np.int32)


def _mesh(points: npt.NDArray[np.float64], triangles: npt.NDArray[Any]) -> MeshArrays:
    triangles = np.ascontiguousarray(triangles, np.int32)
    return MeshArrays(
        points_mm=points.astype(np.float32),
        triangles=triangles,
        normals=normals_of(points, triangles).astype(np.float32),
    )
