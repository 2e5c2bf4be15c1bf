"""Surfaces: watertight, of the right volume, in the right place, in axes that each file states."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cryoplan.image.labels import read_structures
from cryoplan.image.structures.mesh_file import read_mesh_file
from cryoplan.workflow.export.plain import write_plain
from tests.support.exports import NEEDLE, ORGAN, subject
from tests.support.scenes import TUMOUR_MM

FORMATS = ("stl", "ply", "obj")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("surfaces")
    assert write_plain(subject(), FORMATS, path) == ()
    return path


@pytest.fixture(scope="module")
def in_ras(tmp_path_factory):
    path = tmp_path_factory.mktemp("ras")
    write_plain(subject(), FORMATS, path, axes="RAS")
    return path


def rows(folder: Path, ending: str):
    return json.loads((folder / ending / "surfaces.json").read_text(encoding="utf-8"))["surfaces"]


def vtk_read(path: Path):
    """Return points and triangles as VTK's own reader of the format finds them."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
    from vtkmodules.vtkIOPLY import vtkPLYReader

    reader = {".stl": vtkSTLReader, ".ply": vtkPLYReader, ".obj": vtkOBJReader}[path.suffix]()
    reader.SetFileName(str(path))
    reader.Update()
    found = reader.GetOutput()
    triangles = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return vtk_to_numpy(found.GetPoints().GetData()).astype(float), triangles


def volume_ml(points, triangles):
    a, b, c = (points[triangles[:, n]] - points.mean(axis=0) for n in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6000.0


def edges_twice(triangles):
    """Tell whether each edge is passed by exactly two triangles, once in each direction."""
    passed = [(int(t[a]), int(t[b])) for t in triangles for a, b in ((0, 1), (1, 2), (2, 0))]
    return len(set(passed)) == len(passed) and all(
        (b, a) in set_ for set_ in [set(passed)] for a, b in passed
    )


@pytest.mark.parametrize("ending", FORMATS)
def test_every_surface_is_watertight_and_within_a_hundredth_of_what_it_stands_for(folder, ending):
    found = rows(folder, ending)
    kinds = {r["kind"] for r in found}
    assert kinds == {"body", "tumour", "organ", "isotherm", "probe", "active zone", "tool"}
    for row in found:
        points, triangles = vtk_read(folder / ending / row["file"])
        assert edges_twice(triangles), row["name"]
        assert volume_ml(points, triangles) == pytest.approx(row["volume_ml"], rel=1e-4)
        assert row["volume_ml"] == pytest.approx(row["expected_ml"], rel=0.01), row["name"]
        assert row["is_watertight"]


def test_isotherms_enclose_the_volumes_of_the_assessment(folder):
    by_name = {r["file"]: r["volume_ml"] for r in rows(folder, "stl")}
    for threshold, name in ((0.0, "iceball_0"), (-20.0, "isotherm_-20"), (-40.0, "isotherm_-40")):
        expected = subject().assessment.volume_ml(threshold)
        assert by_name[f"{name}_LPS.stl"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("ending", FORMATS)
def test_the_tumour_lies_where_it_was_outlined(folder, ending):
    row = next(r for r in rows(folder, ending) if r["kind"] == "tumour")
    points, _ = vtk_read(folder / ending / row["file"])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    assert np.allclose(middle, TUMOUR_MM, atol=1.0)


@pytest.mark.parametrize("ending", FORMATS)
def test_axes_are_stated_in_the_file_its_name_and_the_list_and_are_true(folder, in_ras, ending):
    for axes, where, sign in (("LPS", folder, 1.0), ("RAS", in_ras, -1.0)):
        listed = json.loads((where / ending / "surfaces.json").read_text(encoding="utf-8"))
        assert listed["axes"] == axes
        for row in listed["surfaces"]:
            assert row["file"].endswith(f"_{axes}.{ending}")
            meshes, stated = read_mesh_file(where / ending / row["file"])
            assert stated == axes
            points = meshes[0].points
            here = next(r for r in rows(folder, ending) if r["name"] == row["name"])
            same = read_mesh_file(folder / ending / here["file"])[0][0].points
            assert np.allclose(np.sort(points * [sign, sign, 1.0], axis=0), np.sort(same, axis=0), atol=1e-6)
            # Two signs change, so outsides stay outside.
            assert volume_ml(points, meshes[0].triangles) > 0.0


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("axes", ["LPS", "RAS"])
def test_a_surface_that_is_read_again_is_the_structure_it_was_made_of(folder, in_ras, ending, axes):
    where = folder if axes == "LPS" else in_ras
    for row in rows(where, ending):
        if row["name"] not in (ORGAN, "tumour 1"):
            continue
        (mask,) = read_structures(where / ending / row["file"], subject().case.scan).masks
        made = subject().case.structure(row["name"]).mask.values
        both = np.logical_and(mask.mask.values, made).sum()
        assert 2.0 * both / (mask.mask.values.sum() + made.sum()) > 0.97


def test_probes_are_round_shafts_from_tip_to_hub(folder):
    model = subject().probes.model("generic-15g")
    radius, length = model.outer_diameter.value / 2.0, model.shaft_length.value
    tip_length = model.tip_offset.value
    row = next(r for r in rows(folder, "ply") if r["name"] == "Probe 1")
    expected = np.pi * radius**2 * (length - tip_length + tip_length / 3.0) / 1000.0
    assert row["volume_ml"] == pytest.approx(expected, rel=1e-3)
    points, _ = vtk_read(folder / "ply" / row["file"])
    probe = subject().plan.probe("1")
    along = (points - np.asarray(probe.tip_mm)) @ -probe.direction
    assert along.min() == pytest.approx(0.0, abs=1e-3)
    assert along.max() == pytest.approx(length, abs=1e-3)
    across = points - np.asarray(probe.tip_mm) + np.outer(along, probe.direction)
    assert np.linalg.norm(across, axis=1).max() == pytest.approx(radius, rel=0.01)
    zone = next(r for r in rows(folder, "ply") if r["name"] == "Probe 1, active zone")
    points, _ = vtk_read(folder / "ply" / zone["file"])
    along = (points - np.asarray(probe.tip_mm)) @ -probe.direction
    assert (along.min(), along.max()) == pytest.approx(
        (tip_length, tip_length + model.active_length.value), abs=1e-3
    )


def test_colours_of_the_window_are_in_ply_and_obj(folder):
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOPLY import vtkPLYReader

    row = next(r for r in rows(folder, "ply") if r["kind"] == "isotherm")
    reader = vtkPLYReader()
    reader.SetFileName(str(folder / "ply" / row["file"]))
    reader.Update()
    colours = vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars())
    assert (colours == row["colour"]).all()
    text = (folder / "obj" / "materials.mtl").read_text(encoding="ascii")
    kd = text.split("newmtl iceball_0\nKd ")[1].split("\n")[0].split()
    assert np.allclose(np.array(kd, float) * 255, row["colour"], atol=0.02)


def test_names_that_no_file_system_takes_stand_in_the_list(folder):
    names = [r["name"] for r in rows(folder, "obj")]
    assert ORGAN in names
    assert NEEDLE in names
