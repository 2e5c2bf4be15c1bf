"""Real series land where independent readers put them; their traps are seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.image.labels import read_masks, read_structures
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe

SERIES = {
    "liver_ct_crlm1006": ("CT", (512, 512, 51), (0.804688, 0.804688, 5.0), "FFS"),
    "abdomen_ct_dicom_j2k/dicom": ("CT", (512, 512, 20), (0.9765625, 0.9765625, 2.0), "HFS"),
    "liver_mr_cmb/t2": ("MR", (584, 512, 33), (0.6836, 0.6836, 8.0), "FFS"),
    "liver_mr_cmb/adc": ("MR", (256, 288, 36), (1.5625, 1.5625, 7.0), "FFS"),
    "sarcoma_ct_mr_sts003/CT": ("CT", (154, 158, 51), (0.976562, 0.976562, 3.27), "HFS"),
    "sarcoma_ct_mr_sts003/MR_T1": ("MR", (121, 138, 47), (0.976562, 0.976562, 3.269955), "FFS"),
    "dicom_seg_liver_3slice": ("CT", (512, 512, 3), (0.810547, 0.810547, 1.0), "FFS"),
    "oblique_mr_prostate_adc": ("MR", (256, 256, 20), (0.7031, 0.7031, 3.0), "FFS"),
    "prone_mr_sagittal": ("MR", (256, 256, 35), (1.015625, 1.015625, 4.8), "HFP"),
}


@pytest.mark.parametrize("name", sorted(SERIES))
def test_each_series_is_read_to_the_places_of_its_headers(data_root: Path, name: str):
    modality, size, spacing, position = SERIES[name]
    scan = read_scan(data_root / name)
    grid = scan.volume.grid
    assert (scan.facts.modality, scan.facts.patient_position) == (modality, position)
    assert grid.size == size
    assert grid.spacing_mm == pytest.approx(spacing, abs=1e-4)
    assert scan.volume.values.dtype == np.int16
    # Second opinion, slice by slice: pydicom's own position, orientation and one of the pixels.
    files = [p for p in sorted((data_root / name).rglob("*")) if p.suffix in (".dcm", "") and p.is_file()]
    checked = 0
    for path in files:
        ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        if ds.get("SeriesInstanceUID") != scan.facts.series_uid or "ImagePositionPatient" not in ds:
            continue
        position_mm = np.array([float(v) for v in ds.ImagePositionPatient])
        row = np.array([float(v) for v in ds.ImageOrientationPatient[:3]])
        index = grid.mm_to_index(position_mm)
        assert np.abs(index - np.rint(index)).max() * max(grid.spacing_mm) < 0.1
        assert np.abs(index[:2]).max() < 0.02
        assert np.allclose(grid.axes[:, 0], row, atol=1e-4)
        checked += 1
    assert checked == size[2]


@pytest.mark.parametrize("name", ["oblique_mr_prostate_adc", "prone_mr_sagittal", "liver_mr_cmb/t2"])
def test_pixels_are_those_of_their_slice(data_root: Path, name: str):
    scan = read_scan(data_root / name)
    for path in sorted(p for p in (data_root / name).rglob("*.dcm"))[::7]:
        ds = pydicom.dcmread(path)
        k = round(float(scan.volume.grid.mm_to_index([float(v) for v in ds.ImagePositionPatient])[2]))
        stored = ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
        assert np.array_equal(scan.volume.values[k], stored)


def test_the_liver_ct_has_its_padding_cut_off(data_root: Path):
    scan = read_scan(data_root / "liver_ct_crlm1006")
    assert int(scan.volume.values.min()) == -1024
    finding = next(f for f in scan.facts.findings if f.code == "padding-clipped")
    assert "-3024" in finding.text


def test_the_t2_series_keeps_its_negative_values(data_root: Path):
    values = read_scan(data_root / "liver_mr_cmb" / "t2").volume.values
    assert (int(values.min()), int(values.max())) == (-269, 4999)


def test_two_series_of_one_patient_share_a_code_and_a_frame(data_root: Path):
    t2, adc = (read_scan(data_root / "liver_mr_cmb" / n).facts for n in ("t2", "adc"))
    assert t2.code == adc.code
    assert t2.frame_of_reference_uid == adc.frame_of_reference_uid != ""


def test_the_tilted_phantom_is_refused(data_root: Path):
    with pytest.raises(ImageError) as caught:
        read_scan(data_root / "tilted_ct_phantom")
    assert caught.value.code == "gantry-tilt"
    assert "18.5 degrees" in caught.value.what
    assert "15.1 mm" in caught.value.what


def test_two_series_must_be_chosen_from(data_root: Path):
    with pytest.raises(ImageError) as caught:
        read_scan(data_root / "liver_mr_cmb")
    assert caught.value.code == "several-series"


@pytest.mark.parametrize(
    ("image", "labels", "count"),
    [
        ("liver_ct_crlm1006", "liver_ct_crlm1006/labels.nii.gz", 7),
        ("abdomen_ct_totalseg/ct.nii.gz", "abdomen_ct_totalseg/labels.nii.gz", 61),
        ("abdomen_mr_totalseg/mr.nii.gz", "abdomen_mr_totalseg/labels.nii.gz", 23),
        ("abdomen_ct_dicom_j2k", "abdomen_ct_dicom_j2k/labels.nii.gz", 31),
        ("lung_ct_lidc0314/ct.nii.gz", "lung_ct_lidc0314/labels.nii.gz", 1),
    ],
)
def test_label_maps_are_named_by_their_file(data_root: Path, image: str, labels: str, count: int):
    masks = read_masks(data_root / labels, read_scan(data_root / image))
    names = json.loads((data_root / labels).with_name("labels.json").read_text())
    table = names.get("labels", names)
    for mask in masks:
        entry = table[mask.source.rpartition(" ")[2]]
        assert mask.name == (entry["name"] if isinstance(entry, dict) else entry)
    assert len(masks) == count


def test_liver_labels_have_the_volumes_and_places_of_their_table(data_root: Path):
    scan = read_scan(data_root / "liver_ct_crlm1006")
    masks = read_masks(data_root / "liver_ct_crlm1006" / "labels.nii.gz", scan)
    table = json.loads((data_root / "liver_ct_crlm1006" / "labels.json").read_text())["labels"]
    for mask, entry in zip(masks, table.values(), strict=True):
        index = np.argwhere(mask.mask.values)[:, ::-1]
        assert len(index) * scan.volume.grid.voxel_volume_ml == pytest.approx(entry["volume_ml"], abs=0.01)
        centroid = scan.volume.grid.index_to_mm(index.mean(axis=0))
        assert np.abs(centroid - entry["centroid_LPS_mm"]).max() < 0.1


def test_the_segmentation_equals_the_label_map(data_root: Path):
    folder = data_root / "liver_ct_crlm1006"
    scan = read_scan(folder)
    drawn, seg = read_masks(folder / "labels.nii.gz", scan), read_masks(folder / "labels_seg.dcm", scan)
    assert [m.name for m in seg] == [
        "Liver", "Target 1", "Target 2", "Target 3", "Target 4", "Right kidney", "Gallbladder",
    ]  # fmt: skip
    with_targets = np.any([m.mask.values for m in drawn[:5]], axis=0)  # there "Liver" includes the targets
    assert np.array_equal(seg[0].mask.values, with_targets)
    for a, b in zip(drawn[1:], seg[1:], strict=True):
        assert np.array_equal(a.mask.values, b.mask.values)


def test_the_liver_segmentation_equals_its_reference(data_root: Path):
    folder = data_root / "dicom_seg_liver_3slice"
    scan = read_scan(folder)
    seg = read_masks(folder / "liver_seg.dcm", scan)
    reference = read_masks(folder / "liver_seg_reference.nrrd", scan)
    assert [m.name for m in seg] == ["Liver"]
    assert np.array_equal(seg[0].mask.values, reference[0].mask.values)


def test_a_mask_drawn_on_the_mr_comes_to_the_ct_of_the_same_patient(data_root: Path):
    folder = data_root / "sarcoma_ct_mr_sts003"
    scan = read_scan(folder / "CT")
    found = read_structures(folder / "MR_T1_reference_mask.nii.gz", scan)
    assert found.findings == ()  # whole voxels apart: nothing is resampled
    own = read_masks(folder / "CT_reference_mask.nii.gz", scan)[0].mask.values
    assert dice(found.masks[0].mask.values, own) > 0.99


@pytest.mark.parametrize("part", ["CT", "MR_T1"])
def test_contours_give_the_reference_mask(data_root: Path, part: str):
    folder = data_root / "sarcoma_ct_mr_sts003"
    scan = read_scan(folder / part)
    found = read_structures(folder / f"{part}_rtstruct.dcm", scan)
    reference = read_masks(folder / f"{part}_reference_mask.nii.gz", scan)[0].mask.values
    assert [m.name for m in found.masks] == [f"GTV_Mass_{part}"]
    assert found.findings == ()
    assert dice(found.masks[0].mask.values, reference) > 0.999


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2.0 * float((a & b).sum()) / float(a.sum() + b.sum())


def test_info_names_what_every_folder_holds(data_root: Path):
    expected = {
        "abdomen_ct_dicom_j2k": {"dicom-series", "nifti"},
        "abdomen_ct_totalseg": {"nifti"},
        "abdomen_mr_totalseg": {"nifti"},
        "dicom_seg_liver_3slice": {"dicom-series", "dicom-seg", "nrrd"},
        "liver_ct_crlm1006": {"dicom-series", "dicom-seg", "nifti"},
        "liver_mr_cmb": {"dicom-series"},
        "lung_ct_lidc0314": {"nifti"},
        "oblique_mr_prostate_adc": {"dicom-series"},
        "prone_mr_sagittal": {"dicom-series"},
        "sarcoma_ct_mr_sts003": {"dicom-series", "rtstruct", "nifti"},
        "tilted_ct_phantom": {"dicom-series"},
    }
    for name, kinds in expected.items():
        described = describe(data_root / name).to_json()
        json.dumps(described)
        assert {s["kind"] for s in described["series"]} == kinds
        for series in described["series"]:
            good = series["kind"] != "rtstruct" and name != "tilted_ct_phantom"
            assert (series["verdict"] == "ok") is good
            if good and series["kind"] != "dicom-seg":
                assert len(series["direction"]) == 9
                assert len(series["size"]) == len(series["spacing_mm"]) == len(series["origin_mm"]) == 3


def test_info_agrees_with_what_is_read(data_root: Path):
    for name in ("oblique_mr_prostate_adc", "abdomen_ct_totalseg/ct.nii.gz"):
        series = describe(data_root / name).series[0]
        assert series.grid == read_scan(data_root / name).volume.grid
    text = describe(data_root / "oblique_mr_prostate_adc").to_text()
    assert "L-P-S (oblique)" in text
    assert "256 x 256 x 20" in text


def test_the_reader_agrees_with_simpleitk_on_an_untilted_series(data_root: Path):
    folder = data_root / "prone_mr_sagittal" / "dicom"
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    scan = read_scan(folder)
    for index in ((0, 0, 0), (255, 255, 34), (100, 30, 20)):
        there = image.TransformPhysicalPointToIndex(tuple(scan.volume.grid.index_to_mm(index)))
        assert image.GetPixel(there) == scan.volume.values[index[::-1]]
