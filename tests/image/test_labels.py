"""Masks come with their names, on the image's voxels, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import StructureError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.itk import to_sitk
from cryoplan.image.labels import read_masks, read_structures
from cryoplan.image.read import read_scan
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.image.write import write_volume
from tests.support import hostile

GRID = Grid(size=(10, 8, 6), spacing_mm=(0.8, 0.9, 2.5), origin_mm=(-40.0, 12.0, 300.0))


def make_scan(grid: Grid = GRID) -> Scan:
    facts = ScanFacts(path="", kind="nifti", code="P-1", modality="CT")
    return Scan(volume=Volume(grid=grid, values=np.zeros(grid.shape, np.int16)), facts=facts)


def make_labels(folder: Path, *, name: str = "labels.nii.gz", top: int = 3, dtype: str = "uint8") -> Path:
    values = np.zeros(GRID.shape, dtype)
    for label in range(1, top + 1):
        values[label, 2:5, label : label + 3] = label
    write_volume(Volume(grid=GRID, values=values), folder / name)
    return folder / name


@pytest.mark.parametrize(
    "names",
    [
        {"1": "liver", "2": "tumour", "3": "vein"},
        {"1": "liver", "2": "tumour", "3": "vein", "4": "not here", "volume_mm3_by_count": {"1": 7}},
        {
            "grid": "same",
            "labels": {"1": {"name": "liver", "volume_ml": 2}, "2": {"name": "tumour"}, "3": "vein"},
        },
        {"labels": {"background": 0, "liver": 1, "tumour": 2, "vein": 3}},
    ],
)
@pytest.mark.parametrize("place", ["labels.json", "own.json"])
def test_every_known_shape_of_names_file_names_the_labels(tmp_path: Path, names: dict, place: str):
    path = make_labels(tmp_path, name="own.nii.gz")
    (tmp_path / place).write_text(json.dumps(names))
    masks = read_masks(path, make_scan())
    assert [m.name for m in masks] == ["liver", "tumour", "vein"]
    assert [int(m.mask.values.sum()) for m in masks] == [9, 9, 9]
    assert all(m.mask.values.dtype == bool and m.mask.grid == GRID for m in masks)
    assert masks[1].source == "own.nii.gz, label 2"


def test_roles_and_tissues_of_the_file_are_kept(tmp_path: Path):
    path = make_labels(tmp_path, top=1)
    names = {"labels": {"1": {"name": "met", "role": "tumour", "tissue": "tumour-crlm"}}}
    (tmp_path / "labels.json").write_text(json.dumps(names))
    mask = read_masks(path)[0]
    assert (mask.name, mask.role, mask.tissue) == ("met", "tumour", "tumour-crlm")


def test_labels_without_names_are_numbered_and_a_single_mask_takes_its_file_name(tmp_path: Path):
    assert [m.name for m in read_masks(make_labels(tmp_path))] == ["label 1", "label 2", "label 3"]
    assert [m.name for m in read_masks(make_labels(tmp_path, name="Liver.nii.gz", top=1))] == ["Liver"]


def test_a_names_file_of_another_label_map_is_not_used(tmp_path: Path):
    (tmp_path / "labels.json").write_text('{"1": "spleen", "2": "kidney"}')
    assert [m.name for m in read_masks(make_labels(tmp_path, name="liver.nii.gz", top=1))] == ["liver"]
    assert read_masks(make_labels(tmp_path, name="other.nrrd", top=3))[0].name == "label 1"


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", '{"1": 7}', '{"1": ""}', '{"labels": {"1": {"role": "x"}}}', "\xff"]
)
def test_a_broken_names_file_is_refused(tmp_path: Path, text: str):
    path = make_labels(tmp_path)
    (tmp_path / "labels.json").write_text(text, encoding="latin-1")
    with pytest.raises(StructureError) as caught:
        read_masks(path)
    assert caught.value.code == "bad-label-names"


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
@pytest.mark.parametrize("turn", ["flip rows", "flip all", "swap axes"])
def test_a_label_map_in_another_voxel_order_is_turned_and_not_moved(tmp_path: Path, ending: str, turn: str):
    values = np.zeros(GRID.shape, np.uint8)
    values[1, 2, 3], values[4, 6, 8] = 1, 2
    image = to_sitk(Volume(grid=GRID, values=values))
    if turn == "swap axes":
        image = sitk.PermuteAxes(image, [2, 0, 1])
    else:
        image = sitk.Flip(image, [turn == "flip all", True, turn == "flip all"])
    sitk.WriteImage(image, str(tmp_path / f"a{ending}"))
    masks = read_masks(tmp_path / f"a{ending}", make_scan())
    assert np.argwhere(masks[0].mask.values).tolist() == [[1, 2, 3]]
    assert np.argwhere(masks[1].mask.values).tolist() == [[4, 6, 8]]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"origin_mm": (-37.0, 12.0, 300.0)}, "mask-leaves-image", "leaves the image by 3 mm"),
        ({"size": (10, 8, 9)}, "mask-leaves-image", "leaves the image by 6 mm"),
        ({"direction": (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1)}, "mask-leaves-image", "leaves the image"),
        ({"origin_mm": (-40.0, 12.0, 500.0)}, "mask-outside", "outside"),
    ],
)
def test_a_mask_that_leaves_the_image_is_refused(tmp_path: Path, changes, code: str, words: str):
    fields = {"size": GRID.size, "spacing_mm": GRID.spacing_mm, "origin_mm": GRID.origin_mm} | changes
    grid = Grid(**fields)
    write_volume(Volume(grid=grid, values=np.ones(grid.shape, np.uint8)), tmp_path / "a.nii")
    with pytest.raises(StructureError) as caught:
        read_masks(tmp_path / "a.nii", make_scan())
    assert caught.value.code == code
    assert words in caught.value.what
    assert caught.value.place == "a.nii"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"origin_mm": (-39.6, 12.0, 300.0)}, "origin"),
        ({"spacing_mm": (0.8, 0.9, 2.0)}, "spacing"),
        ({"size": (20, 16, 12), "spacing_mm": (0.4, 0.45, 1.25)}, "size"),
        (
            {"direction": (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1), "origin_mm": (-37.0, 11.0, 300.0)},
            "directions",
        ),
    ],
)
def test_a_mask_on_another_grid_is_resampled_and_the_difference_told(tmp_path: Path, changes, words: str):
    grid = Grid(**({"size": GRID.size, "spacing_mm": GRID.spacing_mm, "origin_mm": GRID.origin_mm} | changes))
    values = np.zeros(grid.shape, np.uint8)
    values[tuple(slice(n // 4, n - n // 4) for n in grid.shape)] = 1
    write_volume(Volume(grid=grid, values=values), tmp_path / "a.nii")
    found = read_structures(tmp_path / "a.nii", make_scan())
    assert [f.code for f in found.findings] == ["mask-resampled"]
    assert words in found.findings[0].text
    mask = found.masks[0].mask
    assert mask.grid == GRID
    drawn = grid.index_to_mm(np.argwhere(values)[:, ::-1])
    centroid = GRID.index_to_mm(np.argwhere(mask.values)[:, ::-1]).mean(axis=0)
    assert (np.abs(centroid - drawn.mean(axis=0)) < 0.5 * np.array(GRID.spacing_mm)).all()
    volume = mask.values.sum() * GRID.voxel_volume_ml
    assert volume == pytest.approx(values.sum() * grid.voxel_volume_ml, rel=0.2)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.zeros(GRID.shape, np.uint8), "no-labels"),
        (np.full(GRID.shape, 0.5, np.float32), "not-a-label-map"),
        (np.full(GRID.shape, -3, np.int16), "not-a-label-map"),
        (np.arange(np.prod(GRID.size), dtype=np.int32).reshape(GRID.shape) * 3, "not-a-label-map-or-not"),
    ],
)
def test_a_file_that_is_no_label_map_is_refused(tmp_path: Path, values: np.ndarray, code: str):
    if code == "not-a-label-map-or-not":
        grid = Grid(size=(30, 20, 10), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0))
        values, code = np.arange(6000, dtype=np.int32).reshape(grid.shape), "not-a-label-map"
    else:
        grid = GRID
    write_volume(Volume(grid=grid, values=values), tmp_path / "a.nii")
    with pytest.raises(StructureError) as caught:
        read_masks(tmp_path / "a.nii")
    assert caught.value.code == code


def test_float_label_maps_with_whole_numbers_are_read(tmp_path: Path):
    assert len(read_masks(make_labels(tmp_path, dtype="float32"), make_scan())) == 3


def test_text_folders_and_truncated_maps_are_structure_errors(tmp_path: Path):
    (tmp_path / "a.txt").write_text("no")
    path = make_labels(tmp_path, name="cut.nii")
    path.write_bytes(path.read_bytes()[:-40])
    hostile.Series().write(tmp_path / "ct", [0, 1])
    for bad, code in (
        (tmp_path / "a.txt", "not-a-label-map"),
        (tmp_path, "not-a-label-map"),
        (path, "truncated-file"),
        (next((tmp_path / "ct").iterdir()), "not-a-label-map"),
    ):
        with pytest.raises(StructureError) as caught:
            read_masks(bad, make_scan())
        assert caught.value.code == code


@pytest.mark.parametrize("make", [hostile.Series, hostile.mr_series], ids=["axial CT", "oblique MR"])
def test_a_segmentation_of_some_slices_lands_on_the_ball(tmp_path: Path, make):
    paths = make().write(tmp_path / "ct")
    scan = read_scan(tmp_path / "ct")
    chosen = paths[4:8]
    stored = np.stack([read_scan(tmp_path / "ct").volume.values[k] > -20 for k in range(4, 8)])
    masks = np.stack([stored, np.zeros_like(stored), ~stored], axis=-1)
    hostile.segmentation(chosen, masks, tmp_path / "seg.dcm")
    read = read_masks(tmp_path / "seg.dcm", scan)
    assert [m.name for m in read] == ["thing 1", "thing 3"]  # the empty one is left out
    truth = scan.volume.values > -20
    truth[:4] = truth[8:] = False
    assert read[0].mask.grid == scan.volume.grid
    assert np.array_equal(read[0].mask.values, truth)
    alone = read_masks(tmp_path / "seg.dcm")[0].mask
    centroid = alone.grid.index_to_mm(np.argwhere(alone.values)[:, ::-1].mean(axis=0))
    there = scan.volume.grid.index_to_mm(np.argwhere(truth)[:, ::-1].mean(axis=0))
    assert np.abs(centroid - there).max() < 1e-3


def test_a_segmentation_of_one_slice_is_placed(tmp_path: Path):
    paths = hostile.Series().write(tmp_path / "ct")
    scan = read_scan(tmp_path / "ct")
    mask = (scan.volume.values[5] > -20)[None, :, :, None]
    hostile.segmentation([paths[5]], mask, tmp_path / "seg.dcm")
    read = read_masks(tmp_path / "seg.dcm", scan)[0].mask.values
    assert np.array_equal(read[5], mask[0, :, :, 0])
    assert read.sum() == mask.sum()


def test_segmentations_that_do_not_belong_are_refused(tmp_path: Path):
    paths = hostile.Series().write(tmp_path / "ct")
    mask = np.ones((4, hostile.ROWS, hostile.COLUMNS, 1), bool)
    hostile.segmentation(paths[4:8], mask, tmp_path / "seg.dcm")
    hostile.Series(frame_uid="1.2.3").write(tmp_path / "other")
    hostile.Series(origin_mm=(-6.5, -16.0, 0.0)).write(tmp_path / "beside")
    hostile.Series(origin_mm=(-14.0, -16.0, 400.0)).write(tmp_path / "above")
    broken = tmp_path / "broken.dcm"
    broken.write_bytes((tmp_path / "seg.dcm").read_bytes()[:-300])
    for file, folder, code in (
        ("seg.dcm", "other", "other-frame-of-reference"),
        ("seg.dcm", "beside", "mask-leaves-image"),
        ("seg.dcm", "above", "mask-outside"),
        ("broken.dcm", "ct", "truncated-file"),
    ):
        with pytest.raises(StructureError) as caught:
            read_masks(tmp_path / file, read_scan(tmp_path / folder))
        assert caught.value.code == code
        assert caught.value.place == file
