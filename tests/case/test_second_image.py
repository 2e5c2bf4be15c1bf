"""The second image of a case is a link with a hash: a step of the history, found again or refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from cryoplan.case.second_image import SecondImage, image_name
from cryoplan.case.store import CaseStore
from cryoplan.case.store_link import read_second, second_link
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Level
from cryoplan.core.volume import Volume
from cryoplan.image.read import read_scan
from cryoplan.image.write import write_volume
from tests.support.scenes import grid_around, make_case

ANOTHER = "It is an image of another patient (P-2; the case is P-1)."


def written(path, seed=1):
    grid = grid_around((0.0, 0.0, 0.0), (30.0, 30.0, 30.0), (2.0, 3.0, 5.0))
    values = np.random.default_rng(seed).integers(0, 900, grid.shape).astype(np.int16)
    write_volume(Volume(grid=grid, values=values), path)
    return path


@pytest.fixture
def folder(tmp_path):
    """A folder with a case file, and the second image beside it in a folder of its own."""
    home = tmp_path / "home"
    (home / "images").mkdir(parents=True)
    case = make_case()
    scan = read_scan(written(home / "images" / "mr.nii.gz"))
    second = second_link(scan, home / "a.cryoplan")
    CaseStore.create(home / "a.cryoplan", case)
    with CaseStore.open(home / "a.cryoplan") as store:
        store.record("Second image added", case=store.load_case().changed(second=second))
    return home


def test_the_link_comes_back_with_the_case_and_leads_to_the_same_voxels(folder):
    with CaseStore.open(folder / "a.cryoplan") as store:
        second = store.load_case().second
        scan = read_second(second, store.path)
    assert scan.volume.digest() == second.sha256
    assert second.from_case == "images/mr.nii.gz"


def test_adding_and_removing_are_steps_that_undo_and_redo_also_after_a_restart(folder):
    with CaseStore.open(folder / "a.cryoplan") as store:
        first = store.load_case()
        store.record("Second image removed", case=first.changed(second=None))
    with CaseStore.open(folder / "a.cryoplan") as store:
        assert store.load_case().second is None
        case, _ = store.undo()
        assert case.second == first.second
        case, _ = store.undo()
        assert case.second is None
        case, _ = store.redo()
        assert case.second == first.second
        assert store.history().verify_chain() is None


def test_a_case_without_a_second_image_is_written_as_before_there_was_such_a_thing(tmp_path):
    CaseStore.create(tmp_path / "a.cryoplan", make_case())
    with CaseStore.open(tmp_path / "a.cryoplan") as store:
        assert "second" not in store._document["case"]
        before = len(store.history())
        store.record("Nothing", case=store.load_case())
        assert len(store.history()) == before


def test_the_second_image_changes_no_digest_that_a_result_rests_on(folder):
    with CaseStore.open(folder / "a.cryoplan", read_only=True) as store:
        case = store.load_case()
    assert case.second is not None
    assert case.digest() == case.changed(second=None).digest()


def test_a_folder_that_was_moved_as_a_whole_still_leads_to_it(folder, tmp_path):
    new = tmp_path / "elsewhere"
    shutil.move(folder, new)
    with CaseStore.open(new / "a.cryoplan", read_only=True) as store:
        second = store.load_case().second
        assert read_second(second, store.path).volume.digest() == second.sha256


def test_an_image_that_was_put_beside_the_case_file_is_found(folder):
    shutil.move(folder / "images" / "mr.nii.gz", folder / "mr.nii.gz")
    with CaseStore.open(folder / "a.cryoplan", read_only=True) as store:
        second = store.load_case().second
        assert read_second(second, store.path).volume.digest() == second.sha256


def test_a_missing_a_damaged_and_another_image_are_each_refused_in_words(folder):
    image, case_file = folder / "images" / "mr.nii.gz", folder / "a.cryoplan"
    with CaseStore.open(case_file, read_only=True) as store:
        second = store.load_case().second
    written(image, seed=2)
    for expected, words in (
        ("second-image-differs", "another image"),
        ("second-image-unreadable", "be read"),
    ):
        with pytest.raises(StoreError, match=words) as refused:
            read_second(second, case_file)
        assert refused.value.code == expected
        image.write_bytes(b"\x1f\x8b nothing")
    image.unlink()
    with pytest.raises(StoreError, match="not where it was") as refused:
        read_second(second, case_file)
    assert refused.value.code == "second-image-missing"
    assert str(image) in refused.value.remedy


def test_a_right_image_beside_a_wrong_one_at_the_old_place_is_taken(folder):
    image = folder / "images" / "mr.nii.gz"
    shutil.copy(image, folder / "mr.nii.gz")
    written(image, seed=3)
    with CaseStore.open(folder / "a.cryoplan", read_only=True) as store:
        second = store.load_case().second
        assert read_second(second, store.path).volume.digest() == second.sha256


def test_what_was_agreed_to_is_a_warning_and_what_needs_no_yes_is_none():
    plain = SecondImage(path="/x/mr", sha256="0" * 64, modality="MR", description="T2")
    assert plain.findings() == ()
    assert "frame of reference" in plain.registration
    agreed = SecondImage(path="/x/mr", sha256="0" * 64, modality="MR", description="T2", agreed=(ANOTHER,))
    (finding,) = agreed.findings()
    assert finding.level is Level.WARN
    assert "although it is an image of another patient (P-2" in finding.text
    assert "nothing was registered" in plain.registration.lower()
    assert "another patient" in agreed.registration
    assert SecondImage.from_json(agreed.to_json()) == agreed


@pytest.mark.parametrize("wrong", [{"path": "x", "sha256": "y", "more": 1}, ["path"], {"sha256": "y"}])
def test_a_link_of_an_unknown_shape_is_refused(wrong):
    with pytest.raises((ValueError, TypeError)):
        SecondImage.from_json(wrong)


def test_a_name_says_the_modality_once_and_is_never_longer_than_a_corner_holds():
    assert image_name("MR", "T2 tra") == "MR T2 tra"
    assert image_name("CT", "CT arterial") == "CT arterial"
    assert image_name("", "") == "image"
    assert len(image_name("MR", "x" * 90)) == 32
