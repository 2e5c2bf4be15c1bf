"""Measure: chooses what is asked for, runs it in order and collects the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.workflow.benchmark import apart, beside, pictures, solves, yardsticks
from cryoplan.workflow.benchmark.figures import FIGURES, Benchmark, Row, figure_of
from cryoplan.workflow.benchmark.sizes import USUAL, Sizes
from cryoplan.workflow.benchmark.subjects import Patient


class _Bench:
    """What the measurements share."""

    def __init__(self, sizes: Sizes, progress: Progress) -> None:
        self.sizes, self.progress = sizes, progress

    @cached_property
    def patient(self) -> Patient:
        return Patient(self.sizes)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some figures that are measured together."""

    cases: tuple[str, ...]
    run: Callable[[_Bench], Iterator[Row]]

    @property
    def full(self) -> bool:
        return all(figure_of(c).full for c in self.cases)


_PARTS = (
    _Part(
        ("copy-memory", "copy-memory-all", "copy-cache"), lambda b: yardsticks.bandwidth(b.sizes, b.progress)
    ),
    _Part(
        ("freeze-64", "textbook-loops", "textbook-numpy"), lambda b: yardsticks.textbook(b.sizes, b.progress)
    ),
    _Part(("preview", "cycle-2mm"), lambda b: solves.coarse(b.patient, b.progress)),
    _Part(
        ("build-1mm", "cycle-1mm", "stage-bandwidth", "freeze-1mm"),
        lambda b: solves.standard(b.patient, b.progress),
    ),
    _Part(("first-result-cold", "first-result-warm"), lambda b: apart.start(b.sizes, b.progress)),
    _Part(("memory-120",), lambda b: apart.memory(b.sizes, b.progress)),
    _Part(("cancel", "cancel-building"), lambda b: beside.cancel(b.sizes, b.progress)),
    _Part(("stall", "beside"), lambda b: beside.beside(b.sizes, b.progress)),
    _Part(("stall-thread", "beside-thread"), lambda b: beside.beside_thread(b.patient, b.progress)),
    _Part(("load",), lambda b: pictures.load(b.sizes, b.progress)),
    _Part(("surfaces", "picture-3d", "slice"), lambda b: pictures.draw(b.patient, b.progress)),
    _Part(("cycle-0.5mm",), lambda b: solves.fine(b.patient, b.progress)),
    _Part(("memory-240",), lambda b: apart.memory_full(b.sizes, b.progress)),
)


def run_benchmark(
    *,
    full: bool = False,
    only: Sequence[str] = (),
    sizes: Sizes = USUAL,
    progress: Progress = SILENT,
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
    bench = _Bench(sizes, progress)
    rows: list[Row] = []
    for number, part in enumerate(parts):
        check_cancelled(progress)
        titles = figure_of(part.cases[0]).title
        progress.report(ProgressReport(fraction=number / len(parts), text=f"Measuring: {titles}"))
        rows.extend(part.run(bench))
    progress.report(ProgressReport(fraction=1.0, text="Measured"))
    rows.sort(key=lambda r: known.index(r.figure.case))
    return Benchmark(rows=tuple(rows), cores=yardsticks.usable_cores())
