"""Vessels: diameters of tubes, textbook wall coefficients, and the same heat through a resolved wall."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StoreError
from cryoplan.core.grid import Grid
from cryoplan.core.resources import resource
from cryoplan.core.volume import Volume
from cryoplan.simulation.conditions import load_conditions, read_conditions
from cryoplan.simulation.partial_volume import overlap
from cryoplan.simulation.vessels import exchange_rate, local_diameter, lumen_of, nusselt, wall_coefficient
from tests.support.analytic import centres_mm

BLOOD = load_conditions().blood
SOURCE = Grid(size=(100, 100, 60), spacing_mm=(0.8, 0.8, 1.0), origin_mm=(-39.6, -39.6, -29.5))


def tube(radius: float, direction=(0.0, 0.0, 1.0), name: str = "portal vein") -> Structure:
    n = np.asarray(direction) / np.linalg.norm(direction)
    points = centres_mm(SOURCE)
    away = np.linalg.norm(points - (points @ n)[..., None] * n, axis=-1)
    mask = Volume(grid=SOURCE, values=away <= radius)
    return Structure(name=name, role=Role.VESSEL, tissue="blood", mask=mask, source="formula")


def test_the_wall_coefficients_are_those_of_the_reference_table():
    # Physics section 7: D = 4 mm, Nu 4: 520; D = 8 mm: 260 W/(m2 K).
    assert float(wall_coefficient(0.004, 0.15)) == pytest.approx(520.0, rel=1e-6)
    assert float(wall_coefficient(0.008, 0.15)) == pytest.approx(260.0, rel=1e-6)
    # A large vein at Re 1500 is laminar: about 100.
    assert float(wall_coefficient(0.020, 1500 * 3.3e-6 / 0.020)) == pytest.approx(104.0, rel=1e-6)


def test_turbulent_flow_follows_the_correlation_and_begins_without_a_jump():
    diameter = 0.02
    speed = 8000 * BLOOD.viscosity.value / diameter
    assert float(nusselt(diameter, speed)) == pytest.approx(0.023 * 8000**0.8 * 25**0.4, rel=1e-9)
    speeds = np.linspace(0.01, 1.5, 2000)
    numbers = np.array([float(nusselt(diameter, v)) for v in speeds])
    assert np.all(np.diff(numbers) >= -1e-12)
    assert np.abs(np.diff(numbers)).max() < 0.6
    assert float(nusselt(diameter, 0.0)) == 0.0


def test_a_conducting_lumen_passes_the_wall_coefficient():
    """Radial conduction with that exchange, by finite volumes: the wall flux per kelvin is h."""
    diameter, speed, k = 0.006, 0.2, BLOOD.conductivity.value
    rate = float(exchange_rate(diameter, speed))
    n = 400
    edges = np.linspace(0.0, 0.5 * diameter, n + 1)
    middle, dr = 0.5 * (edges[1:] + edges[:-1]), edges[1]
    area = np.pi * (edges[1:] ** 2 - edges[:-1] ** 2)
    inner = 2.0 * np.pi * edges[1:-1] * k / dr
    matrix = np.diag(rate * area)
    for cell, g in enumerate(inner):
        matrix[cell, cell] += g
        matrix[cell + 1, cell + 1] += g
        matrix[cell, cell + 1] -= g
        matrix[cell + 1, cell] -= g
    wall = 2.0 * np.pi * edges[-1] * k / (edges[-1] - middle[-1])
    matrix[-1, -1] += wall
    right = np.zeros(n)
    right[-1] = wall  # the wall is 1 K colder
    excess = np.linalg.solve(matrix, right)
    flux = wall * (1.0 - excess[-1]) / (2.0 * np.pi * edges[-1])
    assert flux == pytest.approx(float(wall_coefficient(diameter, speed)), rel=5e-3)


@pytest.mark.parametrize("radius", [2.0, 3.0, 5.0, 9.0])
@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0.6, 0.3)])
def test_the_diameter_of_a_tube_is_found_at_any_slant(radius, direction):
    grid = Grid.isotropic([-8] * 3, [8] * 3, 1.0)
    vessel = tube(radius, direction)
    n = np.asarray(direction) / np.linalg.norm(direction)
    points = centres_mm(grid)
    inside = np.linalg.norm(points - (points @ n)[..., None] * n, axis=-1) < radius - 0.5
    found = local_diameter(vessel, grid)[inside]
    assert np.median(found) == pytest.approx(2.0 * radius, rel=0.2)
    assert found.min() > 2.0 * radius * 0.65


def test_vessels_below_3_mm_are_left_to_the_perfusion():
    grid = Grid.isotropic([-8] * 3, [8] * 3, 1.0)
    assert not lumen_of(tube(1.0), grid)[0].any()
    assert lumen_of(tube(3.0), grid)[0].any()


def test_lumen_does_not_depend_on_the_part_of_the_lattice():
    vessel = tube(6.0, (1, 1, 0.2))
    whole, part = Grid.isotropic([-20] * 3, [20] * 3, 2.0), Grid.isotropic([-4] * 3, [18] * 3, 2.0)
    window = overlap(part, whole)[1]
    for a, b in zip(lumen_of(vessel, whole), lumen_of(vessel, part), strict=True):
        np.testing.assert_array_equal(a[window], b)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Aorta", "aorta"),
        ("inferior_vena_cava", "caval vein"),
        ("portal_vein_and_splenic_vein", "portal vein"),
        ("renal-artery left", "renal artery"),
        ("hepatic artery", "artery"),
        ("portal vein thrombus", "no flow"),
        ("tumour feeder", "vessel"),
    ],
)
def test_the_name_of_a_vessel_says_its_flow(name, title):
    assert load_conditions().vessel_kind(name).title == title


def test_a_table_of_surroundings_without_a_source_is_refused(tmp_path):
    text = resource("surroundings", "default.toml").read_text(encoding="utf-8")
    path = tmp_path / "bad.toml"
    path.write_text(text.replace('source = "room air"', 'source = ""'), encoding="utf-8")
    with pytest.raises(StoreError, match=r"skin\.air\.temperature"):
        read_conditions(path)
    path.write_text(text.replace("[blood]", "[blod]"), encoding="utf-8")
    with pytest.raises(StoreError, match="blood"):
        read_conditions(path)
