"""Seg.nrrd: layers only where they are needed, names on one line, and nothing silently left out."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from cryoplan.core.volume import Volume
from cryoplan.image.labels import read_structures
from cryoplan.image.seg_nrrd import LARGEST_LABEL, write_segmentation
from cryoplan.image.segment import Code, Segment
from tests.support.scenes import grid_around, turned

GRID = grid_around((5.0, 9.0, -40.0), (24.0, 22.0, 20.0), (1.0, 1.2, 2.0), turned((9.0, 12.0, -30.0)))


def segment(name, where, *, code=None, kind="organ"):
    values = np.zeros(GRID.shape, bool)
    values[where] = True
    return Segment(
        name=name,
        kind=kind,
        mask=Volume(grid=GRID, values=values),
        colour=(10, 200, 255),
        source="made",
        code=code,
    )


LOW, HIGH = np.s_[1:4, 2:8, 2:8], np.s_[6:9, 2:8, 2:8]


def test_segments_apart_share_one_layer_which_is_a_plain_label_map(tmp_path):
    path = tmp_path / "s.seg.nrrd"
    write_segmentation([segment("a", LOW), segment("b", HIGH)], path)
    image = SimpleITK.ReadImage(str(path))
    assert image.GetDimension() == 3
    assert image.GetNumberOfComponentsPerPixel() == 1
    labels = SimpleITK.GetArrayFromImage(image)
    assert (labels[LOW] == 1).all()
    assert (labels[HIGH] == 2).all()
    assert np.allclose(image.TransformIndexToPhysicalPoint((3, 5, 7)), GRID.index_to_mm((3, 5, 7)))


def test_more_segments_than_labels_go_into_another_layer(tmp_path):
    path = tmp_path / "many.seg.nrrd"
    k, j, i = (n.ravel() for n in np.indices(GRID.shape))
    many = [segment(f"s{n}", np.s_[k[n], j[n], i[n]]) for n in range(LARGEST_LABEL + 5)]
    write_segmentation(many, path)
    assert SimpleITK.ReadImage(str(path)).GetNumberOfComponentsPerPixel() == 2
    read = read_structures(path).masks
    assert [m.name for m in read] == [s.name for s in many]
    assert all(np.array_equal(m.mask.values, s.mask.values) for m, s in zip(read, many, strict=True))


def test_line_ends_and_bars_in_names_break_neither_header_nor_tags(tmp_path):
    path = tmp_path / "odd.seg.nrrd"
    code = Code(value="10200004", scheme="SCT", meaning="Liver ~ ^ |")
    write_segmentation(
        [segment("two\nlines := odd", LOW, code=code), segment("b|c", HIGH)], path, remark="r\nx"
    )
    first, second = read_structures(path).masks
    assert first.name == "two lines := odd"
    assert first.code == "SCT 10200004"
    assert second.name == "b|c"


def test_a_segment_without_a_voxel_is_written_and_told_by_its_reader(tmp_path):
    path = tmp_path / "empty.seg.nrrd"
    write_segmentation([segment("none", np.s_[0:0, :, :]), segment("b", HIGH)], path)
    read = read_structures(path)
    assert [m.name for m in read.masks] == ["b"]
    assert any("none" in f.text for f in read.findings)


def test_the_same_segments_are_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_segmentation([segment("x", LOW)], tmp_path / f"{name}.seg.nrrd")
    assert (tmp_path / "a.seg.nrrd").read_bytes() == (tmp_path / "b.seg.nrrd").read_bytes()


def test_no_segment_and_two_grids_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        write_segmentation([], tmp_path / "s.seg.nrrd")
    other = grid_around((0.0, 0.0, 0.0), (8.0, 8.0, 8.0), (1.0, 1.0, 1.0))
    stray = Segment(
        name="x",
        kind="organ",
        mask=Volume(grid=other, values=np.ones(other.shape, bool)),
        colour=(0, 0, 0),
        source="",
    )
    with pytest.raises(ValueError, match="one grid"):
        write_segmentation([segment("a", LOW), stray], tmp_path / "s.seg.nrrd")
    assert list(tmp_path.iterdir()) == []
