"""Linked images: a case file without voxels finds them again, and takes no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cryoplan.case.store import CaseStore
from cryoplan.core.errors import StoreError
from cryoplan.core.volume import Volume
from cryoplan.image.read import read_scan
from cryoplan.image.write import write_volume
from tests.support.cases import ball, case, grid, scan, structure

WHERE = grid(size=(24, 22, 20), spacing=(2.0, 2.0, 2.5))


def image(seed: int) -> Volume:
    values = np.random.default_rng(seed).integers(-900, 900, WHERE.shape).astype(np.int16)
    return Volume(grid=WHERE, values=values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "patient"
    folder.mkdir()
    write_volume(image(1), folder / "ct.nii.gz")
    read = read_scan(folder / "ct.nii.gz", accept=("modality-unknown",))
    some = case(read, structure("liver", ball(read.volume.grid, WHERE.centre_mm(), 9)))
    CaseStore.create(folder / "a.cryoplan", some, link_image=True)
    return folder


def refused(path: Path, code: str) -> str:
    with CaseStore.open(path) as store:
        with pytest.raises(StoreError) as caught:
            store.load_case()
        store.record("Notes", notes="what needs no image can still be done")
    assert caught.value.code == code
    return caught.value.what


def test_a_linked_image_is_read_again_also_when_the_folder_was_moved(folder):
    size = (folder / "a.cryoplan").stat().st_size
    assert size < 50_000
    with CaseStore.open(folder / "a.cryoplan") as store:
        digest = store.load_case().digest()
    moved = folder.rename(folder.with_name("elsewhere"))
    with CaseStore.open(moved / "a.cryoplan") as store:
        assert store.load_case().digest() == digest
        assert store.load_case().scan.facts.path.endswith("ct.nii.gz")


def test_a_missing_a_damaged_and_another_image_are_refused_with_a_sentence(folder):
    path = folder / "a.cryoplan"
    write_volume(image(2), folder / "ct.nii.gz")
    assert "ct.nii.gz" in refused(path, "case-image-differs")
    (folder / "ct.nii.gz").write_bytes(b"no image")
    assert "a.cryoplan" in refused(path, "case-image-unreadable")
    (folder / "ct.nii.gz").unlink()
    assert "ct.nii.gz" in refused(path, "case-image-missing")


def test_an_image_in_memory_stands_in_for_a_missing_file(folder):
    read = read_scan(folder / "ct.nii.gz", accept=("modality-unknown",))
    (folder / "ct.nii.gz").unlink()
    with CaseStore.open(folder / "a.cryoplan", scan=read) as store:
        assert store.load_case().scan is read


def test_an_image_that_came_from_no_file_cannot_be_linked(tmp_path):
    with pytest.raises(StoreError) as caught:
        CaseStore.create(tmp_path / "b.cryoplan", case(scan(WHERE)), link_image=True)
    assert caught.value.code == "case-image-not-linked"
    assert list(tmp_path.iterdir()) == []
