"""TotalSegmentator in a process of its own: found, started, followed, ended, and never believed blindly."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from cryoplan.core.errors import StructureError
from cryoplan.core.grid import Grid
from cryoplan.core.progress import Cancelled, ProgressReport
from cryoplan.core.volume import Volume
from cryoplan.image.ai.installed import find_installation, weights_folder
from cryoplan.image.ai.running import run_task
from cryoplan.image.ai.tasks import load_tasks
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.image.write import write_volume
from tests.support.fake_totalseg import Installed
from tests.support.grids import grid_of, turned

GRID = grid_of((30, 26, 12), (1.5, 1.4, 3.0), (-20.0, 14.0, 60.0), turned(20.0))
FAST = load_tasks().task("total-fast")


class Listener:
    """Progress that keeps what it hears and cancels on a word."""

    def __init__(self, until: str = "") -> None:
        self.heard: list[ProgressReport] = []
        self._until = until

    def report(self, report: ProgressReport) -> None:
        self.heard.append(report)

    def cancelled(self) -> bool:
        return bool(self._until) and any(self._until in report.text for report in self.heard)


def scan_on(grid: Grid, modality: str = "CT") -> Scan:
    values = np.full(grid.shape, 40, np.int16)
    values[0, 0, 0] = -3024
    return Scan(
        volume=Volume(grid=grid, values=values),
        facts=ScanFacts(path="", kind="nifti", code="P-1", modality=modality),
    )


def labels_on(grid: Grid) -> Volume:
    values = np.zeros(grid.shape, np.uint8)
    values[2:8, 3:12, 4:20] = 1
    values[3:6, 15:20, 21:28] = 2
    return Volume(grid=grid, values=values)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    made = Installed(tmp_path, monkeypatch)
    made.add_weights(297)
    write_volume(labels_on(GRID), tmp_path / "answer.nii.gz")
    made.answers(tmp_path / "answer.nii.gz")
    return made


def run(scan: Scan | None = None, task=FAST, **named):
    installation = find_installation()
    assert installation is not None
    return run_task(scan or scan_on(GRID), task, installation, **named)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended and that nobody has asked about yet is still listed.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def ends(pid: int) -> bool:
    for _ in range(100):
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


# Found ----------------------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_is_installed():
    assert find_installation() is None


def test_a_folder_that_only_has_the_name_is_not_the_package(tmp_path, monkeypatch):
    (tmp_path / "totalsegmentator").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_installation() is None


def test_version_and_weights_are_found_where_the_package_itself_looks(installed, monkeypatch, tmp_path):
    found = find_installation()
    assert (found.version, found.datasets, found.weights) == ("2.18.0", {297}, installed.weights)
    assert found.lacks(FAST) == ()
    assert found.lacks(load_tasks().task("total")) == (291, 292, 293, 294, 295)
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "elsewhere"))
    assert weights_folder() == tmp_path / "elsewhere"
    assert find_installation().datasets == frozenset()


def test_without_settings_the_weights_are_looked_for_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("TOTALSEG_WEIGHTS_PATH", raising=False)
    monkeypatch.delenv("TOTALSEG_HOME_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_folder() == tmp_path / ".totalsegmentator" / "nnunet" / "results"


def test_a_download_that_broke_off_is_no_weights(installed):
    (installed.weights / "Dataset291_TotalSegmentator_part1_organs_1559subj").mkdir()
    assert find_installation().datasets == {297}


# Run ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("installed")
def test_outlines_come_back_on_the_grid_of_an_oblique_flipped_scan_under_their_names():
    listener = Listener()
    found = run(progress=listener)
    assert [mask.name for mask in found.masks] == ["liver", "kidney_right"]
    expected = labels_on(GRID).values
    for label, mask in enumerate(found.masks, 1):
        assert mask.mask.grid == GRID
        assert np.array_equal(mask.mask.values, expected == label)
        assert mask.source == "TotalSegmentator 2.18.0, total, 3 mm, not reviewed"
    assert found.findings == ()
    texts = [report.text for report in listener.heard]
    assert "Outlining, part 2 of 5 on the processor, which takes longer" in texts
    fractions = [report.fraction for report in listener.heard]
    assert fractions == sorted(fractions)


def test_what_is_handed_over_is_the_scan_without_padding_in_a_folder_that_is_gone_afterwards(installed):
    import SimpleITK

    run(device="cpu")
    told = installed.was_told()
    assert (told["task"], told["fast"], told["device"], told["ml"]) == ("total", True, "cpu", True)
    assert str(told["input"]).startswith(str(told["temp"]))
    assert not Path(told["temp"]).exists()
    seen = SimpleITK.ReadImage(str(installed.told.with_suffix(".nii")))
    assert np.allclose(seen.GetOrigin(), GRID.origin_mm, atol=1e-3)
    assert np.allclose(seen.GetDirection(), GRID.direction, atol=1e-5)
    values = SimpleITK.GetArrayFromImage(seen)
    assert values[0, 0, 0] == -1024
    assert values[1, 1, 1] == 40


def test_names_in_the_header_of_the_label_map_do_not_stop_its_reading(installed, tmp_path):
    """Later versions write the names into an extension of the NIfTI header."""
    import gzip

    raw = bytearray(gzip.decompress((tmp_path / "answer.nii.gz").read_bytes()))
    words = b"<CaretExtension>" + b" " * 480
    size = 8 + len(words)
    raw[108:112] = np.float32(352 + size).tobytes()
    head = raw[:348] + b"\1\0\0\0" + np.array([size, 0], "<i4").tobytes() + words
    (tmp_path / "extended.nii.gz").write_bytes(gzip.compress(head + raw[352:]))
    installed.answers(tmp_path / "extended.nii.gz")
    assert [mask.name for mask in run().masks] == ["liver", "kidney_right"]


@pytest.mark.parametrize(
    ("does", "code"),
    [
        ("die", "ai-died"),
        ("exit", "ai-died"),
        ("no memory", "ai-memory"),
        ("no gpu memory", "ai-memory"),
        ("helper died", "ai-memory"),
        ("error", "ai-failed"),
        ("licence", "ai-licence"),
        ("fetch", "ai-no-weights"),
        ("fetch by name", "ai-no-weights"),
        ("nothing", "ai-no-result"),
    ],
)
def test_a_run_that_falls_is_told_in_a_sentence_and_leaves_nothing(installed, does, code):
    installed.does(does)
    with pytest.raises(StructureError) as caught:
        run()
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert not Path(installed.was_told()["temp"]).exists()


def test_signal_nine_is_called_lack_of_memory_and_another_end_is_not(installed):
    installed.does("die")
    with pytest.raises(StructureError, match="Memory has probably run out"):
        run()
    installed.does("exit")
    with pytest.raises(StructureError, match=r"ended by itself \(code 7\)\. Choose") as caught:
        run()
    assert "Memory" not in caught.value.what


def test_a_proxy_on_this_computer_is_no_way_out(installed, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    installed.does("fetch by proxy")
    with pytest.raises(StructureError) as caught:
        run()
    assert caught.value.code == "ai-no-weights"


def test_statistics_of_use_are_refused_and_the_outlines_come_all_the_same(installed):
    installed.does("statistics")
    assert len(run().masks) == 2
    assert "without a network" in installed.told.with_suffix(".refused").read_text()


def test_cancel_ends_the_process_and_all_that_it_started_within_a_moment(installed):
    installed.does("wait")
    with pytest.raises(Cancelled):
        run(progress=Listener(until="part 2 of 5"))
    assert ends(int(installed.was_told()["pid"]))
    helper = installed.told.with_suffix(".helper")
    assert not helper.exists() or ends(int(helper.read_text()))
    assert not Path(installed.was_told()["temp"]).exists()


def test_a_helper_that_outlives_the_run_is_ended_and_not_waited_for(installed):
    installed.does("outlive")
    assert len(run().masks) == 2


def test_the_process_ends_with_the_program_that_started_it_and_takes_the_image_along(installed, tmp_path):
    import json
    import subprocess
    import sys

    from cryoplan.image.ai import runner

    installed.does("wait")
    folder = tmp_path / "job"
    folder.mkdir()
    write_volume(labels_on(GRID), folder / "image.nii")
    job = {
        "image": str(folder / "image.nii"),
        "labels": str(folder / "labels.nii.gz"),
        "task": "total",
        "fast": True,
        "device": "cpu",
        "search": sys.path,
    }
    (folder / "job.json").write_text(json.dumps(job))
    child = subprocess.Popen(
        [sys.executable, "-P", runner.__file__, str(folder / "job.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder)},
        start_new_session=True,
    )
    helper = installed.told.with_suffix(".helper")
    while not helper.exists() or not helper.read_text():
        assert child.poll() is None
        time.sleep(0.05)
    child.stdin.close()
    assert child.wait(20) == -9
    assert ends(int(helper.read_text()))
    assert not folder.exists()


# Refused --------------------------------------------------------------------------------------------


def code_of(**named) -> str:
    with pytest.raises(StructureError) as caught:
        run(**named)
    return caught.value.code


def test_missing_weights_are_told_with_the_command_that_fetches_them(installed):
    with pytest.raises(StructureError, match="totalseg_download_weights -t total") as caught:
        run(task=load_tasks().task("total"))
    assert caught.value.code == "ai-no-weights"
    assert not installed.told.exists()


def test_a_task_for_the_other_modality_is_not_started(installed):
    assert code_of(scan=scan_on(GRID, "MR")) == "ai-other-modality"
    assert not installed.told.exists()


def test_a_task_that_the_installed_package_calls_licensed_is_not_started(installed):
    installed.name_classes({1: "liver"}, licensed=["total"])
    assert code_of() == "ai-licence"
    assert not installed.told.exists()


def test_a_package_of_another_kind_is_told(installed):
    api = installed.site / "totalsegmentator" / "python_api.py"
    api.write_text("def totalsegmentator(ct, out):\n    pass\n")
    assert code_of() == "ai-package"
    api.write_text("import a_module_that_is_not_there\n")
    assert code_of() == "ai-package"
    (api.parent / "map_to_binary.py").write_text("class_map = {}\n")
    assert code_of() == "ai-package"


@pytest.mark.parametrize("shift_mm", [0.4, 1000.0])
def test_outlines_on_another_grid_are_refused(installed, tmp_path, shift_mm):
    other = grid_of(GRID.size, GRID.spacing_mm, np.add(GRID.origin_mm, shift_mm), GRID.axes)
    write_volume(labels_on(other), tmp_path / "other.nii.gz")
    installed.answers(tmp_path / "other.nii.gz")
    assert code_of() == "ai-other-grid"


def test_an_empty_outline_and_a_file_that_is_none_are_told_apart(installed, tmp_path):
    write_volume(Volume(grid=GRID, values=np.zeros(GRID.shape, np.uint8)), tmp_path / "empty.nii.gz")
    installed.answers(tmp_path / "empty.nii.gz")
    assert code_of() == "ai-nothing-found"
    (tmp_path / "rubbish.nii.gz").write_bytes(b"no image at all")
    installed.answers(tmp_path / "rubbish.nii.gz")
    assert code_of() == "ai-no-result"
