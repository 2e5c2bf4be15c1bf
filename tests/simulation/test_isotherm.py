"""Isotherms between voxels: the scale has the bend that the field has, and no other."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.ndimage import map_coordinates

from cryoplan.core.geometry import unit
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.distance import sample
from cryoplan.margins.iceball import isotherm_surface
from cryoplan.margins.surface import Surface, level_surface
from cryoplan.scene.contours import IsothermCutter
from cryoplan.scene.meshes import isotherm_meshes
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.readout import _temperature
from cryoplan.simulation import isotherm
from cryoplan.simulation.exact import NeumannPlanar
from cryoplan.simulation.isotherm import IsothermScale, heat_potential, scale_of
from cryoplan.simulation.tissue import load_tissues
from cryoplan.simulation.verification.blocks import TISSUE
from cryoplan.simulation.verification.standing import StandingFront, standing_front

shares = st.floats(0.0, 1.0)
temperatures = st.floats(-200.0, 60.0)


def cube(edge: int, spacing_mm: float = 1.0) -> Grid:
    half = 0.5 * (edge - 1) * spacing_mm
    return Grid(size=(edge,) * 3, spacing_mm=(spacing_mm,) * 3, origin_mm=(-half,) * 3)


def centres(grid: Grid) -> np.ndarray:
    k, j, i = np.indices(grid.shape)
    return grid.index_to_mm(np.stack([i, j, k], axis=-1))


def field_of(grid: Grid, degc: np.ndarray) -> Volume:
    return Volume(grid=grid, values=np.asarray(degc, np.float32))


def temperatures_of(scale: IsothermScale, values: np.ndarray) -> np.ndarray:
    """Invert the scale by a fine table."""
    degc = np.linspace(-200.0, 60.0, 520_001)
    there = degc + scale.share * (heat_potential(degc) - degc)
    return np.interp(values, there, degc)


def test_the_potential_is_the_integral_of_the_conductivity_of_ice_and_equals_warm_temperatures():
    material = load_tissues().tissue(isotherm.READ_AS).material()
    for degc in (-0.999, 0.0, 12.3, 37.0):
        assert heat_potential(degc) == degc
    for degc in (-1.5, -4.0, -8.0, -20.0, -40.0, -150.0):
        heat = quad(
            lambda t: float(material.conductivity(t)), degc, material.t_u, points=(material.t_l,), limit=200
        )[0]
        assert heat_potential(degc) == pytest.approx(material.t_u - heat / material.k_u, rel=1e-9)


@given(shares, st.lists(temperatures, min_size=2, max_size=40))
def test_a_scale_never_falls_where_temperatures_rise_and_leaves_warm_ones_alone(share, degc):
    scale = IsothermScale(share=share)
    ordered = np.sort(np.asarray(degc, np.float32))
    values = scale.values(ordered)
    assert np.all(np.diff(values) >= 0.0)
    # Where the temperatures differ by more than rounding, so do the values.
    assert np.all(np.diff(values)[np.diff(ordered) > 1e-3] > 0.0)
    warm = ordered >= -1.0
    np.testing.assert_array_equal(values[warm], ordered[warm])
    assert np.all(values <= ordered)


@given(shares, temperatures)
def test_a_value_turns_back_into_its_temperature(share, degc):
    scale = IsothermScale(share=share)
    assert scale.degc(scale.level(degc)) == pytest.approx(degc, abs=2e-4)


def test_what_is_no_number_stays_none_and_nothing_finite_becomes_infinite():
    values = IsothermScale(share=1.0).values([np.nan, -np.inf, np.inf, -1e9])
    assert np.isnan(values[0])
    assert values[1] == -np.inf
    assert values[2] == np.inf
    assert np.isfinite(values[3])


def test_without_ice_a_field_is_read_as_it_is():
    grid = cube(12)
    field = field_of(grid, 20.0 + centres(grid)[..., 0])
    scale = scale_of(field)
    assert scale.share == 0.0
    np.testing.assert_array_equal(scale.values(field.values), field.values)


@settings(max_examples=40, deadline=None)
@given(
    shares, st.tuples(*[st.floats(-1.0, 1.0)] * 3), st.floats(4.0, 20.0), st.floats(-1.0, 1.0), st.booleans()
)
def test_the_share_of_a_field_that_is_straight_on_a_scale_is_found(share, normal, slope, shift, flipped):
    direction = unit(np.asarray(normal) + np.array([0.0, 0.0, 1.5]))
    grid = cube(20)
    if flipped:
        grid = replace(grid, direction=(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    along = centres(grid) @ direction
    along = along - along.mean() - shift
    field = field_of(grid, temperatures_of(IsothermScale(share=share), slope * along))
    assert scale_of(field).share == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
def test_the_curvature_around_a_ball_that_conducts_evenly_is_not_taken_for_a_bend(spacing_mm):
    # Laplace's equation around a cold ball: no bend anywhere, but curved everywhere.
    grid = cube(int(50 / spacing_mm), spacing_mm)
    r = np.linalg.norm(centres(grid) - [0.3, -0.2, 0.4], axis=-1)
    field = field_of(grid, 37.0 - 177.0 * 4.0 / np.maximum(r, 4.0))
    assert scale_of(field).share < 0.05


def _rays_mm(field: Volume, scale: IsothermScale, degc: float, directions: np.ndarray) -> np.ndarray:
    """Return where rays from the LPS origin leave what is at or below a temperature."""
    reach = np.arange(0.0, 28.0, 0.02)
    points = directions[:, None, :] * reach[None, :, None]
    ijk = field.grid.mm_to_index(points.reshape(-1, 3))
    values = map_coordinates(
        scale.values(field.values).astype(float), ijk[:, ::-1].T, order=1, mode="nearest"
    )
    cold = values.reshape(points.shape[:-1]) <= scale.level(degc)
    return reach[cold.shape[1] - 1 - np.argmax(cold[:, ::-1], axis=1)]


AROUND = np.stack([np.cos(np.arange(48) * 0.131), np.sin(np.arange(48) * 0.131), 0.0 * np.arange(48)], axis=1)


def _standing(tissue: str, spacing_mm: float) -> tuple[StandingFront, Volume]:
    """Ice that has stopped growing around a cylinder in perfused tissue."""
    material = replace(load_tissues().tissue(tissue).material(), w=4e4)
    exact = standing_front(material, probe_degc=-100.0, probe_m=1.2e-3, blood_degc=37.0)
    half = int((1000.0 * exact.front_m + 12.0) / spacing_mm)
    grid = Grid(
        size=(2 * half, 2 * half, 5),
        spacing_mm=(spacing_mm,) * 3,
        origin_mm=((0.27 - half) * spacing_mm, (0.41 - half) * spacing_mm, -2.0 * spacing_mm),
    )
    r = np.linalg.norm(centres(grid)[..., :2], axis=-1)
    return exact, field_of(grid, exact.temperature(r / 1000.0))


def _largest(exact: StandingFront, field: Volume, scale: IsothermScale, degc: float) -> float:
    truth = 1000.0 * float(np.interp(degc, exact.profile_degc, exact.profile_m))
    return float(np.abs(_rays_mm(field, scale, degc, AROUND) - truth).max())


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
@pytest.mark.parametrize("tissue", ["liver", "muscle", "kidney"])
def test_ice_that_stands_still_is_read_to_a_twentieth_of_a_voxel(tissue, spacing_mm):
    exact, field = _standing(tissue, spacing_mm)
    scale = scale_of(field)
    # Nothing but conduction bends the temperature where no ice forms.
    assert scale.share > 0.9
    assert _largest(exact, field, scale, 0.0) < 0.06 * spacing_mm
    assert _largest(exact, field, IsothermScale(), 0.0) > 0.09 * spacing_mm
    for degc in (-20.0, -40.0):
        straight = _largest(exact, field, IsothermScale(), degc)
        assert _largest(exact, field, scale, degc) <= straight + 0.02


def test_fat_is_read_better_and_lung_that_conducts_alike_when_frozen_no_worse():
    exact, field = _standing("fat", 1.0)
    assert 0.2 < scale_of(field).share < 0.8
    assert _largest(exact, field, scale_of(field), 0.0) < 0.8 * _largest(exact, field, IsothermScale(), 0.0)
    exact, field = _standing("lung-inflated", 1.0)
    assert scale_of(field).share < 0.05
    straight = _largest(exact, field, IsothermScale(), 0.0)
    assert _largest(exact, field, scale_of(field), 0.0) < straight + 0.02
    # The potential alone, which the share keeps away from lung, would give it ice that it has not.
    assert _largest(exact, field, IsothermScale(share=1.0), 0.0) > straight + 0.1


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
@pytest.mark.parametrize("time_s", [300.0, 900.0])
def test_a_growing_front_of_neumann_is_read_no_worse_than_straight_and_to_a_fifteenth_of_a_voxel(
    spacing_mm, time_s
):
    exact = NeumannPlanar(medium=TISSUE, wall_degc=-140.0)
    normal = unit([3.0, 2.0, 1.0])
    # The front goes through the origin; what lies behind the cold face is as cold as the face.
    grid = cube(int(48 / spacing_mm), spacing_mm)
    depth = centres(grid) @ normal / 1000.0 + exact.front_m(time_s)
    field = field_of(grid, exact.temperature(np.maximum(depth, 0.0), time_s))
    # Latent heat stands against the bend of conduction: most of the share is gone.
    assert scale_of(field).share < 0.3
    x = np.linspace(0.0, 0.08, 800_001)
    for degc in (0.0, -20.0, -40.0):
        truth = 1000.0 * (float(np.interp(degc, exact.temperature(x, time_s), x)) - exact.front_m(time_s))
        measured, straight = (
            _spread(surface, normal, truth)
            for surface in (
                isotherm_surface(field, degc),
                level_surface(field.values, grid, degc, outside=100.0),
            )
        )
        assert measured < max(straight + 0.001, 0.015 * spacing_mm)
        assert measured < spacing_mm / 15.0


def _spread(surface: Surface, normal: np.ndarray, truth_mm: float) -> float:
    """Return the root mean square distance of a surface, away from the ends of its grid, from a plane."""
    points = surface.points_mm[np.linalg.norm(surface.points_mm, axis=1) < 16.0]
    assert len(points) > 100
    return float(np.sqrt(np.mean((points @ normal - truth_mm) ** 2)))


def test_lines_surfaces_margins_and_the_cursor_put_an_isotherm_at_the_same_place():
    exact, field = _standing("liver", 2.0)
    assert scale_of(field).share > 0.9
    for degc in (0.0, -20.0, -40.0):
        radius = 1000.0 * float(np.interp(degc, exact.profile_degc, exact.profile_m))
        plane = SlicePlane(Orientation.AXIAL, 0.0)
        (cut,) = IsothermCutter(field).cut(plane, (degc,))
        middle = plane.mm_to_plane(np.zeros((1, 3)))[0]
        of_lines = np.concatenate([np.linalg.norm(line - middle, axis=1) for line in cut.lines])
        (mesh,) = isotherm_meshes(field, (degc,))
        of_mesh = np.linalg.norm(mesh.points_mm[np.abs(mesh.points_mm[:, 2]) < 2.5][:, :2], axis=1)
        surface = isotherm_surface(field, degc)
        flat = np.abs(surface.points_mm[:, 2]) < 2.5
        of_margin = np.linalg.norm(surface.points_mm[flat][:, :2], axis=1)
        for radii in (of_lines, of_mesh, of_margin):
            assert np.median(radii) == pytest.approx(radius, abs=0.06)
        # The cursor on the surface shows the temperature that the surface stands for.
        on_surface = surface.points_mm[flat][::50]
        shown = [_temperature(field, point) for point in on_surface]
        np.testing.assert_allclose(shown, degc, atol=1.0)
        values = sample(scale_of(field).volume(field), on_surface, outside=37.0)
        np.testing.assert_allclose(values, scale_of(field).level(degc), atol=4.0)


def test_the_share_is_measured_once_and_forgotten_with_its_field(monkeypatch):
    _, field = _standing("liver", 2.0)
    measured = []
    whole = isotherm._share
    monkeypatch.setattr(isotherm, "_share", lambda values: measured.append(1) or whole(values))
    assert scale_of(field) == scale_of(field)
    assert len(measured) == 1
    kept = len(isotherm._SCALES)
    del field
    gc.collect()
    assert len(isotherm._SCALES) < kept


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 1), (3, 3, 3), (1, 1, 30)])
def test_fields_too_small_to_show_a_bend_are_read_as_they_are(shape):
    grid = Grid(size=shape[::-1], spacing_mm=(1.0,) * 3, origin_mm=(0.0,) * 3)
    values = np.linspace(-30.0, 30.0, int(np.prod(shape))).reshape(shape)
    assert 0.0 <= scale_of(field_of(grid, values)).share <= 1.0
    assert scale_of(field_of(grid, np.full(shape, -30.0))).share == 0.0
