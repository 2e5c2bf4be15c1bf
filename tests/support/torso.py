"""A torso of formulas: body, table, an arm apart, lungs, gas, spine, fat and vessels with contrast."""

from __future__ import annotations

import numpy as np

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from tests.support.grids import grid_of, places

AORTA_MM, BRANCH_MM = 20.0, 8.0

GRIDS = {
    "thin slices": grid_of((190, 150, 60), (2.0, 2.0, 2.0)),
    "thick flipped": grid_of((230, 180, 24), (1.65, 1.65, 5.0), axes=np.diag([1.0, -1.0, -1.0])),
    "sagittal": grid_of((150, 60, 190), (2.0, 2.0, 2.0), axes=np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])),
}


def oblique(degrees: float = 12.0) -> Grid:
    """Return a grid whose slices are tilted against the patient's axes."""
    a = np.radians(degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    return grid_of((190, 150, 60), (2.0, 2.0, 2.0), axes=turn * [1.0, -1.0, 1.0])


def tube(p: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """Return what lies in a tube along z."""
    return np.hypot(p[..., 0] - x, p[..., 1] - y) <= radius


def oval(p: np.ndarray, x: float, y: float, a: float, b: float) -> np.ndarray:
    """Return what lies in an elliptic column along z."""
    return ((p[..., 0] - x) / a) ** 2 + ((p[..., 1] - y) / b) ** 2 <= 1.0


def torso(
    where: Grid, *, contrast: bool = True, noise: float = 10.0, foam_mm: float = 8.0
) -> tuple[Volume, dict[str, np.ndarray]]:
    """Return the scan and the truth of each part, in the patient's own axes about the middle of the grid.

    The patient lies `foam_mm` above the table.
    """
    p = places(where) - where.centre_mm()
    z = p[..., 2]
    body = oval(p, 0, 0, 140, 95)
    flesh = oval(p, 0, 0, 122, 78)
    lung = (oval(p, -62, 10, 38, 45) | oval(p, 62, 10, 38, 45)) & (z > 10)
    gas = np.linalg.norm(p - [30, -45, -30], axis=-1) <= 16
    vertebra, canal = tube(p, 0, 45, 20), tube(p, 0, 70, 7)
    arch = tube(p, 0, 70, 12) & ~canal & (np.mod(z, 30) < 22)
    aorta, branch = tube(p, -12, 8, AORTA_MM / 2), tube(p, -75, -20, BRANCH_MM / 2) & (z < -5)
    values = np.full(where.shape, -1000.0)
    values[body] = -100
    values[flesh] = 50
    values[lung] = -850
    values[gas] = -1000
    values[vertebra] = 170
    values[vertebra & ~tube(p, 0, 45, 16)] = 450
    values[arch] = 400
    blood = 160 if contrast else 45
    values[aorta | branch] = blood
    top = 95.0 + foam_mm
    values[(p[..., 1] > 95.0) & (p[..., 1] < top)] = -930
    table = (np.abs(p[..., 1] - top - 2.0) < 2.0) | (np.abs(p[..., 1] - top - 26.0) < 2.0)
    values[table & (np.abs(p[..., 0]) < 180) & ~body] = 150
    arm = tube(p, 165, 20, 20)
    values[arm] = 40
    values += np.random.default_rng(3).normal(0.0, noise, where.shape)
    truth = {
        "body": body,
        "lung": lung,
        "gas": gas,
        "bone": vertebra | arch,
        "canal": canal,
        "fat": body & ~flesh,
        "vessel": aorta | branch,
        "table": table & ~body,
        "arm": arm & ~body,
        "branch": branch,
        "aorta": aorta,
    }
    return Volume(grid=where, values=np.rint(values).astype(np.int16)), truth


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return twice the shared voxels over the sum of both."""
    return 2.0 * np.count_nonzero(a & b) / max(np.count_nonzero(a) + np.count_nonzero(b), 1)
