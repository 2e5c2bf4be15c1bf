"""Reference: the same super-step in slow, obvious numpy, float64; the oracle of the compiled lines.

It takes the geometry (faces, wall links, which cells are stepped) from the same lattice and computes
everything else anew, from the materials' own curves. When the two differ, this one is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cryoplan.simulation import ledger as lines
from cryoplan.simulation.arrays import NOTHING, conductivity
from cryoplan.simulation.curves import REF, potentials
from cryoplan.simulation.tissue import Material

if TYPE_CHECKING:
    from cryoplan.simulation.run import Run

Float64s = npt.NDArray[np.float64]


def reference_step(run: Run, step_s: float, coolant: Float64s, strength: Float64s, ledger: Float64s) -> int:
    """Advance the field of a run; see `cryoplan.simulation.stepper.Stepper`."""
    stages = len(coolant)
    w1 = 2.0 / (stages**2 + stages)
    values = run.lattice.field.values
    older = values[run.current].astype(float)
    rate, flows = _rate(run, older, coolant[0], strength)
    newer = older + w1 * step_s * rate
    e_older, e_newer = np.zeros_like(flows), w1 * step_s * flows
    for j in range(2, stages + 1):
        mu, nu = (2 * j - 1) / j, (1 - j) / j
        rate, flows = _rate(run, newer, coolant[j - 1], strength)
        older, newer = newer, mu * newer + nu * older + mu * w1 * step_s * rate
        e_older, e_newer = e_newer, mu * e_newer + nu * e_older + mu * w1 * step_s * flows
    ledger[:] = e_newer
    values[1 - run.current] = newer
    return 1 - run.current


def _rate(run: Run, y: Float64s, coolant: Float64s, strength: Float64s) -> tuple[Float64s, Float64s]:
    """Return dH/dt of every place in W/m3, and the heat flows into the tissue in watts by ledger line."""
    lattice, field, materials = run.lattice, run.lattice.field, run.problem.materials
    stepped = np.flatnonzero(field.label != NOTHING)
    stepped = stepped[run.active.has(stepped)]
    t = lattice.record.temperature.astype(float)
    u, psi = field.u.astype(float), field.psi.astype(float)
    t_u, metabolism = np.zeros(len(t)), np.zeros(len(t))
    for index, material in enumerate(materials):
        at = stepped[field.label[stepped] == index]
        t[at] = material.temperature(y[at] + float(field.own[index, REF]))
        u[at], psi[at] = potentials(material, t[at])
        t_u[at], metabolism[at] = material.t_u, float(field.made[index])

    change, area = np.zeros(len(t)), lattice.cell_m**2
    for axis, stride in ((0, 1), (1, lattice.layout.row), (2, lattice.layout.plane)):
        k_u, k_psi = (conductivity(of[axis][:-stride]).astype(float) / area for of in lattice.faces[:2])
        flux = k_u * (u[stride:] - u[:-stride]) + k_psi * (psi[stride:] - psi[:-stride])
        change[:-stride] += flux
        change[stride:] -= flux
    volume = lattice.cell_m**3
    flows = np.zeros(run.n_lines + len(strength))
    held = lattice.held[run.active.has(lattice.held)]
    flows[lines.BOUNDARY] = change[stepped].sum() + change[held].sum()

    seams = run.seams
    unfrozen, ice = np.zeros(len(seams.cell)), np.zeros(len(seams.cell))
    for index, material in enumerate(materials):
        of = seams.material == index
        unfrozen[of] = material.unfrozen_fraction(t[seams.cell[of]])
        ice[of] = material.ice_factor(t[seams.cell[of]])
    low, high = seams.low, seams.high
    mean = seams.of_u * (unfrozen[low] + unfrozen[high]) + seams.of_psi * (ice[low] + ice[high])
    heat = mean * (t[seams.cell[high]] - t[seams.cell[low]])
    np.add.at(change, seams.cell[low], heat)
    np.subtract.at(change, seams.cell[high], heat)
    flows[lines.VESSELS] = -change[held].sum()

    blood = np.clip(t - t_u, 0.0, 1.0) * field.w
    brought = blood * (run.problem.start_degc - t)
    change[stepped] += brought[stepped]
    flows[lines.METABOLISM] = (blood * metabolism)[stepped].sum()
    flows[lines.PERFUSION] = brought[stepped].sum() - flows[lines.METABOLISM]
    for cell, rate, degc, slot in zip(*(run.baths[n] for n in (0, 2, 3, 4)), strict=True):
        heat = rate * (degc - t[cell])
        change[cell] += heat
        flows[slot] += heat
    walls = lattice.walls
    contact = walls.contact * strength[walls.probe]
    for index, material in enumerate(materials):
        of = (walls.material == index) & (contact > 0.0)
        gas = coolant[walls.probe[of]]
        walls.degc[of] = _wall_degc(material, t[walls.cell[of]], gas, contact[of] * walls.log[of])
        heat = contact[of] * (gas - walls.degc[of]) / volume
        np.add.at(change, walls.cell[of], heat)
        np.add.at(flows, run.n_lines + walls.probe[of], heat)
    result = np.zeros(len(t))
    result[stepped] = change[stepped]
    return result, flows * volume


def _wall_degc(material: Material, cell_degc: Float64s, coolant_degc: Float64s, biot: Float64s) -> Float64s:
    """Return the wall temperatures at which contact and tissue pass the same heat, by halving.

    `biot` is contact conductance times R_k, in W/(m K).
    """
    here = material.potential(cell_degc)
    low, high = np.minimum(cell_degc, coolant_degc), np.maximum(cell_degc, coolant_degc)
    for _ in range(50):
        middle = 0.5 * (low + high)
        warmer = biot * (coolant_degc - middle) > material.potential(middle) - here
        low, high = np.where(warmer, middle, low), np.where(warmer, high, middle)
    return 0.5 * (low + high)
