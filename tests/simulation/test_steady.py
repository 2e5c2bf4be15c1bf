"""Steady field: the closed forms of slabs under convection and with blood, at any side of the grid."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.simulation.steady import steady_field
from cryoplan.simulation.surroundings import Exchange

K, W, AIR, H = 0.4, 2500.0, 22.0, 7.5


def _skin(cells: np.ndarray, edge: float, degc: float = AIR, h: float = H) -> Exchange:
    """Convection on one face of each cell: contact and half a cell in series."""
    rate = 1.0 / (1.0 / h + 0.5 * edge / K) / edge
    return Exchange(kind="skin", cells=cells, rate=np.full(len(cells), rate), degc=np.full(len(cells), degc))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("edge", [0.001, 0.002])
def test_a_slab_under_convection_has_the_profile_of_the_closed_form(axis, edge):
    """T = 37 - A cosh(m (L - x)), insulated at L, convection at 0."""
    n = int(0.06 / edge)
    shape = [24, 24, 24]
    shape[axis] = n
    index = np.indices(shape)[axis]
    cells = np.flatnonzero(index.ravel() == 0)
    field = steady_field(
        np.full(shape, K), np.full(shape, W), edge, blood_degc=37.0, exchanges=[_skin(cells, edge)]
    )
    length, m = n * edge, np.sqrt(W / K)
    x = (np.arange(n) + 0.5) * edge
    amplitude = H * (37.0 - AIR) / (K * m * np.sinh(m * length) + H * np.cosh(m * length))
    exact = 37.0 - amplitude * np.cosh(m * (length - x))
    profile = np.moveaxis(field, axis, 0)
    np.testing.assert_allclose(profile[:, 3, 5], exact, atol=0.05)
    assert float(np.ptp(profile, axis=(1, 2)).max()) < 0.05


def test_without_blood_the_profile_between_air_and_a_held_face_is_a_line():
    n, edge = 40, 0.001
    shape = (12, 12, n)
    cells = np.flatnonzero(np.indices(shape)[2].ravel() == 0)
    field = steady_field(
        np.full(shape, K),
        np.zeros(shape),
        edge,
        blood_degc=37.0,
        exchanges=[_skin(cells, edge)],
        boundary_degc=(None, None, None, None, None, 37.0),
    )
    flux = (37.0 - AIR) / (1.0 / H + n * edge / K)
    exact = AIR + flux / H + flux * (np.arange(n) + 0.5) * edge / K
    np.testing.assert_allclose(field[5, 5], exact, atol=0.05)


def test_held_cells_keep_their_temperature_and_void_ones_conduct_nothing():
    shape, edge = (30, 30, 30), 0.001
    held = np.zeros(shape, bool)
    held[:, :, 0] = True
    void = np.zeros(shape, bool)
    void[:, :, 15] = True
    field = steady_field(
        np.full(shape, K),
        np.full(shape, W),
        edge,
        blood_degc=37.0,
        held=held,
        held_degc=np.full(shape, 43.0, np.float32),
        void=void,
    )
    np.testing.assert_array_equal(field[:, :, 0], 43.0)
    m = np.sqrt(W / K)
    # Half a cell of difference at the wall: the held value is that of the cell's centre.
    x = np.arange(15) * edge
    exact = 37.0 + 6.0 * np.cosh(m * (0.0145 - x)) / np.cosh(m * 0.0145)
    np.testing.assert_allclose(field[9, 11, :15], exact, atol=0.05)
    np.testing.assert_allclose(field[:, :, 16:], 37.0, atol=1e-3)


def test_a_body_that_nothing_cools_is_as_warm_as_its_blood():
    field = steady_field(np.full((20, 21, 22), K), np.full((20, 21, 22), W), 0.002, blood_degc=37.0)
    np.testing.assert_array_equal(field, np.float32(37.0))


def test_the_heat_that_leaves_is_the_heat_that_blood_brings():
    rng = np.random.default_rng(1)
    shape, edge = (40, 44, 48), 0.002
    k = rng.choice([0.21, 0.5], shape)
    w = rng.choice([1900.0, 40e3, 0.0], shape)
    cells = np.flatnonzero(np.indices(shape)[0].ravel() == 0)
    skin = _skin(cells, edge)
    field = steady_field(k, w, edge, blood_degc=37.0, exchanges=[skin]).astype(float)
    leaves = float((skin.rate * (field.ravel()[cells] - AIR)).sum())
    brought = float((w * (37.0 - field)).sum())
    assert brought == pytest.approx(leaves, rel=1e-2)
