"""Measure: chooses what is asked for, runs it in order and collects the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.workflow.benchmark.figures import FIGURES, Benchmark, Row, figure_of
from cryoplan.workflow.benchmark.sizes import USUAL, Sizes
from cryoplan.workflow.benchmark.timing import usable_cores

if TYPE_CHECKING:
    from cryoplan.workflow.benchmark.drawing import StrokeTimes
    from cryoplan.workflow.benchmark.following import DragMeasure
    from cryoplan.workflow.benchmark.subjects import Patient


class _Bench:
    """What the measurements share."""

    def __init__(
        self,
        sizes: Sizes,
        progress: Progress,
        stroke_times: StrokeTimes | None,
        drag_times: DragMeasure | None,
    ) -> None:
        self.sizes, self.progress = sizes, progress
        self.stroke_times, self.drag_times = stroke_times, drag_times

    @cached_property
    def patient(self) -> Patient:
        from cryoplan.workflow.benchmark.subjects import Patient

        return Patient(self.sizes)


# What measures is imported when its turn comes: the process whose start is timed imports this package too.


def _bandwidth(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import yardsticks

    return yardsticks.bandwidth(bench.sizes, bench.progress)


def _textbook(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import yardsticks

    return yardsticks.textbook(bench.sizes, bench.progress)


def _coarse(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import solves

    return solves.coarse(bench.patient, bench.progress)


def _following(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import following

    return following.following(bench.sizes, bench.progress, bench.drag_times)


def _preview_distance(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import following

    return following.distance(bench.patient, bench.progress)


def _paths(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import paths

    return paths.paths(bench.sizes, bench.progress)


def _reviewing(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import reviewing

    return reviewing.reviewing(bench.patient, bench.progress)


def _exporting(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import exporting

    return exporting.exporting(bench.patient, bench.progress)


def _standard(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import solves

    return solves.standard(bench.patient, bench.progress)


def _fine(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import solves

    return solves.fine(bench.patient, bench.progress)


def _start(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import apart

    return apart.start(bench.sizes, bench.progress)


def _memory(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import apart

    return apart.memory(bench.sizes, bench.progress)


def _memory_full(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import apart

    return apart.memory_full(bench.sizes, bench.progress)


def _cancel(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import beside

    return beside.cancel(bench.sizes, bench.progress)


def _beside(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import beside

    return beside.beside(bench.sizes, bench.progress)


def _beside_thread(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import beside

    return beside.beside_thread(bench.patient, bench.progress)


def _keeping(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import keeping

    return keeping.keeping(bench.patient, bench.progress)


def _strokes(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import drawing

    return drawing.strokes(bench.sizes, bench.progress, bench.stroke_times)


def _drawing(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import drawing

    return drawing.drawing(bench.sizes, bench.progress)


def _load(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import pictures

    return pictures.load(bench.sizes, bench.progress)


def _slices(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import slices

    return slices.loading(bench.sizes, bench.progress)


def _anatomy(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import anatomy

    return anatomy.finding(bench.patient, bench.progress)


def _draw(bench: _Bench) -> Iterator[Row]:
    from cryoplan.workflow.benchmark import pictures

    return pictures.draw(bench.patient, bench.progress)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some figures that are measured together."""

    cases: tuple[str, ...]
    run: Callable[[_Bench], Iterator[Row]]

    @property
    def full(self) -> bool:
        return all(figure_of(c).full for c in self.cases)


_PARTS = (
    _Part(("copy-memory", "copy-memory-all", "copy-cache"), _bandwidth),
    _Part(("freeze-64", "textbook-loops", "textbook-numpy"), _textbook),
    _Part(("preview", "cycle-2mm"), _coarse),
    _Part(("preview-latency", "preview-latency-95", "preview-stall"), _following),
    _Part(("preview-distance", "preview-distance-95"), _preview_distance),
    _Part(("paths", "paths-95"), _paths),
    _Part(("review",), _reviewing),
    _Part(("print", "export"), _exporting),
    _Part(("build-1mm", "cycle-1mm", "stage-bandwidth", "freeze-1mm"), _standard),
    _Part(("first-result-cold", "first-result-warm"), _start),
    _Part(("memory-120",), _memory),
    _Part(("cancel", "cancel-building"), _cancel),
    _Part(("stall", "beside"), _beside),
    _Part(("stall-thread", "beside-thread"), _beside_thread),
    _Part(("case-open", "case-edit", "case-size"), _keeping),
    _Part(("brush", "brush-95"), _strokes),
    _Part(("grow", "grow-marks", "stroke-file", "stroke-memory"), _drawing),
    _Part(("load",), _load),
    _Part(("series", "series-bare", "series-ratio"), _slices),
    _Part(("auto-structures",), _anatomy),
    _Part(("surfaces", "picture-3d", "slice"), _draw),
    _Part(("cycle-0.5mm",), _fine),
    _Part(("memory-240",), _memory_full),
)


def run_benchmark(
    *,
    full: bool = False,
    only: Sequence[str] = (),
    sizes: Sizes = USUAL,
    progress: Progress = SILENT,
    stroke_times: StrokeTimes | None = None,
    drag_times: DragMeasure | None = None,
) -> Benchmark:
    """Measure.

    Parameters
    ----------
    full : bool
        Also what takes minutes.
    only : sequence of str
        Names of figures; those that are measured together with one come too. Empty means all.
    sizes : Sizes
        Tests bring tiny ones.
    progress : Progress
        Told what is being measured; asked between runs and by the solver whether to stop.
    stroke_times : callable, optional
        Measures the brush in a window of its own, which this package cannot make.
    drag_times : callable, optional
        Measures in the same way how the ice follows a probe.

    Raises
    ------
    Cancelled
        When `progress` says so; no process and no file stays behind.
    SimulationError
        If a name in `only` is unknown.
    """
    known = [f.case for f in FIGURES]
    for name in only:
        if name not in known:
            raise SimulationError(
                f"The benchmark has no figure called {name!r}.",
                f"Choose from: {', '.join(known)}.",
                code="benchmark-unknown",
                place="--only",
            )
    parts = [p for p in _PARTS if (set(only) & set(p.cases) if only else full or not p.full)]
    bench = _Bench(sizes, progress, stroke_times, drag_times)
    rows: list[Row] = []
    for number, part in enumerate(parts):
        check_cancelled(progress)
        titles = figure_of(part.cases[0]).title
        progress.report(ProgressReport(fraction=number / len(parts), text=f"Measuring: {titles}"))
        rows.extend(part.run(bench))
    progress.report(ProgressReport(fraction=1.0, text="Measured"))
    rows.sort(key=lambda r: known.index(r.figure.case))
    return Benchmark(rows=tuple(rows), cores=usable_cores())
