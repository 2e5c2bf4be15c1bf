"""The benchmark measures every figure, says what it measured, and leaves nothing behind."""

from __future__ import annotations

import json
import math
import multiprocessing
import tempfile

import pytest

from cryoplan.cli import main
from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import Cancelled
from cryoplan.image.read import read_scan
from cryoplan.image.yardstick import read_bare, write_series
from cryoplan.scene.offscreen import RenderError
from cryoplan.workflow.benchmark import FIGURES, TINY, Benchmark, pictures, run_benchmark
from cryoplan.workflow.benchmark.apart import run_apart
from cryoplan.workflow.benchmark.figures import row
from cryoplan.workflow.benchmark.subjects import Patient, block


class StopAt:
    """Progress that asks to stop once a part of a certain name has begun."""

    def __init__(self, word: str) -> None:
        self.word, self.heard = word, False

    def report(self, report) -> None:
        self.heard = self.heard or self.word in report.text

    def cancelled(self) -> bool:
        return self.heard


@pytest.fixture(scope="module")
def found() -> Benchmark:
    return run_benchmark(full=True, sizes=TINY)


@pytest.mark.slow
def test_every_figure_is_measured_once_and_in_the_order_of_the_table(found):
    assert [r.figure for r in found.rows] == list(FIGURES)
    for r in found.rows:
        if r.value is None:
            assert r.repeats == 0
            assert r.note
        else:
            assert math.isfinite(r.value)
            assert r.value > 0.0
            assert r.repeats >= 1


@pytest.mark.slow
def test_ratios_are_positive_and_complete(found):
    assert set(found.ratios) == {
        "textbook-loops", "textbook-numpy", "copy-memory", "copy-memory-all", "copy-cache", "beside",
        "beside-thread", "series-ratio",
    }  # fmt: skip
    assert all(math.isfinite(v) and v > 0.0 for v in found.ratios.values())


@pytest.mark.slow
def test_json_and_table_hold_every_row_and_name_the_machine_by_its_cores_only(found):
    record = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(record) == {"rows", "ratios", "machine"}
    assert set(record["machine"]) == {"cores"}
    assert record["machine"]["cores"] >= 1
    needed = {"case", "value", "unit", "must", "aim", "repeats", "note"}
    assert all(needed <= set(r) for r in record["rows"])
    text = found.to_text()
    assert all(f.case in text for f in FIGURES)


@pytest.mark.slow
def test_scaled_figures_say_that_they_are_scaled(found):
    for r in found.rows:
        if r.figure.case.startswith("textbook"):
            assert r.note.startswith("scaled:")


@pytest.mark.slow
def test_no_process_outlives_the_benchmark(found):
    assert found.rows
    assert multiprocessing.active_children() == []


def test_one_figure_brings_those_measured_with_it_and_no_others():
    names = [r.figure.case for r in run_benchmark(only=("copy-cache",), sizes=TINY).rows]
    assert names == ["copy-memory", "copy-memory-all", "copy-cache"]


def test_long_figures_are_left_out_unless_asked_for():
    long = {f.case for f in FIGURES if f.full}
    assert long == {"cycle-0.5mm", "memory-240"}
    assert [r.figure.case for r in run_benchmark(only=("cycle-0.5mm",), sizes=TINY).rows] == ["cycle-0.5mm"]


def test_unknown_figure_is_refused_by_name():
    with pytest.raises(SimulationError, match="no figure called 'speed'") as refused:
        run_benchmark(only=("speed",), sizes=TINY)
    assert "cycle-1mm" in refused.value.remedy


def test_loading_is_measured_against_a_bare_read_of_the_same_files():
    bench = run_benchmark(only=("series",), sizes=TINY)
    value = {r.figure.case: r.value for r in bench.rows}
    assert list(value) == ["series", "series-bare", "series-ratio"]
    assert value["series-ratio"] == value["series"] / value["series-bare"]
    assert bench.ratios == {"series-ratio": value["series-ratio"]}
    limit = next(f for f in FIGURES if f.case == "series-ratio")
    assert row("series-ratio", 1.6, 5).within(limit.must) is False
    assert row("series-ratio", 1.4, 5).within(limit.must) is True


def test_both_reads_of_the_series_find_all_of_it_where_it_was_written(tmp_path):
    files = write_series(tmp_path, 6, 24, StopAt("never"))
    assert read_bare(files) == (24, 24, 6)
    scan = read_scan(tmp_path)
    assert scan.volume.grid.size == (24, 24, 6)
    assert scan.volume.grid.centre_mm() == pytest.approx([0.0, 0.0, 2.5])
    assert scan.volume.values[0, 0, 0] == -1024
    assert scan.volume.values[3, 12, 12] == pytest.approx(40, abs=75)


@pytest.mark.parametrize("word", ["First result", "Cancel", "Reading", "Loading", "One freeze"])
def test_cancel_in_any_part_leaves_no_process_and_no_folder(word, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = {"First result": "first-result-warm", "Cancel": "cancel", "Reading": "load", "Loading": "series"}
    with pytest.raises(Cancelled):
        run_benchmark(only=(names.get(word, "freeze-64"),), sizes=TINY, progress=StopAt(word))
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []


def _dies(_sizes):
    raise SystemExit(7)


def test_process_that_dies_is_named_instead_of_waited_for():
    with pytest.raises(SimulationError, match="ended without an answer") as refused:
        run_apart(_dies, TINY, StopAt("never"))
    assert refused.value.place == "_dies"


def test_machine_without_3d_gets_a_row_that_says_so(monkeypatch):
    def refuse(_render):
        raise RenderError("No OpenGL here.", "Install one.", code="no-3d-picture")

    monkeypatch.setattr(pictures, "render_apart", refuse)
    rows = {r.figure.case: r for r in pictures.draw(Patient(TINY), StopAt("never"))}
    assert rows["picture-3d"].value is None
    assert rows["picture-3d"].note == "No OpenGL here."
    assert Benchmark(rows=tuple(rows.values()), cores=1).to_text().count("No OpenGL here.") == 1


def test_ratios_come_from_the_rows():
    rows = (
        row("freeze-64", 2.0, 5),
        row("textbook-loops", 50.0, 5),
        row("stage-bandwidth", 6.0, 1),
        row("copy-memory", 12.0, 5),
        row("beside", 0.7, 5),
    )
    bench = Benchmark(rows=rows, cores=2)
    assert bench.ratios == {"textbook-loops": 25.0, "copy-memory": 0.5, "beside": 0.7}
    assert Benchmark(rows=rows[1:3], cores=2).ratios == {}


def test_limits_know_in_which_direction_they_hold():
    slow, fast = row("cycle-1mm", 6.1, 5), row("cycle-1mm", 2.0, 5)
    assert slow.within(slow.figure.must) is False
    assert fast.within(fast.figure.aim) is True
    held_up = row("beside", 0.7, 5)
    assert held_up.within(held_up.figure.must) is False
    assert row("memory-120", None, 0).within(1.0) is None


def test_patients_problem_has_many_tissues_three_probes_and_about_the_asked_size():
    patient = Patient(TINY)
    problem = patient.problem(patient.plan, 2.0, 48)
    used = {problem.materials[n].name for n in set(problem.material_map.ravel())}
    assert len(used) >= 4
    assert {"blood", "liver", "tumour"} <= used
    assert len(problem.probes) == 3
    assert math.prod(problem.grid.size) == pytest.approx(48**3, rel=0.2)
    assert len(patient.preview(patient.six_probes).probes) == 6
    assert block(TINY, 2.0, 24).grid.size == (24, 24, 24)


def test_command_prints_json_and_refuses_unknown_names(capsys):
    assert main(["bench", "--json", "--only", "copy-cache"]) == 0
    record = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert [r["case"] for r in record["rows"]] == ["copy-memory", "copy-memory-all", "copy-cache"]
    assert main(["bench", "--only", "nothing"]) == 3
    assert "nothing" in capsys.readouterr().err
