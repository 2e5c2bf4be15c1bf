"""Margin, coverage and histogram on shapes that are formulas, in all positions and on oblique grids.

Distances within a quarter of a voxel, volumes within half a percent: the demands on the review.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cryoplan.case.structure import Role
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.assess import assess
from tests.support.analytic import (
    SLOPE_K_PER_MM,
    case,
    catalogue,
    centres_mm,
    ice,
    plan,
    result_of,
    structure,
)
from tests.support.scenes import grid_around, turned

DISTANCE_VOXELS = 0.25
VOLUME = 0.005

STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
GRIDS = {
    "straight": (STRAIGHT, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "between voxels": (STRAIGHT, (0.37, -0.21, 0.48), (1.0, 1.0, 1.0)),
    "oblique": (turned((17.0, -31.0, 23.0)), (0.13, 0.4, -0.3), (1.0, 1.0, 1.0)),
    "oblique, far away": (turned((-42.0, 11.0, 68.0)), (-91.7, 33.2, -301.4), (0.8, 0.8, 1.25)),
}
"""Of the image that the structures are drawn on; temperatures are always on a straight grid of 1 mm."""


@pytest.fixture(params=GRIDS, ids=list(GRIDS))
def image(request) -> Grid:
    direction, centre, spacing = GRIDS[request.param]
    return grid_around(centre, (100.0,) * 3, spacing, direction)


def solver_grid(image: Grid) -> Grid:
    centre = middle(image)
    return Grid.isotropic(centre - 33.0, centre + 33.0, 1.0)


def middle(image: Grid) -> np.ndarray:
    """A place near the middle of the image that no voxel or face of it lies on."""
    return image.index_to_mm((np.array(image.size) - 1) / 2.0) + np.array([0.23, -0.36, 0.11])


def ellipsoid(grid: Grid, centre, radii_mm, turn: Rotation | None = None) -> Volume:
    away = centres_mm(grid) - np.asarray(centre)
    if turn is not None:
        away = turn.inv().apply(away.reshape(-1, 3)).reshape(away.shape)
    return Volume(grid=grid, values=((away / np.asarray(radii_mm)) ** 2).sum(-1) <= 1.0)


def points_on(centre, radii_mm, turn: Rotation | None = None, count: int = 20_000) -> np.ndarray:
    """Points spread over an ellipsoid."""
    n = np.arange(count) + 0.5
    z, angle = 1.0 - 2.0 * n / count, np.pi * (1.0 + 5.0**0.5) * n
    flat = np.sqrt(1.0 - z * z)
    unit = np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1)
    points = unit * np.asarray(radii_mm)
    return np.asarray(centre) + (points if turn is None else turn.apply(points))


def reviewed(tumour: Volume, field: Volume, *others):
    patient = case(tumour.grid, structure("tumour", Role.TUMOUR, tumour), *others, planning=field.grid)
    return assess(patient, plan(), catalogue(), result_of(field))


def sphere_ml(radius_mm: float) -> float:
    return 4.0 / 3.0 * np.pi * radius_mm**3 / 1000.0


def lens_ml(r: float, big: float, d: float) -> float:
    """Volume that two spheres share (Weisstein, MathWorld, Sphere-Sphere Intersection)."""
    if d <= abs(big - r):
        return sphere_ml(min(r, big))
    if d >= big + r:
        return 0.0
    shape = d * d + 2 * d * (r + big) - 3 * (r - big) ** 2
    return np.pi * (big + r - d) ** 2 * shape / (12.0 * d) / 1000.0


@pytest.mark.parametrize("shift_mm", [0.0, 3.0, 9.0])
def test_margins_of_spheres_off_centre_are_within_a_quarter_voxel(image, shift_mm):
    centre, grid = middle(image), solver_grid(image)
    along = np.array([0.48, -0.6, 0.64])
    tumour_r, ice_r = 11.3, 20.4
    distance = np.linalg.norm(centres_mm(grid) - centre - shift_mm * along, axis=-1) - ice_r
    found = reviewed(ellipsoid(image, centre, (tumour_r,) * 3), ice(grid, distance))
    for margin in found.margins:
        radius = ice_r + margin.threshold_degc / SLOPE_K_PER_MM
        surface = points_on(centre, (tumour_r,) * 3)
        truth = radius - np.linalg.norm(surface - centre - shift_mm * along, axis=1)
        assert margin.minimum_mm == pytest.approx(truth.min(), abs=DISTANCE_VOXELS)
        assert margin.p05_mm == pytest.approx(np.percentile(truth, 5), abs=DISTANCE_VOXELS)
        assert margin.median_mm == pytest.approx(np.median(truth), abs=DISTANCE_VOXELS)
    if shift_mm:
        opposite = centre - tumour_r * along
        worst = np.asarray(found.margin(0.0).worst_point_mm)
        assert np.linalg.norm(worst - opposite) < 0.35 * tumour_r


@pytest.mark.parametrize("shift_mm", [0.0, 6.0, 14.0])
def test_covered_volumes_of_spheres_off_centre_are_within_half_a_percent(image, shift_mm):
    centre, grid = middle(image), solver_grid(image)
    along = np.array([-0.36, 0.48, 0.8])
    tumour_r, ice_r = 11.3, 20.4
    distance = np.linalg.norm(centres_mm(grid) - centre - shift_mm * along, axis=-1) - ice_r
    found = reviewed(ellipsoid(image, centre, (tumour_r,) * 3), ice(grid, distance))
    for covered in found.coverage:
        whole = sphere_ml(tumour_r + covered.rim_mm)
        cold = lens_ml(tumour_r + covered.rim_mm, ice_r + covered.threshold_degc / SLOPE_K_PER_MM, shift_mm)
        assert covered.whole_ml == pytest.approx(whole, rel=VOLUME)
        assert covered.reached_ml == pytest.approx(cold, abs=VOLUME * whole)
        assert covered.missed_ml == pytest.approx(whole - cold, abs=VOLUME * whole)
        assert covered.fraction == pytest.approx(cold / whole, abs=VOLUME)


@pytest.mark.parametrize("shift_mm", [0.0, 6.0, 14.0])
def test_the_histogram_of_a_sphere_is_that_of_lenses_at_every_temperature(image, shift_mm):
    centre, grid = middle(image), solver_grid(image)
    along = np.array([-0.36, 0.48, 0.8])
    tumour_r, ice_r = 11.3, 20.4
    distance = np.linalg.norm(centres_mm(grid) - centre - shift_mm * along, axis=-1) - ice_r
    found = reviewed(ellipsoid(image, centre, (tumour_r,) * 3), ice(grid, distance))
    histogram = found.histogram("tumour")
    whole = sphere_ml(tumour_r)
    assert histogram.whole_ml == pytest.approx(whole, rel=VOLUME)
    for degc in np.arange(-75.0, 36.0, 3.0):
        cold = lens_ml(tumour_r, max(0.0, ice_r + degc / SLOPE_K_PER_MM), shift_mm)
        assert histogram.volume_below_ml(degc) == pytest.approx(cold, abs=VOLUME * whole), degc
    for covered in found.coverage:
        if covered.rim_mm == 0.0:
            assert histogram.volume_below_ml(covered.threshold_degc) == pytest.approx(
                covered.reached_ml, abs=1e-4 * whole
            )


def test_an_ellipsoid_in_an_ellipsoid_has_the_volumes_and_margins_of_the_formula(image):
    centre, grid = middle(image), solver_grid(image)
    turn = Rotation.from_euler("xyz", (25.0, -40.0, 15.0), degrees=True)
    tumour, cold = np.array([14.0, 10.0, 8.5]), np.array([24.0, 18.0, 15.0])
    away = turn.inv().apply((centres_mm(grid) - centre).reshape(-1, 3))
    # Level sets are ellipsoids of one form: at 0 degC the outer one, at -40 degC one of half its size.
    form = np.sqrt(((away / cold) ** 2).sum(1)).reshape(grid.shape)
    field = Volume(grid=grid, values=np.clip(80.0 * (form - 1.0), -140.0, 37.0).astype(np.float32))
    found = reviewed(ellipsoid(image, centre, tumour, turn), field)
    whole = 4.0 / 3.0 * np.pi * float(np.prod(tumour)) / 1000.0
    assert found.covered(0.0).whole_ml == pytest.approx(whole, rel=VOLUME)
    assert found.covered(0.0).fraction == pytest.approx(1.0, abs=1e-6)
    for degc in (0.0, -20.0, -40.0):
        size = cold * (1.0 + degc / 80.0)
        # Triangles cut the corners of the smallest of the three, 15 mm across, by 0.51 %.
        assert found.volume_ml(degc) == pytest.approx(
            4.0 / 3.0 * np.pi * float(np.prod(size)) / 1000.0, rel=1.1 * VOLUME
        )
        truth = signed_to_ellipsoid(points_on((0, 0, 0), tumour, count=400), size)
        margin = found.margin(degc)
        assert margin.minimum_mm == pytest.approx(truth.min(), abs=DISTANCE_VOXELS)
        assert margin.median_mm == pytest.approx(np.median(truth), abs=DISTANCE_VOXELS)
    histogram = found.histogram("tumour")
    rng = np.random.default_rng(4)
    ball = rng.normal(size=(400_000, 3))
    ball *= (rng.random(len(ball)) ** (1 / 3) / np.linalg.norm(ball, axis=1))[:, None]
    there = 80.0 * (np.sqrt(((ball * tumour / cold) ** 2).sum(1)) - 1.0)
    for degc in (-70.0, -60.0, -50.0, -45.0, -40.0, -35.0, -30.0):
        assert histogram.fraction_below(degc) == pytest.approx((there <= degc).mean(), abs=VOLUME + 0.002)


def signed_to_ellipsoid(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Distance to an ellipsoid along its axes, positive inside it: to the nearest of very many points."""
    from scipy.spatial import cKDTree

    distance = cKDTree(points_on((0, 0, 0), radii, count=400_000)).query(points)[0]
    return np.where(((points / radii) ** 2).sum(1) <= 1.0, distance, -distance)


def test_healthy_ice_is_the_ice_without_the_tumour(image):
    centre, grid = middle(image), solver_grid(image)
    distance = np.linalg.norm(centres_mm(grid) - centre, axis=-1) - 20.4
    found = reviewed(ellipsoid(image, centre, (11.3,) * 3), ice(grid, distance))
    for degc, ml in found.healthy_below_ml:
        radius = 20.4 + degc / SLOPE_K_PER_MM
        expected = max(0.0, sphere_ml(radius) - sphere_ml(min(11.3, radius)))
        assert ml == pytest.approx(expected, abs=VOLUME * sphere_ml(radius))
    assert found.healthy_frozen_ml == dict(found.healthy_below_ml)[0.0]


@pytest.mark.parametrize("gap_mm", [0.6, 4.0, 12.3])
def test_the_gap_between_ice_and_organ_is_within_a_quarter_voxel(image, gap_mm):
    centre, grid = middle(image), solver_grid(image)
    along = np.array([0.6, 0.64, -0.48])
    ice_r, organ_r = 15.2, 6.7
    organ_at = centre + (ice_r + gap_mm + organ_r) * along
    distance = np.linalg.norm(centres_mm(grid) - centre, axis=-1) - ice_r
    bowel = structure("colon", Role.BOWEL, ellipsoid(image, organ_at, (organ_r,) * 3))
    found = reviewed(ellipsoid(image, centre, (8.0,) * 3), ice(grid, distance), bowel)
    colon = next(s for s in found.structures if s.name == "colon")
    assert colon.to_ice_mm == pytest.approx(gap_mm, abs=DISTANCE_VOXELS + 0.1 * (gap_mm < 1.0))
    nearest = centre + (ice_r + gap_mm) * along
    assert np.linalg.norm(np.asarray(colon.near_ice_mm) - nearest) < 3.5


def test_an_organ_with_ice_in_it_has_no_gap_and_one_out_of_reach_has_none_to_tell():
    grid = Grid.isotropic((-45.0, -30.0, -30.0), (45.0, 30.0, 30.0), 1.0)
    distance = np.linalg.norm(centres_mm(grid) - np.array([-20.0, 0, 0]), axis=-1) - 12.0
    near = structure("near", Role.BOWEL, ellipsoid(grid, (-8.0, 0.0, 0.0), (5.0,) * 3))
    far = structure("far", Role.BOWEL, ellipsoid(grid, (38.0, 0.0, 0.0), (5.0,) * 3))
    found = reviewed(ellipsoid(grid, (-20.0, 0, 0), (8.0,) * 3), ice(grid, distance), near, far)
    gaps = {s.name: s.to_ice_mm for s in found.structures}
    assert gaps["near"] == 0.0
    assert gaps["far"] is None
    warm = Volume(grid=grid, values=np.full(grid.shape, 30.0, np.float32))
    found = reviewed(ellipsoid(grid, (-20.0, 0, 0), (8.0,) * 3), warm, near)
    assert {s.to_ice_mm for s in found.structures} == {None}
    assert found.histogram("near").fraction_below(0.0) == 0.0
