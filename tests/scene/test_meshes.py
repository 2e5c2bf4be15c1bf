"""Meshes: surfaces lie in the patient where SimpleITK says the voxels are."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from cryoplan.case.structure import Role, Structure
from cryoplan.core.volume import Volume
from cryoplan.margins.surface import level_surface
from cryoplan.scene.meshes import (
    bone_mesh,
    build_case_meshes,
    isotherm_meshes,
    lighter,
    of_surface,
    structure_mesh,
    surface,
)
from cryoplan.scene.pick import Ray, mesh_hits_mm
from tests.support.scenes import (
    BODY_RADII_MM,
    TUMOUR_MM,
    ellipsoid,
    grid_around,
    make_case,
    points_mm,
    turned,
)

LEFT_HANDED = tuple((np.asarray(turned((25, 10, -30))).reshape(3, 3) * (1, 1, -1)).ravel())
GRIDS = {
    "straight": ((1.0, 1.0, 1.0), turned((0, 0, 0))),
    "oblique": ((0.9, 1.1, 1.3), turned((25, -15, 40))),
    "left-handed oblique": ((1.0, 1.2, 1.0), LEFT_HANDED),
    "thick slices": ((0.8, 0.8, 5.0), turned((0, 0, 180))),
    "thick oblique": ((0.8, 0.8, 4.0), turned((12, 8, -5))),
    "thick sagittal": ((5.0, 0.9, 0.9), turned((0, 180, 0))),
}


def kidney(spacing, direction, radii=(16.0, 12.0, 25.0)):
    grid = grid_around(TUMOUR_MM, (60.0, 50.0, 80.0), spacing, direction)
    mask = ellipsoid(grid, TUMOUR_MM, radii)
    return Structure(name="kidney", role=Role.ORGAN, tissue="kidney", mask=mask, source="made")


def shape_of(mask: Volume) -> tuple[np.ndarray, float]:
    image = sitk.GetImageFromArray(mask.values.astype(np.uint8))
    image.SetSpacing(mask.grid.spacing_mm)
    image.SetOrigin(mask.grid.origin_mm)
    image.SetDirection(mask.grid.direction)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(image)
    return np.asarray(shape.GetCentroid(1)), shape.GetPhysicalSize(1) / 1000.0


@pytest.mark.parametrize("kind", GRIDS)
def test_centroid_and_volume_are_those_of_simpleitk(kind):
    structure = kidney(*GRIDS[kind])
    centroid, volume_ml = shape_of(structure.mask)
    mesh = structure_mesh(structure, make_case())
    assert np.linalg.norm(mesh.centroid_mm() - centroid) < 0.1
    assert mesh.volume_ml() == pytest.approx(volume_ml, rel=0.01)


@pytest.mark.parametrize("kind", GRIDS)
def test_triangles_and_normals_point_outwards_on_every_grid(kind):
    mesh = structure_mesh(kidney(*GRIDS[kind]), make_case())
    assert mesh.volume_ml() > 0.0
    a, b, c = (mesh.points_mm[mesh.triangles[:, n]].astype(float) for n in range(3))
    faces = np.cross(b - a, c - a)
    assert np.mean(np.einsum("ij,ij->i", faces, a - TUMOUR_MM) > 0) > 0.995
    outwards = np.einsum("ij,ij->i", mesh.normals, mesh.points_mm - np.asarray(TUMOUR_MM))
    assert np.mean(outwards > 0) > 0.995
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-5)


def test_a_structure_at_the_border_of_its_grid_is_closed():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    box = Structure(
        name="box", role=Role.ORGAN, tissue="liver",
        mask=Volume(grid=grid, values=np.ones(grid.shape, bool)), source="made",
    )  # fmt: skip
    mesh = structure_mesh(box, make_case())
    edges = np.sort(mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, uses = np.unique(edges, axis=0, return_counts=True)
    assert np.all(uses == 2)
    assert mesh.volume_ml() == pytest.approx(8.0, rel=0.01)


def test_a_single_voxel_is_still_drawn():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    values = np.zeros(grid.shape, bool)
    values[10, 10, 10] = True
    dot = Structure(
        name="dot", role=Role.TUMOUR, tissue="tumour", mask=Volume(grid=grid, values=values), source="made"
    )
    mesh = structure_mesh(dot, make_case())
    assert not mesh.is_empty
    assert np.linalg.norm(mesh.centroid_mm() - grid.index_to_mm((10, 10, 10))) < 0.01


@pytest.mark.parametrize("direction", [turned((0, 0, 0)), turned((30, 20, 10)), LEFT_HANDED])
def test_isotherm_shells_of_a_round_field_are_nested_spheres(direction):
    centre = np.array([5.0, 60.0, -200.0])
    grid = grid_around(tuple(centre), (50.0, 50.0, 50.0), (1.0, 1.0, 1.0), direction)
    field = Volume(
        grid=grid, values=(np.linalg.norm(points_mm(grid) - centre, axis=-1) * 4 - 80).astype(np.float32)
    )
    for threshold, radius in ((0.0, 20.0), (-20.0, 15.0), (-40.0, 10.0)):
        mesh = isotherm_meshes(field, [threshold])[0]
        radii = np.linalg.norm(mesh.points_mm - centre, axis=1)
        assert np.abs(radii - radius).max() < 0.05
        assert mesh.volume_ml() == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.01)
    assert isotherm_meshes(field, [-100.0])[0].is_empty


def test_the_surface_agrees_with_the_marching_tetrahedra_of_the_margins():
    grid = grid_around(TUMOUR_MM, (40.0, 44.0, 48.0), (1.0, 1.1, 1.2), turned((10, 20, 30)))
    distance = np.linalg.norm(points_mm(grid) - TUMOUR_MM, axis=-1) - 15.0
    ours = surface(Volume(grid=grid, values=-distance), 0.0)
    theirs = of_surface(level_surface(distance, grid, 0.0, outside=100.0))
    assert ours.volume_ml() == pytest.approx(theirs.volume_ml(), rel=2e-3)
    assert theirs.volume_ml() > 0.0
    assert np.linalg.norm(ours.centroid_mm() - theirs.centroid_mm()) < 0.02


def test_skin_from_hounsfield_units_is_the_patient_without_the_table():
    case = make_case()
    grid = case.scan.volume.grid
    hu = np.array(case.scan.volume.values)
    points = points_mm(grid)
    # A table: a plate below the back with a finger's breadth of air between.
    hu[(np.abs(points[..., 1] - 92.0) < 4.0) & (np.abs(points[..., 0]) < 100.0)] = 100
    # Lung: air inside must not open the skin.
    hu[np.linalg.norm((points - (45.0, -10.0, 0.0)) / (25, 30, 50), axis=-1) < 1.0] = -850
    scan = type(case.scan)(volume=Volume(grid=grid, values=hu), facts=case.scan.facts)
    mesh = build_case_meshes(case.changed(scan=scan, structures=(case.target,))).skin
    lower, upper = mesh.points_mm.min(axis=0), mesh.points_mm.max(axis=0)
    assert np.allclose(upper[:2], BODY_RADII_MM[:2], atol=3.0)
    assert np.allclose(lower[:2], [-r for r in BODY_RADII_MM[:2]], atol=3.0)
    radii = np.linalg.norm(mesh.points_mm[:, :2] / np.asarray(BODY_RADII_MM[:2]), axis=1)
    assert radii.min() > 0.93


def test_bone_from_hounsfield_units_is_the_spine():
    mesh = bone_mesh(make_case().scan)
    middle = (mesh.points_mm.min(axis=0) + mesh.points_mm.max(axis=0)) / 2
    assert np.allclose(middle[:2], (0.0, 45.0), atol=1.0)
    assert np.ptp(mesh.points_mm[:, 0]) == pytest.approx(32.0, abs=3.0)


def test_skin_is_open_where_the_image_ends_so_that_no_entry_snaps_to_the_end():
    case = make_case()
    mesh = build_case_meshes(case).skin
    lower, upper = case.scan.volume.grid.bounds_mm()
    normals = np.abs(mesh.normals[:, 2])
    assert mesh.points_mm[:, 2].min() < lower[2] + 6.0
    assert mesh.points_mm[:, 2].max() > upper[2] - 6.0
    assert normals.max() < 0.7
    up = Ray.between((0.0, 0.0, 0.0), (0.0, 0.0, 500.0))
    assert mesh_hits_mm(up, mesh).size == 0


def test_an_image_of_air_has_no_bone():
    case = make_case()
    air = Volume(grid=case.scan.volume.grid, values=np.full(case.scan.volume.grid.shape, -1000, np.int16))
    assert bone_mesh(type(case.scan)(volume=air, facts=case.scan.facts)) is None


def test_an_mr_without_an_outlined_body_has_neither_skin_nor_bone():
    case = make_case()
    scan = type(case.scan)(volume=case.scan.volume, facts=replace(case.scan.facts, modality="MR"))
    meshes = build_case_meshes(case.changed(scan=scan, structures=(case.target,)))
    assert meshes.skin is None
    assert meshes.bone is None
    assert meshes.target is not None


def test_meshes_of_a_case_cross_a_process_border_whole():
    case = make_case()
    meshes = build_case_meshes(case)
    again = pickle.loads(pickle.dumps(meshes))
    assert [s.name for s in again.structures] == ["tumour 1"]
    assert np.array_equal(again.target.points_mm, meshes.target.points_mm)
    assert again.skin.volume_ml() == meshes.skin.volume_ml()
    assert len(pickle.dumps(meshes)) < 20_000_000


def test_a_mesh_is_made_once_for_each_structure():
    case = make_case()
    assert structure_mesh(case.target, case) is structure_mesh(case.target, case)
    assert build_case_meshes(case).target is build_case_meshes(case).target


def test_the_liver_ct_becomes_meshes_in_the_right_place(data_root):
    folder = data_root / "liver_ct_crlm1006"
    image = sitk.ReadImage(str(folder / "labels.nii.gz"))
    from cryoplan.core.grid import Grid

    grid = Grid(
        size=image.GetSize(), spacing_mm=image.GetSpacing(), origin_mm=image.GetOrigin(),
        direction=image.GetDirection(),
    )  # fmt: skip
    labels = sitk.GetArrayFromImage(image)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(sitk.Cast(image, sitk.sitkUInt8))
    case = make_case()
    for value in (1, 6, 7):
        structure = Structure(
            name=f"label {value}", role=Role.ORGAN, tissue="liver",
            mask=Volume(grid=grid, values=labels == value), source="labels.nii.gz",
        )  # fmt: skip
        mesh = structure_mesh(structure, case)
        assert np.linalg.norm(mesh.centroid_mm() - shape.GetCentroid(value)) < 0.15
        assert mesh.volume_ml() == pytest.approx(shape.GetPhysicalSize(value) / 1000, rel=0.01)


def test_a_lighter_mesh_keeps_volume_and_place_and_stays_closed():
    grid = grid_around((30.0, -20.0, 10.0), (90.0, 90.0, 90.0), (1.0, 1.0, 1.5), turned((20.0, -10.0, 5.0)))
    gap = np.linalg.norm(points_mm(grid) - np.array((30.0, -20.0, 10.0)), axis=-1)
    ball = surface(Volume(grid=grid, values=(35.0 - gap).astype(np.float32)), 0.0)
    few = lighter(ball, 2000)
    assert len(ball.triangles) > 20_000
    assert len(few.triangles) <= 2000
    assert few.volume_ml() == pytest.approx(ball.volume_ml(), rel=0.005)
    np.testing.assert_allclose(few.centroid_mm(), (30.0, -20.0, 10.0), atol=0.1)
    edges = np.sort(few.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)


def test_a_mesh_that_is_light_enough_is_left_alone():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    gap = np.linalg.norm(points_mm(grid), axis=-1)
    ball = surface(Volume(grid=grid, values=(5.0 - gap).astype(np.float32)), 0.0)
    assert lighter(ball, len(ball.triangles)) is ball
