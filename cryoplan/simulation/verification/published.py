"""Published: the measured figures of ``resources/validation``, one record a row, each with its source."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource

FloatArray = npt.NDArray[np.float64]

COLUMNS = (
    "case_id", "source", "probe", "n_probes", "layout", "spacing_mm", "probe_od_mm", "active_length_mm",
    "medium", "baseline_C", "perfused", "protocol", "time_s", "quantity", "isotherm_C", "location_mm",
    "value", "unit", "uncertainty", "uncertainty_type", "n", "how_obtained", "notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One published figure.

    Attributes
    ----------
    case : str
        Experiment it belongs to.
    source : str
        Paper or data file.
    quantity : str
        What was measured, for example ``isotherm_diameter``.
    value : float or None
        The figure in `unit`; None where the paper says it in words.
    unit : str
    uncertainty : float or None
        In `unit`; what it is stands in `uncertainty_kind`. Ranges in words give None.
    uncertainty_kind : str
    isotherm_degc : float or None
        Which isotherm is meant.
    time_s : float or None
        When; None where the source gives words.
    place : str
        Where.
    conditions : str
        Medium, start temperature and protocol in the words of the source.
    how : str
        How the number was obtained: abstract, data file, derived.
    note : str
    """

    case: str
    source: str
    quantity: str
    value: float | None
    unit: str
    uncertainty: float | None
    uncertainty_kind: str
    isotherm_degc: float | None
    time_s: float | None
    place: str
    conditions: str
    how: str
    note: str


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_figures(path: Path) -> tuple[Figure, ...]:
    """Read one table of published figures.

    Raises
    ------
    StoreError
        If the file cannot be read, has other columns, or a row names no case, source or quantity.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            header, rows = tuple(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StoreError(
            f"The table {path.name} of published figures cannot be read ({error}).",
            "Restore the file.",
            code="bad-resource",
            place=path.name,
        ) from error
    if header != COLUMNS:
        raise StoreError(
            f"The table {path.name} of published figures has other columns than {', '.join(COLUMNS)}.",
            "Restore the file.",
            code="bad-resource",
            place=path.name,
        )
    figures = []
    for number, row in enumerate(rows, start=2):
        if None in row.values() or not (row["case_id"] and row["source"] and row["quantity"]):
            raise StoreError(
                f"Line {number} of {path.name} is short or names no case, source or quantity.",
                "Restore the file.",
                code="bad-resource",
                place=f"{path.name}: {number}",
            )
        parts = (row["medium"], f"{row['baseline_C']} degC" if row["baseline_C"] else "", row["protocol"])
        figures.append(
            Figure(
                case=row["case_id"],
                source=row["source"],
                quantity=row["quantity"],
                value=_number(row["value"]),
                unit=row["unit"],
                uncertainty=_number(row["uncertainty"]),
                uncertainty_kind=row["uncertainty_type"],
                isotherm_degc=_number(row["isotherm_C"]),
                time_s=_number(row["time_s"]),
                place=row["location_mm"],
                conditions="; ".join(p for p in parts if p),
                how=row["how_obtained"],
                note=row["notes"],
            )
        )
    return tuple(figures)


@lru_cache(maxsize=32)
def figures(table: str) -> tuple[Figure, ...]:
    """Return the figures of one shipped table, for example ``littrup2009_single``."""
    return read_figures(resource("validation", f"{table}.csv"))


def tables() -> tuple[str, ...]:
    """Return the names of all shipped tables."""
    return tuple(sorted(path.stem for path in resource("validation").glob("*.csv")))


def figure(table: str, case: str, quantity: str, isotherm_degc: float | None = None) -> Figure:
    """Return the one figure of a case, quantity and isotherm.

    Raises
    ------
    KeyError
        If there is none, or more than one.
    """
    found = [
        f
        for f in figures(table)
        if (f.case, f.quantity) == (case, quantity)
        and (isotherm_degc is None or f.isotherm_degc == isotherm_degc)
    ]
    if len(found) != 1:
        raise KeyError(f"{table} holds {len(found)} figures of {case}, {quantity}, {isotherm_degc}")
    return found[0]


def trace(table: str, quantity: str, place: str = "") -> tuple[FloatArray, FloatArray]:
    """Return times (s) and values of a measured curve, in time order; `place` chooses among sensors."""
    rows = [
        (f.time_s, f.value)
        for f in figures(table)
        if f.quantity == quantity and (not place or f.place == place)
        if f.time_s is not None and f.value is not None
    ]
    if not rows:
        raise KeyError(f"{table} holds no curve of {quantity} {place}")
    ordered = np.array(sorted(rows), float)
    return ordered[:, 0], ordered[:, 1]
