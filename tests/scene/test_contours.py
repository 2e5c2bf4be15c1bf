"""Contours: isotherms, outlines and probe marks lie where geometry says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.planning import structure_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.volume import Volume
from cryoplan.margins.distance import distance_to_surface_mm
from cryoplan.margins.outline import outline
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.probe import Probe
from cryoplan.scene.contours import (
    IsothermCutter,
    OutlineCutter,
    project_probe,
    scale_bar_mm,
    strength_at,
)
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.shape import shape_field
from cryoplan.scene.slices import SliceSampler
from tests.support.scenes import (
    TUMOUR_MM,
    ellipsoid,
    grid_around,
    make_case,
    points_mm,
    turned,
)


def enclosed(line: np.ndarray) -> float:
    u, v = line.T
    return abs(float(np.sum(u[:-1] * v[1:] - u[1:] * v[:-1]))) / 2.0


@pytest.mark.parametrize("direction", [turned((0, 0, 0)), turned((20, -15, 35)), turned((0, 180, 0))])
@pytest.mark.parametrize("orientation", Orientation)
def test_the_isotherm_of_a_round_field_is_a_circle_of_its_radius(direction, orientation):
    centre = np.array([12.0, -30.0, 210.0])
    grid = grid_around(tuple(centre), (60.0, 60.0, 60.0), (1.0, 1.0, 1.0), direction)
    field = np.linalg.norm(points_mm(grid) - centre, axis=-1) * 4.0 - 80.0
    cutter = IsothermCutter(Volume(grid=grid, values=field.astype(np.float32)))
    plane = SlicePlane(orientation, float(centre[orientation.axis]) + 3.3)
    isotherms = cutter.cut(plane, (0.0, -20.0, -40.0))
    middle = plane.mm_to_plane(centre)
    for isotherm, radius in zip(isotherms, (20.0, 15.0, 10.0), strict=True):
        (line,) = isotherm.lines
        assert np.allclose(line[0], line[-1])
        expected = np.sqrt(radius**2 - 3.3**2)
        assert np.abs(np.linalg.norm(line - middle, axis=1) - expected).max() < 0.05


def test_there_are_no_isotherms_outside_the_field_nor_at_temperatures_it_does_not_reach():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0), turned((0, 0, 30)))
    cutter = IsothermCutter(Volume(grid=grid, values=np.full(grid.shape, -30.0, np.float32)))
    assert cutter.cut(SlicePlane(Orientation.AXIAL, 50.0), (0.0,))[0].lines == ()
    assert cutter.cut(SlicePlane(Orientation.AXIAL, 0.0), (-40.0,))[0].lines == ()


def structure_on(grid, *, name="kidney", role=Role.ORGAN):
    mask = ellipsoid(grid, TUMOUR_MM, (9.0, 12.0, 15.0))
    return Structure(name=name, role=role, tissue="tumour", mask=mask, source="made")


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 5.0), (5.0, 0.9, 0.9)])
@pytest.mark.parametrize("direction", [turned((0, 0, 0)), turned((0, 180, 90))])
def test_outlines_do_not_shift_and_keep_their_area(spacing, direction):
    grid = grid_around(TUMOUR_MM, (60.0, 60.0, 60.0), spacing, direction)
    structure = structure_on(grid)
    cutter = OutlineCutter(structure, make_case())
    for orientation in Orientation:
        plane = SliceSampler(structure.mask).nearest_plane(orientation, TUMOUR_MM[orientation.axis])
        (line,) = cutter.cut(plane)
        image = SliceSampler(structure.mask).extract(plane)
        du, dv = image.spacing_mm
        assert enclosed(line) == pytest.approx(image.values.sum() * du * dv, rel=0.03)
        middle = (line.min(axis=0) + line.max(axis=0)) / 2.0
        # The voxels themselves may be half a pixel off the true centre.
        assert np.all(np.abs(middle - plane.mm_to_plane(TUMOUR_MM)) < 0.55 * np.array([du, dv]) + 0.1)


def test_the_outline_of_the_target_is_the_surface_that_margins_are_measured_from():
    case = make_case()
    plane = SlicePlane(Orientation.AXIAL, TUMOUR_MM[2])
    (line,) = OutlineCutter(case.target, case).cut(plane)
    measured = outline("tumour 1", structure_mask(case.target, case.planning_grid)).surface
    gap = distance_to_surface_mm(plane.plane_to_mm(*line.T), measured)
    assert len(line) > 50
    assert gap.max() < 0.05


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1.0, 1.0, 1.0), (0.8, 0.8, 4.0), (1.0, 3.0, 1.0)]))
def test_the_outline_never_passes_the_centre_of_a_voxel(seed, spacing):
    grid = grid_around((0.0, 0.0, 0.0), (10 * spacing[0], 9 * spacing[1], 8 * spacing[2]), spacing)
    values = np.random.default_rng(seed).random(grid.shape) < 0.2
    values[4, 4, 4] = True
    mask = Volume(grid=grid, values=values)
    field = shape_field(mask)
    at = SliceSampler(field)
    points = points_mm(grid).reshape(-1, 3)
    shown = [at.value_at(p) for p in points]
    for value, inside in zip(shown, values.ravel(), strict=True):
        assert (value is not None and value > 0) == inside


def test_a_wall_of_one_voxel_does_not_vanish():
    grid = grid_around((0.0, 0.0, 0.0), (30.0, 30.0, 30.0), (1.0, 1.0, 1.0))
    values = np.zeros(grid.shape, bool)
    values[5:25, 5:25, 15] = True
    wall = Structure(
        name="wall",
        role=Role.DIAPHRAGM,
        tissue="muscle",
        mask=Volume(grid=grid, values=values),
        source="made",
    )
    (line,) = OutlineCutter(wall, make_case()).cut(SlicePlane(Orientation.AXIAL, 0.0))
    u, v = np.ptp(line, axis=0)
    assert 0.05 < u < 1.2
    assert v == pytest.approx(20.0, abs=1.2)


def probe(tip, entry):
    return Probe(name="7", model="generic-15g", tip_mm=tip, entry_mm=entry)


def test_a_probe_is_projected_with_its_crossing_and_its_distances():
    model = load_catalogue().model("generic-15g")
    plane = SlicePlane(Orientation.AXIAL, 10.0)
    mark = project_probe(probe((0.0, 0.0, 0.0), (0.0, -30.0, 40.0)), model, plane, index=2)
    assert mark.tip_uv == (0.0, 0.0)
    assert mark.entry_uv == (0.0, -30.0)
    assert mark.crossing_uv == pytest.approx((0.0, -7.5))
    assert (mark.tip_distance_mm, mark.entry_distance_mm) == (-10.0, 30.0)
    assert mark.strength == 1.0
    front, back = mark.active_uv
    assert np.hypot(front[0], front[1]) == pytest.approx(0.6 * model.tip_offset.value)
    length = 0.6 * model.active_length.value
    assert np.hypot(back[0] - front[0], back[1] - front[1]) == pytest.approx(length)
    assert mark.active_distance_mm == 0.0


def test_marks_off_the_slice_are_fainter_and_never_gone():
    model = load_catalogue().model("generic-15g")
    far = project_probe(probe((0.0, 0.0, 0.0), (50.0, 0.0, 5.0)), model, SlicePlane(Orientation.AXIAL, -60.0))
    assert far.crossing_uv is None
    assert far.strength == 0.25
    assert strength_at(1.0) == 1.0
    assert 0.25 < strength_at(-10.0) < 1.0


@pytest.mark.parametrize(
    ("width", "length", "label"),
    [(200.0, 50.0, "5 cm"), (100.0, 20.0, "2 cm"), (40.0, 10.0, "1 cm"), (39.0, 5.0, "5 mm")],
)
def test_the_scale_bar_has_a_round_length_that_fits(width, length, label):
    assert scale_bar_mm(width) == (pytest.approx(length), label)


def test_a_view_without_width_has_no_scale_bar():
    with pytest.raises(ValueError, match="positive width"):
        scale_bar_mm(0.0)
