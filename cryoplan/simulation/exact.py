"""Exact: closed-form freezing problems, for tests and for ``cryoplan verify``.

Symbols as in Carslaw & Jaeger: a_s, a_l are the diffusivities of frozen and unfrozen medium, one density
rho for both, E1 the exponential integral, ell = sqrt(k_l / W) the length over which perfusion shields. SI
units, degC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import erf, erfc, exp1, k0, k1

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPhase:
    """A medium with constant properties on both sides of a sharp front.

    Attributes
    ----------
    k_s, k_l : float
        W/(m K).
    c_s, c_l : float
        J/(kg K).
    rho : float
        kg/m3, of both.
    latent : float
        J/kg.
    melt_degc, start_degc : float
    """

    k_s: float
    k_l: float
    c_s: float
    c_l: float
    rho: float
    latent: float
    melt_degc: float
    start_degc: float

    @property
    def a_s(self) -> float:
        """Diffusivity of the frozen side, m2/s."""
        return self.k_s / (self.rho * self.c_s)

    @property
    def a_l(self) -> float:
        """Diffusivity of the unfrozen side, m2/s."""
        return self.k_l / (self.rho * self.c_l)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeumannPlanar:
    """Half space whose face is held at `wall_degc` from t = 0 (Carslaw & Jaeger 1959, section 11.2)."""

    medium: TwoPhase
    wall_degc: float

    @property
    def front_factor(self) -> float:
        """Lambda of X = 2 lambda sqrt(a_s t)."""
        m = self.medium
        ratio = np.sqrt(m.a_s / m.a_l)
        warm = (m.k_l / m.k_s) * ratio * (m.start_degc - m.melt_degc) / (m.melt_degc - self.wall_degc)
        stefan = np.sqrt(np.pi) * m.latent / (m.c_s * (m.melt_degc - self.wall_degc))

        def balance(x: float) -> float:
            heat = np.exp(-(x**2)) / erf(x)
            return float(heat - warm * np.exp(-((x * ratio) ** 2)) / erfc(x * ratio) - x * stefan)

        return float(brentq(balance, 1e-6, 4.0))

    def front_m(self, time_s: float) -> float:
        """Return the depth of the front."""
        return float(2.0 * self.front_factor * np.sqrt(self.medium.a_s * time_s))

    def temperature(self, x_m: npt.ArrayLike, time_s: float) -> FloatArray:
        """Return degC at depths `x_m`."""
        m, lam = self.medium, self.front_factor
        x = np.asarray(x_m, float)
        frozen = self.wall_degc + (m.melt_degc - self.wall_degc) * erf(
            x / (2 * np.sqrt(m.a_s * time_s))
        ) / erf(lam)
        scale = erfc(lam * np.sqrt(m.a_s / m.a_l))
        warm = m.start_degc - (m.start_degc - m.melt_degc) * erfc(x / (2 * np.sqrt(m.a_l * time_s))) / scale
        return np.asarray(np.where(x < self.front_m(time_s), frozen, warm))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSink:
    """Line that draws `sink_w_m` W/m from t = 0 (Paterson 1952; Carslaw & Jaeger 1959, section 11.6)."""

    medium: TwoPhase
    sink_w_m: float

    @property
    def front_factor(self) -> float:
        """Lambda of R = 2 lambda sqrt(a_s t)."""
        m = self.medium
        ratio = m.a_s / m.a_l

        def balance(x: float) -> float:
            x2 = x * x
            drawn = self.sink_w_m / (4 * np.pi) * np.exp(-x2)
            warm = m.k_l * (m.start_degc - m.melt_degc) * np.exp(-x2 * ratio) / exp1(x2 * ratio)
            return float(drawn - warm - x2 * m.a_s * m.rho * m.latent)

        return float(brentq(balance, 1e-4, 4.0))

    def front_m(self, time_s: float) -> float:
        """Return the radius of the front."""
        return float(2.0 * self.front_factor * np.sqrt(self.medium.a_s * time_s))

    def temperature(self, r_m: npt.ArrayLike, time_s: float) -> FloatArray:
        """Return degC at radii `r_m`."""
        m, lam2 = self.medium, self.front_factor**2
        r2 = np.asarray(r_m, float) ** 2
        strength = self.sink_w_m / (4 * np.pi * m.k_s)
        frozen = m.melt_degc - strength * (exp1(r2 / (4 * m.a_s * time_s)) - exp1(lam2))
        scale = exp1(lam2 * m.a_s / m.a_l)
        warm = m.start_degc - (m.start_degc - m.melt_degc) * exp1(r2 / (4 * m.a_l * time_s)) / scale
        return np.asarray(np.where(np.sqrt(r2) < self.front_m(time_s), frozen, warm))


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyProbe:
    """Steady ice around a probe in perfused tissue.

    Attributes
    ----------
    k_s, k_l : float
        W/(m K).
    w : float
        W/(m3 K).
    probe_degc, melt_degc, blood_degc : float
        `blood_degc` already holds Q_m / W.
    probe_m : float
        Radius of the probe.
    """

    k_s: float
    k_l: float
    w: float
    probe_degc: float
    melt_degc: float
    blood_degc: float
    probe_m: float

    @property
    def ell_m(self) -> float:
        """Shielding length sqrt(k_l / W)."""
        return float(np.sqrt(self.k_l / self.w))


class SteadyCylinder(SteadyProbe):
    """Infinite cylinder; heat per length."""

    @property
    def front_m(self) -> float:
        """Radius of the front."""

        def balance(r: float) -> float:
            cold = self.k_s * (self.melt_degc - self.probe_degc) / (r * np.log(r / self.probe_m))
            x = r / self.ell_m
            warm = self.k_l / self.ell_m * (self.blood_degc - self.melt_degc) * k1(x) / k0(x)
            return float(cold - warm)

        return float(brentq(balance, self.probe_m * (1 + 1e-9), self.probe_m + 60 * self.ell_m))

    @property
    def heat_w_m(self) -> float:
        """Heat drawn per length."""
        ratio = np.log(self.front_m / self.probe_m)
        return float(2 * np.pi * self.k_s * (self.melt_degc - self.probe_degc) / ratio)

    def temperature(self, r_m: npt.ArrayLike) -> FloatArray:
        """Return degC at radii `r_m`."""
        r, front = np.maximum(np.asarray(r_m, float), self.probe_m), self.front_m
        span = self.melt_degc - self.probe_degc
        frozen = self.probe_degc + span * np.log(r / self.probe_m) / np.log(front / self.probe_m)
        outside = np.maximum(r, front) / self.ell_m
        warm = self.blood_degc - (self.blood_degc - self.melt_degc) * k0(outside) / k0(front / self.ell_m)
        return np.asarray(np.where(r <= front, frozen, warm))


class SteadySphere(SteadyProbe):
    """Sphere; heat in all."""

    @property
    def front_m(self) -> float:
        """Radius of the front."""

        def balance(r: float) -> float:
            cold = self.k_s * (self.melt_degc - self.probe_degc) / (r * r * (1 / self.probe_m - 1 / r))
            return float(cold - self.k_l * (self.blood_degc - self.melt_degc) * (1 / r + 1 / self.ell_m))

        return float(brentq(balance, self.probe_m * (1 + 1e-9), self.probe_m + 60 * self.ell_m))

    @property
    def heat_w(self) -> float:
        """Heat drawn."""
        span = self.melt_degc - self.probe_degc
        return float(4 * np.pi * self.k_s * span / (1 / self.probe_m - 1 / self.front_m))

    def temperature(self, r_m: npt.ArrayLike) -> FloatArray:
        """Return degC at radii `r_m`."""
        r, front = np.maximum(np.asarray(r_m, float), self.probe_m), self.front_m
        span = self.melt_degc - self.probe_degc
        frozen = self.probe_degc + span * (1 / self.probe_m - 1 / r) / (1 / self.probe_m - 1 / front)
        fall = (front / r) * np.exp(-(np.maximum(r, front) - front) / self.ell_m)
        return np.asarray(
            np.where(r <= front, frozen, self.blood_degc - (self.blood_degc - self.melt_degc) * fall)
        )


def pennes_point(
    r_m: npt.ArrayLike, time_s: float, *, q_w: float, k: float, rho_c: float, w: float
) -> FloatArray:
    """Return the temperature change of a point sink in a uniform perfused medium that does not freeze.

    `time_s` may be infinite for the steady state.
    """
    r = np.asarray(r_m, float)
    ell = np.sqrt(k / w)
    if np.isinf(time_s):
        return np.asarray(-q_w / (4 * np.pi * k * r) * np.exp(-r / ell))
    reach, shield = np.sqrt(4 * k / rho_c * time_s), np.sqrt(w * time_s / rho_c)
    early = np.exp(-r / ell) * erfc(r / reach - shield)
    late = np.exp(r / ell) * erfc(r / reach + shield)
    return np.asarray(-q_w / (8 * np.pi * k * r) * (early + late))
