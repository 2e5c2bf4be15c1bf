"""Slices are told as the scanner showed them, or not at all."""

from __future__ import annotations

from pathlib import Path

from cryoplan.image.read import read_scan
from tests.support import hostile
from tests.support.enhanced import enhanced, save, shuffled
from tests.support.hostile_dicom import centred, tilted

N = hostile.SLICES


def written(folder: Path, tell, series=None) -> Path:
    """Write a series in which `tell` changes each slice by its place along the normal."""
    series = series or centred()
    folder.mkdir()
    for k in shuffled(N):
        ds = series.slice(k)
        tell(ds, k)
        ds.save_as(folder / f"{int(k):03d}.dcm", enforce_file_format=True)
    return folder


def as_shown(ds, k) -> None:
    # Some vendors count against the direction of the patient's axes: the sign is theirs.
    ds.SliceLocation, ds.InstanceNumber, ds.TableHeight = 100.5 - 2.5 * k, 1 + int(k), 143.5


def test_location_and_number_follow_the_order_of_the_volume_with_the_sign_that_was_shown(tmp_path):
    facts = read_scan(written(tmp_path / "a", as_shown)).facts
    assert facts.slice_locations_mm == tuple(100.5 - 2.5 * k for k in range(N))
    assert facts.slice_numbers == tuple(range(1, N + 1))
    assert facts.table_height_mm == 143.5


def test_a_slice_that_says_nothing_or_the_same_as_another_makes_all_unknown(tmp_path):
    def one_is_silent(ds, k) -> None:
        as_shown(ds, k)
        if k == 3:
            del ds.SliceLocation
            ds.TableHeight = 150.0
        ds.InstanceNumber = 7

    facts = read_scan(written(tmp_path / "a", one_is_silent)).facts
    assert facts.slice_locations_mm == ()
    assert facts.slice_numbers == ()
    assert facts.table_height_mm is None


def test_planes_that_were_resampled_were_never_shown(tmp_path):
    folder = written(tmp_path / "a", as_shown, tilted(12.0))
    facts = read_scan(folder, accept=["gantry-tilt"]).facts
    assert facts.slice_locations_mm == ()
    assert facts.slice_numbers == ()


def test_frames_are_told_by_their_place_in_the_file(tmp_path):
    series = centred()
    path = save(enhanced([series.slice(k) for k in range(N)]), tmp_path)
    facts = read_scan(path).facts
    assert facts.slice_numbers in (tuple(range(1, N + 1)), tuple(range(N, 0, -1)))
    assert facts.slice_locations_mm == ()
