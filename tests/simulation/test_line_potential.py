"""Lines that draw heat: their potential, their flux and what part of them a path of heat leads to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.simulation.line_potential import LineSink
from cryoplan.simulation.probe_axis import ProbeAxis
from cryoplan.simulation.probe_wall import probe_wall

LINE = LineSink(np.array([0.0, 9.0, 11.0, 13.0]), np.array([1.0, -0.3, -0.4, -0.3]))


def test_the_outflow_is_the_gradient_of_the_potential():
    rho, z = np.array([0.4, 1.0, 3.0, 0.7]), np.array([-1.0, 5.0, 10.0, 14.0])
    step = 1e-5
    across, along = LINE.outflow(rho**2, z)
    slope = (LINE.potential(rho + step, z) - LINE.potential(rho - step, z)) / (2 * step)
    np.testing.assert_allclose(across * rho, -slope, rtol=1e-7)
    slope = (LINE.potential(rho, z + step) - LINE.potential(rho, z - step)) / (2 * step)
    np.testing.assert_allclose(along, -slope, rtol=1e-6, atol=1e-9)


def test_beside_the_middle_of_a_long_line_the_potential_is_the_logarithm():
    long = LineSink(np.array([-1e4, 1e4]), np.array([1.0, -1.0]))
    phi = long.potential(np.array([1.0, 5.0]), np.zeros(2))
    assert phi[0] - phi[1] == pytest.approx(np.log(5.0), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3), st.tuples(*[st.floats(-0.5, 0.5)] * 3))
def test_the_flux_out_of_a_box_is_the_heat_of_the_line_inside_it(direction, offset):
    back = np.array(direction)
    if np.linalg.norm(back) < 0.1:
        back = np.array([0.0, 0.0, 1.0])
    back /= np.linalg.norm(back)
    axis = ProbeAxis(tuple(offset), tuple(back), np.zeros(3), 1.0)
    half = 16
    span = np.arange(-half, half + 1)
    total = 0.0
    for normal in range(3):
        for side in (-half - 1, half):
            u, v = (grid.ravel() for grid in np.meshgrid(span, span, indexing="ij"))
            lower = np.insert(np.stack([u, v], axis=1), normal, side, axis=1).astype(float)
            flux = axis.face_flux(LINE, lower, np.full(len(lower), normal), np.full(len(lower), 2.0))
            total += np.sign(side) * flux.sum()
    assert total == pytest.approx(2 * np.pi * LINE.drawn[-1], rel=1e-4)


def test_the_heat_passed_counts_the_line_from_its_first_end():
    rho, z = np.zeros(4), np.array([-3.0, 4.0, 10.0, 20.0])
    np.testing.assert_allclose(LINE.passed(rho, z), [0.0, 4.0, 9.7, 11.0], atol=1e-12)


def test_the_flat_end_passes_as_much_heat_as_half_a_radius_of_wall():
    wall = probe_wall(30.0, 0.0, 0.8, 4.0)
    assert wall.drawn[1] == pytest.approx(0.4, rel=0.02)
    assert wall.area[-1] == pytest.approx(2 * np.pi * 0.8 * 30.8)
    assert wall.exchange[-1] == pytest.approx(wall.area[-1])


def test_the_wall_of_a_taper_exchanges_by_its_profile():
    wall = probe_wall(30.0, 5.0, 0.8, 4.0)
    assert wall.area[-1] == pytest.approx(2 * np.pi * 0.8 * 35.8)
    assert wall.exchange[-1] == pytest.approx(2 * np.pi * 0.8 * (32.5 + 0.4))
    assert np.all(np.diff(wall.drawn) >= 0.0)
