"""Survival: how many cells would live by a named published model; for research, never for a decision.

The model is a logistic of the lowest temperature alone, fitted to cells in a dish
(``resources/survival/pulmonary.toml``, with its source): it knows no hold time, no rate of cooling and no
vessels. A plan with two freezes has no fit of its own; that of one freeze is taken, which leaves more cells
alive than two would.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.core.volume import Volume
from cryoplan.margins.coverage import region_fraction
from cryoplan.plan.protocol import PhaseKind, Protocol

FILE = "pulmonary.toml"

ODDS_95 = math.log(19.0)
"""Logit of 0.95: from the midpoint to where 95 % of the plateau are dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalSeries:
    """One fitted curve of the model.

    Attributes
    ----------
    id, name : str
    freezes : int
        How many freezes the cells went through.
    plateau : Sourced
        Largest share of dead cells, %.
    midpoint, ald95 : Sourced
        Lowest temperatures that kill 50 % and 95 % of the plateau, degC, with their intervals.
    coldest, warmest : Sourced
        Range of the data, degC.

    Raises
    ------
    ValueError
        If the numbers make no falling curve.
    """

    id: str
    name: str
    freezes: int
    plateau: Sourced
    midpoint: Sourced
    ald95: Sourced
    coldest: Sourced
    warmest: Sourced

    def __post_init__(self) -> None:
        if not 0.0 < self.plateau.value <= 100.0 or not self.ald95.value < self.midpoint.value:
            raise ValueError(f"{self.id}: the plateau or the two temperatures make no curve")
        if self.midpoint.low is None or self.midpoint.high is None:
            raise ValueError(f"{self.id}: the midpoint has no interval")

    @property
    def steepness_per_k(self) -> float:
        """The k of the logistic, 1/K."""
        return ODDS_95 / (self.midpoint.value - self.ald95.value)

    def survival(self, lowest_degc: npt.ArrayLike, *, shift_k: float = 0.0) -> npt.NDArray[np.float64]:
        """Return the share of cells that live, 0 to 1, by the lowest temperature in degC.

        Parameters
        ----------
        shift_k : float
            Moves the midpoint, for the interval of the fit.
        """
        t = np.asarray(lowest_degc, float)
        power = np.clip(self.steepness_per_k * (t - self.midpoint.value - shift_k), -60.0, 60.0)
        return np.asarray(1.0 - 0.01 * self.plateau.value / (1.0 + np.exp(power)))

    def shifts_k(self) -> tuple[float, float]:
        """Return how far the midpoint may lie off: to the colder and to the warmer end of its interval."""
        assert self.midpoint.low is not None
        assert self.midpoint.high is not None
        return self.midpoint.low - self.midpoint.value, self.midpoint.high - self.midpoint.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalModel:
    """The named model: where it is from, what it holds for, and its curves."""

    name: str
    source: str
    holds_for: str
    series: tuple[SurvivalSeries, ...]

    def of(self, id_: str) -> SurvivalSeries:
        """Return one curve.

        Raises
        ------
        KeyError
            If there is none of that id.
        """
        for one in self.series:
            if one.id == id_:
                return one
        raise KeyError(id_)

    def for_protocol(self, protocol: Protocol) -> SurvivalSeries:
        """Return the first curve of as many freezes as fit, the fewer where none has as many."""
        freezes = sum(1 for p in protocol.phases if p.kind is PhaseKind.FREEZE)
        most = max(s.freezes for s in self.series if s.freezes <= max(freezes, 1))
        return next(s for s in self.series if s.freezes == most)


@dataclass(frozen=True, slots=True, kw_only=True)
class TumourSurvival:
    """What a curve says of a tumour: mean share of living cells, 0 to 1, and by the interval of the fit.

    `half_alive` is the share of the tumour in which more than half of the cells live, `beyond_data` that of
    the tumour that was warmer or colder than the data of the fit.
    """

    series: SurvivalSeries
    mean: float
    low: float
    high: float
    half_alive: float
    beyond_data: float


@lru_cache(maxsize=1)
def survival_model() -> SurvivalModel:
    """Return the model of ``resources/survival``.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    path = resource("survival", FILE)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        series = tuple(_series(row) for row in data["series"])
        return SurvivalModel(
            name=str(data["name"]),
            source=str(data["source"]),
            holds_for=str(data["holds_for"]),
            series=series,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The survival model in {FILE} cannot be read: {error}",
            "Install the program anew.",
            code="bad-resource",
            place=FILE,
        ) from error


def _series(row: dict[str, Any]) -> SurvivalSeries:
    numbers = {
        key: Sourced.from_toml(row[key], place=f"{FILE}: {row['id']}.{key}")
        for key in ("plateau", "midpoint", "ald95", "coldest", "warmest")
    }
    return SurvivalSeries(id=str(row["id"]), name=str(row["name"]), freezes=int(row["freezes"]), **numbers)


def tumour_survival(
    series: SurvivalSeries, signed_distance_mm: Volume, lowest_degc: npt.NDArray[np.floating]
) -> TumourSurvival | None:
    """Return what a curve says of a structure, None when the structure is empty.

    Parameters
    ----------
    signed_distance_mm : Volume
        To its surface, negative inside.
    lowest_degc : numpy.ndarray
        Lowest temperatures on the same grid.
    """
    part = region_fraction(signed_distance_mm, 0.0).astype(float)
    inside = part > 0.0
    weight, degc = part[inside], np.asarray(lowest_degc)[inside].astype(float)
    whole = float(weight.sum())
    if whole <= 0.0:
        return None
    colder, warmer = series.shifts_k()

    def mean(shift_k: float) -> float:
        return float((series.survival(degc, shift_k=shift_k) * weight).sum()) / whole

    beyond = (degc < series.coldest.value) | (degc > series.warmest.value)
    return TumourSurvival(
        series=series,
        mean=mean(0.0),
        # A warmer midpoint kills already at warmer temperatures.
        low=mean(warmer),
        high=mean(colder),
        half_alive=float(weight[series.survival(degc) > 0.5].sum()) / whole,
        beyond_data=float(weight[beyond].sum()) / whole,
    )
