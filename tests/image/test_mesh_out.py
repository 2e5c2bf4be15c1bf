"""Mesh out: the axes are stated where readers look for them, and the numbers are kept to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.image.mesh_out import FORMATS, MeshOut, materials_text, mesh_bytes
from cryoplan.image.structures.mesh_file import read_mesh_file


def mesh(stem="it"):
    points = np.random.default_rng(7).uniform(-500.0, 500.0, (4, 3)).astype(np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    return MeshOut(stem=stem, points_mm=points, triangles=triangles, colour=(255, 128, 0))


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(("axes", "sign"), [("LPS", 1), ("RAS", -1)])
def test_each_format_gives_every_point_back_exactly(tmp_path, ending, axes, sign):
    path = tmp_path / f"m.{ending}"
    path.write_bytes(mesh_bytes(mesh(), ending, axes))
    (read,), stated = read_mesh_file(path)
    assert stated == axes
    # Text is as near as its nine digits: the nearest float32 is the one that was written.
    corners = (read.points[read.triangles] * [sign, sign, 1]).astype(np.float32)
    assert np.array_equal(corners, mesh().points_mm[mesh().triangles])


@pytest.mark.parametrize("ending", FORMATS)
def test_the_words_are_those_that_slicer_looks_for(ending):
    assert b"SPACE=RAS" in mesh_bytes(mesh(), ending, "RAS")[:200]


def test_a_long_name_leaves_the_axes_in_the_header_of_stl():
    data = mesh_bytes(mesh("x" * 200), "stl", "LPS")
    assert data[:9] == b"SPACE=LPS"
    assert int.from_bytes(data[80:84], "little") == 4
    assert len(data) == 84 + 50 * 4


def test_normals_of_stl_point_the_way_the_corners_turn():
    record = np.frombuffer(mesh_bytes(mesh(), "stl")[84:134], "<f4", 12).reshape(4, 3).astype(float)
    across = np.cross(record[2] - record[1], record[3] - record[1])
    assert np.allclose(record[0], across / np.linalg.norm(across), atol=1e-5)


def test_materials_say_each_colour():
    assert "newmtl it\nKd 1.0000 0.5020 0.0000" in materials_text({"it": (255, 128, 0)})


def test_other_formats_and_axes_are_refused():
    with pytest.raises(ValueError, match="stl, ply, obj"):
        mesh_bytes(mesh(), "vtk")
    with pytest.raises(ValueError, match="LPS or RAS"):
        mesh_bytes(mesh(), "stl", "LAS")
