"""Readout: the status line tells what is there, and only that."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.structure import Role, Structure
from cryoplan.core.volume import Volume
from cryoplan.scene.readout import Readout
from tests.support.scenes import (
    AIR_HU,
    FAT_HU,
    TUMOUR_HU,
    TUMOUR_MM,
    ellipsoid,
    grid_around,
    make_case,
    make_plan,
    points_mm,
    turned,
)


@pytest.fixture(scope="module")
def case():
    return make_case(grid_around((0.0, 0.0, 0.0), (250.0, 190.0, 90.0), (1.0, 1.0, 1.0)))


def test_every_part_of_the_line_is_right_at_a_known_point(case):
    grid = case.planning_grid
    now = Volume(grid=grid, values=(points_mm(grid)[..., 0] * 0.5).astype(np.float32))
    lowest = Volume(grid=grid, values=now.values - 20.0)
    x, y, z = TUMOUR_MM
    reading = Readout(case).read((x + 20.3, y, z), plan=make_plan(), now_degc=now, lowest_degc=lowest)
    assert reading.value == FAT_HU
    assert reading.unit == "HU"
    assert reading.structure == "body"
    assert reading.now_degc == pytest.approx((x + 20.3) / 2, abs=1e-3)
    assert reading.lowest_degc == pytest.approx((x + 20.3) / 2 - 20.0, abs=1e-3)
    # A mask of 1 mm voxels tells the pole of a sphere to half a voxel.
    assert reading.tumour_distance_mm == pytest.approx(8.3, abs=0.5)
    assert reading.probe in ("1", "2")
    assert reading.probe_distance_mm == pytest.approx(np.hypot(6.3, 5.0), abs=1e-6)
    assert reading.texts() == (
        "HU −100",
        "body",
        "now −10 °C",
        "lowest −30 °C",
        f"{reading.tumour_distance_mm:.1f} mm outside tumour",
        f"probe {reading.probe}: 8.0 mm",
    )


def test_the_distance_to_the_tumour_is_that_to_a_sphere_inside_and_far_outside(case):
    readout = Readout(case)
    rng = np.random.default_rng(5)
    for radius in (3.0, 9.0, 11.7, 12.4, 14.0, 30.0, 90.0):
        direction = rng.normal(size=3)
        point = np.asarray(TUMOUR_MM) + radius * direction / np.linalg.norm(direction)
        distance = readout.read(point).tumour_distance_mm
        assert distance == pytest.approx(radius - 12.0, abs=0.45), radius
        assert (distance > 0) == (radius > 12.0)


def test_the_tumour_is_named_before_the_organ_and_the_body_around_it(case):
    organ = Structure(
        name="liver",
        role=Role.ORGAN,
        tissue="liver",
        mask=ellipsoid(case.scan.volume.grid, TUMOUR_MM, (30.0, 30.0, 30.0)),
        source="made",
    )
    readout = Readout(case.changed(structures=(organ, *case.structures)))
    x, y, z = TUMOUR_MM
    assert readout.read(TUMOUR_MM).structure == "tumour 1"
    assert readout.read(TUMOUR_MM).value == TUMOUR_HU
    assert readout.read((x + 20.0, y, z)).structure == "liver"
    assert readout.read((x + 40.0, y, z)).structure == "body"
    assert readout.read(TUMOUR_MM).texts()[-1].endswith("mm inside tumour")


def test_outside_image_and_field_nothing_is_invented(case):
    grid = case.planning_grid
    field = Volume(grid=grid, values=np.zeros(grid.shape, np.float32))
    far = Readout(case).read((0.0, 0.0, 900.0), now_degc=field, lowest_degc=field)
    assert (far.value, far.structure, far.now_degc, far.lowest_degc) == (None, None, None, None)
    assert far.probe is None
    air = Readout(case).read((-122.0, -92.0, 0.0))
    assert air.value == AIR_HU
    assert air.structure is None


def test_oblique_images_are_read_at_the_right_voxel():
    case = make_case(
        grid_around((0.0, 0.0, 0.0), (240.0, 190.0, 80.0), (2.0, 2.0, 4.0), turned((15, -10, 20)))
    )
    readout = Readout(case)
    assert readout.read(TUMOUR_MM).value == TUMOUR_HU
    assert readout.read((0.0, 45.0, 0.0)).value == 500
    assert readout.read(TUMOUR_MM).tumour_distance_mm == pytest.approx(-12.0, abs=1.2)


def test_without_a_target_there_is_no_distance_to_it():
    assert Readout(make_case(with_target=False)).read(TUMOUR_MM).tumour_distance_mm is None
