"""Small scans, masks and cases whose distances are known by construction."""

from __future__ import annotations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import planning_grid
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan, ScanFacts

AIR, WATER = -1000, 40


def rotation(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    """Return a rotation matrix; the test-side twin of the program's own."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    a = np.radians(degrees)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * (k @ k)


def grid(
    size=(40, 36, 30),
    spacing=(2.0, 2.0, 3.0),
    centre=(0.0, 0.0, 0.0),
    direction=None,
) -> Grid:
    """Return a grid whose middle is at `centre`."""
    axes = np.eye(3) if direction is None else np.asarray(direction)
    half = (np.asarray(size) - 1) / 2 * np.asarray(spacing)
    origin = np.asarray(centre) - axes @ half
    return Grid(size=size, spacing_mm=spacing, origin_mm=tuple(origin), direction=tuple(axes.ravel()))


OBLIQUE = rotation((1.0, 2.0, 0.5), 23.0) @ np.diag([1.0, -1.0, -1.0])
FLIPPED = np.diag([-1.0, -1.0, 1.0])
LEFT_HANDED = np.diag([1.0, 1.0, -1.0])


def points_of(where: Grid) -> np.ndarray:
    """Return the LPS positions ``(nk, nj, ni, 3)`` of all voxel centres."""
    k, j, i = np.indices(where.shape)
    return where.index_to_mm(np.stack([i, j, k], axis=-1))


def ball(where: Grid, centre, radius: float) -> Volume:
    """Return the voxels whose centres lie within a ball."""
    return Volume(grid=where, values=np.linalg.norm(points_of(where) - centre, axis=-1) <= radius)


def box(where: Grid, lower, upper) -> Volume:
    """Return the voxels whose centres lie within an axis-aligned LPS box."""
    p = points_of(where)
    return Volume(grid=where, values=np.all((p >= lower) & (p <= upper), axis=-1))


def scan(
    where: Grid | None = None, *, body: Volume | None = None, modality="CT", position="HFS", findings=()
):
    """Return a scan of air with a body of water-like tissue in it (all body when none is given)."""
    where = where or grid()
    values = np.full(where.shape, WATER, np.int16)
    if body is not None:
        values[~body.values] = AIR
    facts = ScanFacts(
        path="made/up",
        kind="nifti",
        code="P-1",
        modality=modality,
        patient_position=position,
        findings=findings,
    )
    return Scan(volume=Volume(grid=where, values=values), facts=facts)


def structure(name: str, mask: Volume, role: Role = Role.OTHER, tissue: str = "soft-tissue") -> Structure:
    """Return a structure whose role is certain."""
    return Structure(name=name, role=role, tissue=tissue, mask=mask, source="test")


def named(name: str, mask: Volume, role: str = "", tissue: str = "") -> NamedMask:
    """Return a mask as a file gives it."""
    return NamedMask(name=name, mask=mask, source="test:1", role=role, tissue=tissue)


def case(image: Scan, *structures: Structure, target: str = "", findings=()) -> Case:
    """Return a case of ready structures."""
    chosen = next((s for s in structures if s.name == target), None)
    return Case(
        code="P-1",
        scan=image,
        structures=structures,
        target_name=target,
        planning_grid=planning_grid(image, chosen),
        findings=findings,
    )
