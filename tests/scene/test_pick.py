"""Pick: a click means the grip that is seen there, and a drag follows the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.volume import Volume
from cryoplan.scene.meshes import surface
from cryoplan.scene.pick import (
    Grip,
    GripKind,
    Ray,
    mesh_hits_mm,
    nearest_grip,
    on_plane,
    screen_ray,
    skin_point_mm,
    to_screen,
)
from tests.support.scenes import grid_around, points_mm

SIZE = (800.0, 600.0)


def camera_matrix(eye=(0.0, -400.0, 0.0), focus=(0.0, 0.0, 0.0), up=(0.0, 0.0, 1.0), angle=30.0):
    """Textbook look-at and perspective matrices (OpenGL, Redbook appendix F)."""
    eye, focus = np.asarray(eye), np.asarray(focus)
    back = (eye - focus) / np.linalg.norm(eye - focus)
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    view = np.eye(4)
    view[:3, :3] = np.array([right, np.cross(back, right), back])
    view[:3, 3] = -view[:3, :3] @ eye
    near, far, f = 50.0, 1000.0, 1.0 / np.tan(np.radians(angle / 2))
    lens = np.zeros((4, 4))
    lens[0, 0], lens[1, 1] = f * SIZE[1] / SIZE[0], f
    lens[2, 2], lens[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    lens[3, 2] = -1.0
    return lens @ view


coordinate = st.floats(-80.0, 80.0)


@given(st.tuples(coordinate, coordinate, coordinate))
def test_the_ray_through_a_projected_point_passes_the_point(point):
    matrix = camera_matrix(eye=(150.0, -380.0, 90.0))
    x, y, _ = to_screen(matrix, point, SIZE)
    ray = screen_ray(matrix, x, y, SIZE)
    along = np.asarray(point) - ray.origin_mm
    assert np.linalg.norm(along - (along @ ray.direction) * ray.direction) < 1e-6


def test_seen_from_the_front_patient_right_is_on_the_left_and_head_is_up():
    x, y, _ = to_screen(camera_matrix(), (-50.0, 0.0, 40.0), SIZE)
    assert x < SIZE[0] / 2
    assert y < SIZE[1] / 2


def test_a_point_behind_the_camera_is_never_picked():
    behind = Grip(probe="1", kind=GripKind.TIP, position_mm=(0.0, -900.0, 0.0))
    assert np.isinf(to_screen(camera_matrix(), behind.position_mm, SIZE)[2])
    assert nearest_grip([behind], camera_matrix(), 400.0, 300.0, SIZE) is None


def test_the_nearest_grip_within_reach_is_meant():
    matrix = camera_matrix()
    grips = [
        Grip(probe="1", kind=GripKind.TIP, position_mm=(0.0, 0.0, 0.0)),
        Grip(probe="1", kind=GripKind.ENTRY, position_mm=(-60.0, 0.0, 0.0)),
        Grip(probe="2", kind=GripKind.TIP, position_mm=(10.0, 0.0, 0.0)),
    ]
    x, y, _ = to_screen(matrix, (9.0, 0.0, 0.0), SIZE)
    assert nearest_grip(grips, matrix, x, y, SIZE) is grips[2]
    x, y, _ = to_screen(matrix, (-58.0, 0.0, 1.0), SIZE)
    assert nearest_grip(grips, matrix, x, y, SIZE) is grips[1]
    x, y, _ = to_screen(matrix, (0.0, 0.0, 60.0), SIZE)
    assert nearest_grip(grips, matrix, x, y, SIZE) is None


def test_of_two_grips_on_one_spot_the_front_one_is_meant():
    back = Grip(probe="1", kind=GripKind.TIP, position_mm=(0.0, 60.0, 0.0))
    front = Grip(probe="2", kind=GripKind.TIP, position_mm=(0.0, -60.0, 0.0))
    assert nearest_grip([back, front], camera_matrix(), 400.0, 300.0, SIZE) is front
    assert nearest_grip([front, back], camera_matrix(), 400.0, 300.0, SIZE) is front


def test_a_drag_stays_in_its_plane_and_under_the_mouse():
    matrix = camera_matrix(eye=(100.0, -350.0, 60.0))
    start = np.array([-30.0, 10.0, 20.0])
    normal = -np.array([100.0, -350.0, 60.0])
    dragged = on_plane(screen_ray(matrix, 300.0, 200.0, SIZE), start, normal)
    assert (np.asarray(dragged) - start) @ normal == pytest.approx(0.0, abs=1e-6)
    assert np.allclose(to_screen(matrix, dragged, SIZE)[:2], (300.0, 200.0))


def test_a_plane_that_is_never_reached_gives_no_point():
    ray = Ray.between((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    assert on_plane(ray, (0.0, 0.0, 5.0), (0.0, 0.0, 1.0)) is None
    assert on_plane(ray, (-5.0, 0.0, 0.0), (1.0, 0.0, 0.0)) is None


@pytest.fixture(scope="module")
def ball():
    grid = grid_around((10.0, 0.0, 0.0), (60.0, 60.0, 60.0), (1.0, 1.0, 1.0))
    field = 25.0 - np.linalg.norm(points_mm(grid) - (10.0, 0.0, 0.0), axis=-1)
    return surface(Volume(grid=grid, values=field), 0.0)


def test_a_ray_meets_a_ball_twice_from_outside_and_once_from_inside(ball):
    through = Ray.between((-100.0, 3.0, 4.0), (0.0, 3.0, 4.0))
    half = np.sqrt(25.0**2 - 25.0)
    assert np.unique(mesh_hits_mm(through, ball).round(3)) == pytest.approx([110 - half, 110 + half], abs=0.1)
    inside = Ray.between((10.2, 0.3, 0.4), (10.2, 0.3, 50.4))
    assert np.unique(mesh_hits_mm(inside, ball).round(3)) == pytest.approx([24.6], abs=0.1)
    assert mesh_hits_mm(Ray.between((-100.0, 0.0, 40.0), (0.0, 0.0, 40.0)), ball).size == 0


def test_an_entry_snaps_to_the_skin_on_the_line_from_the_target(ball):
    point = skin_point_mm((10.2, 0.3, 0.1), (10.2, -7.0, 0.1), ball)
    assert point == pytest.approx((10.2, -25.0, 0.1), abs=0.1)
    assert skin_point_mm((100.0, 0.0, 0.0), (200.0, 0.0, 0.0), ball) is None
