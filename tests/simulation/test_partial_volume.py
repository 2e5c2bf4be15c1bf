"""Partial volume: cells are filled as the formulas of spheres, planes and cylinders say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.simulation.partial_volume import coverage, overlap, plane_fraction
from cryoplan.simulation.steady import steady_field
from cryoplan.simulation.tissue import load_tissues
from tests.support.analytic import ball_distance_mm, centres_mm

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
units = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda n: np.linalg.norm(n) > 0.1)


@given(units, st.floats(-1.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_the_part_of_a_cube_beside_a_plane_is_what_counting_points_says(normal, depth):
    n = np.asarray(normal) / np.linalg.norm(normal)
    line = (np.arange(40) + 0.5) / 40 - 0.5
    points = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)
    counted = float((points @ n + depth > 0.0).mean())
    assert float(plane_fraction([depth], [n])[0]) == pytest.approx(counted, abs=0.02)
    # The other side holds the rest.
    assert float(plane_fraction([-depth], [-n])[0]) == pytest.approx(
        1.0 - float(plane_fraction([depth], [n])[0]), abs=1e-9
    )


def _source(direction, spacing=(0.9, 0.9, 2.5)) -> Grid:
    axes = np.asarray(direction).reshape(3, 3)
    size = tuple(int(np.ceil(70.0 / s)) for s in spacing)
    origin = -axes @ (np.asarray(spacing) * (np.asarray(size) - 1) / 2.0)
    return Grid(size=size, spacing_mm=spacing, origin_mm=tuple(origin), direction=direction)


@pytest.mark.parametrize(
    "direction", [Grid(size=(1, 1, 1), spacing_mm=(1,) * 3, origin_mm=(0,) * 3).direction, OBLIQUE]
)
@pytest.mark.parametrize("edge", [1.0, 2.0])
@pytest.mark.parametrize("radius", [6.0, 15.0])
def test_a_sphere_keeps_its_volume_and_its_border_is_where_it_was_drawn(direction, edge, radius):
    source = _source(direction)
    centre = (1.3, -0.7, 0.4)
    mask = Volume(grid=source, values=ball_distance_mm(source, centre, radius) <= 0.0)
    grid = Grid.isotropic([-22] * 3, [22] * 3, edge)
    part = coverage(mask, grid)
    drawn = np.count_nonzero(mask.values) * source.voxel_volume_ml
    assert float(part.sum(dtype=float)) * grid.voxel_volume_ml == pytest.approx(drawn, rel=0.025)
    # Against the true sphere, counted in sub-cells: the slices of 2.5 mm leave their steps.
    line = (np.arange(8) + 0.5) / 8 - 0.5
    shifts = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3) * edge
    true = np.mean([np.linalg.norm(centres_mm(grid) + s - centre, axis=-1) <= radius for s in shifts], axis=0)
    near = (true > 0.0) & (true < 1.0)
    assert float(np.abs(part - true)[near].mean()) < 0.5 * 2.5 / edge * 0.3
    assert float(np.abs((part > 0.5) != (true > 0.5)).mean()) < 0.01


@pytest.mark.parametrize("edge", [1.0, 2.0])
def test_a_plane_that_moves_fills_cells_in_step(edge):
    """The outline moves in tenths of a millimetre on a fine mask; the mean filling follows within 0.1 mm."""
    source = _source(Grid(size=(1, 1, 1), spacing_mm=(1,) * 3, origin_mm=(0,) * 3).direction, (0.2, 2.0, 2.0))
    grid = Grid.isotropic([-12] * 3, [12] * 3, edge)
    x = centres_mm(source)[..., 0]
    for at in np.arange(-1.0, 1.01, 0.2):
        part = coverage(Volume(grid=source, values=x <= at), grid)
        middle = part[part.shape[0] // 2, part.shape[1] // 2]
        lower = grid.origin_mm[0] - 0.5 * edge
        assert lower + float(middle.sum()) * edge == pytest.approx(at, abs=0.11)


@pytest.mark.parametrize(("inside", "around"), [(0.21, 0.5), (0.5, 0.21), (0.25, 2.0), (2.0, 0.25)])
def test_balls_of_mixed_border_cells_disturb_the_flow_as_true_balls_do(inside, around):
    """Mean conductivity of a box with a ball in it, against Maxwell's formula for few balls."""
    n, radius, centre = 40, 7.0, np.array([0.2, -0.3, 0.4])
    offset = np.stack(np.indices((n, n, n))[::-1], axis=-1) - 0.5 * (n - 1) - centre
    away = np.linalg.norm(offset, axis=-1)
    part = plane_fraction((radius - away).ravel(), offset.reshape(-1, 3)).reshape(away.shape)
    water = load_tissues().tissue("water").material()
    ball, rest = (replace(water, name=str(k), k_u=k) for k in (inside, around))
    eighths = np.rint(8.0 * part).astype(int)
    k = np.array([rest.blend(ball, e / 8.0).k_u for e in range(9)])[eighths]
    field = steady_field(
        k, np.zeros(k.shape), 1.0, blood_degc=0.0, boundary_degc=(-20.0, 20.0, None, None, None, None)
    )
    low, high = k[:-1], k[1:]
    found = float((2.0 * low * high / (low + high) * (field[1:] - field[:-1])).mean(dtype=float))
    phi = 4.0 / 3.0 * np.pi * radius**3 / n**3
    contrast = (inside - around) / (inside + 2.0 * around)
    exact = around * (1.0 + 2.0 * phi * contrast) / (1.0 - phi * contrast)
    assert found - around == pytest.approx(exact - around, rel=0.08)


def test_a_structure_thinner_than_a_cell_keeps_its_volume():
    source = _source(OBLIQUE, (0.8, 0.8, 1.0))
    y = centres_mm(source)[..., 1]
    rod = (np.linalg.norm(centres_mm(source)[..., [0, 2]], axis=-1) <= 0.9) & (np.abs(y) < 15.0)
    mask = Volume(grid=source, values=rod)
    grid = Grid.isotropic([-20] * 3, [20] * 3, 2.0)
    filled = float(coverage(mask, grid).sum(dtype=float)) * grid.voxel_volume_ml
    assert filled == pytest.approx(np.count_nonzero(rod) * source.voxel_volume_ml, rel=0.03)


@pytest.mark.parametrize("radius", [9.0, 30.0])
def test_a_cell_is_filled_alike_whatever_part_of_the_lattice_is_asked_for(radius):
    source = _source(OBLIQUE)
    mask = Volume(grid=source, values=ball_distance_mm(source, (2.0, 1.0, 0.0), radius) <= 0.0)
    # At 0.5 mm the larger ball is too large to be kept whole, so that each grid computes its own part.
    whole = Grid.isotropic([-33] * 3, [33] * 3, 0.5)
    part = Grid.isotropic([-20, 3, -11], [9, 32, 17], 0.5)
    window = overlap(part, whole)[1]
    np.testing.assert_array_equal(coverage(mask, whole)[window], coverage(mask, part))
