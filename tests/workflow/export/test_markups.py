"""Markups: what Slicer's schema asks for, and the same places whichever axes are stated."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cryoplan.workflow.export.plain import write_plain
from tests.support.exports import MARK, NEEDLE, SENSOR, subject

# Fields of Slicer's public schema of markups 1.0.3 and the types it gives them, as far as they are written.
MARKUP = {
    "type": str, "name": str, "coordinateSystem": str, "coordinateUnits": str, "locked": bool,
    "fixedNumberOfControlPoints": bool, "labelFormat": str, "controlPoints": list, "measurements": list,
    "display": dict,
}  # fmt: skip
POINT = {
    "id": str, "label": str, "description": str, "associatedNodeID": str, "position": list,
    "orientation": list, "selected": bool, "locked": bool, "visibility": bool, "positionStatus": str,
}  # fmt: skip
DISPLAY = {
    "visibility": bool, "propertiesLabelVisibility": bool, "pointLabelsVisibility": bool,
    "sliceProjection": bool, "color": list, "selectedColor": list,
}  # fmt: skip
MEASUREMENT = {"name": str, "enabled": bool, "value": float, "units": str, "printFormat": str}


@pytest.fixture(scope="module", params=["LPS", "RAS"])
def written(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("markups")
    write_plain(subject(), ["markups"], path, axes=request.param)
    files = {p.name: json.loads(p.read_text(encoding="utf-8")) for p in sorted((path / "markups").iterdir())}
    return request.param, files


def markups(files):
    return {m["name"]: m for content in files.values() for m in content["markups"]}


def places(markup):
    """Return the control points in LPS, turned by what the file states."""
    sign = {"LPS": 1.0, "RAS": -1.0}[markup["coordinateSystem"]]
    return np.array([p["position"] for p in markup["controlPoints"]]) * [sign, sign, 1.0]


def test_every_file_keeps_to_the_fields_of_the_schema(written):
    axes, files = written
    assert all(name.endswith(".mrk.json") for name in files)
    for content in files.values():
        assert content["@schema"].endswith("/markups-schema-v1.0.3.json#")
        for markup in content["markups"]:
            assert markup["type"] in ("Line", "Fiducial")
            assert markup["coordinateSystem"] == axes
            assert markup["coordinateUnits"] == "mm"
            assert all(isinstance(value, MARKUP[key]) for key, value in markup.items())
            for point in markup["controlPoints"]:
                assert set(point) == set(POINT)
                assert all(isinstance(value, POINT[key]) for key, value in point.items())
                assert len(point["position"]) == 3
                assert len(point["orientation"]) == 9
                assert point["positionStatus"] == "defined"
            display = markup["display"]
            assert all(isinstance(value, DISPLAY[key]) for key, value in display.items())
            for colour in (display["color"], display["selectedColor"]):
                assert len(colour) == 3
                assert all(0.0 <= part <= 1.0 for part in colour)
            for measurement in markup.get("measurements", []):
                assert all(isinstance(value, MEASUREMENT[key]) for key, value in measurement.items())


def test_each_probe_and_tool_is_a_line_from_the_skin_to_its_tip_under_its_name(written):
    _, files = written
    found = markups(files)
    plan = subject().plan
    needles = {f"Probe {p.name}": p for p in plan.probes} | {t.name: t for t in plan.tools}
    assert set(needles) == {name for name, m in found.items() if m["type"] == "Line"}
    assert NEEDLE in needles
    for name, needle in needles.items():
        assert np.allclose(places(found[name]), [needle.entry_mm, needle.tip_mm], atol=1e-9)
        assert [p["label"] for p in found[name]["controlPoints"]] == ["entry", "tip"]
        (length,) = found[name]["measurements"]
        assert length["value"] == pytest.approx(needle.depth_mm)
        assert length["units"] == "mm"


def test_thermocouples_are_points_under_their_names(written):
    _, files = written
    points = markups(files)["Thermocouples"]
    assert points["type"] == "Fiducial"
    assert [p["label"] for p in points["controlPoints"]] == [SENSOR]
    assert np.allclose(places(points), [subject().plan.thermocouples[0].position_mm])


def test_skin_marks_are_points_that_say_what_they_are(written):
    _, files = written
    (point,) = markups(files)["Skin marks"]["controlPoints"]
    assert (point["label"], point["description"]) == (MARK, "mid-line mark")
    assert np.allclose(places(markups(files)["Skin marks"]), [subject().plan.marks[0].position_mm])


def test_the_axes_of_a_point_are_those_of_the_world_in_either_system(written):
    axes, files = written
    expected = np.diag([-1.0, -1.0, 1.0]) if axes == "LPS" else np.eye(3)
    for markup in markups(files).values():
        for point in markup["controlPoints"]:
            assert np.array_equal(np.reshape(point["orientation"], (3, 3)), expected)


def test_colours_are_those_of_the_probes(written):
    _, files = written
    colours = [tuple(m["display"]["color"]) for n, m in markups(files).items() if n.startswith("Probe")]
    assert len(set(colours)) == len(colours) == 2
