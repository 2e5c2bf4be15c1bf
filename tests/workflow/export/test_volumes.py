"""Masks and temperatures: other readers find the same voxels, places, names and colours."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pytest
import SimpleITK

from cryoplan.core.progress import Cancelled
from cryoplan.image.labels import read_structures
from cryoplan.workflow.export.plain import write_plain
from cryoplan.workflow.export.segments import segments_of
from tests.support.exports import ORGAN, subject


@pytest.fixture(scope="module")
def segments():
    return segments_of(subject())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("volumes")
    assert write_plain(subject(), ["nifti", "nrrd"], path) == ()
    return path


def listed(folder, kind):
    return json.loads((folder / kind / "volumes.json").read_text(encoding="utf-8"))["files"]


def assert_same_place(image, grid):
    for corner in ((0, 0, 0), (grid.size[0] - 1, 0, grid.size[2] - 1), (3, grid.size[1] - 1, 5)):
        assert np.allclose(image.TransformIndexToPhysicalPoint(corner), grid.index_to_mm(corner), atol=2e-3)


@pytest.mark.parametrize("kind", ["nifti", "nrrd"])
def test_every_mask_has_the_voxels_of_its_segment_in_their_place(folder, segments, kind):
    rows = [r for r in listed(folder, kind) if r["what"] == "mask"]
    assert [r["name"] for r in rows] == [s.name for s in segments]
    for row, segment in zip(rows, segments, strict=True):
        image = SimpleITK.ReadImage(str(folder / kind / row["file"]))
        assert np.array_equal(SimpleITK.GetArrayFromImage(image) > 0, segment.mask.values)
        assert row["voxels"] == int(segment.mask.values.sum())
        assert row["colour"] == list(segment.colour)
        assert_same_place(image, segment.mask.grid)


@pytest.mark.parametrize("kind", ["nifti", "nrrd"])
def test_a_mask_comes_back_under_its_own_name_and_role(folder, kind):
    row = next(r for r in listed(folder, kind) if r.get("name") == ORGAN)
    read = read_structures(folder / kind / row["file"], subject().case.scan)
    (mask,) = read.masks
    assert (mask.name, mask.role) == (ORGAN, "organ")
    assert np.array_equal(mask.mask.values, subject().case.structure(ORGAN).mask.values)
    assert read.findings == ()


@pytest.mark.parametrize(("kind", "ending"), [("nifti", ".nii.gz"), ("nrrd", ".nrrd")])
def test_temperatures_are_those_of_the_result_to_the_last_bit(folder, kind, ending):
    result = subject().result
    for stem, volume in (
        ("temperature_min", result.minimum_degc),
        ("temperature_end_freeze_1", result.end_of_freeze(1).temperature_degc),
        ("temperature_end_freeze_2", result.end_of_freeze(2).temperature_degc),
    ):
        image = SimpleITK.ReadImage(str(folder / kind / f"{stem}{ending}"))
        assert np.array_equal(SimpleITK.GetArrayFromImage(image), volume.values)
        assert_same_place(image, volume.grid)


def test_every_file_is_listed_with_its_unit_and_no_other(folder):
    for kind in ("nifti", "nrrd"):
        rows = listed(folder, kind)
        there = {str(p.relative_to(folder / kind)) for p in (folder / kind).rglob("*") if p.is_file()}
        assert {r["file"] for r in rows} == {n for n in there if not n.endswith(".json")}
        units = {r["file"].split(".")[0]: r["unit"] for r in rows}
        assert units["temperature_min"] == "degC"
        assert units["time_below_-40"] == "s"


def test_file_names_are_plain_ascii(folder):
    for path in folder.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name), path.name


def test_the_segmentation_comes_back_with_all_segments_names_and_codes(folder, segments):
    read = read_structures(folder / "nrrd" / "segments.seg.nrrd", subject().case.scan)
    assert [m.name for m in read.masks] == [s.name for s in segments]
    for mask, segment in zip(read.masks, segments, strict=True):
        assert np.array_equal(mask.mask.values, segment.mask.values)
        code = segment.code
        assert mask.code == ("" if code is None else f"{code.scheme} {code.value}")
    assert any(s.code is not None for s in segments)


def plain_nrrd(path):
    """Read header lines, keys and voxels as the NRRD format says, with nothing else."""
    data = path.read_bytes()
    head, _, body = data.partition(b"\n\n")
    lines = head.decode("utf-8").split("\n")
    assert lines[0] == "NRRD0004"
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line and ":=" not in line)
    keys = dict(line.split(":=", 1) for line in lines[1:] if ":=" in line)
    sizes = [int(n) for n in fields["sizes"].split()]
    voxels = np.frombuffer(gzip.decompress(body), np.uint8).reshape(sizes, order="F")
    return fields, keys, voxels


def test_a_plain_reader_of_the_format_finds_each_segment_by_layer_and_label(folder, segments):
    fields, keys, voxels = plain_nrrd(folder / "nrrd" / "segments.seg.nrrd")
    assert fields["space"] == "left-posterior-superior"
    assert fields["kinds"] == "list domain domain domain"
    grid = segments[0].mask.grid
    vectors = re.findall(r"\(([^)]*)\)", fields["space directions"])
    assert fields["space directions"].startswith("none ")
    steps = np.array([[float(x) for x in v.split(",")] for v in vectors])
    assert np.allclose(steps.T, grid.axes * np.asarray(grid.spacing_mm), atol=1e-12)
    origin = [float(x) for x in fields["space origin"].strip("()").split(",")]
    assert np.allclose(origin, grid.origin_mm, atol=1e-12)
    for number, segment in enumerate(segments):
        layer, label = int(keys[f"Segment{number}_Layer"]), int(keys[f"Segment{number}_LabelValue"])
        inside = np.transpose(voxels[layer] == label)
        assert np.array_equal(inside, segment.mask.values), segment.name
        assert keys[f"Segment{number}_Name"] == segment.name
        colour = [float(x) for x in keys[f"Segment{number}_Color"].split()]
        assert np.allclose(np.array(colour) * 255, segment.colour, atol=0.01)
        extent = [int(n) for n in keys[f"Segment{number}_Extent"].split()]
        k, j, i = np.nonzero(segment.mask.values)
        assert extent == [i.min(), i.max(), j.min(), j.max(), k.min(), k.max()]
        if segment.code is not None:
            assert f"~SCT^{segment.code.value}^{segment.code.meaning}~" in keys[f"Segment{number}_Tags"]


def test_a_reader_that_knows_ascii_only_still_reads_the_sign_of_a_temperature(segments):
    names = [s.name.encode("ascii", "ignore").decode() for s in segments if s.threshold_degc is not None]
    assert names == ["Ice 0 C", "Isotherm -20 C", "Isotherm -40 C"]


def test_segments_that_overlap_never_share_a_layer(folder, segments):
    _, keys, _ = plain_nrrd(folder / "nrrd" / "segments.seg.nrrd")
    layers = [int(keys[f"Segment{n}_Layer"]) for n in range(len(segments))]
    assert layers.count(0) < len(layers)
    for a in range(len(segments)):
        for b in range(a):
            if (segments[a].mask.values & segments[b].mask.values).any():
                assert layers[a] != layers[b]


def test_no_file_is_written_any_more_once_somebody_stops(tmp_path):
    class Impatient:
        asked = 0

        def report(self, report):
            pass

        def cancelled(self):
            self.asked += 1
            return self.asked > 3

    with pytest.raises(Cancelled):
        write_plain(subject(), ["nifti"], tmp_path, Impatient())
    assert len(list(tmp_path.rglob("*.nii.gz"))) == 3
