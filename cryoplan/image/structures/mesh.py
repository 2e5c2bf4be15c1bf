"""Mesh -> mask: axes that are stated and never assumed, a closed surface, its share of each voxel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan
from cryoplan.image.structures.coverage import as_mask, fill
from cryoplan.image.structures.found import (
    StructureFile,
    empty,
    leaves,
    left_out,
    nothing_left,
    outside,
    refusal,
)
from cryoplan.image.structures.mesh_file import ENDINGS, Mesh, read_mesh_file

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AXES = {"LPS": (1.0, 1.0, 1.0), "RAS": (-1.0, -1.0, 1.0)}
"""Factor that takes x, y, z of a mesh to LPS."""

CROSSING_SHARE = 0.02
"""Share of its volume that the even-odd rule and the direction of the triangles may judge differently."""

# Sections through a slice of voxels and lines in a row of them: even numbers, so that none runs through the
# centres of voxels, where surfaces traced from voxels lie and rounding would decide.
_SHEETS = 6
_LINES = 6


def is_mesh(path: Path) -> bool:
    """Tell by its ending whether a file is a mesh: STL has no first bytes of its own."""
    return path.suffix.lower() in ENDINGS and path.is_file()


def read_mesh(path: Path, scan: Scan | None, axes: str = "") -> StructureFile:
    """Read the closed surfaces of a mesh file as masks on the voxels of a scan.

    Parameters
    ----------
    path : Path
        STL (binary or text), OBJ or PLY. Objects of an OBJ file become structures of their own.
    scan : Scan
        The image that the mesh belongs to.
    axes : str
        ``LPS`` or ``RAS``; may be empty when the file states it (``SPACE=LPS``, as Slicer writes).

    Raises
    ------
    StructureError
        If the axes are not known (the message says which look right), the surface is not closed or crosses
        itself, or it leaves the image.
    """
    file = path.name
    if scan is None:
        raise StructureError(
            f"{file} is a mesh, which has no voxels of its own.",
            "Load the image that it belongs to first.",
            code="needs-image",
            place=file,
        )
    if axes and axes not in AXES:
        raise StructureError(
            f"{axes!r} are no axes of a mesh.", "Say LPS or RAS.", code="mesh-axes-unknown", place=file
        )
    meshes, stated = read_mesh_file(path)
    if axes and stated and axes != stated:
        raise StructureError(
            f"{file} states that its axes are {stated}, not {axes}.",
            f"Choose {stated}, or correct the file's header.",
            code="mesh-axes-differ",
            place=file,
        )
    grid = scan.volume.grid
    if not axes and not stated:
        raise StructureError(
            f"{file} does not say whether its axes are LPS or RAS. {_guess(meshes, grid)}",
            "State the axes of the mesh.",
            code="mesh-axes-unstated",
            place=file,
        )
    factor = np.array(AXES[axes or stated])
    masks: list[NamedMask] = []
    findings: list[Finding] = []
    for mesh in meshes:
        name = mesh.name.strip() or path.stem
        points_ijk = grid.mm_to_index(mesh.points * factor)
        away = left_out(file, name, points_ijk[np.unique(mesh.triangles)], grid)
        if away is not None:
            findings.append(away)
            continue
        mask = mesh_mask(points_ijk, mesh.triangles, grid, name, file)
        if not mask.values.any():
            findings.append(empty(name, file))
            continue
        masks.append(NamedMask(name=name, mask=mask, source=f"{file} ({axes or stated})"))
    if not masks:
        raise nothing_left(file, findings)
    return StructureFile(masks=tuple(masks), findings=tuple(findings))


def _guess(meshes: tuple[Mesh, ...], grid: Grid) -> str:
    """Say as which axes the meshes would lie in the image."""
    within = []
    for axes, factor in AXES.items():
        places = [grid.mm_to_index(m.points[np.unique(m.triangles)] * np.array(factor)) for m in meshes]
        if not any(leaves(points, grid) or outside(points, grid) for points in places):
            within.append(axes)
    if len(within) == 2:
        return "It would lie in the image either way."
    if not within:
        return "It would leave the image either way."
    other = "RAS" if within[0] == "LPS" else "LPS"
    return f"As {within[0]} it would lie in the image, as {other} it would not: {within[0]} is likely."


def mesh_mask(points_ijk: FloatArray, triangles: IntArray, grid: Grid, name: str, file: str) -> Volume:
    """Return the voxels of which half lies inside a closed surface (even-odd rule), and thin parts.

    Parameters
    ----------
    points_ijk : array (n, 3)
        Corners in index coordinates of `grid`.
    triangles : array (m, 3)
        Their numbers; the direction in which they turn does not matter.

    Raises
    ------
    StructureError
        If the surface has an open edge, or crosses itself so that inside and outside are a guess.
    """
    points, triangles = _merged(points_ijk, triangles)
    turned = _check_closed(triangles, name, file)
    signed = abs(_signed_volume(points, triangles))
    values = np.zeros(grid.shape, bool)
    box = VoxelBox.around(grid, grid.index_to_mm(points), max(grid.spacing_mm))
    if box is None:
        return Volume(grid=grid, values=values)
    covered = np.zeros(box.shape, np.float32)
    lower = np.asarray(box.first_ijk[:2], float)
    z = points[triangles, 2]
    low, high = z.min(axis=1), z.max(axis=1)
    for number, share in enumerate(covered):  # each slice is written in place
        k = box.first_ijk[2] + number
        near = triangles[(high >= k - 0.5) & (low < k + 0.5)]
        for sheet in range(_SHEETS if len(near) else 0):
            height = k - 0.5 + (sheet + 0.5) / _SHEETS
            share += fill(_section(points, near, height) - lower, box.shape[1:], lines=_LINES) / _SHEETS
    even_odd = float(covered.sum(dtype=float))
    # Only where all triangles turn alike does their direction tell how often the surface goes round.
    if turned and abs(even_odd - signed) > max(CROSSING_SHARE * max(even_odd, signed), 4.0):
        raise refusal(
            file,
            name,
            "has a surface that crosses itself, so that its inside is not certain",
            "Repair the mesh, or export the structure as a label map.",
            "mesh-crosses-itself",
        )
    values[box.place] = as_mask(covered, whole_volume=True)
    return Volume(grid=grid, values=values)


def _merged(points: FloatArray, triangles: IntArray) -> tuple[FloatArray, IntArray]:
    """Make corners at the very same place one, and leave out triangles without an area between three."""
    used, number = np.unique(triangles, return_inverse=True)
    unique, index = np.unique(points[used], axis=0, return_inverse=True)
    triangles = index.ravel()[number.reshape(triangles.shape)].astype(np.int64)
    a, b, c = triangles.T
    return unique, triangles[(a != b) & (b != c) & (c != a)]


def _check_closed(triangles: IntArray, name: str, file: str) -> bool:
    """Refuse a surface with open edges; tell whether all its triangles turn the same way."""
    if len(triangles) == 0:
        raise refusal(file, name, "is a mesh without an area", "Choose another mesh.", "mesh-open")
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    forward = np.where(edges[:, 0] < edges[:, 1], 1, -1)
    keys = edges.min(axis=1) * (int(triangles.max()) + 1) + edges.max(axis=1)
    _, at, count = np.unique(keys, return_inverse=True, return_counts=True)
    open_edges = int(np.count_nonzero(count % 2))
    if open_edges:
        raise refusal(
            file,
            name,
            f"is a mesh that is not closed ({open_edges} open edges), so it has no inside",
            "Close its holes, or export the structure as a label map.",
            "mesh-open",
        )
    return not bool(np.bincount(at.ravel(), forward).any())


def _signed_volume(points: FloatArray, triangles: IntArray) -> float:
    a, b, c = (points[triangles[:, n]] - points.mean(axis=0) for n in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def _section(points: FloatArray, triangles: IntArray, height: float) -> FloatArray:
    """Return the pieces ``(n, 2, 2)`` in which a plane k = height cuts triangles.

    Each cut is worked out from its edge's corners in one fixed order, so that two triangles that share an
    edge give the very same point and the outlines are closed to the last bit.
    """
    above = points[triangles, 2] >= height
    number = above.sum(axis=1)
    cut = (number == 1) | (number == 2)
    triangles, above, number = triangles[cut], above[cut], number[cut]
    # The corner that is alone on its side, and the two edges that leave it.
    alone = np.argmax(np.where(number[:, None] == 1, above, ~above), axis=1)
    row = np.arange(len(triangles))
    tip = triangles[row, alone]
    ends = []
    for step in (1, 2):
        other = triangles[row, (alone + step) % 3]
        first, second = points[np.minimum(tip, other)], points[np.maximum(tip, other)]
        share = (height - first[:, 2]) / (second[:, 2] - first[:, 2])
        ends.append(first[:, :2] + share[:, None] * (second[:, :2] - first[:, :2]))
    return np.stack(ends, axis=1)
