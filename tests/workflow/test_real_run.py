"""The main job on the real liver CT by command: everything the contract lists, in the right place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pypdf
import pytest
import SimpleITK as sitk  # noqa: N813 - its own usual name

from cryoplan.cli import main
from tests.support.plans import TARGET_1, three_lateral_probes, write_record

LISTED = (
    "run.json", "assessment.json", "temperature_min.nii.gz", "temperature_end_freeze_1.nii.gz",
    "temperature_end_freeze_2.nii.gz", "iceball_0.nii.gz", "isotherm_-20.nii.gz", "isotherm_-40.nii.gz",
    "time_below_-20.nii.gz", "time_below_-40.nii.gz", "freezes_below_-40.nii.gz", "plan.pdf", "histogram.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def out(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    liver = data_root / "liver_ct_crlm1006"
    plan = write_record(folder, three_lateral_probes())
    code = main(
        [
            "run", "--image", str(liver / "dicom"), "--structures", str(liver / "labels.nii.gz"),
            "--target", TARGET_1, "--plan", str(plan), "--out", str(folder / "out"),
        ]
    )  # fmt: skip
    assert code == 0
    return folder / "out"


@pytest.fixture(scope="module")
def assessment(out: Path) -> dict:
    return json.loads((out / "assessment.json").read_text(encoding="utf-8"))


def _volume(assessment: dict, threshold: float, when: str = "minimum") -> float:
    (size,) = [i for i in assessment["isotherms"] if i["when"] == when and i["threshold_degc"] == threshold]
    return size["volume_ml"]


def _margin(assessment: dict, threshold: float) -> dict:
    (margin,) = [m for m in assessment["margins"] if m["threshold_degc"] == threshold]
    return margin


def test_run_writes_every_file_of_the_contract_and_no_unfinished_one(out: Path):
    for name in LISTED:
        assert (out / name).stat().st_size > 0, name
    assert len(list((out / "pictures").glob("*.png"))) == 4
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".")] == []


def test_minus_40_lies_inside_minus_20_inside_the_ice(out: Path):
    ice, twenty, forty = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"{name}.nii.gz"))).astype(bool)
        for name in ("iceball_0", "isotherm_-20", "isotherm_-40")
    )
    assert forty.any()
    assert not (forty & ~twenty).any()
    assert not (twenty & ~ice).any()
    assert forty.sum() < twenty.sum() < ice.sum()


def test_ice_of_three_15g_probes_has_a_sensible_size(assessment: dict):
    # One needle makes 22 x 49 mm (Silverman 2000) to 32 x 37 mm (maker of the 17G), about 12 to 20 ml; three
    # at 14 mm overlap but help one another.
    assert 30.0 < _volume(assessment, 0.0) < 120.0
    assert 0.15 < _volume(assessment, -40.0) / _volume(assessment, 0.0) < 0.5
    assert _volume(assessment, 0.0, "end_freeze_1") < _volume(assessment, 0.0, "minimum")


def test_margins_shrink_with_the_threshold_and_agree_with_coverage(assessment: dict):
    minima = [_margin(assessment, t)["minimum_mm"] for t in (0.0, -20.0, -30.0, -40.0)]
    assert minima == sorted(minima, reverse=True)
    # The lethal line lies 3 to 10 mm behind the ice edge (workflow 4.2).
    assert 3.0 <= minima[0] - minima[-1] <= 13.0
    for threshold in (0.0, -20.0, -40.0):
        (covered,) = [
            c for c in assessment["coverage"] if c["rim_mm"] == 0 and c["threshold_degc"] == threshold
        ]
        margin = _margin(assessment, threshold)
        assert (margin["minimum_mm"] >= 0.5) <= (covered["fraction"] == pytest.approx(1.0, abs=1e-3))
        assert (margin["minimum_mm"] < -1.0) <= (covered["fraction"] < 1.0)
        total = margin["fraction_below_0"] + margin["fraction_0_to_5"] + margin["fraction_5_up"]
        assert total == pytest.approx(1.0, abs=1e-6)


def test_temperatures_stay_between_coolant_and_blood(out: Path, assessment: dict):
    coldest = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "temperature_min.nii.gz")))
    assert -150.0 <= coldest.min() < -60.0
    assert coldest.max() <= 38.0
    by_name = {s["name"]: s["minimum_degc"] for s in assessment["structures"]}
    assert by_name[TARGET_1] < -40.0
    assert by_name["right kidney"] > by_name[TARGET_1]


def test_fields_lie_where_the_probes_are(out: Path, data_root: Path):
    image = sitk.ReadImage(str(out / "temperature_min.nii.gz"))
    assert image.GetPixelID() == sitk.sitkFloat32
    for probe in three_lateral_probes()["probes"]:
        tip, entry = np.array(probe["tip_mm"]), np.array(probe["entry_mm"])
        middle = tip + 18.0 * (entry - tip) / np.linalg.norm(entry - tip)
        index = image.TransformPhysicalPointToIndex([float(x) for x in middle])
        assert image[index] < -60.0
    labels = sitk.ReadImage(str(data_root / "liver_ct_crlm1006" / "labels.nii.gz"))
    ice = sitk.ReadImage(str(out / "iceball_0.nii.gz"))
    target = sitk.Resample(labels == 2, ice, sitk.Transform(), sitk.sitkNearestNeighbor)
    both = sitk.GetArrayFromImage(target).astype(bool) & sitk.GetArrayFromImage(ice).astype(bool)
    assert both.sum() > 0.8 * sitk.GetArrayFromImage(target).sum()


def test_run_record_names_inputs_versions_and_a_closed_energy_balance(out: Path):
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["energy_balance_error"] < 1e-5  # float32; 1e-6 is the bound of float64
    assert len(record["inputs_sha256"]) == 51 + 2
    assert record["versions"]["numpy"] != "unknown"
    assert record["statement"] == "Research use; not a medical device"
    assert set(record["wall_s"]) >= {"load", "solve", "assess", "pictures", "report", "write"}


def test_pdf_begins_with_both_margins_then_the_probes_and_each_page_has_its_foot(out: Path, assessment: dict):
    pages = [page.extract_text() for page in pypdf.PdfReader(out / "plan.pdf").pages]
    assert 2 <= len(pages) <= 4
    for page in pages:
        assert "Research use; not a medical device" in page
    for threshold in (0.0, -40.0):
        shown = f"{_margin(assessment, threshold)['minimum_mm']:+.1f}".replace("-", "\N{MINUS SIGN}")
        assert shown in pages[0]
    assert "Paths from the skin to the tip" in pages[1]


def test_saved_case_prints_the_same_pdf(out: Path, tmp_path: Path):
    assert main(["report", str(out / "case.cryoplan"), "-o", str(tmp_path / "again.pdf")]) == 0
    text = [p.extract_text() for p in pypdf.PdfReader(tmp_path / "again.pdf").pages]
    # What comes from a case file says in addition which state of it was printed.
    standing = r"Not approved · entry \d+, seal [0-9a-f]{12} · "
    assert re.search(standing, text[0])
    text[0] = re.sub(standing, "", text[0])
    assert text == [p.extract_text() for p in pypdf.PdfReader(out / "plan.pdf").pages]


def test_no_name_of_a_patient_in_any_output(out: Path):
    # The header of this public case holds the collection's patient identifier; only a pseudonym may leave.
    for path in out.rglob("*"):
        if path.is_file():
            assert b"CRLM-CT-1006" not in path.read_bytes(), path.name
