"""Skin: the area of planes and spheres is right at any orientation, and so is the heat through them."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.partial_volume import overlap
from cryoplan.simulation.skin_exchange import exchange_rate, find_skin
from tests.support.analytic import centres_mm

BODY = Grid(size=(90, 90, 60), spacing_mm=(1.8, 1.8, 2.5), origin_mm=(-80.1, -80.1, -73.75))
AXES = [(1, 0, 0), (0, -1, 0), (1, 1, 0), (1, 1, 1), (0.3, -0.5, 0.8), (0.1, 0.05, 1)]


def _half_space(normal, at=0.3) -> Volume:
    n = np.asarray(normal) / np.linalg.norm(normal)
    return Volume(grid=BODY, values=centres_mm(BODY) @ n <= at)


@pytest.mark.parametrize("edge", [1.0, 2.0])
@pytest.mark.parametrize("normal", AXES)
def test_a_plane_has_its_true_area_at_any_slant(edge, normal):
    grid = Grid.isotropic([-20.5 * edge] * 3, [20.5 * edge] * 3, edge)
    skin = find_skin(_half_space(normal), grid)
    # The plane's part of the cube, counted in the middle of the cube so that its rim does not matter.
    n = np.asarray(normal) / np.linalg.norm(normal)
    points = centres_mm(grid).reshape(-1, 3)[skin.cells]
    across = points - (points @ n)[:, None] * n
    radius = 14.0 * edge
    area = float(skin.area[np.linalg.norm(across, axis=1) < radius].sum()) * edge**2
    assert area == pytest.approx(np.pi * radius**2, rel=0.03)


@pytest.mark.parametrize("edge", [1.0, 2.0])
@pytest.mark.parametrize("radius", [18.0, 30.0])
def test_a_sphere_has_its_true_area(edge, radius):
    centre = np.array([0.7, -0.4, 1.1])
    body = Volume(grid=BODY, values=np.linalg.norm(centres_mm(BODY) - centre, axis=-1) <= radius)
    skin = find_skin(body, Grid.isotropic([-40] * 3, [40] * 3, edge))
    drawn = (3.0 * np.count_nonzero(body.values) * BODY.voxel_volume_ml * 1000 / (4 * np.pi)) ** (1 / 3)
    assert float(skin.area.sum()) * edge**2 == pytest.approx(4 * np.pi * drawn**2, rel=0.03)
    # Cells with skin are cells of the body with a neighbour outside.
    assert not skin.void.ravel()[skin.cells].any()


def test_the_skin_lies_within_a_cell_of_the_cells_beside_it():
    n = np.array([0.3, -0.5, 0.8]) / np.linalg.norm([0.3, -0.5, 0.8])
    grid = Grid.isotropic([-20] * 3, [20] * 3, 1.0)
    skin = find_skin(_half_space(n), grid)
    true = 0.3 - centres_mm(grid).reshape(-1, 3)[skin.cells] @ n
    assert float(np.abs(skin.distance - np.clip(true, 0.1, 1.5)).mean()) < 0.35


def test_a_body_goes_on_beyond_the_image_as_it_is_at_its_edge():
    grid = Grid.isotropic([-10, -10, 60], [10, 10, 110], 2.0)
    skin = find_skin(_half_space((1, 0, 0)), grid)
    x = centres_mm(grid)[..., 0]
    assert float((skin.void == (x > 0.3)).mean()) > 0.97


def test_skin_does_not_depend_on_the_part_of_the_lattice():
    body = _half_space((0.3, -0.5, 0.8))
    whole, part = Grid.isotropic([-30] * 3, [30] * 3, 2.0), Grid.isotropic([-9] * 3, [21] * 3, 2.0)
    window = overlap(part, whole)[1]
    a, b = find_skin(body, whole), find_skin(body, part)
    np.testing.assert_array_equal(a.void[window], b.void)
    area = np.zeros(whole.shape, np.float32)
    area.ravel()[a.cells] = a.area
    other = np.zeros(part.shape, np.float32)
    other.ravel()[b.cells] = b.area
    np.testing.assert_allclose(area[window], other, atol=1e-6)


def test_contact_and_tissue_resist_in_series():
    bag = load_conditions().contact("warm-bag")
    assert bag is not None
    rate = float(exchange_rate([1.0], [0.5], [0.5], bag, 0.001)[0])
    assert rate == pytest.approx(1.0 / (1.0 / 150.0 + 0.0005 / 0.5) / 0.001)
    assert load_conditions().contact("insulated") is None
