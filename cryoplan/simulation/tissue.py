"""Tissue: thermal properties with their sources, and the SI material that the solver computes with.

Freezing runs from T_u (ice appears) to T_l (all frozen); the enthalpy of a tissue is piecewise::

    H = 0 at T_l;   frozen: H = integral of c_f(T);   between: linear, H1 at T_u;   above: c_u (T - T_u)
    H1 = [(c_f(T_l) + c_u) / 2] (T_u - T_l) + L

with c_f(T) = a + b T (physics section 2). The inverse T(H) needs a square root and no iteration.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cryoplan.core.digest import digest
from cryoplan.core.errors import SimulationError, StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.core.units import ZERO_CELSIUS_K, show_percent

FloatArray = npt.NDArray[np.float64]

ICE_CONDUCTIVITY = 2.22
"""W/(m K) of pure ice at 0 degC; k_ice(T) = 2.22 * 273.15 / T_K (Slack 1980)."""

ICE_HEAT_CAPACITY = (2106.0, 7.8)
"""J/(kg K) at 0 degC and its slope per degC, c_ice(T) = 2106 + 7.8 T (recalled)."""

DRY_HEAT_CAPACITY = 1500.0
"""J/(kg K) of the solids of tissue (physics section 2)."""

HEAT_CAPACITY_FLOOR = 2.5e4
"""J/(m3 K). Gas is given this much so that it is no stiffer for an explicit step than ice is.

The true 1150 J/(m3 K) would need twenty times shorter steps; both are below one percent of tissue, so that
the heat stored in gas matters in neither case.
"""

ALIKE = 0.02
"""Tissues that differ by less than this share in every number are not mixed on their border: the spread of
each number between publications is ten times larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """SI numbers of one tissue per *volume*; temperatures in degC.

    Attributes
    ----------
    name : str
        Key of the tissue table.
    t_u, t_l : float
        Begin and end of freezing, degC.
    latent : float
        J/m3.
    c_u : float
        Unfrozen, J/(m3 K).
    cf_a, cf_b : float
        Frozen c_f(T) = cf_a + cf_b T, J/(m3 K) and J/(m3 K2).
    k_u, k_l : float
        Conductivity unfrozen and just frozen (at t_l), W/(m K).
    rise : float
        1 when frozen conductivity rises as 1/T_K below t_l, 0 when it stays at k_l.
    w : float
        Perfusion coefficient, W/(m3 K).
    q_m : float
        Metabolic heat, W/m3.
    """

    name: str
    t_u: float
    t_l: float
    latent: float
    c_u: float
    cf_a: float
    cf_b: float
    k_u: float
    k_l: float
    rise: float = 0.0
    w: float = 0.0
    q_m: float = 0.0

    def __post_init__(self) -> None:
        numbers = [getattr(self, f.name) for f in fields(self) if f.name != "name"]
        frozen_c = self.cf_a + self.cf_b * self.t_l
        sound = (
            bool(np.all(np.isfinite(numbers)))
            and self.t_l < self.t_u
            and min(self.c_u, frozen_c, self.k_u, self.k_l) > 0.0
            and min(self.latent, self.w, self.q_m, self.cf_b) >= 0.0
            and self.rise in (0.0, 1.0)
        )
        if not sound:
            raise SimulationError(
                f"The thermal properties of {self.name} cannot be computed with.",
                "Correct the tissue table: conductivities and heat capacities are positive and freezing ends "
                "below where it begins.",
                code="bad-material",
                place=self.name,
            )

    @property
    def c_l(self) -> float:
        """Frozen heat capacity at t_l, J/(m3 K)."""
        return self.cf_a + self.cf_b * self.t_l

    @property
    def h1(self) -> float:
        """Enthalpy at t_u, J/m3; zero is at t_l."""
        return 0.5 * (self.c_l + self.c_u) * (self.t_u - self.t_l) + self.latent

    def enthalpy(self, t_degc: npt.ArrayLike) -> FloatArray:
        """Return H in J/m3 at temperatures in degC."""
        t = np.asarray(t_degc, float)
        below = np.minimum(t - self.t_l, 0.0)
        frozen = below * (self.c_l + 0.5 * self.cf_b * below)
        mushy = np.clip((t - self.t_l) / (self.t_u - self.t_l), 0.0, 1.0) * self.h1
        return np.asarray(frozen + mushy + np.maximum(t - self.t_u, 0.0) * self.c_u)

    def temperature(self, h: npt.ArrayLike) -> FloatArray:
        """Return degC at enthalpies in J/m3; inverse of `enthalpy`."""
        h = np.asarray(h, float)
        frozen = np.minimum(h, 0.0)
        # The rationalised root of the quadratic: it needs no division by cf_b, which may be zero.
        root = np.sqrt(np.maximum(self.c_l**2 + 2.0 * self.cf_b * frozen, 0.0))
        t = self.t_l + 2.0 * frozen / (self.c_l + root)
        t = t + np.clip(h, 0.0, self.h1) * ((self.t_u - self.t_l) / self.h1)
        return np.asarray(t + np.maximum(h - self.h1, 0.0) / self.c_u)

    def unfrozen_fraction(self, t_degc: npt.ArrayLike) -> FloatArray:
        """Return 1 above t_u, 0 below t_l, linear between."""
        return np.asarray(np.clip((np.asarray(t_degc, float) - self.t_l) / (self.t_u - self.t_l), 0.0, 1.0))

    def ice_factor(self, t_degc: npt.ArrayLike) -> FloatArray:
        """Return psi: the frozen fraction, growing beyond 1 as ice conducts better in the cold.

        The conductivity is ``k_u * unfrozen_fraction + k_l * psi``.
        """
        t = np.asarray(t_degc, float)
        cold_k = np.minimum(t, self.t_l) + ZERO_CELSIUS_K
        growth = 1.0 + self.rise * ((self.t_l + ZERO_CELSIUS_K) / np.maximum(cold_k, 1.0) - 1.0)
        return np.asarray((1.0 - self.unfrozen_fraction(t)) * growth)

    def potential(self, t_degc: npt.ArrayLike) -> FloatArray:
        """Return the heat flux potential, the integral of k dT from t_l, in W/m (Kirchhoff)."""
        t = np.asarray(t_degc, float)
        cold = np.minimum(t, self.t_l)
        t_lk = self.t_l + ZERO_CELSIUS_K
        falling = self.k_l * t_lk * np.log(np.maximum(cold + ZERO_CELSIUS_K, 1.0) / t_lk)
        frozen = falling if self.rise else self.k_l * (cold - self.t_l)
        part = np.clip(t, self.t_l, self.t_u) - self.t_l
        mushy = part * (self.k_l + 0.5 * (self.k_u - self.k_l) * part / (self.t_u - self.t_l))
        return np.asarray(frozen + mushy + np.maximum(t - self.t_u, 0.0) * self.k_u)

    def conductivity(self, t_degc: npt.ArrayLike) -> FloatArray:
        """Return k in W/(m K) at temperatures in degC."""
        return np.asarray(self.k_u * self.unfrozen_fraction(t_degc) + self.k_l * self.ice_factor(t_degc))

    def blend(self, other: Material, fraction: float) -> Material:
        """Return the mixture of this material and `fraction` of another by volume, for a cell on a border.

        What is counted per volume is the mean by volume: heat capacities, latent heat, perfusion, metabolic
        heat. The conductivity is the mean of cube roots, cubed (Looyenga 1965, Physica 31:401): the slant of
        the border in the cell is not kept, so that the true value lies between the harmonic mean (layers
        across the flow) and the arithmetic one (layers along it). For balls of four cells' radius that
        conduct an eighth of, or eight times as much as what is around them it disturbs the flow 12 % too
        much; the geometric mean 17 and 5 %, the arithmetic 4 and 19 %, the harmonic 30 %. The freezing
        range, and how ice conducts in the cold, are those of the part that holds more of the latent heat.
        """
        if not 0.0 <= fraction <= 1.0:
            raise ValueError(f"a part of a whole lies between 0 and 1, not at {fraction}")
        if fraction == 0.0 or self.same_as(other):
            return self
        if fraction == 1.0:
            return other
        rest = 1.0 - fraction
        ruling = other if fraction * (other.latent + 1.0) > rest * (self.latent + 1.0) else self

        def mean(name: str) -> float:
            return float(rest * getattr(self, name) + fraction * getattr(other, name))

        return Material(
            name=f"{self.name} {show_percent(rest)}, {other.name} {show_percent(fraction)}",
            t_u=ruling.t_u,
            t_l=ruling.t_l,
            latent=mean("latent"),
            c_u=mean("c_u"),
            cf_a=mean("cf_a"),
            cf_b=mean("cf_b"),
            k_u=_cube_mean(self.k_u, other.k_u, fraction),
            k_l=_cube_mean(_at(self, ruling.t_l), _at(other, ruling.t_l), fraction),
            rise=ruling.rise,
            w=mean("w"),
            q_m=mean("q_m"),
        )

    def same_as(self, other: Material) -> bool:
        """Tell whether the solver cannot tell two materials apart (all numbers equal)."""
        return self.numbers() == other.numbers()

    def numbers(self) -> tuple[float, ...]:
        """Return all numbers, in the order of the attributes."""
        return (
            self.t_u, self.t_l, self.latent, self.c_u, self.cf_a, self.cf_b,
            self.k_u, self.k_l, self.rise, self.w, self.q_m,
        )  # fmt: skip

    def resembles(self, other: Material, tolerance: float = ALIKE) -> bool:
        """Tell whether no number differs by more than `tolerance` of the larger one.

        Freezing temperatures may differ by a tenth of a kelvin.
        """
        if abs(self.t_u - other.t_u) > 0.1 or abs(self.t_l - other.t_l) > 0.1:
            return False
        names = ("latent", "c_u", "c_l", "k_u", "k_l", "w")
        pairs = [(getattr(self, n), getattr(other, n)) for n in names]
        return self.rise == other.rise and all(abs(a - b) <= tolerance * max(a, b) for a, b in pairs)


def _cube_mean(a: float, b: float, fraction: float) -> float:
    return float(((1.0 - fraction) * a ** (1.0 / 3.0) + fraction * b ** (1.0 / 3.0)) ** 3)


def _at(material: Material, t_l: float) -> float:
    """Return the conductivity of a material that is all ice, at another one's end of freezing."""
    t_k = min(t_l, material.t_l) + ZERO_CELSIUS_K
    return material.k_l * ((material.t_l + ZERO_CELSIUS_K) / t_k if material.rise else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """One row of the tissue table in the units of its file; every number knows its source.

    Attributes
    ----------
    name, title, group, note : str
        Key, what the window shows, ``tissue`` or ``medium``, and what a user must know.
    density, heat_capacity, conductivity : Sourced
        Unfrozen; kg/m3, J/(kg K), W/(m K).
    frozen_ratio : Sourced or None
        kappa of k_f(T) = kappa k_ice(T).
    frozen_conductivity : Sourced or None
        W/(m K), constant, instead of kappa.
    frozen_heat_capacity : Sourced or None
        J/(kg K), constant, instead of the mixture of ice and solids.
    water_fraction : Sourced
        kg/kg.
    latent_heat : Sourced
        MJ/m3.
    freezing_begins, freezing_ends : Sourced
        degC.
    perfusion : Sourced
        kW/(m3 K).
    metabolic_heat : Sourced
        W/kg.
    start_temperature : Sourced or None
        degC at the start, for what was brought in from outside; None is the temperature of the body.
    """

    name: str
    title: str
    group: str
    note: str
    density: Sourced
    heat_capacity: Sourced
    conductivity: Sourced
    frozen_ratio: Sourced | None
    frozen_conductivity: Sourced | None
    frozen_heat_capacity: Sourced | None
    water_fraction: Sourced
    latent_heat: Sourced
    freezing_begins: Sourced
    freezing_ends: Sourced
    perfusion: Sourced
    metabolic_heat: Sourced
    start_temperature: Sourced | None = None

    def numbers(self) -> dict[str, Sourced]:
        """Return every number of this tissue by name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Sourced)}

    def material(self, *, perfused: bool = True) -> Material:
        """Return the SI record that the solver computes with."""
        rho = self.density.value
        x_w = self.water_fraction.value
        t_l = self.freezing_ends.value
        if self.frozen_heat_capacity is not None:
            cf_a, cf_b = rho * self.frozen_heat_capacity.value, 0.0
        else:
            cf_a = rho * (x_w * ICE_HEAT_CAPACITY[0] + (1.0 - x_w) * DRY_HEAT_CAPACITY)
            cf_b = rho * x_w * ICE_HEAT_CAPACITY[1]
        if self.frozen_conductivity is not None:
            k_l, rise = self.frozen_conductivity.value, 0.0
        else:
            assert self.frozen_ratio is not None  # one of the two is checked at reading
            k_l = self.frozen_ratio.value * ICE_CONDUCTIVITY * ZERO_CELSIUS_K / (t_l + ZERO_CELSIUS_K)
            rise = 1.0
        w = self.perfusion.value * 1e3 if perfused else 0.0
        return Material(
            name=self.name,
            t_u=self.freezing_begins.value,
            t_l=t_l,
            latent=self.latent_heat.value * 1e6,
            c_u=max(rho * self.heat_capacity.value, HEAT_CAPACITY_FLOOR),
            cf_a=max(cf_a, HEAT_CAPACITY_FLOOR),
            cf_b=cf_b,
            k_u=self.conductivity.value,
            k_l=k_l,
            rise=rise,
            w=w,
            # Without blood there is no metabolism that lasts.
            q_m=self.metabolic_heat.value * rho if w > 0.0 else 0.0,
        )


_UNITS = {
    "density": "kg/m3",
    "heat_capacity": "J/(kg K)",
    "conductivity": "W/(m K)",
    "frozen_ratio": "1",
    "frozen_conductivity": "W/(m K)",
    "frozen_heat_capacity": "J/(kg K)",
    "water_fraction": "kg/kg",
    "latent_heat": "MJ/m3",
    "freezing_begins": "degC",
    "freezing_ends": "degC",
    "perfusion": "kW/(m3 K)",
    "metabolic_heat": "W/kg",
    "start_temperature": "degC",
}
_OPTIONAL = ("frozen_ratio", "frozen_conductivity", "frozen_heat_capacity", "start_temperature")
LIGHTEST_TISSUE = 200.0
"""kg/m3, fully inflated lung is 255 (physics section 4); only media such as gas are lighter."""

_RANGES = {
    "density": (0.5, 3000.0),
    "heat_capacity": (500.0, 6000.0),
    "conductivity": (0.01, 5.0),
    "frozen_ratio": (0.01, 1.2),
    "frozen_conductivity": (0.01, 8.0),
    "frozen_heat_capacity": (500.0, 6000.0),
    "water_fraction": (0.0, 1.0),
    "latent_heat": (0.0, 400.0),
    "freezing_begins": (-20.0, 1.0),
    "freezing_ends": (-60.0, 0.5),
    "perfusion": (0.0, 600.0),
    "metabolic_heat": (0.0, 100.0),
    "start_temperature": (1.0, 60.0),
}
"""Lowest and highest number that can be true, in the unit of the table.

Air to cortical bone, with room for media that are not in the table; a number beyond was written in another
unit (g/ml, J/g, kJ/kg) or is no number. Perfusion: whole kidney is 257, deflated lung 378 kW/(m3 K).
"""
_TEXTS = ("title", "group", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueTable:
    """All tissues by name."""

    tissues: tuple[Tissue, ...]

    def names(self) -> tuple[str, ...]:
        """Return the keys in the order of the file."""
        return tuple(t.name for t in self.tissues)

    def tissue(self, name: str) -> Tissue:
        """Return one tissue.

        Raises
        ------
        SimulationError
            If there is none of that name; the message lists those that exist.
        """
        for tissue in self.tissues:
            if tissue.name == name:
                return tissue
        raise SimulationError(
            f"There is no tissue called {name!r}.",
            f"Choose one of: {', '.join(self.names())}.",
            code="tissue-unknown",
            place=name,
        )

    def digest(self) -> str:
        """Return the SHA-256 of every number and source of the table."""
        return digest(self.tissues)


def read_tissues(path: Path) -> TissueTable:
    """Read a tissue table.

    Raises
    ------
    StoreError
        If the file cannot be read, or an entry misses a number, a unit or a source.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StoreError(
            f"The tissue table {path.name} cannot be read ({error}).",
            "Restore the file.",
            code="bad-resource",
            place=path.name,
        ) from error
    return TissueTable(tissues=tuple(_tissue(name, entry) for name, entry in table.items()))


def _tissue(name: str, entry: object) -> Tissue:
    def refuse(what: str) -> StoreError:
        return StoreError(
            f"The tissue {name} {what}.", "Correct the tissue table.", code="bad-resource", place=name
        )

    if not isinstance(entry, Mapping):
        raise refuse("is not a table")
    unknown = set(entry) - set(_UNITS) - set(_TEXTS)
    if unknown:
        raise refuse(f"has unknown keys {sorted(unknown)}")
    numbers: dict[str, Sourced | None] = {}
    for key, unit in _UNITS.items():
        if key not in entry:
            if key not in _OPTIONAL:
                raise refuse(f"has no {key}")
            numbers[key] = None
            continue
        if not isinstance(entry[key], Mapping):
            raise refuse(f"gives {key} without unit and source")
        number = Sourced.from_toml(entry[key], place=f"{name}.{key}")
        if number.unit != unit:
            raise refuse(f"gives {key} in {number.unit!r} instead of {unit!r}")
        low, high = _RANGES[key]
        if key == "density" and entry.get("group") == "tissue":
            low = LIGHTEST_TISSUE
        # Written so that a NaN is refused as well.
        if not low <= number.value <= high:
            raise refuse(f"gives {key} as {number.value:g} {unit}, not between {low:g} and {high:g}")
        numbers[key] = number
    if (numbers["frozen_ratio"] is None) == (numbers["frozen_conductivity"] is None):
        raise refuse("needs either frozen_ratio or frozen_conductivity")
    texts = {key: str(entry.get(key, "")) for key in _TEXTS}
    return Tissue(name=name, **texts, **numbers)  # type: ignore[arg-type]  # required ones are checked above


@lru_cache(maxsize=1)
def load_tissues() -> TissueTable:
    """Return the table that comes with the program, ``resources/tissues/default.toml``."""
    return read_tissues(resource("tissues", "default.toml"))
