"""Slicer segmentations and DICOM SEG: names, layers that overlap, empty segments, other grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cryoplan.core.errors import StructureError
from cryoplan.image.labels import read_masks, read_structures
from tests.support import foreign_structures as foreign
from tests.support.grids import grid_of

GRID = grid_of((20, 16, 10), (0.8, 1.0, 2.5), (-20.0, -22.0, 100.0))
SCAN = foreign.scan_of(GRID)


def blocks() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.zeros(GRID.shape, np.uint8), np.zeros(GRID.shape, np.uint8)
    a[2:6, 3:9, 4:12] = 1
    b[4:8, 5:11, 8:16] = 1
    return a, b


def segment(name: str, label: int, layer: int) -> dict[str, object]:
    return {
        "ID": f"Segment_{label}", "Name": name, "LabelValue": label, "Layer": layer, "Color": "0.5 0.1 0.2",
        "Extent": "0 19 0 15 0 9", "Tags": "Segmentation.Status:inprogress|TerminologyEntry:x~y^z|",
    }  # fmt: skip


@pytest.mark.parametrize("space", ["left-posterior-superior", "right-anterior-superior"])
def test_layers_that_overlap_come_with_their_names(tmp_path: Path, space: str):
    a, b = blocks()
    segments = [segment("Leber: links := 1", 2, 0), segment("Tumour", 1, 1), segment("nothing", 3, 1)]
    path = foreign.slicer(np.stack([2 * a, b]), segments, GRID, tmp_path / "x.seg.nrrd", space=space)
    found = read_structures(path, SCAN)
    assert [m.name for m in found.masks] == ["Leber: links := 1", "Tumour"]
    assert np.array_equal(found.masks[0].mask.values, a > 0)
    assert np.array_equal(found.masks[1].mask.values, b > 0)
    assert [(f.code, f.place) for f in found.findings] == [("structure-empty", "nothing")]


def test_one_layer_and_a_part_of_the_image_are_placed_by_the_header(tmp_path: Path):
    a, b = blocks()
    labels = a + 2 * ((b > 0) & (a == 0))
    part = grid_of((15, 12, 8), GRID.spacing_mm, GRID.index_to_mm((3, 2, 1)))
    cut = labels[1:9, 2:14, 3:18].astype(np.uint8)
    path = foreign.slicer(cut, [segment("A", 1, 0), segment("B", 2, 0)], part, tmp_path / "x.seg.nrrd")
    found = read_structures(path, SCAN)
    expected = np.zeros(GRID.shape, np.uint8)
    expected[1:9, 2:14, 3:18] = cut
    assert np.array_equal(found.masks[0].mask.values, expected == 1)
    assert np.array_equal(found.masks[1].mask.values, expected == 2)
    assert found.findings == ()


def test_files_of_before_layers_have_a_segment_in_each_entry_of_the_list(tmp_path: Path):
    a, b = blocks()
    segments = [{"ID": "x", "Name": "A"}, {"ID": "y", "Name": "B"}]
    found = read_masks(foreign.slicer(np.stack([a, b]), segments, GRID, tmp_path / "old.seg.nrrd"), SCAN)
    assert [m.name for m in found] == ["A", "B"]
    assert np.array_equal(found[1].mask.values, b > 0)


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        ([segment("A", 1, 7)], "bad-segments"),
        ([segment("A", 1, 0), segment("B", 1, 0)], "bad-segments"),
        ([segment("A", 0, 0)], "bad-segments"),
        ([{"Name": "A", "LabelValue": "one", "Layer": 0}], "bad-segments"),
        ([segment("A", 9, 0)], "no-labels"),
    ],
)
def test_segments_without_a_meaning_are_refused_by_name(tmp_path: Path, segments, code: str):
    a, b = blocks()
    path = foreign.slicer(np.stack([a, b]), segments, GRID, tmp_path / "x.seg.nrrd")
    with pytest.raises(StructureError) as caught:
        read_masks(path, SCAN)
    assert caught.value.code == code
    assert "x.seg.nrrd" in caught.value.what
    assert "A" in caught.value.what or "B" in caught.value.what


def test_a_segmentation_cut_short_anywhere_is_refused(tmp_path: Path):
    a, b = blocks()
    data = foreign.slicer(np.stack([a, b]), [segment("A", 1, 0)], GRID, tmp_path / "x.seg.nrrd").read_bytes()
    path = tmp_path / "cut.seg.nrrd"
    for length in (*range(120, len(data) - 9, 23), len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(StructureError) as caught:
            read_masks(path, SCAN)
        assert "cut.seg.nrrd" in caught.value.what


def test_shares_of_a_voxel_count_from_one_half(tmp_path: Path):
    shares = np.zeros((*GRID.shape, 2), np.float32)
    shares[3:6, 4:9, 5:12, 0] = 0.9
    shares[6, 4:9, 5:12, 0] = 0.4
    path = foreign.dicom_seg(shares, GRID, tmp_path / "a.dcm", "FRACTIONAL", fractional_type="PROBABILITY")
    found = read_structures(path, SCAN)
    assert [m.name for m in found.masks] == ["thing 1"]
    assert np.array_equal(found.masks[0].mask.values, shares[..., 0] > 0.5)
    assert [f.code for f in found.findings] == ["seg-fractional", "structure-empty"]


def test_overlapping_segments_keep_all_their_voxels(tmp_path: Path):
    a, b = blocks()
    found = read_masks(foreign.dicom_seg(np.stack([a, b], -1), GRID, tmp_path / "a.dcm"), SCAN)
    assert np.array_equal(found[0].mask.values, a > 0)
    assert np.array_equal(found[1].mask.values, b > 0)


def test_labels_of_a_label_map_segmentation_are_told_apart(tmp_path: Path):
    a, b = blocks()
    labels = np.where(a > 0, 1, 2 * b)
    found = read_masks(foreign.dicom_seg(labels, GRID, tmp_path / "a.dcm", "LABELMAP"), SCAN)
    assert [m.name for m in found] == ["thing 1", "thing 2"]
    assert np.array_equal(found[0].mask.values, labels == 1)
    assert np.array_equal(found[1].mask.values, labels == 2)


LIVER = (
    "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type - 3D Slicer General "
    "Anatomy list~SCT^123037004^Anatomical Structure~SCT^10200004^Liver~^^~Anatomic codes~^^~^^|"
)


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (LIVER, "SCT 10200004"),
        (LIVER.replace("SCT^10200004", "SRT^T-62000"), "SRT T-62000"),
        (LIVER.replace("TerminologyEntry", "Segmentation.TerminologyEntry"), "SCT 10200004"),
        (LIVER.replace("SCT^10200004^Liver", "^^"), ""),
        ("TerminologyEntry:x~y^z|", ""),
        ("TerminologyEntry:a~b~c|", ""),
        ("", ""),
    ],
)
def test_the_coded_type_of_a_slicer_segment_is_read(tmp_path: Path, tags: str, code: str):
    a, _ = blocks()
    path = foreign.slicer(a, [{**segment("A", 1, 0), "Tags": tags}], GRID, tmp_path / "x.seg.nrrd")
    assert [m.code for m in read_structures(path, SCAN).masks] == [code]


def test_the_coded_type_of_a_dicom_segment_is_read(data_root: Path):
    folder = data_root / "dicom_seg_liver_3slice"
    masks = [m for path in sorted(folder.rglob("*seg*.dcm")) for m in read_structures(path, None).masks]
    assert {m.code for m in masks} <= {"SCT 10200004", "SRT T-62000"}
    assert masks


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_every_segment_of_a_dicom_file_has_its_code(tmp_path: Path, kind: str):
    a, b = blocks()
    masks = np.stack([a, b], axis=-1) if kind == "BINARY" else (a + 2 * ((b > 0) & (a == 0)))
    path = foreign.dicom_seg(masks, GRID, tmp_path / "seg.dcm", kind)
    assert [m.code for m in read_structures(path, None).masks] == ["SCT 10200004"] * 2
