"""Reference: one super-step in slow, obvious numpy, float64; the oracle of the compiled kernels.

It takes the geometry (face coefficients, wall links) from the same `Lattice` and computes everything else anew, from
the material's own curves. When the two differ, this one is right.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.lattice import Lattice
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]


class ReferenceState:
    """State of a lattice in float64 arrays with halo.

    Parameters
    ----------
    lattice : Lattice
        At its start; never changed.
    material_map : uint8 ``[k, j, i]``
        Material of each cell.
    """

    def __init__(self, lattice: Lattice, material_map: npt.NDArray[np.uint8]) -> None:
        self.lattice = lattice
        self.map = material_map
        inner = (slice(1, -1),) * 3
        self.inner = inner
        self.enthalpy = lattice.enthalpy[0].reshape(lattice.padded)[inner].copy()
        self.w = lattice.inner(lattice.w).astype(float)
        self.q = lattice.inner(lattice.q).astype(float)

    def temperature(self, enthalpy: FloatArray) -> FloatArray:
        """Return degC ``[k, j, i]``."""
        t = np.empty(enthalpy.shape)
        for index, material in enumerate(self.lattice.materials):
            chosen = self.map == index
            t[chosen] = material.temperature(enthalpy[chosen])
        return t

    def _with_halo(self, values: FloatArray, name: str) -> FloatArray:
        whole = np.asarray(getattr(self.lattice, name), float).reshape(self.lattice.padded).copy()
        whole[self.inner] = values
        return whole

    def rate(
        self, enthalpy: FloatArray, coolant_degc: FloatArray, strength: FloatArray
    ) -> tuple[FloatArray, dict[str, float | FloatArray]]:
        """Return dH/dt in W/m3 ``[k, j, i]`` and the heat flows into the tissue in watts."""
        lat = self.lattice
        t = self.temperature(enthalpy)
        u, psi = np.empty(t.shape), np.empty(t.shape)
        for index, material in enumerate(lat.materials):
            chosen = self.map == index
            u[chosen], psi[chosen] = material.unfrozen_fraction(t[chosen]), material.ice_factor(t[chosen])
        whole = [self._with_halo(v, n) for v, n in ((t, "temperature"), (u, "unfrozen"), (psi, "ice"))]
        coefficients = lat.coefficients.reshape(6, *lat.padded).astype(float)
        volume = lat.h**3
        change = np.zeros(lat.padded)
        boundary = 0.0
        for axis in range(3):
            low = [slice(None)] * 3
            high = [slice(None)] * 3
            low[axis], high[axis] = slice(0, -1), slice(1, None)
            a, b = tuple(low), tuple(high)
            row = 2 * (2 - axis)
            conductance = coefficients[row][a] * (whole[1][a] + whole[1][b])
            conductance += coefficients[row + 1][a] * (whole[2][a] + whole[2][b])
            flux = conductance * (whole[0][b] - whole[0][a])
            change[a] += flux
            change[b] -= flux
            boundary += float(np.take(flux, -1, axis=axis).sum() - np.take(flux, 0, axis=axis).sum())
        result = change[self.inner].copy()
        flowing = u >= 0.99999
        perfusion = np.where(flowing, self.w * (lat.start_degc - t), 0.0)
        metabolic = np.where(flowing, self.q, 0.0)
        result += perfusion
        flat = result.ravel()

        probes = np.zeros(len(strength))
        for n, cell in enumerate(self._cells(lat.link_cell)):
            probe = int(lat.link_probe[n])
            material = lat.materials[int(lat.link_material[n])]
            heat = _link(material, t.flat[cell], coolant_degc[probe], strength[probe], lat, n)
            flat[cell] += heat / volume
            probes[probe] += heat
        exchange = lat.exchange * (lat.vessel_degc - t.ravel()[self._cells(lat.exchange_cells)])
        flat[self._cells(lat.exchange_cells)] += exchange
        fixed = self._cells(lat.fixed_cells)
        vessels = float(exchange.sum() - flat[fixed].sum()) * volume
        flat[fixed] = 0.0
        flows: dict[str, float | FloatArray] = {
            "perfusion": float((perfusion - metabolic).sum()) * volume,
            "metabolic": float(metabolic.sum()) * volume,
            "boundary": boundary * volume,
            "vessels": vessels,
            "probes": probes,
        }
        return flat.reshape(result.shape), flows

    def _cells(self, padded: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        k, j, i = np.unravel_index(padded, self.lattice.padded)
        shape = self.lattice.shape
        return np.asarray(((k - 1) * shape[1] + j - 1) * shape[2] + i - 1, np.int64)

    def super_step(self, step_s: float, stages: int, coolant_degc: FloatArray, strength: FloatArray) -> None:
        """Advance by one RKL1 super-step; `coolant_degc` is ``(stages, probes)``."""
        w1 = 2.0 / (stages**2 + stages)
        older = self.enthalpy
        rate, _ = self.rate(older, coolant_degc[0], strength)
        newer = older + w1 * step_s * rate
        for j in range(2, stages + 1):
            mu, nu = (2 * j - 1) / j, (1 - j) / j
            rate, _ = self.rate(newer, coolant_degc[j - 1], strength)
            older, newer = newer, mu * newer + nu * older + mu * w1 * step_s * rate
        self.enthalpy = newer


def _link(
    material: Material, cell_degc: float, coolant_degc: float, strength: float, lat: Lattice, n: int
) -> float:
    """Return the heat of one wall link, W: tissue and contact in series, k averaged between wall and cell."""
    contact = lat.link_contact[n] * strength
    if contact <= 0.0:
        return 0.0
    k_cell = float(material.conductivity(cell_degc))
    k = k_cell
    for _ in range(3):
        heat = (coolant_degc - cell_degc) / (lat.link_log[n] / k + 1.0 / contact)
        wall = max(coolant_degc - heat / contact, 8.0 - 273.15)
        k = 0.5 * (k_cell + float(material.conductivity(wall)))
    return float((coolant_degc - cell_degc) / (lat.link_log[n] / k + 1.0 / contact))
