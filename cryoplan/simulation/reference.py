"""Reference: one super-step in slow, obvious numpy, float64; the oracle of the compiled kernels.

It takes the geometry (face coefficients, wall links) from the same `Lattice` and computes everything else
anew, from the material's own curves. When the two differ, this one is right.
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
        potential, t_u = np.empty(t.shape), np.empty(t.shape)
        for index, material in enumerate(lat.materials):
            chosen = self.map == index
            potential[chosen], t_u[chosen] = material.potential(t[chosen]), material.t_u
        whole = self._with_halo(potential, "potential")
        coefficients = lat.coefficients.reshape(3, *lat.padded).astype(float)
        volume = lat.h**3
        change = np.zeros(lat.padded)
        boundary = 0.0
        for axis in range(3):
            low = [slice(None)] * 3
            high = [slice(None)] * 3
            low[axis], high[axis] = slice(0, -1), slice(1, None)
            a, b = tuple(low), tuple(high)
            flux = coefficients[2 - axis][a] * (whole[b] - whole[a])
            change[a] += flux
            change[b] -= flux
            boundary += float(np.take(flux, -1, axis=axis).sum() - np.take(flux, 0, axis=axis).sum())
        result = change[self.inner].copy()
        for n, (one, other) in enumerate(
            zip(self._cells(lat.seam_low), self._cells(lat.seam_high), strict=True)
        ):
            a_material = lat.materials[int(lat.seam_low_material[n])]
            b_material = lat.materials[int(lat.seam_high_material[n])]
            ta, tb = t.flat[one], t.flat[other]
            unfrozen = float(a_material.unfrozen_fraction(ta) + b_material.unfrozen_fraction(tb))
            ice = float(a_material.ice_factor(ta) + b_material.ice_factor(tb))
            seam = (lat.seam_a[n] * unfrozen + lat.seam_b[n] * ice) * (tb - ta)
            result.flat[one] += seam
            result.flat[other] -= seam
        flowing = np.clip(t - t_u, 0.0, 1.0)
        perfusion = flowing * self.w * (lat.start_degc - t)
        metabolic = flowing * self.q
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
    """Return the heat of one wall link, W: tissue and contact in series, k their integral mean."""
    contact = lat.link_contact[n] * strength
    if contact <= 0.0:
        return 0.0
    k = float(material.conductivity(cell_degc))
    here = float(material.potential(cell_degc))
    for _ in range(4):
        heat = (coolant_degc - cell_degc) / (lat.link_log[n] / k + 1.0 / contact)
        wall = coolant_degc - heat / contact
        if abs(wall - cell_degc) > 1e-3:
            k = (float(material.potential(wall)) - here) / (wall - cell_degc)
    return float((coolant_degc - cell_degc) / (lat.link_log[n] / k + 1.0 / contact))
