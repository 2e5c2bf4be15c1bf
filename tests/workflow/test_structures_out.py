"""Structures as files: what was read and what was found, on the grid asked for, whole or not at all."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK

from cryoplan.cli import main
from cryoplan.core.errors import StructureError
from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.write import write_volume
from cryoplan.workflow.structures_out import structures_out
from tests.support.grids import grid_of, places
from tests.support.torso import dice, torso

WHERE = grid_of((130, 105, 40), (3.0, 3.0, 3.0))
BALL_MM = 21.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A torso as a NIfTI CT, with a ball of tumour and a kidney in a label map."""
    path = tmp_path_factory.mktemp("torso")
    image, truth = torso(WHERE)
    write_volume(image, path / "ct.nii.gz")
    at = places(WHERE) - WHERE.centre_mm()
    ball = np.linalg.norm(at - [-80.0, -10.0, -20.0], axis=-1) <= BALL_MM
    far = np.linalg.norm(at - [85.0, 0.0, 40.0], axis=-1) <= 9.0
    labels = np.where(ball, 1, np.where(far, 2, 0)).astype(np.uint8)
    write_volume(Volume(grid=WHERE, values=labels), path / "labels.nii.gz")
    names = {
        "labels": {"1": {"name": "tumour / 1", "role": "tumour"}, "2": {"name": "cyst", "role": "other"}}
    }
    (path / "labels.json").write_text(json.dumps(names), encoding="utf-8")
    return path, truth, ball


def command(path, out, *more):
    return main(["structures", "--image", str(path / "ct.nii.gz"), "--out", str(out), *more])


def read(out):
    return json.loads((out / "structures.json").read_text(encoding="utf-8"))


def mask(path):
    image = SimpleITK.ReadImage(str(path))
    return SimpleITK.GetArrayFromImage(image) > 0, image


def test_every_structure_is_a_mask_on_the_grid_of_the_image_with_its_numbers(folder, tmp_path, capsys):
    path, truth, ball = folder
    out = tmp_path / "out"
    labels = str(path / "labels.nii.gz")
    assert command(path, out, "--structures", labels, "--auto", "skin,bone,lung,air,vessel") == 0
    assert "Research use" in capsys.readouterr().out
    record = read(out)
    rows = {row["name"]: row for row in record["structures"]}
    assert list(rows) == ["tumour / 1", "cyst", "body", "lung", "gas", "bone", "contrast vessels"]
    scan = SimpleITK.ReadImage(str(path / "ct.nii.gz"))
    for row in rows.values():
        voxels, image = mask(out / row["file"])
        assert image.GetOrigin() == pytest.approx(scan.GetOrigin())
        assert image.GetSpacing() == pytest.approx(scan.GetSpacing())
        assert image.GetDirection() == pytest.approx(scan.GetDirection())
        assert row["volume_ml"] == pytest.approx(np.count_nonzero(voxels) * 0.027)
        k, j, i = (float(a.mean()) for a in np.nonzero(voxels))
        assert row["centroid_mm"] == pytest.approx(scan.TransformContinuousIndexToPhysicalPoint((i, j, k)))
        assert len(row["diameters_mm"]) == 3
    tumour = rows["tumour / 1"]
    assert tumour["diameters_mm"] == pytest.approx([2 * BALL_MM] * 3, abs=4.5)
    np.testing.assert_array_equal(mask(out / tumour["file"])[0], ball)
    assert not tumour["is_proposal"]
    assert dice(mask(out / rows["bone"]["file"])[0], truth["bone"]) > 0.85
    assert rows["bone"]["is_proposal"]
    assert rows["bone"]["source"].startswith("found by cryoplan ")
    assert {f["code"] for f in rows["bone"]["findings"]} == {"auto-bone"}
    sink = rows["contrast vessels"]["heat_sink"]
    low, high = sink["local_diameter_mm"]
    assert 3.0 <= low < high < 30.0
    width = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(out / sink["file"])))
    np.testing.assert_array_equal(width > 0, mask(out / rows["contrast vessels"]["file"])[0])


def test_on_the_planning_grid_masks_lie_around_the_target_and_one_outside_is_told(folder, tmp_path, capsys):
    path, _, _ = folder
    out = tmp_path / "out"
    assert command(path, out, "--structures", str(path / "labels.nii.gz"), "--planning-grid") == 0
    said = capsys.readouterr().out
    record = read(out)
    assert record["grid"]["which"] == "planning"
    assert record["grid"]["spacing_mm"] == [1.0, 1.0, 1.0]
    tumour, cyst = record["structures"]
    voxels, image = mask(out / tumour["file"])
    assert list(image.GetSize()) == record["grid"]["size"]
    assert np.count_nonzero(voxels) / 1000.0 == pytest.approx(tumour["volume_ml"], rel=0.02)
    assert not mask(out / cyst["file"])[0].any()
    assert "outside-written-grid" in {f["code"] for f in cyst["findings"]}
    assert "cyst lies outside" in said


def test_what_is_not_found_has_no_file_and_is_told(folder, tmp_path):
    path, _, _ = folder
    image, _ = torso(WHERE, contrast=False)
    write_volume(image, tmp_path / "ct.nii.gz")
    out = tmp_path / "out"
    assert (
        main(["structures", "--image", str(tmp_path / "ct.nii.gz"), "--auto", "vessel", "--out", str(out)])
        == 0
    )
    record = read(out)
    assert record["structures"] == []
    assert "auto-nothing" in {f["code"] for f in record["findings"]}
    assert [p.name for p in out.iterdir()] == ["structures.json"]
    assert path.exists()


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ((), "nothing to write"),
        (("--auto", "liver"), "skin, lung"),
        (("--structures", "missing.nii.gz"), "missing.nii.gz"),
    ],
)
def test_what_is_refused_leaves_nothing_and_says_what_to_do(folder, tmp_path, capsys, more, word):
    path, _, _ = folder
    assert command(path, tmp_path / "out", *more) == 3
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    assert word in err
    assert list(tmp_path.iterdir()) == []


class StopAt:
    def __init__(self, word):
        self.word, self.heard = word, False

    def report(self, report):
        self.heard = self.heard or self.word in report.text

    def cancelled(self):
        return self.heard


@pytest.mark.parametrize("word", ["Looking for bone", "Writing bone", "Writing cyst"])
def test_cancelled_anywhere_it_leaves_the_folder_as_it_was(folder, tmp_path, word):
    path, _, _ = folder
    out = tmp_path / "out"
    out.mkdir()
    (out / "structures.json").write_text("old", encoding="utf-8")
    with pytest.raises(Cancelled):
        structures_out(
            image=path / "ct.nii.gz", out=out, structures=[path / "labels.nii.gz"], auto=["bone"],
            progress=StopAt(word),
        )  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (out / "structures.json").read_text(encoding="utf-8") == "old"


def test_names_that_no_file_system_takes_become_file_names_that_differ(folder, tmp_path):
    path, _, _ = folder
    names = {"labels": {"1": {"name": "a/b", "role": "other"}, "2": {"name": "A:B", "role": "other"}}}
    (tmp_path / "labels.nii.gz").write_bytes((path / "labels.nii.gz").read_bytes())
    (tmp_path / "labels.json").write_text(json.dumps(names), encoding="utf-8")
    out = tmp_path / "out"
    assert command(path, out, "--structures", str(tmp_path / "labels.nii.gz")) == 0
    assert {p.name for p in out.iterdir()} == {"structures.json", "a-b.nii.gz", "A-B-2.nii.gz"}


def test_a_word_that_nothing_is_found_by_is_refused_before_the_image_is_read(tmp_path):
    with pytest.raises(StructureError) as refused:
        structures_out(image=tmp_path / "none.nii.gz", out=tmp_path / "out", auto=["liver"])
    assert refused.value.code == "auto-unknown"
