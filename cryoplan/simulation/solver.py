"""Solver: the time loop around the kernels - steps, events, progress, cancel, frames, ledger.

Super-steps start at 0.2 s after every event (phase border, probe on or off), grow by 15 percent up to
``settings.step_max_s`` and never step over an event or an output time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.core.units import show_clock
from cryoplan.core.volume import Volume
from cryoplan.simulation.active import Layout
from cryoplan.simulation.lattice import RECORDED_DEGC
from cryoplan.simulation.problem import Problem, Stage
from cryoplan.simulation.result import EnergyLedger, Frame, ProbeTrace, ThermalResult, ThermocoupleTrace
from cryoplan.simulation.run import Run
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FIRST_STEP_S = 0.2
GROWTH = 1.15
NEAR_BORDER_MM = 10.0
"""Ice nearer than this to the outer faces feels them."""

LARGEST_RESIDUAL = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How super-steps grow after an event.

    Attributes
    ----------
    first_s : float
        The first one.
    growth : float
        How many times as long each next one is, up to ``settings.step_max_s``.
    """

    first_s: float
    growth: float


QUICK = Pace(first_s=1.0, growth=1.5)
"""For previews. On the 2 mm grid it takes half the steps of the usual pace and a fifth less time; the surface
of 0 degC after a freeze of ten minutes is then 0.09 to 0.15 mm from that on 1 mm instead of 0.07 to 0.10."""


SOON_S = 20.0
"""A field is kept so long after each phase begins, beside those of the time slider: beside a probe that stops
or starts temperatures change by tens of degrees within half a minute, and straight lines of a minute would
show the isotherm of -20 degC 6 mm too far out; with this field it is at most 2 mm for ten seconds."""


def output_times(stages: tuple[Stage, ...], settings: SolverSettings) -> dict[float, str]:
    """Return protocol time -> label of every frame to keep, in time order."""
    end = stages[-1].end_s
    times: dict[float, str] = {}
    if settings.frames_every_s > 0.0:
        times = {settings.frames_every_s * n: "" for n in range(1, int(end / settings.frames_every_s) + 1)}
        if settings.frames_every_s < end:
            times |= {s.start_s + SOON_S: "" for s in stages if s.start_s + SOON_S < s.end_s}
    times |= {float(t): "asked" for t in settings.extra_times_s if 0.0 < t <= end}
    times |= {s.end_s: s.label for s in stages}
    return dict(sorted(times.items()))


@dataclass(slots=True, eq=False)
class _Curves:
    time_s: list[float] = field(default_factory=list)
    shaft: list[FloatArray] = field(default_factory=list)
    heat: list[FloatArray] = field(default_factory=list)
    couples: list[FloatArray] = field(default_factory=list)


def solve(
    problem: Problem,
    *,
    key: str = "",
    progress: Progress = SILENT,
    on_frame: Callable[[Frame], None] | None = None,
    threads: int | None = None,
    pace: Pace | None = None,
) -> ThermalResult:
    """Solve a problem from its start to the end of its protocol.

    Parameters
    ----------
    problem : Problem
    key : str
        Kept in the result: what it is the answer to.
    progress : Progress
        Asked before every super-step, and every 10 ms while a long one is computed, whether to go on.
    on_frame : callable, optional
        Called with each kept frame as soon as it exists.
    threads : int, optional
        Threads to use; without it one for each core. The answer is the same, bit for bit.
    pace : Pace, optional
        How super-steps grow after an event; the usual way when left out.

    Raises
    ------
    Cancelled
        When `progress` says so.
    SimulationError
        If the solution breaks down.
    """
    check_cancelled(progress)
    progress.report(ProgressReport(fraction=0.0, text="Preparing"))
    warm_up()
    began = time.perf_counter()
    run = Run(problem, progress, threads)
    outputs = output_times(problem.stages, problem.settings)
    events = _events(problem)
    stops = sorted(set(outputs) | set(events))
    couples = _Couples(problem)
    curves = _Curves()
    frames: list[Frame] = []

    def keep(time_s: float, label: str) -> None:
        frames.append(Frame(time_s=time_s, label=label, temperature_degc=run.field_degc()))
        if on_frame is not None:
            on_frame(frames[-1])

    if 0.0 < problem.settings.frames_every_s < problem.duration_s:
        keep(0.0, "")  # the time slider begins where the protocol does
    clock = _Clock(problem.duration_s)
    _note(run, curves, couples, np.zeros(len(problem.probes)))
    first, growth = (pace.first_s, pace.growth) if pace is not None else (FIRST_STEP_S, GROWTH)
    step = first
    for stop in stops:
        before = run.time_s
        for flood in problem.floods:
            if flood.at_s == before:
                run.flood(flood, progress)
        if before in events:
            run.begin(before, events[before])
            step = first
        while run.time_s < stop:
            check_cancelled(progress)
            left = stop - run.time_s
            # The last two steps before a stop share what is left, so that none becomes a sliver.
            size = left if left <= step * 1.0001 else min(step, max(0.5 * left, step / growth**2))
            arrives = size == left
            run.step(size)
            if arrives:
                run.time_s = stop
            step = min(max(step, size) * growth, problem.settings.step_max_s)
            _note(run, curves, couples, run.power)
            progress.report(clock.report(run.time_s))
        if stop in outputs:
            keep(stop, outputs[stop])
    run.end_freeze()
    return _result(run, key, tuple(frames), curves, couples, time.perf_counter() - began)


def _events(problem: Problem) -> dict[float, str]:
    """Return protocol time -> kind of the stage that begins or goes on there."""
    times = {s.start_s for s in problem.stages} | {f.at_s for f in problem.floods}
    for probe in problem.probes:
        times |= {t for t in (probe.start_s, probe.stop_s) if 0.0 < t < problem.duration_s}
    return {t: next(s.kind for s in problem.stages if s.start_s <= t < s.end_s) for t in sorted(times)}


class _Clock:
    """Remaining time from the pace so far; later stages cost more as the active box grows."""

    def __init__(self, duration_s: float) -> None:
        self.duration_s = duration_s
        self.began = time.perf_counter()

    def report(self, time_s: float) -> ProgressReport:
        fraction = min(time_s / self.duration_s, 1.0)
        spent = time.perf_counter() - self.began
        remaining = spent * (1.0 - fraction) / fraction if fraction > 0.02 else None
        text = f"Solving, {show_clock(time_s)} of {show_clock(self.duration_s)} min"
        return ProgressReport(fraction=fraction, text=text, remaining_s=remaining)


class _Couples:
    """Trilinear readings at the thermocouples that lie in the grid."""

    def __init__(self, problem: Problem) -> None:
        inside = [(n, at) for n, at in problem.thermocouples if problem.grid.contains_mm(at)]
        self.inside = inside
        n = len(inside)
        self.index, self.weight = np.zeros((n, 8), np.int64), np.zeros((n, 8))
        if not n:
            return
        layout = Layout(shape=problem.grid.shape)
        ijk = problem.grid.mm_to_index(np.asarray([at for _, at in inside], float))
        last = np.asarray(problem.grid.shape) - 1
        kji = np.clip(ijk[:, ::-1], 0.0, last.astype(float))
        low = np.clip(np.floor(kji).astype(int), 0, np.maximum(last - 1, 0))
        part = kji - low
        for corner in range(8):
            bits = np.array([(corner >> 2) & 1, (corner >> 1) & 1, corner & 1])
            at = np.minimum(low + bits, last)
            self.index[:, corner] = layout.places(np.ravel_multi_index(tuple(at.T), problem.grid.shape))
            self.weight[:, corner] = np.prod(np.where(bits, part, 1.0 - part), axis=1)

    def read(self, flat: npt.NDArray[np.floating]) -> FloatArray:
        return np.asarray((flat[self.index].astype(float) * self.weight).sum(axis=1))


def _note(run: Run, curves: _Curves, couples: _Couples, power: FloatArray) -> None:
    curves.time_s.append(run.time_s)
    curves.shaft.append(run.shaft.copy())
    curves.heat.append(-power)
    curves.couples.append(couples.read(run.lattice.record.temperature))


def _result(
    run: Run, key: str, frames: tuple[Frame, ...], curves: _Curves, couples: _Couples, wall_s: float
) -> ThermalResult:
    ledger = run.energy()
    run.let_go()  # the copies below would come on top of it
    problem, record = run.problem, run.lattice.record
    times = np.asarray(curves.time_s)
    shaft, heat = np.asarray(curves.shaft), np.asarray(curves.heat)
    readings = np.asarray(curves.couples)
    minimum = run.volume(record.minimum)
    inner = run.lattice.layout.inner
    return ThermalResult(
        key=key,
        grid=problem.grid,
        minimum_degc=minimum,
        minimum_at_s=run.volume(record.minimum_at),
        frames=frames,
        thermocouples=tuple(
            ThermocoupleTrace(name=name, time_s=times, temperature_degc=readings[:, n], position_mm=at)
            for n, (name, at) in enumerate(couples.inside)
        ),
        probes=tuple(
            ProbeTrace(name=p.name, time_s=times, shaft_degc=shaft[:, n], heat_w=heat[:, n])
            for n, p in enumerate(problem.probes)
        ),
        ledger=ledger,
        settings=problem.settings,
        time_below=tuple(
            (degc, run.volume(row)) for degc, row in zip(RECORDED_DEGC, run.seconds_below(), strict=True)
        ),
        freezes_below=tuple(
            (degc, Volume(grid=problem.grid, values=inner(row).copy()))
            for degc, row in zip(RECORDED_DEGC, run.freezes, strict=True)
        ),
        steps=run.steps,
        stages=run.stages,
        cell_stages=run.cell_stages,
        wall_s=wall_s,
        findings=(*problem.findings, *_judge(problem, minimum.values, ledger)),
    )


def _judge(problem: Problem, minimum: npt.NDArray[np.float32], ledger: EnergyLedger) -> list[Finding]:
    findings = []
    grid = problem.grid
    layers = math.ceil(NEAR_BORDER_MM / grid.spacing_mm[0])
    frozen = minimum < 0.0
    inner = tuple(slice(layers, -layers) for _ in range(3))
    if min(grid.size) > 2 * layers and frozen.any() and int(frozen.sum()) > int(frozen[inner].sum()):
        findings.append(
            Finding(
                level=Level.WARN,
                code="ice-near-border",
                text=f"Ice comes within {NEAR_BORDER_MM:g} mm of the border of the computed block, which "
                f"is held at {problem.start_degc:g} °C; use a larger margin.",
            )
        )
    residual = ledger.residual
    if residual > LARGEST_RESIDUAL:
        findings.append(
            Finding(
                level=Level.FAIL,
                code="energy-not-conserved",
                text=f"The energy balance is off by {residual:.1e}; the result cannot be trusted.",
            )
        )
    return findings


_warm = False


def warm_up() -> None:
    """Compile (or load) the kernels by stepping a tiny problem, so that the first solve starts at once."""
    global _warm
    if _warm:
        return
    grid = Grid(size=(8, 8, 8), spacing_mm=(1.0, 1.0, 1.0), origin_mm=(-3.5, -3.5, -3.5))
    medium = Material(
        name="warm-up", t_u=-1.0, t_l=-8.0, latent=2.5e8, c_u=3.8e6, cf_a=2e6, cf_b=6e3, k_u=0.5, k_l=2.0
    )
    probe = ProbeSource(
        name="1", begin_m=(0.0, 0.0, -0.002), back=(0.0, 0.0, 1.0), length_m=0.003, taper_m=0.001,
        radius_m=0.0008, freeze=Drive(end_degc=-100.0, coefficient=3000.0, tau_s=5.0),
    )  # fmt: skip
    tiny = Problem(
        grid=grid,
        material_map=np.zeros(grid.shape, np.uint8),
        materials=(medium,),
        start_degc=37.0,
        probes=(probe,),
        stages=(Stage(start_s=0.0, end_s=1.0, kind="freeze", label="end_freeze_1"),),
        boundary_degc=(37.0,) * 6,
        settings=SolverSettings(),
    )
    run = Run(tiny)
    run.begin(0.0, "freeze")
    run.step(0.1)
    _warm = True
