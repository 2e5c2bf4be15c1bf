"""The child process that reads foreign files: it may die, hang or swell, and the parent says one sentence."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cryoplan.cli import main
from cryoplan.core.errors import CryoplanError, ImageError, StructureError
from cryoplan.core.progress import Cancelled, ProgressReport
from cryoplan.workflow import list_series, load_case
from cryoplan.workflow.foreign import ReadingLimits, read_apart
from tests.support import foreign_tasks as tasks
from tests.support.hostile import Series
from tests.support.hostile_volumes import Nifti
from tests.support.plans import plan_record, write_record


class Heard:
    """Keeps the reports, and cancels after so many."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.texts: list[str] = []
        self._stop = stop_after

    def report(self, report: ProgressReport) -> None:
        self.texts.append(report.text)

    def cancelled(self) -> bool:
        return self._stop is not None and len(self.texts) >= self._stop


def refused(task: Callable[..., object], **limits: float) -> CryoplanError:
    with pytest.raises(CryoplanError) as caught:
        read_apart(task, name="scan.nii", limits=ReadingLimits(**limits))
    assert "\n" not in str(caught.value)
    return caught.value


def test_an_answer_comes_back_whole_with_arrays_that_nobody_can_write():
    heard = Heard()
    value = read_apart(tasks.answer, 7, name="a", progress=heard)
    assert value["number"] == 7
    assert np.array_equal(value["many"], np.arange(300_000))
    assert np.array_equal(value["flags"], np.eye(9) > 0)
    assert value["none"].size == 0
    assert not value["many"].flags.writeable
    assert heard.texts == ["all of it"]


def test_a_refusal_of_the_child_arrives_as_it_was_said():
    error = refused(tasks.refuse)
    assert isinstance(error, StructureError)
    assert (error.what, error.code, error.place) == ("a.nii is wrong.", "some-code", "a.nii")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_child_that_dies_is_one_sentence_and_leaves_no_file():
    heard = Heard()
    with pytest.raises(
        ImageError, match=r"scan\.nii made the program that reads it fall \(signal 11\)"
    ) as caught:
        read_apart(tasks.die, name="scan.nii", progress=heard)
    assert caught.value.code == "reader-died"
    assert not Path(heard.texts[0]).exists()


def test_a_child_that_falls_silent_is_given_up():
    error = refused(tasks.hang, silence_s=1.0)
    assert error.code == "reader-silent"
    assert "scan.nii" in error.what


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is of Linux")
def test_a_child_that_swells_is_stopped():
    error = refused(tasks.swell, memory_bytes=500 << 20)
    assert error.code == "too-large"
    assert "scan.nii" in error.what


def test_an_error_of_the_reader_names_the_file_and_no_value():
    error = refused(tasks.stumble)
    assert error.code == "reader-failed"
    assert "KeyError" in error.what
    assert "Doe" not in str(error)


@pytest.mark.parametrize("task", [tasks.wait_for_cancel, tasks.hang])
def test_cancel_ends_the_child_whether_it_listens_or_not(task: Callable[..., object]):
    with pytest.raises(Cancelled):
        read_apart(task, name="a", progress=Heard(stop_after=1))


def test_a_scan_is_the_same_read_apart_or_here(tmp_path: Path):
    path = Nifti().write(tmp_path / "a.nii")
    here, apart = (load_case(path, apart=where) for where in (False, True))
    assert here.digest() == apart.digest()
    assert list_series(path, apart=True) == list_series(path)


def test_info_of_a_bad_file_says_one_line(tmp_path: Path, capfd):
    path = Nifti().write(tmp_path / "bad.nii.gz", cut=0)
    path.write_bytes(path.read_bytes()[:40])
    code = main(["info", str(path)])
    said = capfd.readouterr()
    assert code in (0, 3)
    assert "bad.nii.gz" in said.out + said.err
    assert "Traceback" not in said.out + said.err
    assert len(said.err.splitlines()) <= 1


def deep_sequences(series: list[Path]) -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nested = (struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + item) * 20_000
    data = series[0].read_bytes()
    at = data.index(struct.pack("<HH", 0x0008, 0x0060))  # before the modality, as the order of tags wants
    series[0].write_bytes(data[:at] + nested + data[at:])


def huge_length(series: list[Path]) -> None:
    data = bytearray(series[0].read_bytes())
    at = data.index(b"OB", 132) if b"OB" in data[132:200] else 140
    struct.pack_into("<I", data, at + 4, 0xFFFFFFF0)
    series[0].write_bytes(data)


@pytest.mark.parametrize("harm", [deep_sequences, huge_length])
@pytest.mark.parametrize("alone", [True, False], ids=["one file", "in a series"])
def test_hostile_lengths_and_depths_end_in_a_line_that_names_the_file(
    harm: Callable[[list[Path]], None], alone: bool, tmp_path: Path, capfd
):
    series = Series().write(tmp_path / "scans", range(1 if alone else 6))
    harm(series)
    plan = tmp_path / "plan.json"
    write_record(tmp_path, plan_record([((0.0, 0.0, 0.0), (0.0, -80.0, 0.0))]))
    code = main(
        ["run", "--image", str(tmp_path / "scans"), "--plan", str(plan), "--out", str(tmp_path / "out")]
    )
    said = capfd.readouterr()
    assert code == 3
    assert len(said.err.splitlines()) == 1
    assert ("scans holds no DICOM image" if alone else series[0].name) in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()
