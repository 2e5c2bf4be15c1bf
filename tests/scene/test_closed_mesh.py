"""Closed meshes: watertight as their readers see them, of the right volume, for any mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryoplan.case.structure import Role, Structure
from cryoplan.core.volume import Volume
from cryoplan.scene.closed_mesh import closed, edges_pair, isotherm_mesh, lathe, structure_surface
from tests.support.scenes import grid_around, make_case, turned

CUBE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1.0]])
FACES = np.array(
    [[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4], [2, 3, 7], [2, 7, 6], [1, 2, 6],
     [1, 6, 5], [0, 4, 7], [0, 7, 3]]
)  # fmt: skip
GRID = grid_around((12.0, -30.0, 45.0), (40.0, 36.0, 30.0), (1.3, 1.1, 1.7), turned((14.0, -21.0, 8.0)))


def structure_of(values, role=Role.OTHER):
    return Structure(
        name="it", role=role, tissue="soft-tissue", mask=Volume(grid=GRID, values=values), source="made"
    )


@pytest.fixture(scope="module")
def case():
    return make_case()


def test_a_cube_is_watertight_and_one_face_less_is_not():
    assert closed(CUBE, FACES).is_watertight
    assert closed(CUBE, FACES).volume_ml() == pytest.approx(1e-3)
    assert not closed(CUBE, FACES[1:]).is_watertight


def test_a_turned_triangle_is_noticed():
    wrong = FACES.copy()
    wrong[3] = wrong[3, ::-1]
    assert not edges_pair(wrong)


def test_points_of_one_place_become_one_and_triangles_without_area_go():
    soup = CUBE[FACES].reshape(-1, 3)
    numbers = np.arange(len(soup)).reshape(-1, 3)
    thin = np.array([[0, 0, 5]])
    mesh = closed(soup, np.concatenate([numbers, thin]))
    assert len(mesh.points_mm) == 8
    assert len(mesh.triangles) == 12
    assert mesh.is_watertight


def test_two_cubes_that_share_an_edge_are_closed_but_not_watertight():
    other = closed(np.concatenate([CUBE, CUBE + np.array([1, 1, 0])]), np.concatenate([FACES, FACES + 8]))
    assert not other.is_watertight
    assert other.volume_ml() == pytest.approx(2e-3)


@given(seed=st.integers(0, 10**6), radius=st.floats(1.5, 9.0), bumps=st.integers(1, 4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lumps_of_any_shape_become_watertight_and_keep_their_volume(case, seed, radius, bumps):
    random = np.random.default_rng(seed)
    k, j, i = np.indices(GRID.shape)
    points = GRID.index_to_mm(np.stack([i, j, k], axis=-1))
    values = np.zeros(GRID.shape, bool)
    for _ in range(bumps):
        middle = GRID.centre_mm() + random.uniform(-8.0, 8.0, 3)
        values |= np.linalg.norm((points - middle) / random.uniform(0.5, 1.5, 3), axis=-1) <= radius
    if not values.any():
        return
    structure = structure_of(values)
    mesh = structure_surface(structure, case)
    assert mesh.volume_ml() == pytest.approx(structure.volume_ml, rel=0.01)
    assert mesh.is_watertight


def test_a_structure_that_fills_its_image_is_closed_at_the_border(case):
    mesh = structure_surface(structure_of(np.ones(GRID.shape, bool)), case)
    assert mesh.is_watertight
    assert mesh.volume_ml() == pytest.approx(np.prod(GRID.size) * GRID.voxel_volume_ml, rel=0.01)


@pytest.mark.parametrize("role", [Role.VESSEL, Role.OTHER])
def test_voxels_that_touch_at_an_edge_or_a_corner_only_have_a_watertight_surface(case, role):
    for second in ((8, 9, 9), (9, 8, 9), (9, 9, 8), (8, 7, 9), (7, 9, 8), (9, 9, 9), (9, 7, 9), (8, 8, 8)):
        values = np.zeros(GRID.shape, bool)
        values[8, 8, 8] = values[second] = True
        structure = structure_of(values, role)
        mesh = structure_surface(structure, case)
        assert mesh.is_watertight, second
        assert mesh.volume_ml() == pytest.approx(structure.volume_ml, rel=0.01)


def test_even_noise_has_a_watertight_surface(case):
    values = np.random.default_rng(1).random(GRID.shape) < 0.3
    structure = structure_of(values)
    mesh = structure_surface(structure, case)
    assert mesh.is_watertight
    assert mesh.volume_ml() == pytest.approx(structure.volume_ml, rel=0.01)


def test_what_is_too_large_for_that_is_closed_all_the_same_and_says_so(case, monkeypatch):
    monkeypatch.setattr("cryoplan.scene.closed_mesh._MOST_PARTS", 10)
    values = np.zeros(GRID.shape, bool)
    values[8, 8, 8] = values[8, 9, 9] = True
    structure = structure_of(values)
    mesh = structure_surface(structure, case)
    assert not mesh.is_watertight
    assert mesh.volume_ml() == pytest.approx(structure.volume_ml, rel=1e-4)


def test_ice_that_reaches_the_border_of_its_block_is_closed_there():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    cold = np.full(grid.shape, 37.0, np.float32)
    cold[:, :, :9] = -60.0
    mesh = isotherm_mesh(Volume(grid=grid, values=cold), -20.0)
    assert mesh.is_watertight
    assert mesh.volume_ml() > 0.0


def test_a_voxel_at_the_very_temperature_tears_no_hole():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    k, j, i = np.indices(grid.shape)
    # Whole numbers: many voxels are exactly at the threshold.
    cold = (4.0 * (abs(i - 10) + abs(j - 10) + abs(k - 10)) - 40.0).astype(np.float32)
    for threshold in (0.0, -20.0, -40.0):
        assert isotherm_mesh(Volume(grid=grid, values=cold), threshold).is_watertight


@given(
    direction=st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda d: np.linalg.norm(d) > 0.1),
    radius=st.floats(0.2, 3.0),
    length=st.floats(5.0, 200.0),
)
@settings(max_examples=40, deadline=None)
def test_needles_of_any_direction_are_watertight_cylinders(direction, radius, length):
    back = np.asarray(direction) / np.linalg.norm(direction)
    mesh = lathe(np.array([30.0, -80.0, 410.0]), back, (0.0, length), radius)
    assert mesh.is_watertight
    assert mesh.volume_ml() == pytest.approx(np.pi * radius**2 * length / 1000.0, rel=2e-3)
