"""Distances to a drawn outline: exact against every face, and near the shape that was meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.surface import signed_distance_mm
from cryoplan.core.volume import Volume
from tests.support.cases import FLIPPED, LEFT_HANDED, OBLIQUE, ball, grid

GRIDS = {
    "plain": grid(size=(24, 22, 20), spacing=(2, 2, 2)),
    "thick slices": grid(size=(30, 30, 9), spacing=(0.8, 0.8, 5), centre=(50, -20, 300)),
    "oblique": grid(size=(20, 26, 12), spacing=(1.5, 1.0, 3), centre=(5, 6, 7), direction=OBLIQUE),
    "flipped": grid(size=(20, 26, 12), spacing=(1.5, 1.0, 3), centre=(5, 6, 7), direction=FLIPPED),
    "left-handed": grid(size=(20, 26, 12), spacing=(1.5, 1.0, 3), direction=LEFT_HANDED),
}


def brute(mask: Volume, points: np.ndarray) -> np.ndarray:
    """Measure every face of every set voxel that has an unset neighbour, as a rectangle."""
    where, spacing = mask.grid, np.asarray(mask.grid.spacing_mm)
    values = mask.values
    local = where.mm_to_index(points) * spacing
    best = np.full(len(points), np.inf)
    for k, j, i in np.argwhere(values):
        for axis in range(3):
            for side in (-1, 1):
                other = [i, j, k]
                other[axis] += side
                beyond = min(other) < 0 or any(o >= n for o, n in zip(other, where.size, strict=True))
                if not beyond and values[other[2], other[1], other[0]]:
                    continue
                centre = np.array([i, j, k], float)
                centre[axis] += 0.5 * side
                half = 0.5 * spacing.copy()
                half[axis] = 0
                gap = np.maximum(np.abs(local - centre * spacing) - half, 0)
                best = np.minimum(best, np.linalg.norm(gap, axis=1))
    index = np.rint(where.mm_to_index(points)).astype(int)
    inside = [bool(np.all(n >= 0) and np.all(n < where.size) and values[n[2], n[1], n[0]]) for n in index]
    return np.where(inside, -best, best)


@pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS)
def test_distances_are_those_of_all_faces(where):
    mask = ball(where, np.add(where.centre_mm(), (1, -2, 0.5)), 6)
    rng = np.random.default_rng(3)
    near = where.centre_mm() + rng.normal(0, 8, (200, 3))
    far = where.centre_mm() + rng.normal(0, 80, (50, 3))
    points = np.concatenate([near, far])
    assert signed_distance_mm(mask, points) == pytest.approx(brute(mask, points), abs=0.05)


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=12),
    st.integers(0, 1000),
)
def test_scattered_voxels_at_the_edge_of_the_grid_too(voxels, seed):
    where = grid(size=(5, 5, 4), spacing=(1, 2, 4))
    values = np.zeros(where.shape, bool)
    for i, j, k in voxels:
        values[k, j, i] = True
    mask = Volume(grid=where, values=values)
    points = np.random.default_rng(seed).uniform(-15, 15, (40, 3))
    assert signed_distance_mm(mask, points) == pytest.approx(brute(mask, points), abs=0.2)


@pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS)
def test_distances_to_a_ball_are_within_half_a_voxel_of_the_ball(where):
    centre = where.centre_mm()
    mask = ball(where, centre, 8)
    rng = np.random.default_rng(4)
    directions = rng.normal(0, 1, (100, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    radii = rng.uniform(0, 30, 100)
    found = signed_distance_mm(mask, centre + radii[:, None] * directions)
    half_voxel = 0.5 * float(np.linalg.norm(where.spacing_mm))
    assert np.abs(found - (radii - 8)).max() <= half_voxel
