"""Solver: the time loop around the kernels - steps, events, progress, cancel, frames, ledger.

Super-steps start at 0.2 s after every event (phase border, probe on or off), grow by 15 percent up to
``settings.step_max_s`` and never step over an event or an output time. Only a box around the probes is
stepped; it grows where the field leaves its start value by 0.1 degC.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.core.units import show_clock
from cryoplan.core.volume import Volume
from cryoplan.simulation.lattice import build_lattice
from cryoplan.simulation.problem import Problem, Stage
from cryoplan.simulation.result import EnergyLedger, Frame, ProbeTrace, ThermalResult, ThermocoupleTrace
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FIRST_STEP_S = 0.2
GROWTH = 1.15
ACTIVE_DEGC = 0.1
"""The active box grows where the field differs by more than this from the start (solver notes section 5)."""

BOX_LAYER, BOX_GROWTH, BOX_START = 3, 6, 8
"""Layer inside each side that is watched, cells added at once, cells around the probes at the start."""

NEAR_BORDER_MM = 10.0
"""Ice nearer than this to the outer faces feels them."""

LARGEST_RESIDUAL = 1e-4

LARGEST_CALL = 50_000_000
"""Cells times stages of one compiled call: about half a second, so that cancel is heard within one second."""


def super_step_stages(step_s: float, euler_s: float) -> int:
    """Return the least number of RKL1 stages that keeps a super-step stable."""
    return max(1, math.ceil(0.5 * (-1.0 + math.sqrt(1.0 + 8.0 * step_s / euler_s)) - 1e-9))


def longest_super_step_s(euler_s: float, cells: int) -> float:
    """Return the longest super-step whose stages fit into one call (solver notes section 7)."""
    stages = max(3, LARGEST_CALL // max(cells, 1))
    return 0.5 * euler_s * (stages * stages + stages)


def output_times(stages: tuple[Stage, ...], settings: SolverSettings) -> dict[float, str]:
    """Return protocol time -> label of every frame to keep, in time order."""
    end = stages[-1].end_s
    times: dict[float, str] = {}
    if settings.frames_every_s > 0.0:
        times = {settings.frames_every_s * n: "" for n in range(1, int(end / settings.frames_every_s) + 1)}
    times |= {float(t): "asked" for t in settings.extra_times_s if 0.0 < t <= end}
    times |= {s.end_s: s.label for s in stages}
    return dict(sorted(times.items()))


@dataclass(slots=True, eq=False)
class _Gas:
    """Coolant curve of one probe: exponential from where the shaft was towards the drive's end."""

    drive: Drive | None = None
    since_s: float = 0.0
    from_degc: float = 0.0

    def at(self, time_s: npt.ArrayLike) -> FloatArray:
        if self.drive is None:
            return np.full(np.shape(time_s), self.from_degc)
        gone = 1.0 - np.exp(-(np.asarray(time_s, float) - self.since_s) / self.drive.tau_s)
        return np.asarray(self.from_degc + (self.drive.end_degc - self.from_degc) * gone)

    @property
    def strength(self) -> float:
        return self.drive.coefficient if self.drive else 0.0


@dataclass(slots=True, eq=False)
class _Curves:
    time_s: list[float] = field(default_factory=list)
    shaft: list[FloatArray] = field(default_factory=list)
    heat: list[FloatArray] = field(default_factory=list)
    couples: list[FloatArray] = field(default_factory=list)


class Run:
    """One solve in progress; `solve` drives it and tests may step it by hand."""

    def __init__(self, problem: Problem, progress: Progress = SILENT) -> None:
        self.problem = problem
        self.lattice = build_lattice(problem, progress)
        check_cancelled(progress)
        lattice = self.lattice
        self.current = 0
        self.time_s = 0.0
        self.steps = self.stages = 0
        self.gas = [_Gas(from_degc=problem.start_degc) for _ in problem.probes]
        self.shaft = np.full(len(problem.probes), problem.start_degc)
        self.ledger = np.zeros(5 + len(problem.probes))
        self.fixed_h = lattice.enthalpy[0, lattice.fixed_cells].copy()
        self.start_h = lattice.enthalpy[0].copy()
        self.whole = np.array(
            [1, lattice.padded[0] - 1, 1, lattice.padded[1] - 1, 1, lattice.padded[2] - 1], np.int64
        )
        self.box = self._first_box()
        self.seams = self._seams()
        check_cancelled(progress)
        self.refresh_state()
        check_cancelled(progress)
        self.minimum = lattice.temperature.copy()
        self.minimum_at_s = np.zeros_like(self.minimum)
        self.coldest = float(problem.start_degc)

    def _first_box(self) -> npt.NDArray[np.int64]:
        problem, lattice = self.problem, self.lattice
        steady = all(b is None or b == problem.start_degc for b in problem.boundary_degc)
        steady = steady and (problem.vessel is None or problem.vessel_degc == problem.start_degc)
        if not steady or not len(lattice.probe_cells):
            return self.whole.copy()
        kji = np.stack(np.unravel_index(lattice.probe_cells, lattice.padded))
        low = np.maximum(kji.min(axis=1) - BOX_START, self.whole[0::2])
        high = np.minimum(kji.max(axis=1) + BOX_START + 1, self.whole[1::2])
        return np.stack([low, high], axis=1).ravel().astype(np.int64)

    def _seams(self) -> tuple[IntArray, IntArray, IntArray, IntArray, FloatArray, FloatArray]:
        """Return the faces between tissues with both cells in the active box."""
        lat, b = self.lattice, self.box
        inside = np.zeros(lat.padded, bool)
        inside[b[0] : b[1], b[2] : b[3], b[4] : b[5]] = True
        flat = inside.ravel()
        good = flat[lat.seam_low] & flat[lat.seam_high]
        return (
            lat.seam_low[good],
            lat.seam_high[good],
            lat.seam_low_material[good],
            lat.seam_high_material[good],
            lat.seam_a[good],
            lat.seam_b[good],
        )

    def use_whole_box(self) -> None:
        """Step every cell from now on, for start fields that are nowhere at rest."""
        self.box = self.whole.copy()
        self.seams = self._seams()

    @property
    def closed(self) -> npt.NDArray[np.int64]:
        """1 for each side of the active box that lies inside the lattice."""
        return np.asarray(self.box != self.whole, np.int64)

    def refresh_state(self) -> None:
        """Recompute T, u and psi of all cells from the enthalpy."""
        from cryoplan.simulation import kernels

        lat = self.lattice
        kernels.update_state(
            lat.enthalpy[self.current], lat.temperature, lat.flow, lat.potential, lat.parameters,
            lat.run_start, lat.run_end, lat.run_material, lat.row_runs, lat.padded[1], lat.padded[2],
            self.whole,
        )  # fmt: skip

    def begin(self, time_s: float, kind: str) -> None:
        """Let every probe start what it does after the event at `time_s` in a stage of `kind`."""
        for index, probe in enumerate(self.problem.probes):
            drive = probe.drive(time_s, kind)
            gas = self.gas[index]
            if drive is gas.drive:
                continue
            # The line starts from what it has: its own temperature when it flowed, else that of the shaft.
            now = float(gas.at(time_s)) if gas.drive is not None else float(self.shaft[index])
            self.gas[index] = _Gas(drive=drive, since_s=time_s, from_degc=now)

    def coldest_ahead(self, step_s: float) -> float:
        """Return a temperature that nothing gets below during the next `step_s`."""
        flowing = [float(np.min(g.at(self.time_s + step_s))) for g in self.gas if g.drive is not None]
        outer = [b for b in self.problem.boundary_degc if b is not None]
        return min(self.coldest, max(min([*flowing, *outer, self.coldest]), self.coldest - 15.0))

    def longest_step_s(self) -> float:
        """Return the longest super-step that still lets a cancel be heard in time."""
        b = self.box
        cells = int((b[1] - b[0]) * (b[3] - b[2]) * (b[5] - b[4]))
        coldest = self.coldest_ahead(self.problem.settings.step_max_s)
        return float(longest_super_step_s(self.lattice.longest_euler_step_s(coldest), cells))

    def step(self, step_s: float) -> None:
        """Advance by one super-step."""
        from cryoplan.simulation import kernels

        lat, problem = self.lattice, self.problem
        euler = lat.longest_euler_step_s(self.coldest_ahead(step_s))
        stages = super_step_stages(step_s, euler)
        order = np.arange(stages, dtype=float)
        at = self.time_s + step_s * (order**2 + order) / (stages**2 + stages)
        coolant = np.zeros((stages, len(self.gas)))
        for index, gas in enumerate(self.gas):
            coolant[:, index] = gas.at(at)
        strength = np.array([g.strength for g in self.gas])
        ledger = np.zeros_like(self.ledger)
        self.current = kernels.super_step(
            lat.enthalpy, self.current, lat.temperature, lat.flow, lat.potential, lat.coefficients,
            lat.parameters, lat.run_start, lat.run_end, lat.run_material, lat.row_runs, *self.seams,
            lat.w, lat.q,
            lat.padded[1], lat.padded[2], self.box, self.closed, lat.h, problem.start_degc,
            step_s, stages, coolant, strength, lat.link_cell, lat.link_probe, lat.link_material, lat.link_log,
            lat.link_contact, lat.fixed_cells, self.fixed_h, lat.exchange_cells, lat.exchange,
            lat.vessel_degc, ledger,
        )  # fmt: skip
        self.time_s += step_s
        self.ledger += ledger
        self.power = ledger[5:] / step_s
        self.steps += 1
        self.stages += stages
        last = np.array([float(g.at(self.time_s)) for g in self.gas])
        kernels.show_probes(
            lat.temperature, lat.parameters, last, strength, lat.link_cell, lat.link_core, lat.link_probe,
            lat.link_material, lat.link_log, lat.link_contact, lat.link_share, lat.probe_cells,
            lat.probe_cell_owner, self.shaft,
        )  # fmt: skip
        coldest = kernels.keep_minimum(
            lat.temperature, self.minimum, self.minimum_at_s, lat.w, lat.q, self.time_s,
            problem.settings.stasis_degc, lat.padded[1], lat.padded[2], self.box,
        )  # fmt: skip
        self.coldest = float(coldest)
        if not (np.all(np.isfinite(self.ledger)) and math.isfinite(self.coldest)) or self.coldest < -273.0:
            raise SimulationError(
                f"The solution broke down at {show_clock(self.time_s)} min.",
                "Report this plan; a finer grid may help.",
                code="solver-diverged",
                place=f"{self.time_s:.1f} s",
            )
        self._grow_box()

    def _grow_box(self) -> None:
        field3 = self.lattice.temperature.reshape(self.lattice.padded)
        start = self.problem.start_degc
        b = self.box
        grown = b.copy()
        for side in range(6):
            if b[side] == self.whole[side]:
                continue
            axis, high = divmod(side, 2)
            window = [slice(b[0], b[1]), slice(b[2], b[3]), slice(b[4], b[5])]
            layer = b[side] - 1 - BOX_LAYER if high else b[side] + BOX_LAYER
            window[axis] = slice(layer, layer + 1)
            if float(np.abs(field3[tuple(window)] - start).max()) > ACTIVE_DEGC:
                further = b[side] + (BOX_GROWTH if high else -BOX_GROWTH)
                limit = self.whole[side]
                grown[side] = min(further, limit) if high else max(further, limit)
        if np.any(grown != b):
            self.box = grown
            self.seams = self._seams()

    def stored_j(self) -> float:
        """Return the enthalpy gained since the start, joules."""
        lat = self.lattice
        return float(np.sum(lat.enthalpy[self.current] - self.start_h)) * lat.h**3

    def energy(self) -> EnergyLedger:
        """Return the energy balance so far.

        Perfusion and metabolism are those of the active box: outside it both cancel exactly.
        """
        return EnergyLedger(
            stored_j=self.stored_j(),
            probes_j=float(self.ledger[5:].sum()),
            perfusion_j=float(self.ledger[0]),
            metabolic_j=float(self.ledger[1]),
            boundary_j=float(self.ledger[2]),
            vessels_j=float(self.ledger[3]),
        )

    def field_degc(self) -> Volume:
        """Return the present temperatures as a volume of their own."""
        values = np.ascontiguousarray(self.lattice.inner(self.lattice.temperature))
        return Volume(grid=self.problem.grid, values=values.copy())


def solve(
    problem: Problem,
    *,
    key: str = "",
    progress: Progress = SILENT,
    on_frame: Callable[[Frame], None] | None = None,
) -> ThermalResult:
    """Solve a problem from its start to the end of its protocol.

    Parameters
    ----------
    problem : Problem
    key : str
        Kept in the result: what it is the answer to.
    progress : Progress
        Asked before every super-step (a few to some tens of milliseconds) whether to go on.
    on_frame : callable, optional
        Called with each kept frame as soon as it exists.

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
    run = Run(problem, progress)
    outputs = output_times(problem.stages, problem.settings)
    events = _events(problem)
    stops = sorted(set(outputs) | set(events))
    couples = _Couples(problem)
    curves = _Curves()
    frames: list[Frame] = []
    pace = _Pace(problem.duration_s)
    _note(run, curves, couples, np.zeros(len(problem.probes)))
    step = FIRST_STEP_S
    for stop in stops:
        before = run.time_s
        if before in events:
            run.begin(before, events[before])
            step = FIRST_STEP_S
        while run.time_s < stop:
            check_cancelled(progress)
            left = stop - run.time_s
            step = min(step, run.longest_step_s())
            # The last two steps before a stop share what is left, so that none becomes a sliver.
            size = left if left <= step * 1.0001 else min(step, max(0.5 * left, step / GROWTH**2))
            arrives = size == left
            run.step(size)
            if arrives:
                run.time_s = stop
            step = min(max(step, size) * GROWTH, problem.settings.step_max_s)
            _note(run, curves, couples, run.power)
            progress.report(pace.report(run.time_s))
        if stop in outputs:
            frame = Frame(time_s=stop, label=outputs[stop], temperature_degc=run.field_degc())
            frames.append(frame)
            if on_frame is not None:
                on_frame(frame)
    return _result(run, key, tuple(frames), curves, couples, time.perf_counter() - began)


def _events(problem: Problem) -> dict[float, str]:
    """Return protocol time -> kind of the stage that begins or goes on there."""
    times = {s.start_s for s in problem.stages}
    for probe in problem.probes:
        times |= {t for t in (probe.start_s, probe.stop_s) if 0.0 < t < problem.duration_s}
    return {t: next(s.kind for s in problem.stages if s.start_s <= t < s.end_s) for t in sorted(times)}


class _Pace:
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
        self.names = [n for n, at in problem.thermocouples if problem.grid.contains_mm(at)]
        points = [at for _, at in problem.thermocouples if problem.grid.contains_mm(at)]
        n = len(points)
        self.index, self.weight = np.zeros((n, 8), np.int64), np.zeros((n, 8))
        if not n:
            return
        ijk = problem.grid.mm_to_index(np.asarray(points, float)) + 1.0
        kji = np.clip(ijk[:, ::-1], 1.0, np.asarray(problem.grid.shape, float))
        low = np.minimum(np.floor(kji), np.asarray(problem.grid.shape, float) - 1.0)
        low = np.maximum(low, 1.0)
        part = np.clip(kji - low, 0.0, 1.0)
        padded = [s + 2 for s in problem.grid.shape]
        for corner in range(8):
            bits = np.array([(corner >> 2) & 1, (corner >> 1) & 1, corner & 1])
            at = np.minimum((low + bits).astype(int), np.asarray(problem.grid.shape))
            self.index[:, corner] = (at[:, 0] * padded[1] + at[:, 1]) * padded[2] + at[:, 2]
            self.weight[:, corner] = np.prod(np.where(bits, part, 1.0 - part), axis=1)

    def read(self, flat: npt.NDArray[np.float32]) -> FloatArray:
        return np.asarray((flat[self.index].astype(float) * self.weight).sum(axis=1))


def _note(run: Run, curves: _Curves, couples: _Couples, power: FloatArray) -> None:
    curves.time_s.append(run.time_s)
    curves.shaft.append(run.shaft.copy())
    curves.heat.append(-power)
    curves.couples.append(couples.read(run.lattice.temperature))


def _result(
    run: Run, key: str, frames: tuple[Frame, ...], curves: _Curves, couples: _Couples, wall_s: float
) -> ThermalResult:
    problem, lat = run.problem, run.lattice
    grid = problem.grid
    times = np.asarray(curves.time_s)
    shaft, heat = np.asarray(curves.shaft), np.asarray(curves.heat)
    readings = np.asarray(curves.couples)
    minimum = np.ascontiguousarray(lat.inner(run.minimum)).copy()
    ledger = run.energy()
    return ThermalResult(
        key=key,
        grid=grid,
        minimum_degc=Volume(grid=grid, values=minimum),
        minimum_at_s=Volume(grid=grid, values=np.ascontiguousarray(lat.inner(run.minimum_at_s)).copy()),
        frames=frames,
        thermocouples=tuple(
            ThermocoupleTrace(name=name, time_s=times, temperature_degc=readings[:, n])
            for n, name in enumerate(couples.names)
        ),
        probes=tuple(
            ProbeTrace(name=p.name, time_s=times, shaft_degc=shaft[:, n], heat_w=heat[:, n])
            for n, p in enumerate(problem.probes)
        ),
        ledger=ledger,
        settings=problem.settings,
        steps=run.steps,
        stages=run.stages,
        wall_s=wall_s,
        findings=(*problem.findings, *_judge(problem, minimum, ledger)),
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
