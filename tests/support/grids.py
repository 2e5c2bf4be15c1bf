"""Grids for properties: any size, spacing, origin and direction, flipped ones too."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cryoplan.core.grid import Grid


@st.composite
def grids(draw: st.DrawFn, most: int = 14) -> Grid:
    """Return a strategy of small grids."""
    size = [draw(st.integers(2, most)) for _ in range(3)]
    spacing = [draw(st.floats(0.5, 5.0)) for _ in range(3)]
    origin = [draw(st.floats(-200, 200)) for _ in range(3)]
    turn = Rotation.from_euler(
        "xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True
    ).as_matrix()
    flips = [draw(st.sampled_from((1.0, -1.0))) for _ in range(3)]
    return grid_of(size, spacing, origin, turn * flips)


def grid_of(size, spacing, origin=(0.0, 0.0, 0.0), axes=None) -> Grid:
    """Return a grid from anything that looks like its numbers; columns of `axes` are its directions."""
    axes = np.eye(3) if axes is None else np.asarray(axes)
    return Grid(
        size=tuple(int(n) for n in size),
        spacing_mm=tuple(float(s) for s in spacing),
        origin_mm=tuple(float(o) for o in origin),
        direction=tuple(float(a) for a in axes.ravel()),
    )


def turned(degrees: float) -> np.ndarray:
    """Return axes turned about a crooked axis, one of them flipped."""
    axis = np.array([1.0, 2.0, -0.5])
    turn = Rotation.from_rotvec(np.deg2rad(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    return turn * [1.0, -1.0, 1.0]


def places(grid: Grid) -> np.ndarray:
    """Return the LPS positions of all voxels, ``(nk, nj, ni, 3)``."""
    k, j, i = np.indices(grid.shape)
    return grid.index_to_mm(np.stack([i, j, k], axis=-1))
