"""Kept volume: what is drawn in 3D encloses what was outlined, however small, thin or coarsely sliced."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.structure import Role, Structure
from cryoplan.case.surface import signed_distance_mm
from cryoplan.core.volume import Volume
from cryoplan.scene.kept_volume import faces_of, fitted, volume_mm3, without_stairs
from cryoplan.scene.meshes import structure_mesh
from tests.support.scenes import TUMOUR_MM, grid_around, make_case, points_mm, turned

GRIDS = {
    "straight": ((1.0, 1.0, 1.0), turned((0, 0, 0))),
    "oblique": ((0.9, 1.1, 1.3), turned((25, -15, 40))),
    "thick slices": ((0.8, 0.8, 5.0), turned((0, 0, 0))),
    "thick oblique slices": ((0.8, 0.8, 5.0), turned((12, 8, -5))),
}
TURN = np.asarray(turned((20, 35, 10))).reshape(3, 3)


def ball(radius):
    return (2 * radius + 20,) * 3, lambda p: np.linalg.norm(p, axis=-1) <= radius


SHAPES = {
    "ball of 5 mm": ball(5.0),
    "ball of 10 mm": ball(10.0),
    "ball of 40 mm": ball(40.0),
    "shell of 1.5 mm": ((60,) * 3, lambda p: np.abs(np.linalg.norm(p, axis=-1) - 20.0) <= 0.75),
    "ring": ((70, 70, 40), lambda p: np.hypot(np.hypot(p[..., 0], p[..., 1]) - 20.0, p[..., 2]) <= 6.0),
    "thin ring": ((70, 70, 40), lambda p: np.hypot(np.hypot(p[..., 0], p[..., 1]) - 20.0, p[..., 2]) <= 2.6),
    "oblique ellipsoid": ((80,) * 3, lambda p: (((p @ TURN) / (10.0, 16.0, 28.0)) ** 2).sum(-1) <= 1.0),
    "oblique plate": ((80,) * 3, lambda p: (((p @ TURN) / (3.0, 16.0, 28.0)) ** 2).sum(-1) <= 1.0),
}


def structure(shape: str, grid: str, role: Role, name: str = "it") -> Structure:
    edges, inside = SHAPES[shape]
    spacing, direction = GRIDS[grid]
    where = grid_around(TUMOUR_MM, edges, spacing, direction)
    mask = Volume(grid=where, values=inside(points_mm(where) - np.asarray(TUMOUR_MM)))
    return Structure(name=name, role=role, tissue="liver", mask=mask, source="made")


def edges_used(triangles: np.ndarray) -> np.ndarray:
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return np.unique(edges, axis=0, return_counts=True)[1]


@pytest.mark.parametrize("role", [Role.TUMOUR, Role.ORGAN, Role.VESSEL, "target"])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_surface_encloses_the_volume_of_its_voxels_and_stays_within_one_of_them(shape, grid, role):
    case = make_case()
    made = structure(shape, grid, Role.TUMOUR if role == "target" else role)
    if role == "target":
        case = case.changed(structures=(*case.structures, made), target_name=made.name)
    mesh = structure_mesh(made, case)
    assert mesh.volume_ml() == pytest.approx(made.volume_ml, rel=0.01)
    spacing = GRIDS[grid][0]
    # What is thinned for drawing may cut a corner of its wider lattice.
    reach = max(*spacing, 2.0 if role == Role.ORGAN else 1.0)
    assert np.abs(signed_distance_mm(made.mask, mesh.points_mm)).max() <= reach
    assert np.all(edges_used(mesh.triangles) % 2 == 0)


@pytest.mark.parametrize("target", ["target_1", "target_2", "target_3", "target_4"])
def test_every_structure_of_the_liver_ct_keeps_its_volume_also_a_target_of_a_quarter_millilitre(
    data_root, target
):
    from cryoplan import workflow
    from cryoplan.scene.meshes import build_case_meshes

    folder = data_root / "liver_ct_crlm1006"
    case = workflow.load_case(folder / "dicom", structures=[folder / "labels.nii.gz"], target=target)
    meshes = build_case_meshes(case)
    assert {s.name for s in meshes.structures} == {s.name for s in case.structures}
    for made in case.structures:
        assert meshes.of(made.name).volume_ml() == pytest.approx(made.volume_ml, rel=0.01), made.name


@pytest.mark.parametrize("grid", GRIDS)
def test_faces_of_voxels_enclose_exactly_their_volume_in_their_place_also_at_the_edge_of_the_image(grid):
    spacing, direction = GRIDS[grid]
    where = grid_around(TUMOUR_MM, (30.0, 24.0, 30.0), spacing, direction)
    values = np.random.default_rng(3).random(where.shape) < 0.4
    points, triangles = faces_of(Volume(grid=where, values=values))
    wanted = float(values.sum()) * 1000.0 * where.voxel_volume_ml
    assert volume_mm3(points, triangles) == pytest.approx(wanted, rel=1e-6)
    assert np.abs(signed_distance_mm(Volume(grid=where, values=values), points)).max() < 1e-4


def test_faces_of_voxels_point_outwards_on_a_left_handed_grid():
    direction = tuple((np.asarray(turned((25, 10, -30))).reshape(3, 3) * (1, 1, -1)).ravel())
    where = grid_around(TUMOUR_MM, (20.0, 20.0, 20.0), (1.0, 1.2, 2.0), direction)
    values = np.zeros(where.shape, bool)
    values[3:6, 4:9, 5:12] = True
    assert volume_mm3(*faces_of(Volume(grid=where, values=values))) > 0.0


def test_an_empty_mask_has_no_faces():
    where = grid_around(TUMOUR_MM, (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    points, triangles = faces_of(Volume(grid=where, values=np.zeros(where.shape, bool)))
    assert len(points) == len(triangles) == 0


def test_points_go_no_further_than_the_limit_and_say_so_by_the_volume():
    made = structure("ball of 10 mm", "straight", Role.TUMOUR)
    points, triangles = faces_of(made.mask)
    start = volume_mm3(points, triangles)
    moved = fitted(points, triangles, 1.5 * start, 0.2)
    assert np.linalg.norm(moved - points, axis=1).max() <= 0.2 + 1e-9
    assert start < volume_mm3(moved, triangles) < 1.2 * start


def test_stairs_become_slopes():
    made = structure("ball of 10 mm", "straight", Role.TUMOUR)
    points, triangles = faces_of(made.mask)
    smooth = without_stairs(points, triangles)
    radii = [np.linalg.norm(p - np.asarray(TUMOUR_MM), axis=1) for p in (points, smooth)]
    assert np.std(radii[1]) < 0.5 * np.std(radii[0])
