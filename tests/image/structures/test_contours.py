"""RTSTRUCT: holes, keyholes, left-out slices and everything that has to be refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from cryoplan.core.errors import StructureError
from cryoplan.image.labels import read_masks, read_structures
from cryoplan.image.read import read_scan
from tests.support import foreign_structures as foreign
from tests.support import hostile
from tests.support.grids import grid_of, places

GRID = grid_of((50, 44, 12), (0.8, 1.0, 2.5), (-20.0, -22.0, 100.0))
SCAN = foreign.scan_of(GRID)


def box(low: tuple[float, float], high: tuple[float, float], z: float) -> np.ndarray:
    (x0, y0), (x1, y1) = low, high
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])


def level(k: float) -> float:
    return 100.0 + 2.5 * k


def stack(low: tuple[float, float], high: tuple[float, float], ks: tuple[float, ...]) -> list[np.ndarray]:
    return [box(low, high, level(k)) for k in ks]


BODY = stack((-12.4, -9.5), (11.6, 10.5), (3, 4, 5))
"""30 x 20 voxels on three slices, edges on borders of voxels."""


def refused(path: Path) -> StructureError:
    with pytest.raises(StructureError) as caught:
        read_masks(path, SCAN)
    return caught.value


def test_a_contour_along_the_borders_of_voxels_is_exact(tmp_path: Path):
    found = read_structures(foreign.rtstruct({"body": BODY}, tmp_path / "a.dcm"), SCAN)
    points = places(GRID)
    truth = (np.abs(points[..., 0] + 0.4) < 12) & (np.abs(points[..., 1] - 0.5) < 10)
    truth &= np.abs(points[..., 2] - level(4)) < 3
    assert np.array_equal(found.masks[0].mask.values, truth)
    assert found.findings == ()


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_a_contour_within_another_is_a_hole_and_one_within_that_an_island(tmp_path: Path, kind: str):
    lines = BODY + stack((-8.4, -5.5), (7.6, 6.5), (3, 4, 5)) + stack((-4.4, -1.5), (3.6, 2.5), (3, 4, 5))
    mask = read_masks(foreign.rtstruct({"ring": lines}, tmp_path / "a.dcm", kind=kind), SCAN)[0].mask
    assert mask.values.sum() == 3 * (30 * 20 - 20 * 12 + 10 * 4)


def test_a_keyhole_is_the_same_as_a_contour_within_another(tmp_path: Path):
    inner = stack((-8.4, -5.5), (7.6, 6.5), (3, 4, 5))
    keyed = [foreign.keyhole(a, b) for a, b in zip(BODY, inner, strict=True)]
    mask = read_masks(foreign.rtstruct({"ring": keyed}, tmp_path / "a.dcm"), SCAN)[0].mask
    assert mask.values.sum() == 3 * (30 * 20 - 20 * 12)


def test_left_out_slices_are_filled_and_said(tmp_path: Path):
    lines = stack((-12.4, -9.5), (11.6, 10.5), (2, 3, 4, 7, 8))
    found = read_structures(foreign.rtstruct({"body": lines}, tmp_path / "a.dcm"), SCAN)
    counts = found.masks[0].mask.values.sum(axis=(1, 2))
    assert np.flatnonzero(counts).tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert (np.abs(counts[2:9] - 600) <= 30).all()
    assert [f.code for f in found.findings if f.level.value == "warn"] == ["contours-interpolated"]
    assert "2 planes" in found.findings[0].text


def test_two_lesions_of_one_structure_far_apart_are_not_joined(tmp_path: Path):
    lines = stack((-12.4, -9.5), (11.6, 10.5), (1, 2, 3, 9, 10))
    found = read_structures(foreign.rtstruct({"both": lines}, tmp_path / "a.dcm"), SCAN)
    counts = found.masks[0].mask.values.sum(axis=(1, 2))
    assert np.flatnonzero(counts).tolist() == [1, 2, 3, 9, 10]
    assert "contours-gap" in [f.code for f in found.findings]


def test_contours_between_slices_land_where_they_are(tmp_path: Path):
    lines = stack((-12.4, -9.5), (11.6, 10.5), (2.5, 3.5, 4.5, 5.5))
    mask = read_masks(foreign.rtstruct({"body": lines}, tmp_path / "a.dcm"), SCAN)[0].mask
    drawn = GRID.index_to_mm(np.argwhere(mask.values)[:, ::-1])
    assert abs(drawn[:, 2].mean() - level(4)) <= 1.25 + 1e-6  # the ends halve a slice each: one of two counts
    assert 4 * 600 - 30 <= mask.values.sum() <= 5 * 600 + 30


def test_a_structure_thinner_than_a_voxel_keeps_its_place_and_volume(tmp_path: Path):
    wire = [box((-12.0, 0.1), (12.0, 0.4), level(k)) for k in (3, 4, 5)]
    mask = read_masks(foreign.rtstruct({"wire": wire}, tmp_path / "a.dcm"), SCAN)[0].mask
    assert mask.values.any(axis=(1, 2)).sum() == 3
    assert np.unique(np.argwhere(mask.values)[:, 1]).tolist() == [22]
    assert mask.values.sum() == pytest.approx(3 * 24 * 0.3 / 0.8, abs=3)


def test_thousands_of_points_are_no_trouble(tmp_path: Path):
    angle = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    round_ = np.stack([12 * np.cos(angle), 12 * np.sin(angle), np.full_like(angle, level(4))], axis=-1)
    mask = read_masks(foreign.rtstruct({"disc": [round_]}, tmp_path / "a.dcm"), SCAN)[0].mask
    assert mask.values.sum() * 0.8 == pytest.approx(np.pi * 144, rel=0.01)


def test_empty_structures_points_and_twins_are_told(tmp_path: Path):
    def point(ds: Dataset) -> None:
        ds.ROIContourSequence[2].ContourSequence[0].ContourGeometricType = "POINT"

    structures = {
        "body": BODY + BODY[:1],
        "nothing": [],
        "mark": [BODY[0][:1]],
        "flat": [BODY[0][[0, 1, 0, 1]]],
    }
    found = read_structures(foreign.rtstruct(structures, tmp_path / "a.dcm", change=point), SCAN)
    assert [m.name for m in found.masks] == ["body"]
    told = {(f.code, f.place) for f in found.findings}
    assert told == {
        ("contour-twice", "body"), ("structure-empty", "nothing"), ("contours-not-closed", "mark"),
        ("contour-without-area", "flat"), ("structure-empty", "flat"),
    }  # fmt: skip


def test_contours_that_cross_each_other_are_told(tmp_path: Path):
    lines = [*BODY, box((5.0, 2.0), (16.0, 14.0), level(4))]
    found = read_structures(foreign.rtstruct({"two": lines}, tmp_path / "a.dcm"), SCAN)
    assert [f.code for f in found.findings] == ["contours-cross"]


def test_a_structure_that_leaves_the_image_is_left_out_and_alone_refused(tmp_path: Path):
    wide = stack((-40.0, -9.5), (11.6, 10.5), (3, 4))
    found = read_structures(foreign.rtstruct({"body": BODY, "wide": wide}, tmp_path / "a.dcm"), SCAN)
    assert [m.name for m in found.masks] == ["body"]
    assert [(f.code, f.place) for f in found.findings] == [("mask-leaves-image", "wide")]
    assert "20 mm" in found.findings[0].text
    error = refused(foreign.rtstruct({"wide": wide}, tmp_path / "b.dcm"))
    assert error.code == "mask-leaves-image"
    assert "wide of b.dcm" in error.what
    above = refused(foreign.rtstruct({"up": stack((-5, -5), (5, 5), (40, 41))}, tmp_path / "c.dcm"))
    assert above.code == "mask-outside"


EIGHT = np.array([[-10, -8, 110.0], [10, 8, 110.0], [10, -8, 110.0], [-10, 8, 110.0]])
TWICE = np.concatenate([BODY[0], BODY[0] * [0.6, 0.6, 1.0]])  # goes round twice the same way


def _set(where: str, value: object) -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        contour = ds.ROIContourSequence[0].ContourSequence[1]
        target = {"contour": contour, "roi": ds.StructureSetROISequence[0], "drawn": ds.ROIContourSequence[0]}
        owner, _, name = where.partition(".")
        setattr(target[owner], name, value)

    return change


@pytest.mark.parametrize(
    ("lines", "change", "code"),
    [
        ([*BODY, EIGHT], None, "contour-crosses-itself"),
        ([TWICE], None, "contour-crosses-itself"),
        ([*BODY, BODY[0] + np.outer([0, 0, 0, 1], [0, 0, 4.0])], None, "contour-not-planar"),
        ([*BODY, BODY[0][:, [2, 1, 0]] - [100, 0, -100]], None, "contours-not-parallel"),
        (BODY, _set("contour.NumberOfContourPoints", 5), "contour-points"),
        (BODY, _set("contour.ContourData", ["1", "2", "3", "4"]), "contour-points"),
        (BODY, _set("contour.ContourData", ["1e9"] * 12), "contour-points"),
        (BODY, _set("drawn.ReferencedROINumber", 9), "not-readable"),
    ],
)
def test_contours_without_a_meaning_are_refused_by_name(tmp_path: Path, lines, change, code: str):
    error = refused(foreign.rtstruct({"GTV": lines}, tmp_path / "a.dcm", change=change))
    assert error.code == code
    assert "a.dcm" in error.what
    assert code == "not-readable" or "GTV" in error.what


def test_points_that_are_no_numbers_are_refused(tmp_path: Path):
    path = foreign.rtstruct({"GTV": BODY}, tmp_path / "a.dcm")
    data = path.read_bytes()
    assert data.count(b"-12.400\\-9.500\\107.500") == 1
    path.write_bytes(data.replace(b"-12.400\\-9.500\\107.500", b"    nan\\-9.500\\107.500"))
    error = refused(path)
    assert error.code == "contour-points"
    assert "GTV of a.dcm" in error.what


def test_files_cut_short_anywhere_are_refused_or_whole(tmp_path: Path):
    data = foreign.rtstruct({"GTV": BODY, "two": BODY[:2]}, tmp_path / "a.dcm").read_bytes()
    path = tmp_path / "cut.dcm"
    for length in range(140, len(data), 37):
        path.write_bytes(data[:length])
        assert "cut.dcm" in refused(path).what


def test_structures_of_another_frame_or_patient_are_refused(tmp_path: Path):
    hostile.Series().write(tmp_path / "ct")
    scan = read_scan(tmp_path / "ct")
    frame = scan.facts.frame_of_reference_uid
    lines = {"it": [box((-5, -5), (5, 5), z) for z in (7.5, 10.0, 12.5)]}

    def read(name: str, **words: str) -> tuple[str, ...]:
        found = read_structures(foreign.rtstruct(lines, tmp_path / name, **words), scan)
        return tuple(f.code for f in found.findings)

    assert read("own.dcm", frame=frame) == ()
    assert read("undated.dcm", frame=frame, birth="") == ()
    assert read("elder.dcm", frame=frame, birth="19400203") == ("patient-unproven",)
    assert read("unnamed.dcm", frame="", patient_id="", birth="") == ("patient-unproven", "frame-unproven")
    for birth in ("19500203", ""):
        with pytest.raises(StructureError, match=r"other.dcm is of another patient") as caught:
            read("other.dcm", frame=frame, patient_id="ELSE-1", birth=birth)
        assert caught.value.code == "another-patient"
    with pytest.raises(StructureError, match=r"elder.dcm is of another patient"):
        read("elder.dcm", frame="", birth="19400203")
    with pytest.raises(StructureError, match=r"frame.dcm was drawn in another frame of reference"):
        read("frame.dcm", frame="1.2.3")
    assert "frame-unproven" in read("none.dcm", frame="")


def test_contours_without_an_image_ask_for_it(tmp_path: Path):
    with pytest.raises(StructureError) as caught:
        read_masks(foreign.rtstruct({"it": BODY}, tmp_path / "a.dcm"))
    assert caught.value.code == "needs-image"
