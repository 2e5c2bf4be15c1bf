"""Convert: the voxels that the program sees, in the same place, and nothing replaced unasked."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK

from cryoplan.cli import main
from cryoplan.core.errors import StoreError
from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.read import read_scan
from cryoplan.image.write import write_volume
from cryoplan.workflow.converting import convert_image
from tests.support.scenes import grid_around, turned

# Oblique, off-centre, anisotropic: the identity would hide a flipped axis.
WHERE = grid_around((31.0, -18.0, 240.0), (60.0, 50.0, 40.0), (1.5, 2.0, 2.5), turned((12.0, -9.0, 20.0)))


@pytest.fixture
def image(tmp_path):
    values = np.random.default_rng(4).integers(-1000, 1500, WHERE.shape).astype(np.int16)
    write_volume(Volume(grid=WHERE, values=values), tmp_path / "ct.nrrd")
    return tmp_path / "ct.nrrd", values


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_every_format_holds_the_same_voxels_in_the_same_place(image, tmp_path, name):
    path, values = image
    assert main(["convert", "--image", str(path), "--out", str(tmp_path / name)]) == 0
    read = SimpleITK.ReadImage(str(tmp_path / name))
    assert np.array_equal(SimpleITK.GetArrayFromImage(read), values)
    for corner in ((0, 0, 0), (39, 24, 15), (39, 0, 7)):
        assert np.allclose(read.TransformIndexToPhysicalPoint(corner), WHERE.index_to_mm(corner), atol=1e-3)


def test_what_was_written_reads_back_as_the_same_scan(image, tmp_path):
    path, _ = image
    done = convert_image(path, tmp_path / "out.nii.gz")
    again = read_scan(tmp_path / "out.nii.gz").volume
    assert np.array_equal(again.values, done.volume.values)
    assert again.grid.difference(done.volume.grid, tolerance_mm=1e-3) is None


def test_the_json_names_size_type_and_digest(image, tmp_path, capsys):
    path, _ = image
    assert main(["convert", "--image", str(path), "--out", str(tmp_path / "o.mha"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert result["size"] == list(WHERE.size)
    assert result["voxels"] == "int16"
    assert result["sha256"] == read_scan(path).volume.digest()


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(image, tmp_path, capsys):
    path, _ = image
    out = tmp_path / "there.nrrd"
    out.write_bytes(b"somebody's work")
    command = ["convert", "--image", str(path), "--out", str(out)]
    assert main(command) == 3
    assert "--replace" in capsys.readouterr().err
    assert out.read_bytes() == b"somebody's work"
    assert main([*command, "--replace"]) == 0
    assert SimpleITK.ReadImage(str(out)).GetSize() == WHERE.size


def test_an_ending_that_names_no_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(StoreError) as error:
        convert_image(tmp_path / "no such image", tmp_path / "image.jpg")
    assert error.value.code == "unknown-ending"


def test_a_cancelled_conversion_leaves_no_file(image, tmp_path):
    class Impatient:
        def report(self, report):
            pass

        def cancelled(self):
            return True

    path, _ = image
    with pytest.raises(Cancelled):
        convert_image(path, tmp_path / "out.nii", progress=Impatient())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ct.nrrd"]


@pytest.mark.parametrize("folder", ["liver_ct_crlm1006", "oblique_mr_prostate_adc"])
def test_a_real_series_is_what_another_reader_finds_in_it(data_root, tmp_path, folder):
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(data_root / folder / "dicom")))
    expected = reader.Execute()
    convert_image(data_root / folder / "dicom", tmp_path / "out.nii.gz")
    read = SimpleITK.ReadImage(str(tmp_path / "out.nii.gz"))
    assert read.GetSize() == expected.GetSize()
    there = SimpleITK.GetArrayFromImage(expected)
    if folder.startswith("liver_ct"):  # what the scanner did not see is air, not -3024
        there = np.maximum(there, -1024)
    assert np.array_equal(SimpleITK.GetArrayFromImage(read), there)
    for corner in ((0, 0, 0), tuple(n - 1 for n in read.GetSize())):
        there = read.TransformIndexToPhysicalPoint(corner)
        assert np.allclose(there, expected.TransformIndexToPhysicalPoint(corner), atol=0.01)
