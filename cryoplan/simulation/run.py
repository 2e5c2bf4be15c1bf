"""Run: one solve under way - the field, its active chunks, one super-step at a time, and the energy of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.units import ZERO_CELSIUS_K, show_clock
from cryoplan.core.volume import Volume
from cryoplan.simulation import ledger as lines
from cryoplan.simulation.active import ACTIVE_DEGC, ActiveSet
from cryoplan.simulation.arrays import NOTHING, Faces
from cryoplan.simulation.cores import default_threads
from cryoplan.simulation.gas import Gas
from cryoplan.simulation.lattice import RECORDED_DEGC, Lattice, build_lattice
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.result import EnergyLedger
from cryoplan.simulation.stepper import find_stepper, share_planes
from cryoplan.simulation.surroundings import Flood
from cryoplan.simulation.team import MOST_THREADS, run_together
from cryoplan.simulation.tissue import Material

Float64s = npt.NDArray[np.float64]

RESTLESS_K_PER_S = 1e-3
"""A cell that changes faster than this at the start is stepped from the start."""

REFRESH_STEPS = 3
"""Long super-steps between two looks at which chunks woke."""

HUGE, TINY = 1e30, 1e-6


def super_step_stages(step_s: float, euler_s: float) -> int:
    """Return the least number of RKL1 stages that keeps a super-step stable."""
    return max(1, math.ceil(0.5 * (-1.0 + math.sqrt(1.0 + 8.0 * step_s / euler_s)) - 1e-9))


class _Quickness:
    """How quickly ice of each material passes heat on: psi / c_f, that is conductivity relative to k_l."""

    def __init__(self, materials: Sequence[Material]) -> None:
        self.t_l, self.rise, self.cf_a, self.cf_b = (
            np.array([getattr(m, name) for m in materials]) for name in ("t_l", "rise", "cf_a", "cf_b")
        )

    def at(self, degc: float) -> Float64s:
        """Return 1/(J/(m3 K)) of every material at a temperature."""
        cold = np.minimum(degc, self.t_l)
        psi = 1.0 + self.rise * ((self.t_l + ZERO_CELSIUS_K) / (cold + ZERO_CELSIUS_K) - 1.0)
        return np.asarray(
            psi / np.maximum(self.cf_a + self.cf_b * cold, 0.05 * (self.cf_a + self.cf_b * self.t_l))
        )


class Run:
    """One solve in progress; `solve` drives it and tests may step it by hand."""

    def __init__(self, problem: Problem, progress: Progress = SILENT, threads: int | None = None) -> None:
        self.problem, self.progress = problem, progress
        self.n_threads = min(threads or default_threads(), MOST_THREADS)
        self.quickness = _Quickness(problem.materials)
        self.stepper = find_stepper(problem.settings.solver)
        self.current = 0
        self.time_s = 0.0
        self.steps = self.stages = 0
        self.cell_stages = 0.0
        n_probes = len(problem.probes)
        self.gas = [Gas(from_degc=problem.start_degc) for _ in problem.probes]
        self.shaft = np.full(n_probes, problem.start_degc)
        self.power = np.zeros(n_probes)
        self.freezing = self.woke = False
        self._take(build_lattice(problem, progress))
        self.ledger = np.zeros(self.n_lines + n_probes)
        check_cancelled(progress)
        self.stored_at_start = self._stored()
        self.freezes = np.zeros((len(RECORDED_DEGC), self.lattice.layout.size), np.uint8)
        self._wake_first()
        self._refresh()
        self._strength = np.zeros(n_probes)
        self.coldest, self.stiffest = self._note(0.0)

    def _take(self, lattice: Lattice) -> None:
        self.lattice = lattice
        self.n_lines = lines.N_LEDGER
        dtype = lattice.field.values.dtype
        self.start = np.array([self.problem.start_degc, 6.0], dtype)
        layout = lattice.layout
        self.shape = (layout.shape[1], layout.n_chunks, layout.row, layout.plane)
        flag_row = layout.n_chunks + 2
        flag_plane = (layout.shape[1] + 2) * flag_row
        self.strides = np.array([layout.row, layout.plane, flag_row, flag_plane], np.int64)
        self.sums_without_walls = (lattice.record.sum_u.copy(), lattice.record.sum_psi.copy())
        self.active = ActiveSet(lattice.table, lattice.cell_m)

    def _wake_first(self) -> None:
        lattice, problem = self.lattice, self.problem
        self.active.wake_around(lattice.walls.cell)
        plain = (
            problem.start_field_degc is None
            and all(b is None or b == problem.start_degc for b in problem.boundary_degc)
            and not len(lattice.held)
            and not len(lattice.baths.cell)
        )
        if not plain:
            restless = self._restless()
            self.active.wake_around(restless)

    def _restless(self) -> npt.NDArray[np.int64]:
        """Return the cells that change by themselves at the start."""
        lattice = self.lattice
        self.active.wake_all()
        self._refresh()
        values = lattice.field.values
        kept = values.copy()
        # One stage of unit length from the state, without probes: the difference is the rate of change.
        self.stepper(self, 1.0, np.zeros((1, len(self.gas))), np.zeros(len(self.gas)), self.ledger_like())
        rate = np.abs(values[1 - self.current] - kept[self.current])
        values[:] = kept
        capacity = np.array([m.c_u for m in self.problem.materials])
        stepped = lattice.field.label != NOTHING
        limit = np.zeros(len(rate))
        limit[stepped] = RESTLESS_K_PER_S * capacity[lattice.field.label[stepped]]
        self.active = ActiveSet(lattice.table, lattice.cell_m)
        self.active.wake_around(lattice.walls.cell)
        return np.flatnonzero(stepped & (rate > limit))

    def ledger_like(self) -> Float64s:
        """Return an empty ledger."""
        return np.zeros(self.n_lines + len(self.gas))

    def _refresh(self) -> None:
        """Make the lists of what is active."""
        lattice = self.lattice
        self.woke = False
        self.chunks = self.active.chunks()
        self.rim = self.active.rim(lattice.faces)
        self.seams = self.active.seams(lattice.seams)
        self.baths = self.active.baths(lattice.baths)

    def use_whole_block(self) -> None:
        """Step every cell from now on."""
        self.active.wake_all()
        self._refresh()

    def begin(self, time_s: float, kind: str) -> None:
        """Let every probe start what it does after the event at `time_s` in a stage of `kind`."""
        self.end_freeze()
        self.freezing = kind == "freeze"
        if self.freezing:
            self.lattice.record.freeze_minimum[:] = HUGE
        self.gas = [
            gas.switched(probe, time_s, kind, float(self.shaft[index]))
            for index, (gas, probe) in enumerate(zip(self.gas, self.problem.probes, strict=True))
        ]
        self._stiffen_walls()
        self.coldest, self.stiffest = self._note(0.0)

    def end_freeze(self) -> None:
        """Count the cells that the freeze now ending brought below each threshold."""
        if self.freezing:
            for count, degc in zip(self.freezes, RECORDED_DEGC, strict=True):
                count += self.lattice.record.freeze_minimum < degc
        self.freezing = False

    def _stiffen_walls(self) -> None:
        """Add the wall links, as strong as they are now, to what limits the step at their cells."""
        lattice, walls = self.lattice, self.lattice.walls
        self._strength = np.array([g.strength for g in self.gas])
        contact = walls.contact * self._strength[walls.probe] if len(walls.probe) else walls.contact
        materials = self.problem.materials
        for sums, base, kind in (
            (lattice.record.sum_u, self.sums_without_walls[0], "k_u"),
            (lattice.record.sum_psi, self.sums_without_walls[1], "k_l"),
        ):
            k = np.array([getattr(m, kind) for m in materials])[walls.material]
            through = k / walls.log
            sums[walls.cell] = base[walls.cell]
            np.add.at(sums, walls.cell, through * contact / (contact + through) / lattice.cell_m**3)

    def coldest_ahead(self, step_s: float) -> float:
        """Return a temperature that nothing gets below during the next `step_s`."""
        flowing = [float(np.min(g.at(self.time_s + step_s))) for g in self.gas if g.drive is not None]
        outer = [b for b in self.problem.boundary_degc if b is not None]
        return min(self.coldest, max(min([*flowing, *outer, self.coldest]), self.coldest - 15.0))

    def euler_step_s(self, step_s: float) -> float:
        """Return the stable step of forward Euler during the next `step_s`.

        ``D_e = 2 / lambda_max``; the stiffest cell of the last note is taken as cold as anything can
        become in this step, because ice conducts better and stores less the colder it is. Five percent are
        kept back.
        """
        ahead = self.coldest_ahead(step_s)
        ratio = self.quickness.at(ahead) / self.quickness.at(self.coldest)
        worse = max(1.0, float(np.max(ratio)))
        return 0.95 / max(self.stiffest * worse, TINY)

    def step(self, step_s: float) -> None:
        """Advance by one super-step.

        Raises
        ------
        SimulationError
            If the field is no longer finite.
        """
        stages = super_step_stages(step_s, self.euler_step_s(step_s))
        order = np.arange(stages, dtype=float)
        at = self.time_s + step_s * (order**2 + order) / (stages**2 + stages)
        coolant = np.zeros((stages, len(self.gas)))
        for index, gas in enumerate(self.gas):
            coolant[:, index] = gas.at(at)
        ledger = self.ledger_like()
        self.current = self.stepper(self, float(step_s), coolant, self._strength, ledger)
        self.time_s += step_s
        self.ledger += ledger
        self.power = ledger[self.n_lines :] / step_s
        self.steps += 1
        self.stages += stages
        self.cell_stages += float(stages) * self.active.cells
        self.coldest, self.stiffest = self._note(step_s)
        self._check()
        self.woke |= self.active.spread()
        # New lists cost as much as two stages; what wakes next is still close to its start.
        if self.woke and (self.steps % REFRESH_STEPS == 0 or step_s < 1.0):
            self._refresh()

    def _check(self) -> None:
        sound = bool(np.all(np.isfinite(self.ledger))) and math.isfinite(self.coldest + self.stiffest)
        if not sound or self.coldest < -273.0:
            raise SimulationError(
                f"The solution broke down at {show_clock(self.time_s)} min.",
                "Report this plan; a finer grid may help.",
                code="solver-diverged",
                place=f"{self.time_s:.1f} s",
            )

    def _note(self, step_s: float) -> tuple[float, float]:
        from cryoplan.simulation.record import note

        lattice, settings = self.lattice, self.problem.settings
        numbers = np.array(
            [self.time_s, step_s, settings.stasis_degc, ACTIVE_DEGC, TINY, HUGE], lattice.field.values.dtype
        )
        planes = share_planes(self)

        def work_of(rank: int) -> tuple[float, float]:
            return note(  # type: ignore[no-any-return]
                rank, planes, self.current, lattice.field, self.chunks, lattice.table.own.ravel(),
                lattice.record, numbers, self.freezing, self.active.woken, self.shape,
            )  # fmt: skip

        both = np.array(run_together(len(planes) - 1, work_of), float)
        coldest, stiffest = float(both[:, 0].min()), float(both[:, 1].max())
        self._show_probes(step_s)
        # Where nothing is stepped nothing is colder than the start.
        nothing = coldest >= HUGE
        return (self.problem.start_degc if nothing else coldest), stiffest

    def _show_probes(self, step_s: float) -> None:
        """Work out the shafts' mean surface temperatures, and let the probes' own cells show their walls."""
        walls, record, probes = self.lattice.walls, self.lattice.record, self.lattice.probes
        if not len(walls.cell):
            return
        off = (
            walls.contact * self._strength[walls.probe] <= 0.0
            if self.steps
            else np.ones(len(walls.cell), bool)
        )
        # Where nothing flows the wall is as warm as the tissue; the next flow starts to look from there.
        walls.degc[off] = record.temperature[walls.cell[off]]
        n = len(self.gas)
        weight = np.bincount(walls.probe, walls.share, n)
        mean = np.bincount(walls.probe, walls.share * walls.degc, n)
        self.shaft = np.where(weight > 0.0, mean / np.maximum(weight, 1e-30), self.shaft)
        linked = np.bincount(walls.core, minlength=len(probes.places))
        # A cell that the probe just enters has its centre in the tissue, on the way from the wall outwards.
        seen = walls.degc + walls.depth * (record.temperature[walls.cell] - walls.degc)
        sums = np.bincount(walls.core, seen, len(probes.places))
        now = np.where(linked > 0, sums / np.maximum(linked, 1), self.shaft[probes.owner])
        at = probes.places
        record.temperature[at] = now
        lower = now < record.minimum[at]
        record.minimum[at] = np.minimum(record.minimum[at], now)
        record.minimum_at[at[lower]] = self.time_s
        if self.freezing:
            record.freeze_minimum[at] = np.minimum(record.freeze_minimum[at], now)
        for row, degc in zip(self.seconds_below(), RECORDED_DEGC, strict=True):
            row[at] += np.where(now < degc, step_s, 0.0)

    def seconds_below(self) -> npt.NDArray[np.floating]:
        """Return the seconds that every place spent below each threshold, ``[threshold, place]`` (a view)."""
        return self.lattice.record.below_s.reshape(len(RECORDED_DEGC), -1)

    def flood(self, flood: Flood, progress: Progress = SILENT) -> None:
        """Fill lung with blood: other material in and around the ice, unfrozen cells at blood temperature.

        Raises
        ------
        Cancelled
            When `progress` says so; the run is of no use any more.
        """
        from scipy.ndimage import distance_transform_edt

        old, problem = self.lattice, self.problem
        layout = old.layout
        ever_frozen = layout.inner(old.record.minimum) < 0.0
        if not ever_frozen.any():
            return
        edge_mm = problem.grid.spacing_mm[0]
        # All that may change lies in a box around the ice; the whole grid would take three times as long.
        rim = math.ceil(flood.rim_mm / edge_mm) + 1
        box = tuple(
            slice(max(int(at.min()) - rim, 0), int(at.max()) + rim + 1) for at in np.nonzero(ever_frozen)
        )
        near = distance_transform_edt(~ever_frozen[box], sampling=edge_mm) <= flood.rim_mm
        degc = layout.inner(old.record.temperature).astype(np.float32)
        material = problem.material_map.copy()
        for before, after in flood.changes:
            chosen = near & (problem.material_map[box] == before)
            material[box][chosen] = after
            degc[box][chosen & (degc[box] > 0.0)] = problem.start_degc
        self.stored_at_start -= self._stored()
        self.let_go()  # two lattices at once would be the largest thing of the whole solve
        old = self.lattice
        self.problem = replace(problem, material_map=material, start_field_degc=degc)
        lattice = build_lattice(self.problem, progress)
        for name in ("start", "minimum", "minimum_at", "freeze_minimum", "below_s"):
            getattr(lattice.record, name)[:] = getattr(old.record, name)
        lattice.walls.degc[:] = old.walls.degc
        stasis = lattice.record.minimum < self.problem.settings.stasis_degc
        lattice.field.w[stasis] = 0.0
        lattice.field.still[:] = layout.flags_of(stasis)
        active = self.active.active
        self.current = 0
        self._take(lattice)
        self.active.active |= active
        self.active.wake_around(layout.places(np.flatnonzero(material != problem.material_map)))
        self._refresh()
        self.stored_at_start += self._stored()
        self._stiffen_walls()
        # A look at what is there now, not a moment of the freeze that ends here.
        freezing, self.freezing = self.freezing, False
        self.coldest, self.stiffest = self._note(0.0)
        self.freezing = freezing

    def _stored(self) -> float:
        layout, field = self.lattice.layout, self.lattice.field
        stepped = layout.inner(field.label) != NOTHING
        values = layout.inner(field.values[self.current])
        return float(np.sum(values[stepped], dtype=np.float64)) * self.lattice.cell_m**3

    def stored_j(self) -> float:
        """Return the enthalpy gained since the start, joules (blood that flooded lung is not counted)."""
        return self._stored() - self.stored_at_start

    def energy(self) -> EnergyLedger:
        """Return the energy balance so far."""
        return EnergyLedger(
            stored_j=self.stored_j(),
            probes_j=float(self.ledger[self.n_lines :].sum()),
            perfusion_j=float(self.ledger[lines.PERFUSION]),
            metabolic_j=float(self.ledger[lines.METABOLISM]),
            boundary_j=float(self.ledger[lines.BOUNDARY]),
            vessels_j=float(self.ledger[lines.VESSELS]),
            skin_j=float(self.ledger[lines.SKIN]),
            warmers_j=float(self.ledger[lines.WARMERS]),
        )

    def volume(self, flat: npt.NDArray[np.floating]) -> Volume:
        """Return a copy of a flat array as a volume on the problem's grid, float32."""
        inner = self.lattice.layout.inner(flat)
        return Volume(grid=self.problem.grid, values=np.array(inner, np.float32, order="C"))

    def let_go(self) -> None:
        """Give the memory of all that only steps need free; the record stays, and can be read."""
        lattice, nothing = self.lattice, np.zeros(0, np.float32)
        self.lattice = replace(
            lattice,
            field=lattice.field._replace(values=nothing, u=nothing, psi=nothing, w=nothing),
            faces=Faces(of_u=nothing, of_psi=nothing, plain=nothing),
            record=lattice.record._replace(sum_u=nothing, sum_psi=nothing),
        )
        self.sums_without_walls = (nothing, nothing)

    def field_degc(self) -> Volume:
        """Return the present temperatures as a volume of their own."""
        return self.volume(self.lattice.record.temperature)
