"""Standing fronts: ice that has stopped growing in perfused tissue, with blood that wakes over one kelvin.

The closed forms of `cryoplan.simulation.exact` let blood flow fully wherever tissue is unfrozen; the model
lets it rise from nothing at T_u to full 1 K above, which puts the front 0.5 to 1 % further out.
Here the same balance is solved with that rise: within the ice the potential P goes with ln r (cylinder) or
1 / r (sphere), where blood flows fully the closed form holds, and between them an ordinary differential
equation is integrated. With a vanishing rise it is the closed form again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import k0, k1

from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]

WAKING_K = 1.0
"""Blood flow is full this far above T_u."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandingFront:
    """Where the ice ends and the heat that it passes.

    Attributes
    ----------
    front_m : float
        Radius at which T = T_u.
    heat : float
        W/m of a cylinder, W of a sphere.
    profile_m, profile_degc : float64
        Temperatures of the whole, from the cold body outwards.
    """

    front_m: float
    heat: float
    profile_m: FloatArray
    profile_degc: FloatArray

    def temperature(self, r_m: npt.ArrayLike) -> FloatArray:
        """Return degC at radii; within the body its own temperature."""
        return np.asarray(np.interp(np.asarray(r_m, float), self.profile_m, self.profile_degc))


def standing_front(
    material: Material,
    *,
    probe_degc: float,
    probe_m: float,
    blood_degc: float,
    sphere: bool = False,
    waking_k: float = WAKING_K,
) -> StandingFront:
    """Return the steady state around a cylinder, or a sphere, of fixed temperature.

    Parameters
    ----------
    material : Material
        Perfused.
    probe_degc, blood_degc : float
    probe_m : float
        Radius of the cold body.
    sphere : bool
    waking_k : float
        Width of the rise of blood flow, K.
    """
    k, w, order = material.k_u, material.w, 2.0 if sphere else 1.0
    ell = float(np.sqrt(k / w))
    # What the ice passes between probe and front, per conductance.
    drop = float(material.potential(material.t_u) - material.potential(probe_degc))

    def full(r: float) -> tuple[float, float]:
        """Temperature and its slope at `r`, where blood just flows fully."""
        cold = blood_degc - material.t_u - waking_k
        x = r / ell
        slope = cold / ell * (1.0 + 1.0 / x if sphere else float(k1(x) / k0(x)))
        return material.t_u + waking_k, slope

    def inward(r_full: float) -> tuple[float, float]:
        """Radius of the front and slope there, below tissue whose blood flows fully from `r_full` on."""
        t, slope = full(r_full)
        if waking_k == 0.0:
            return r_full, slope

        def change(r: float, y: list[float]) -> list[float]:
            flow = min(max((y[0] - material.t_u) / waking_k, 0.0), 1.0)
            return [y[1], -order / r * y[1] - w / k * flow * (blood_degc - y[0])]

        def front(_r: float, y: list[float]) -> float:
            return float(y[0] - material.t_u)

        front.terminal = True  # type: ignore[attr-defined]
        found = solve_ivp(change, (r_full, 0.2 * r_full), [t, slope], events=front, rtol=1e-9, atol=1e-9)
        return float(found.t_events[0][0]), float(found.y_events[0][0][1])

    def passed(r: float) -> float:
        """Return what the ice passes to a front at `r`."""
        if sphere:
            return float(4 * np.pi * drop / (1 / probe_m - 1 / r))
        return float(2 * np.pi * drop / np.log(r / probe_m))

    def miss(r_full: float) -> float:
        r, slope = inward(r_full)
        area = 4 * np.pi * r * r if sphere else 2 * np.pi * r
        return passed(r) - area * k * slope

    low, high = 2.0 * probe_m, probe_m + 20 * ell
    r_full = float(brentq(miss, low, high, xtol=1e-9))
    front = inward(r_full)[0]

    # Ice: the potential is known, and the temperature is its inverse.
    ice = np.geomspace(probe_m, front, 400)
    share = (1 / probe_m - 1 / ice) / (1 / probe_m - 1 / front) if sphere else None
    if share is None:
        share = np.log(ice / probe_m) / np.log(front / probe_m)
    degc = np.linspace(probe_degc, material.t_u, 4001)
    potential = material.potential(degc)
    cold = np.interp(potential[0] + share * drop, potential, degc)
    # The thin ring in which blood wakes is nearly straight; beyond, the closed form.
    ring = np.linspace(front, r_full, 12)[1:]
    waking = material.t_u + waking_k * (ring - front) / max(r_full - front, 1e-12)
    far = np.geomspace(r_full, r_full + 25 * ell, 800)[1:]
    fall = r_full / far * np.exp((r_full - far) / ell) if sphere else k0(far / ell) / k0(r_full / ell)
    warm = blood_degc - (blood_degc - material.t_u - waking_k) * fall
    return StandingFront(
        front_m=front,
        heat=passed(front),
        profile_m=np.concatenate([ice, ring, far]),
        profile_degc=np.concatenate([cold, waking, warm]),
    )
