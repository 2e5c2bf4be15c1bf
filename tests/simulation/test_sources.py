"""Sub-grid probes: the faces around a probe draw what its true wall would draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.simulation.sources import Drive, ProbeSource, probe_faces
from tests.support import blocks

ORIGIN_M = np.full(3, -0.03)
coordinate = st.floats(-1.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.tuples(coordinate, coordinate, coordinate), st.tuples(coordinate, coordinate, coordinate))
def test_wall_area_of_the_links_is_that_of_the_probe_anywhere(middle, direction):
    if np.linalg.norm(direction) < 0.1:
        direction = (0.0, 0.0, 1.0)
    probe = blocks.probe(middle_mm=middle, back=direction)
    faces = probe_faces(probe, (60, 60, 60), ORIGIN_M, 0.001)
    side = 2 * np.pi * probe.radius_m * probe.reach_m
    caps = 2 * np.pi * probe.radius_m**2
    assert faces.wall_share.sum() == pytest.approx(side + caps, rel=1e-6)
    assert np.all(faces.log_resistance > 0)
    assert np.all(faces.contact_area <= faces.wall_share + 1e-15)
    beside = 2 * np.pi * probe.radius_m * (probe.length_m + 0.5 * probe.taper_m)
    at_tip = np.pi * probe.radius_m**2
    assert faces.contact_area.sum() == pytest.approx(beside + at_tip, rel=1e-6)
    assert np.all((faces.depth >= 0.0) & (faces.depth <= 1.0))
    assert np.all(np.isfinite(faces.face_factor))
    assert not set(faces.link_cell) & set(faces.cells)


def test_conductance_of_a_ring_is_that_of_a_cylinder_shell():
    # All wall faces of a slab together: sum of I / ln(r/r_w) = 2 pi / ln(r_eff / r_w), r_eff between
    # the nearest and the farthest of the ring's cells.
    for offset in ((0.0, 0.0), (0.5, 0.5), (0.31, 0.17)):
        probe = ProbeSource(
            name="1", begin_m=(offset[0] / 1000, offset[1] / 1000, -1.0), back=(0.0, 0.0, 1.0), length_m=2.0,
            taper_m=0.0, radius_m=0.0009, freeze=blocks.ARGON,
        )  # fmt: skip
        faces = probe_faces(probe, (1, 41, 41), np.array([-0.02, -0.02, 0.0]), 0.001)
        total = float((1.0 / faces.log_resistance).sum()) / 0.001
        r_eff = 0.0009 * np.exp(2 * np.pi / total)
        assert 0.001 < r_eff < 0.0025
        assert faces.wall_share.sum() == pytest.approx(2 * np.pi * 0.0009 * 0.001, rel=1e-9)


def test_exchange_fades_over_the_taper():
    probe = blocks.probe()
    np.testing.assert_allclose(
        probe.exchange_profile(np.array([0.0, 0.015, 0.0165, 0.018])), [1.0, 1.0, 0.5, 0.0], atol=1e-12
    )


def test_a_probe_outside_the_lattice_touches_nothing():
    faces = probe_faces(blocks.probe(middle_mm=(500.0, 0.0, 0.0)), (20, 20, 20), ORIGIN_M, 0.001)
    assert len(faces.cells) == len(faces.link_cell) == len(faces.face_cell) == 0


def test_drive_follows_phase_and_switching_times():
    gas = Drive(end_degc=20.0, coefficient=2000.0, tau_s=5.0)
    probe = blocks.probe(start_s=60.0, stop_s=300.0, thaws=(("helium", gas),))
    assert probe.drive(0.0, "freeze") is None
    assert probe.drive(60.0, "freeze") == blocks.ARGON
    assert probe.drive(100.0, "helium") == gas
    assert probe.drive(100.0, "electric") is None
    assert probe.drive(300.0, "freeze") is None
