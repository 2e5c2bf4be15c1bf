"""Fitness: each check has a scan that passes, one that warns and (where there is one) one that fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from cryoplan.case.build import build_case
from cryoplan.case.case import Case
from cryoplan.case.fitness import (
    FRESH_DAYS,
    METAL_HU,
    OLD_DAYS,
    THICK_MM,
    THIN_MM,
    check_fitness,
)
from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.read import read_scan
from cryoplan.image.scan import LOWEST_HU, Scan
from tests.support.hostile import Series
from tests.support.scenes import AIR_HU, BODY_MM, TUMOUR_MM, grid_around, make_case, turned

TODAY = date(2026, 11, 22)
CODES = {"slices", "phase", "tilt", "position", "field", "metal", "age", "compression"}


def case_with(case: Case | None = None, values=None, **facts) -> Case:
    case = case or make_case()
    volume = case.scan.volume
    if values is not None:
        volume = Volume(grid=volume.grid, values=values)
    return case.changed(scan=Scan(volume=volume, facts=replace(case.scan.facts, **facts)))


def judge(code: str, case: Case) -> Finding:
    found = {f.code: f for f in check_fitness(case, today=TODAY)}
    return found[f"fit-{code}"]


def test_every_check_answers_once_on_a_ct():
    found = check_fitness(make_case(), today=TODAY)
    assert [f.code for f in found] == list(dict.fromkeys(f.code for f in found))
    assert {f.code for f in found} == {f"fit-{code}" for code in CODES}
    assert all(f.text.endswith(".") for f in found)


@pytest.mark.parametrize(
    ("thickness", "level"),
    [(2.0, Level.WARN), (4.0, Level.OK), (5.0, Level.OK), (5.1, Level.WARN), (8.5, Level.FAIL)],
)
def test_slices_are_judged_by_thickness_and_by_gaps(thickness, level):
    finding = judge("slices", case_with(slice_thickness_mm=thickness))  # 4 mm apart
    assert finding.level is level
    if level is Level.WARN and thickness < 4.0:
        assert "2 mm between two slices were not imaged" in finding.text


@pytest.mark.parametrize(("step", "level"), [(5.0, Level.OK), (6.0, Level.WARN), (9.0, Level.FAIL)])
def test_a_file_without_thickness_is_judged_by_its_coarsest_axis(step, level):
    case = make_case(grid_around(BODY_MM, (260.0, 200.0, 160.0), (step, 2.0, 2.0)))
    assert judge("slices", case).level is level
    assert f"{step:g} mm apart" in judge("slices", case).text


def test_slices_oblique_to_the_patient_say_so():
    case = make_case(grid_around(BODY_MM, (260.0, 200.0, 160.0), (2.0, 2.0, 4.0), turned((15.0, 0.0, 0.0))))
    assert "oblique" in judge("slices", case).text
    assert "oblique" not in judge("slices", make_case()).text


@pytest.mark.parametrize(
    ("description", "level"),
    [
        ("Abdomen portal venous 3.0", Level.OK),
        ("LIVER ART 1.25", Level.OK),
        ("Abd non-contrast", Level.WARN),
        ("native 5.0 B30f", Level.WARN),
        ("party animals", Level.WARN),
        ("", Level.WARN),
    ],
)
def test_the_phase_of_a_ct_comes_from_its_description_or_is_unknown(description, level):
    assert judge("phase", case_with(description=description)).level is level


def test_an_mr_has_a_sequence_instead_and_no_metal_check():
    case = case_with(modality="MR", description="t2_tse")
    assert judge("phase", case).level is Level.OK
    assert "t2_tse" in judge("phase", case).text
    assert "fit-metal" not in {f.code for f in check_fitness(case, today=TODAY)}


@pytest.mark.parametrize(
    ("tilt", "level"), [(None, Level.OK), (0.0, Level.OK), (0.4, Level.OK), (-18.5, Level.WARN)]
)
def test_a_tilted_gantry_warns(tilt, level):
    finding = judge("tilt", case_with(gantry_tilt_deg=tilt))
    assert finding.level is level
    assert ("18.5" in finding.text) == (tilt == -18.5)


@pytest.mark.parametrize(
    ("position", "level", "word"),
    [
        ("HFS", Level.OK, "on the back"),
        ("FFP", Level.OK, "on the front, feet first"),
        ("HFDL", Level.OK, "on the left side"),
        ("FFDR", Level.OK, "on the right side, feet first"),
        ("", Level.WARN, "unknown"),
        ("LFP", Level.WARN, "not a usual one"),
    ],
)
def test_the_position_is_said_in_words_and_an_unknown_one_warns(position, level, word):
    finding = judge("position", case_with(patient_position=position))
    assert finding.level is level
    assert word in finding.text


@pytest.mark.parametrize("outlined", [True, False], ids=["outlined body", "body from CT"])
@pytest.mark.parametrize("direction", [(0.0, 0.0, 0.0), (0.0, 0.0, 90.0), (90.0, 0.0, 0.0)])
def test_a_skin_that_the_image_cuts_off_fails_and_a_whole_one_passes(outlined, direction):
    def case(edges):
        made = make_case(grid_around(BODY_MM, edges, (2.0, 2.0, 4.0), turned(direction)))
        return made if outlined else made.changed(structures=made.structures[1:])

    # The body is 220 x 160 mm and longer than the image; how the slices run does not matter.
    whole = {0.0: (260.0, 200.0, 160.0), 90.0: (200.0, 260.0, 160.0)}[direction[2]]
    if direction[0]:
        whole = (260.0, 160.0, 200.0)
    narrow = tuple(min(e, 210.0) for e in whole)
    assert judge("field", case(whole)).level is Level.OK
    finding = judge("field", case(narrow))
    assert finding.level is Level.FAIL
    assert "cut off in" in finding.text


def test_a_round_field_of_view_that_cuts_the_skin_is_noticed():
    case = make_case()
    grid, values = case.scan.volume.grid, case.scan.volume.values.copy()
    x = grid.index_to_mm(np.stack(np.meshgrid(*[np.arange(n) for n in grid.size], indexing="ij"), -1))
    x = np.moveaxis(x, (0, 1, 2), (2, 1, 0))
    radius = np.hypot(x[..., 0], x[..., 1])
    assert (values[radius > 125.0] == AIR_HU).all()
    wide, tight = values.copy(), values.copy()
    wide[radius > 125.0] = -3024
    tight[radius > 100.0] = -3024
    bare = (
        case.changed(structures=()) if not case.target_name else case.changed(structures=case.structures[1:])
    )
    assert judge("field", case_with(bare, wide)).level is Level.OK
    assert judge("field", case_with(bare, tight)).level is Level.FAIL


@pytest.mark.parametrize(("radius_mm", "level"), [(125.0, Level.OK), (100.0, Level.FAIL)])
def test_a_round_field_of_view_is_noticed_in_a_series_whose_padding_was_clipped_when_read(
    tmp_path, radius_mm, level
):
    rows, slices, pixel_mm = 130, 4, 2.0
    across = (np.arange(rows) - (rows - 1) / 2) * pixel_mm
    x, y = np.meshgrid(across, across)
    rng = np.random.default_rng(4)
    for k in range(slices):
        body = (x / 110.0) ** 2 + (y / 80.0) ** 2 < 1.0
        pixels = np.where(body, 40.0, -1000.0) + rng.normal(0.0, 12.0, body.shape)
        pixels[np.hypot(x, y) > radius_mm] = -3024.0
        Series(intercept=0.0).slice(
            k,
            Rows=rows,
            Columns=rows,
            PixelSpacing=[pixel_mm, pixel_mm],
            PixelData=pixels.astype("<i2").tobytes(),
        ).save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    scan = read_scan(tmp_path)
    assert scan.volume.values.min() == LOWEST_HU
    assert judge("field", build_case(scan, [])).level is level


def test_without_a_ct_or_a_body_nothing_is_said_of_the_skin_but_that():
    case = make_case()
    finding = judge("field", case_with(case.changed(structures=case.structures[1:]), modality="MR"))
    assert finding.level is Level.WARN
    assert "Nothing tells" in finding.text


def test_metal_is_found_with_its_volume_and_its_distance_to_the_target():
    case = make_case()
    grid, values = case.scan.volume.grid, case.scan.volume.values.copy()
    assert judge("metal", case_with(case, values)).level is Level.OK
    # The nearest voxel centre is (31, 1, 2) mm away.
    at = np.add(TUMOUR_MM, (30.0, 0.0, 0.0))
    i, j, k = np.rint(grid.mm_to_index(at)).astype(int)
    values[k, j : j + 5, i] = int(METAL_HU.value) + 50
    finding = judge("metal", case_with(case, values))
    assert finding.level is Level.WARN
    assert f"{5 * grid.voxel_volume_ml:.1f} ml" in finding.text
    assert "nearest 31 mm from the middle of tumour 1" in finding.text


@pytest.mark.parametrize(
    ("days", "level"),
    [(0, Level.OK), (42, Level.OK), (43, Level.WARN), (180, Level.WARN), (181, Level.FAIL), (-1, Level.FAIL)],
)
def test_the_age_of_the_scan_is_counted_in_days(days, level):
    taken = (TODAY - timedelta(days=days)).isoformat()
    assert judge("age", case_with(acquired_on=taken)).level is level


@pytest.mark.parametrize("taken", ["", "yesterday"])
def test_a_scan_without_a_date_warns(taken):
    assert judge("age", case_with(acquired_on=taken)).level is Level.WARN


def test_lossy_compression_is_repeated_with_its_reason():
    lossy = Finding(level=Level.WARN, code="lossy-compression", text="Compressed with loss, 10 to 1.")
    assert judge("compression", case_with(findings=(lossy,))) == replace(lossy, code="fit-compression")
    assert judge("compression", case_with(kind="dicom-series")).level is Level.OK


def test_every_limit_names_its_source_and_assumed_ones_say_so_in_the_sentence():
    for limit in (THIN_MM, THICK_MM, FRESH_DAYS, OLD_DAYS, METAL_HU):
        assert limit.source
    assert "assumed" in judge("age", case_with(acquired_on="2020-01-01")).text
    assert "assumed" not in judge("slices", case_with(slice_thickness_mm=4.0)).text


def test_the_real_liver_scan_has_thin_slices_a_whole_skin_and_no_metal(liver_case):
    assert judge("slices", liver_case).level is Level.OK
    assert judge("field", liver_case).level is Level.OK
    assert judge("metal", liver_case).level is Level.OK
