"""A made-up patient for tests of what problems are made of: soft tissue under air, any structures."""

from __future__ import annotations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from tests.support import analytic

# A flipped, turned and anisotropic scan: its axes run along -y, +x and +z.
SCAN_GRID = Grid(
    size=(70, 60, 40),
    spacing_mm=(2.0, 2.5, 3.0),
    origin_mm=(-75.0, 70.0, -60.0),
    direction=(0, 1, 0, -1, 0, 0, 0, 0, 1),
)

FRONT_MM = -40.0
"""The skin is the plane y = -40; the body lies behind it."""


def coordinates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, y, z of the scan's voxels."""
    points = analytic.centres_mm(SCAN_GRID)
    return points[..., 0], points[..., 1], points[..., 2]


def body(
    *structures: Structure, hu: np.ndarray | None = None, modality: str = "CT", target: str = ""
) -> Case:
    """Return a CT of soft tissue (60 HU) behind the skin, air in front of it."""
    _, y, _ = coordinates()
    values = np.where(y < FRONT_MM, -1000, 60 if hu is None else hu).astype(np.int16)
    scan = Scan(
        volume=Volume(grid=SCAN_GRID, values=values),
        facts=ScanFacts(path="", kind="phantom", code="c", modality=modality),
    )
    planning = Grid.isotropic([-20] * 3, [20] * 3, 1.0)
    return Case(code="c", scan=scan, structures=structures, target_name=target, planning_grid=planning)


def structure(name: str, role: Role, tissue: str, inside: np.ndarray) -> Structure:
    """Return a structure from a formula on the scan's voxels."""
    return Structure(
        name=name, role=role, tissue=tissue, mask=Volume(grid=SCAN_GRID, values=inside), source="formula"
    )


def ball(name: str, role: Role, tissue: str, centre: tuple[float, float, float], radius: float) -> Structure:
    """Return a ball."""
    return structure(name, role, tissue, analytic.ball(SCAN_GRID, centre, radius).values)
