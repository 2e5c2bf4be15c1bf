"""Run: one solve under way - the field, its active box, one super-step at a time, and the energy of it.

Only a box around the probes is stepped; it grows where the field leaves its start value by 0.1 degC. One
super-step is one compiled call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.units import show_clock
from cryoplan.core.volume import Volume
from cryoplan.simulation.lattice import build_lattice
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.result import EnergyLedger
from cryoplan.simulation.sources import Drive

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ACTIVE_DEGC = 0.1
"""The active box grows where the field differs by more than this from the start (solver notes section 5)."""

BOX_LAYER, BOX_GROWTH, BOX_START = 3, 6, 8
"""Layer inside each side that is watched, cells added at once, cells around the probes at the start."""

LARGEST_CALL = 50_000_000
"""Cells times stages of one compiled call: about half a second, so that cancel is heard within one second."""


def super_step_stages(step_s: float, euler_s: float) -> int:
    """Return the least number of RKL1 stages that keeps a super-step stable."""
    return max(1, math.ceil(0.5 * (-1.0 + math.sqrt(1.0 + 8.0 * step_s / euler_s)) - 1e-9))


def longest_super_step_s(euler_s: float, cells: int) -> float:
    """Return the longest super-step whose stages fit into one call (solver notes section 7)."""
    stages = max(3, LARGEST_CALL // max(cells, 1))
    return 0.5 * euler_s * (stages * stages + stages)


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
