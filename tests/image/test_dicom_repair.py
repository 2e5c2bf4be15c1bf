"""A tilted, uneven or incomplete series is resampled from where its slices truly are, after a yes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.image.dicom_header import read_headers
from cryoplan.image.dicom_repair import repair, repaired_grid
from cryoplan.image.read import read_scan
from cryoplan.image.scan import LOWEST_HU, Scan
from tests.support import hostile
from tests.support.hostile_dicom import centred, marker_errors_mm, tilted


def trilinear(folder: Path, points_mm: np.ndarray) -> np.ndarray:
    """Sample the slices of a folder at LPS points with pydicom alone; NaN where no slices surround a point.

    The way from index to place is the sheared affine of the slices themselves (row, column, step).
    """
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.read_bytes()[128:132] == b"DICM")
    slices = [pydicom.dcmread(p) for p in files]
    slices.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    places = np.array([[float(v) for v in ds.ImagePositionPatient] for ds in slices])
    row, column = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    dy, dx = (float(v) for v in slices[0].PixelSpacing)
    step = (places[-1] - places[0]) / (len(slices) - 1)
    affine = np.column_stack([row * dx, column * dy, step])
    index = np.linalg.solve(affine, (points_mm - places[0]).T).T
    values = np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in slices])
    low = np.floor(index + 1e-7).astype(int)
    part = np.clip(index - low, 0.0, 1.0)
    result = np.zeros(len(points_mm))
    lost = np.zeros(len(points_mm), bool)
    for corner in np.ndindex(2, 2, 2):
        at = low + np.array(corner)
        weight = np.prod(np.where(np.array(corner) == 1, part, 1.0 - part), axis=1)
        off = (at < 0).any(axis=1) | (at >= np.array(values.shape[::-1])).any(axis=1)
        lost |= off & (weight > 1e-6)
        i, j, k = np.clip(at, 0, np.array(values.shape[::-1]) - 1).T
        result += weight * np.maximum(values[k, j, i], LOWEST_HU)
    return np.where(lost, np.nan, result)


def points_of(scan: Scan, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    index = np.stack([rng.integers(0, n, number) for n in scan.volume.grid.size], axis=1)
    return index, scan.volume.grid.index_to_mm(index)


def test_the_tilted_phantom_is_resampled_to_its_true_places(data_root: Path):
    folder = data_root / "tilted_ct_phantom"
    scan = read_scan(folder, accept=["gantry-tilt"])
    index, points = points_of(scan, 40_000, 3)
    wanted = trilinear(folder, points)
    found = scan.volume.values[index[:, 2], index[:, 1], index[:, 0]]
    inside = np.isfinite(wanted)
    assert inside.mean() > 0.8
    assert np.abs(found[inside] - wanted[inside]).max() < 0.5
    # How far a misplacement of 0.1 mm would show: the same values a tenth of a millimetre aside.
    for axis in range(3):
        aside = trilinear(folder, points[inside] + 0.1 * np.eye(3)[axis] * (1 if axis < 2 else 0.5))
        off = np.isfinite(aside)
        assert np.abs(found[inside][off] - aside[off]).max() > 5.0
    assert (found[~inside] == LOWEST_HU).mean() > 0.9
    finding = next(f for f in scan.facts.findings if f.code == "gantry-tilt")
    assert "18.5 degrees" in finding.text
    assert "resampled" in finding.text
    assert "If accepted" not in finding.text


@pytest.mark.parametrize("angle", [20.0, -27.0, 5.0])
def test_the_ball_of_a_tilted_series_lies_where_it_was_painted(tmp_path: Path, angle: float):
    turn = np.radians(angle)
    series = hostile.Series(
        column=(0.0, float(np.cos(turn)), float(-np.sin(turn))), step_mm=(0.0, 0.0, 1.0),
        origin_mm=(-12.0, -17.0 if angle > 0 else -15.0, -3.0 + 14.0 * float(np.sin(turn))),
    )  # fmt: skip
    series.write(tmp_path, range(30))
    scan = read_scan(tmp_path, accept=["gantry-tilt"])
    values, grid = scan.volume.values.astype(float), scan.volume.grid
    weights = np.clip((values - hostile.OUTSIDE_HU) / (hostile.INSIDE_HU - hostile.OUTSIDE_HU), 0.0, 1.0)
    index = np.argwhere(weights > 0)
    centroid = np.average(grid.index_to_mm(index[:, ::-1]), axis=0, weights=weights[tuple(index.T)])
    assert np.linalg.norm(centroid - hostile.BALL_MM) < 0.1
    volume_ml = weights.sum() * grid.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * hostile.BALL_RADIUS_MM**3 / 1000, rel=0.02)


def test_the_field_of_view_grows_and_is_padded_not_wrapped(tmp_path: Path):
    tilted(25.0).write(tmp_path)
    scan = read_scan(tmp_path, accept=["gantry-tilt"])
    assert scan.volume.grid.size[0] == hostile.COLUMNS
    assert scan.volume.grid.size[1] > hostile.ROWS
    values = scan.volume.values
    assert (values[0] == LOWEST_HU).any()
    assert (values[-1] == LOWEST_HU).any()
    measured = values[values != LOWEST_HU]
    assert float(measured.min()) > -101.0


def test_a_missing_slice_is_interpolated_and_its_place_named(tmp_path: Path):
    series = centred()
    series.write(tmp_path / "whole")
    series.write(tmp_path / "part", [k for k in range(hostile.SLICES) if k != 4])
    whole = read_scan(tmp_path / "whole")
    mended = read_scan(tmp_path / "part", accept=["missing-slice"])
    assert mended.volume.grid.difference(whole.volume.grid, tolerance_mm=1e-6) is None
    others = [k for k in range(hostile.SLICES) if k != 4]
    assert np.array_equal(mended.volume.values[others], whole.volume.values[others])
    midway = (whole.volume.values[3].astype(float) + whole.volume.values[5]) / 2
    assert np.allclose(mended.volume.values[4], midway)
    finding = next(f for f in mended.facts.findings if f.code == "missing-slice")
    low, high = series.position(3)[2], series.position(5)[2]
    assert f"{low:.1f} mm" in finding.text
    assert f"{high:.1f} mm" in finding.text
    assert "interpolated, not measured" in finding.text


def test_every_hole_is_named(tmp_path: Path):
    hostile.two_missing_places(tmp_path)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    for words in ("3 slices are missing", "5.0 mm", "12.5 mm", "17.5 mm", "22.5 mm"):
        assert words in caught.value.what


def test_a_tilt_and_a_hole_need_both_to_be_accepted(tmp_path: Path):
    tilted(15.0).write(tmp_path, [k for k in range(hostile.SLICES) if k != 1])
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path, accept=["gantry-tilt"])
    assert caught.value.code == "missing-slice"
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path, accept=["missing-slice"])
    assert caught.value.code == "gantry-tilt"
    scan = read_scan(tmp_path, accept=["missing-slice", "gantry-tilt"])
    errors = marker_errors_mm(scan.volume.values.astype(float), scan.volume.grid)
    assert max(errors.values()) < 0.1


def test_a_field_linear_in_space_survives_any_repair(tmp_path: Path):
    series = tilted(-18.0)
    ks = [0, 1, 2.3, 3, 5, 6, 7.7, 8.1, 9]
    series.write(tmp_path, ks)
    headers, _ = read_headers(tmp_path)
    headers.sort(key=lambda h: h.position_mm[2])
    row, column = np.array(series.row), np.array(series.column)
    axes = np.column_stack([row, column, np.cross(row, column)])
    grid = repaired_grid(headers, axes, 2.0)

    def field(points: np.ndarray) -> np.ndarray:
        return points @ np.array([1.5, -2.0, 3.0]) + 40.0

    j, i = np.mgrid[: hostile.ROWS, : hostile.COLUMNS]
    y_mm, x_mm = hostile.SPACING_MM
    values = np.stack(
        [field(np.array(h.position_mm) + (i * x_mm)[..., None] * row + (j * y_mm)[..., None] * column)
         for h in headers]
    )  # fmt: skip
    mended = repair(values, headers, grid, outside=-9999.0)
    k, j, i = np.argwhere(mended != -9999.0).T
    wanted = field(grid.index_to_mm(np.column_stack([i, j, k])))
    assert np.abs(mended[k, j, i] - wanted).max() < 1e-2
    assert len(k) > 0.6 * mended.size


def test_pixels_that_are_not_those_of_the_last_file_are_noticed(tmp_path: Path, monkeypatch):
    hostile.missing(tmp_path)
    import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

    true = sitk.GetArrayViewFromImage

    def wrong(image: object) -> np.ndarray:
        values = true(image)
        return values[::-1] if len(values) > 1 else values

    monkeypatch.setattr(sitk, "GetArrayViewFromImage", wrong)
    hostile.Series().slice(0, 1, PixelData=b"\7\0" * (hostile.ROWS * hostile.COLUMNS)).save_as(
        tmp_path / "im00_00.dcm", enforce_file_format=True
    )
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path, accept=["missing-slice", "duplicate-slice"])
    assert caught.value.code == "pixels-differ"
