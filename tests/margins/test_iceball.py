"""Ice ball sizes against spheres, ellipsoids and capsules."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.geometry import perpendicular, point_to_segment_mm
from cryoplan.margins.iceball import (
    ProbeAxis,
    cold_fraction,
    gradient_length,
    isotherm_size,
    isotherm_surface,
    mean_probe_axis,
    touches_border,
)
from tests.support.analytic import (
    SLOPE_K_PER_MM,
    catalogue,
    centres_mm,
    cube,
    ice,
    ice_ball,
    plan,
    probe,
)

OBLIQUE = np.array([2.0, -1.0, 2.0]) / 3.0


@pytest.mark.parametrize("threshold", [0.0, -20.0, -40.0])
@pytest.mark.parametrize("spacing", [0.7, 1.0, 2.0])
def test_sphere_has_its_volume_and_diameters_at_every_threshold_and_spacing(threshold, spacing):
    grid = cube(int(56 / spacing), spacing, centre_mm=(30.0, -80.0, 1200.0))
    centre = np.array([30.2, -80.3, 1200.4])
    field = ice_ball(grid, centre, 22.0)
    radius = 22.0 + threshold / SLOPE_K_PER_MM
    size = isotherm_size(
        isotherm_surface(field, threshold),
        ProbeAxis(direction=OBLIQUE, middle_mm=centre),
        when="minimum",
        threshold_degc=threshold,
    )
    assert size.volume_ml == pytest.approx(
        4.0 / 3.0 * np.pi * radius**3 / 1000.0, rel=0.002 + 0.6 * (spacing / radius) ** 2
    )
    for diameter in (size.length_mm, size.width_mm, size.equivalent_diameter_mm):
        assert diameter == pytest.approx(2.0 * radius, abs=0.1 * spacing)
    assert size.section_area_mm2 == pytest.approx(
        np.pi * radius**2, rel=0.002 + 0.4 * (spacing / radius) ** 2
    )


def test_oblique_ellipsoid_is_measured_along_and_across_its_probe():
    u, v = perpendicular(OBLIQUE)
    frame = np.stack([OBLIQUE, u, v])
    semi = np.array([22.0, 15.0, 11.0])
    grid = cube(56)
    distance = (np.linalg.norm((centres_mm(grid) @ frame.T) / semi, axis=-1) - 1.0) * 11.0
    size = isotherm_size(
        isotherm_surface(ice(grid, distance), 0.0),
        ProbeAxis(direction=OBLIQUE, middle_mm=np.zeros(3)),
        when=300.0,
        threshold_degc=0.0,
    )
    assert size.when == 300.0
    assert size.length_mm == pytest.approx(44.0, abs=0.1)
    assert size.width_mm == pytest.approx(30.0, abs=0.1)
    assert size.section_area_mm2 == pytest.approx(np.pi * 15.0 * 11.0, rel=0.01)
    assert size.equivalent_diameter_mm == pytest.approx(2.0 * np.sqrt(15.0 * 11.0), rel=0.005)
    assert size.volume_ml == pytest.approx(4.0 / 3.0 * np.pi * 22.0 * 15.0 * 11.0 / 1000.0, rel=0.01)


def test_width_is_the_largest_extent_across_and_not_the_extent_along_a_fixed_direction():
    # Two parallel probes 16 mm apart along (1, 1, 0): the ice is widest in that direction.
    grid = cube(60)
    across = np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)
    points = centres_mm(grid)
    distance = np.minimum(
        *(
            point_to_segment_mm(
                points, side * 8.0 * across - [0, 0, 10.0], side * 8.0 * across + [0, 0, 10.0]
            )
            for side in (-1.0, 1.0)
        )
    )
    size = isotherm_size(
        isotherm_surface(ice(grid, distance - 10.0), 0.0),
        ProbeAxis(direction=np.array([0.0, 0.0, 1.0]), middle_mm=np.zeros(3)),
        when="minimum",
        threshold_degc=0.0,
    )
    assert size.width_mm == pytest.approx(36.0, abs=0.1)
    assert size.length_mm == pytest.approx(40.0, abs=0.1)


def test_without_an_axis_or_without_ice_only_the_volume_is_told():
    field = ice_ball(cube(30), (0, 0, 0), 8.0)
    size = isotherm_size(isotherm_surface(field, 0.0), None, when="minimum", threshold_degc=0.0)
    assert size.volume_ml > 2.0
    assert (size.length_mm, size.width_mm, size.section_area_mm2) == (None, None, None)
    axis = ProbeAxis(direction=OBLIQUE, middle_mm=np.zeros(3))
    empty = isotherm_size(isotherm_surface(field, -139.9), axis, when="minimum", threshold_degc=-139.9)
    assert empty.volume_ml == 0.0
    assert empty.equivalent_diameter_mm is None


def test_mean_axis_lies_between_the_probes_and_its_middle_between_their_active_zones():
    a = probe("1", (-10.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    b = probe("2", (10.0, 0.0, 0.0), (0.0, 1.0, 0.2))
    axis = mean_probe_axis(plan(a, b), catalogue())
    assert axis is not None
    assert np.linalg.norm(axis.direction) == pytest.approx(1.0)
    assert np.degrees(np.arctan2(axis.direction[2], axis.direction[1])) == pytest.approx(
        np.degrees(np.arctan2(0.2, 1.0)) / 2.0
    )
    # 4 mm of tip and half of 30 mm active zone behind the tips.
    back = 19.0 * (np.array([0.0, 1.0, 0.0]) + np.array([0.0, 1.0, 0.2]) / np.hypot(1.0, 0.2)) / 2.0
    assert axis.middle_mm == pytest.approx(-back)


def test_no_probe_and_probes_that_face_each_other_have_no_axis():
    against = plan(probe("1", (0, 0, -20.0), (0, 0, -1.0)), probe("2", (0, 0, 20.0), (0, 0, 1.0)))
    assert mean_probe_axis(against, catalogue()) is None
    from cryoplan.plan.plan import Plan

    assert mean_probe_axis(Plan(), catalogue()) is None


def test_ice_at_the_border_is_noticed_on_each_side():
    grid = cube(30)
    assert not touches_border(ice_ball(grid, (0, 0, 0), 10.0), 0.0)
    for axis in range(3):
        for side in (-12.0, 12.0):
            centre = np.zeros(3)
            centre[axis] = side
            field = ice_ball(grid, centre, 6.0)
            assert touches_border(field, 0.0)
            assert not touches_border(field, -20.0)


def test_cold_fractions_add_up_to_the_volume_of_a_sphere():
    grid = cube(40)
    field = ice_ball(grid, (0.3, 0.1, -0.4), 13.0)
    gradient = gradient_length(field.values, grid)
    assert float(gradient[grid.shape[0] // 2, grid.shape[1] // 2, 33]) == pytest.approx(
        SLOPE_K_PER_MM, rel=0.01
    )
    for threshold in (0.0, -20.0):
        radius = 13.0 + threshold / SLOPE_K_PER_MM
        total = float(cold_fraction(field.values, gradient, threshold, 1.0).sum(dtype=float))
        assert total == pytest.approx(4.0 / 3.0 * np.pi * radius**3, rel=0.005)


def test_a_level_field_is_wholly_cold_or_wholly_warm():
    flat = np.full((3, 3, 3), -20.0, np.float32)
    zero = np.zeros_like(flat)
    assert cold_fraction(flat, zero, -19.9, 1.0).min() == 1.0
    assert cold_fraction(flat, zero, -20.1, 1.0).max() == 0.0


def test_gradient_of_one_layer_is_refused():
    from cryoplan.core.grid import Grid

    grid = Grid(size=(5, 5, 1), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0))
    with pytest.raises(ValueError, match="two voxels"):
        gradient_length(np.zeros(grid.shape), grid)
