"""A cold and a warm cylinder side by side: the standing ice between them, on paper.

In a steady state without perfusion the potential ``P = integral of k dT`` obeys Laplace's equation, through
ice, thawing and warm tissue alike. Between two parallel cylinders it is linear in the bipolar coordinate
(Carslaw & Jaeger, Conduction of Heat in Solids, 1959, section 16; Smythe, Static and Dynamic Electricity,
section 4.13). Isotherms are circles whose centres lie on the far side of the cold axis: towards the warm
cylinder the ice ends earlier. That difference is the bite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CylinderPair:
    """Two parallel cylinders of fixed temperature; the cold axis is at 0, the warm one at ``(apart_m, 0)``.

    Attributes
    ----------
    cold_m, warm_m : float
        Radii.
    apart_m : float
        Axis to axis, more than both radii together.
    cold_potential, warm_potential : float
        Heat flux potentials of both walls, W/m; see `cryoplan.simulation.tissue.Material.potential`.
    """

    cold_m: float
    warm_m: float
    apart_m: float
    cold_potential: float
    warm_potential: float

    def __post_init__(self) -> None:
        if not (self.cold_m > 0.0 and self.warm_m > 0.0 and self.apart_m > self.cold_m + self.warm_m):
            raise ValueError("the cylinders are round and lie apart")
        if not self.cold_potential < self.warm_potential:
            raise ValueError("the first cylinder is the colder one")

    @property
    def _middle_m(self) -> float:
        """Place on the line between both axes from which the bipolar coordinate counts."""
        return (self.apart_m**2 + self.cold_m**2 - self.warm_m**2) / (2.0 * self.apart_m)

    @property
    def _focus_m(self) -> float:
        return float(np.sqrt(self._middle_m**2 - self.cold_m**2))

    @property
    def _taus(self) -> tuple[float, float]:
        c = self._focus_m
        return -float(np.arcsinh(c / self.cold_m)), float(np.arcsinh(c / self.warm_m))

    def _tau_of(self, potential: float) -> float:
        cold, warm = self._taus
        share = (potential - self.cold_potential) / (self.warm_potential - self.cold_potential)
        return cold + share * (warm - cold)

    def near_m(self, potential: float) -> float:
        """Return how far an isotherm lies from the cold axis, towards the warm cylinder."""
        return self._middle_m + self._focus_m * float(np.tanh(0.5 * self._tau_of(potential)))

    def far_m(self, potential: float) -> float:
        """Return how far it lies on the other side; infinite where it closes around the warm cylinder."""
        tau = self._tau_of(potential)
        if tau >= 0.0:
            return float("inf")
        return -self._middle_m - self._focus_m / float(np.tanh(0.5 * tau))

    def bite_m(self, potential: float) -> float:
        """Return how much less far an isotherm reaches towards the warm cylinder than away from it."""
        return self.far_m(potential) - self.near_m(potential)

    def potential(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> FloatArray:
        """Return the potential at points across the axes, W/m; inside a cylinder that of its wall."""
        c, (cold, warm) = self._focus_m, self._taus
        x, y = np.asarray(x_m, float) - self._middle_m, np.asarray(y_m, float)
        tiny = 1e-18
        tau = 0.5 * np.log(np.maximum((x + c) ** 2 + y**2, tiny) / np.maximum((x - c) ** 2 + y**2, tiny))
        share = (np.clip(tau, cold, warm) - cold) / (warm - cold)
        return np.asarray(self.cold_potential + share * (self.warm_potential - self.cold_potential))
