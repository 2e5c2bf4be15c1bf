"""Meshes: axes are stated, never assumed; open, crossing and damaged surfaces are refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cryoplan.core.errors import StructureError
from cryoplan.image.labels import read_masks, read_structures
from tests.support import foreign_structures as foreign
from tests.support.grids import grid_of

GRID = grid_of((64, 62, 40), (0.9, 0.9, 1.5), (30.0, 40.0, -300.0))
SCAN = foreign.scan_of(GRID)
SHAPES = foreign.shapes(GRID.centre_mm())
POINTS, FACES = foreign.surface(SHAPES["ellipsoid"])


def refused(path: Path, **words: str) -> StructureError:
    with pytest.raises(StructureError) as caught:
        read_masks(path, SCAN, **words)
    return caught.value


def test_every_format_gives_the_same_voxels(tmp_path: Path):
    masks = []
    for name, form in (
        ("a.stl", "binary"), ("b.stl", "ascii"), ("c.obj", ""), ("d.ply", "binary"), ("e.ply", "big"),
        ("f.ply", "ascii"),
    ):  # fmt: skip
        path = foreign.mesh(POINTS, FACES, tmp_path / name, form=form, space="LPS")
        (found,) = read_masks(path, SCAN)
        assert found.name == name[0]
        masks.append(found.mask.values)
    for mask in masks[1:]:
        assert (mask ^ masks[0]).sum() <= 3  # seven digits in a text


def test_axes_that_nobody_states_are_asked_for_with_a_guess(tmp_path: Path):
    path = foreign.mesh(POINTS, FACES, tmp_path / "liver.stl")
    error = refused(path)
    assert error.code == "mesh-axes-unstated"
    assert "liver.stl" in error.what
    assert "LPS is likely" in error.what
    turned = foreign.mesh(POINTS * [-1, -1, 1], FACES, tmp_path / "turned.stl")
    assert "RAS is likely" in refused(turned).what
    away = foreign.mesh(POINTS + np.array([0, 0, 900.0]), FACES, tmp_path / "away.stl")
    assert "either way" in refused(away).what
    assert refused(away, mesh_axes="LPS").code == "mask-outside"
    assert np.array_equal(
        read_masks(path, SCAN, mesh_axes="LPS")[0].mask.values,
        read_masks(turned, SCAN, mesh_axes="RAS")[0].mask.values,
    )


def test_axes_that_differ_from_the_file_are_refused(tmp_path: Path):
    path = foreign.mesh(POINTS, FACES, tmp_path / "a.ply", space="LPS")
    assert refused(path, mesh_axes="RAS").code == "mesh-axes-differ"
    assert refused(path, mesh_axes="XYZ").code == "mesh-axes-unknown"


def test_the_direction_of_the_triangles_does_not_matter(tmp_path: Path):
    truth = read_masks(foreign.mesh(POINTS, FACES, tmp_path / "a.ply", space="LPS"), SCAN)[0].mask.values
    mixed = FACES.copy()
    mixed[::3] = mixed[::3, ::-1]
    for faces in (FACES[:, ::-1], mixed):
        path = foreign.mesh(POINTS, faces, tmp_path / "b.ply", space="LPS")
        assert np.array_equal(read_masks(path, SCAN)[0].mask.values, truth)


def test_corners_on_the_very_centres_of_voxels_leave_no_streaks(tmp_path: Path):
    low, high = GRID.index_to_mm((10, 12, 8)), GRID.index_to_mm((30, 40, 28))
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    faces = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6],
         [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    )  # fmt: skip
    path = foreign.mesh(low + corners * (high - low), faces, tmp_path / "box.ply", space="LPS")
    mask = read_masks(path, SCAN)[0].mask.values
    index = np.argwhere(mask)
    part = mask[tuple(slice(a, b + 1) for a, b in zip(index.min(axis=0), index.max(axis=0), strict=True))]
    for axis in range(3):  # all faces are alike, and each face is whole but for its edges
        assert np.array_equal(part, np.flip(part, axis))
        assert np.moveaxis(part, axis, 0)[0, 1:-1, 1:-1].all()
    assert mask.sum() == pytest.approx(20 * 28 * 20, rel=0.15)


def test_objects_of_an_obj_file_are_structures(tmp_path: Path):
    path = foreign.mesh(POINTS, FACES, tmp_path / "a.obj", space="LPS")
    lines = path.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("f "))
    ball = foreign.mesh(*foreign.surface(SHAPES["sphere"]), tmp_path / "b.obj").read_text().splitlines()[1:]
    shifted = [
        "f " + " ".join(str(int(w.split("/")[0]) + len(POINTS)) for w in line.split()[1:])
        if line.startswith("f ")
        else line
        for line in ball
    ]
    path.write_text("\n".join([*lines[:first], "o kidney", *lines[first:], "o ball", *shifted]))
    assert [m.name for m in read_masks(path, SCAN)] == ["kidney", "ball"]


def test_a_mesh_that_leaves_the_image_is_refused(tmp_path: Path):
    path = foreign.mesh(POINTS + np.array([25.0, 0.0, 0.0]), FACES, tmp_path / "a.stl", space="LPS")
    error = refused(path)
    assert error.code == "mask-leaves-image"
    assert "a of a.stl leaves the image by" in error.what


def test_open_and_crossing_surfaces_are_refused(tmp_path: Path):
    error = refused(foreign.mesh(POINTS, FACES[5:], tmp_path / "open.stl", space="LPS"))
    assert error.code == "mesh-open"
    assert "open edges" in error.what
    twice = np.concatenate([POINTS, POINTS + np.array([4.0, 0.0, 0.0])])
    both = np.concatenate([FACES, FACES + len(POINTS)])
    assert refused(foreign.mesh(twice, both, tmp_path / "two.stl", space="LPS")).code == "mesh-crosses-itself"


@pytest.mark.parametrize(
    "name",
    ["a.stl", "a.ply", "a.obj", "text.stl", "text.ply"],
)
def test_damaged_meshes_are_refused_in_a_sentence(tmp_path: Path, name: str):
    path = tmp_path / name.replace("text", "a")
    data = foreign.mesh(
        POINTS, FACES, path, form="ascii" if "text" in name else "binary", space="LPS"
    ).read_bytes()
    for length in (0, 3, 60, 90, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:length])
        error = refused(path)
        assert path.name in error.what
        assert error.code in ("bad-mesh", "mesh-open")
    if name in ("a.obj", "text.ply", "text.stl"):
        value = f"{POINTS[70, 0]:.6e}" if name == "text.stl" else f"{POINTS[70, 0]:.7g}"
        assert value.encode() in data
        path.write_bytes(data.replace(value.encode(), b"nan"))
        assert refused(path).code == "bad-mesh"
    path.write_bytes(b"\xff" * 5000)
    assert refused(path).code == "bad-mesh"


def test_a_mesh_far_from_any_place_is_refused(tmp_path: Path):
    assert refused(foreign.mesh(POINTS * 1e6, FACES, tmp_path / "a.stl", space="LPS")).code == "bad-mesh"


def test_a_mesh_without_an_image_asks_for_it(tmp_path: Path):
    with pytest.raises(StructureError) as caught:
        read_structures(foreign.mesh(POINTS, FACES, tmp_path / "a.stl", space="LPS"))
    assert caught.value.code == "needs-image"
