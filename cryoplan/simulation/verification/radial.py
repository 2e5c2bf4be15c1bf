"""Radial: freezing around a cylinder whose surface temperature is imposed, for sensors in one plane.

One-dimensional finite volumes of the enthalpy in rings, with the material's own curves; the time integrator
is scipy's. No probe model takes part: what is tested is how cold spreads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]

RING_MM = 0.2
OUTER_MM = 45.0
"""Rings and outer radius; nothing reaches the outer face, which is insulated, within ten minutes."""


def solve_radial(
    material: Material,
    *,
    inner_mm: float,
    time_s: FloatArray,
    inner_degc: FloatArray,
    start_degc: float,
    at_mm: npt.ArrayLike,
    ring_mm: float = RING_MM,
) -> FloatArray:
    """Return the temperature at radii `at_mm` and all `time_s`, float64 ``(times, radii)``, degC.

    Parameters
    ----------
    material : Material
        Without perfusion.
    inner_mm : float
        Radius at which the temperature is imposed.
    time_s, inner_degc : float64 (n,)
        Imposed temperature; linear between its times.
    start_degc : float
    at_mm : array_like (m,)
        Radii beyond `inner_mm`.
    ring_mm : float
        Width of the rings.
    """
    count = int(np.ceil((OUTER_MM - inner_mm) / ring_mm))
    face = (inner_mm + ring_mm * np.arange(count + 1)) / 1000.0
    middle = 0.5 * (face[:-1] + face[1:])
    volume = 0.5 * (face[1:] ** 2 - face[:-1] ** 2)
    # Between radii the heat flux potential is a line in ln r, so that a wide ring costs no accuracy.
    inner_link = 1.0 / np.log(middle[0] / face[0])
    links = 1.0 / np.log(middle[1:] / middle[:-1])

    def rate(time: float, enthalpy: FloatArray) -> FloatArray:
        potential = material.potential(material.temperature(enthalpy))
        wall = float(material.potential(np.interp(time, time_s, inner_degc)))
        flow = np.zeros(count + 1)
        flow[0] = inner_link * (wall - potential[0])
        flow[1:-1] = links * (potential[:-1] - potential[1:])
        return np.asarray((flow[:-1] - flow[1:]) / volume)

    start = np.full(count, float(material.enthalpy(start_degc)))
    solved = solve_ivp(
        rate, (float(time_s[0]), float(time_s[-1])), start, method="LSODA", t_eval=time_s, lband=1, uband=1,
        rtol=1e-5, atol=1e-5 * material.h1, max_step=2.0,
    )  # fmt: skip
    if not solved.success:
        raise ArithmeticError(f"the radial solution broke down: {solved.message}")
    fields = material.temperature(solved.y.T)
    known = np.concatenate([[np.log(face[0])], np.log(middle)])
    wanted = np.log(np.asarray(at_mm, float) / 1000.0)
    return np.array(
        [
            np.interp(wanted, known, np.concatenate([[inner], field]))
            for inner, field in zip(inner_degc, fields, strict=True)
        ]
    )
