"""Sourced: a number that knows its unit, where it is from and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryoplan.core.errors import StoreError

HOW = ("table", "abstract", "data file", "derived", "calibrated", "recalled", "assumed")
"""How a number was obtained; `recalled` and `assumed` ones are marked as such in the window."""

ENTERED = "entered"
"""How a number was obtained that no file holds: a user set it for one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """One number of ``resources/``.

    Attributes
    ----------
    value : float
        The number.
    unit : str
        Its unit as written in the data file, for example ``W/(m K)``.
    source : str
        Paper, table, data base or reasoning.
    how : str
        One of `HOW`, or `ENTERED`.
    low, high : float or None
        Range in which the true value is believed to lie.
    """

    value: float
    unit: str
    source: str
    how: str
    low: float | None = None
    high: float | None = None

    @property
    def is_guess(self) -> bool:
        """True when the number must be shown as a guess."""
        return self.how in ("recalled", "assumed")

    @classmethod
    def from_toml(cls, table: Mapping[str, object], *, place: str) -> Sourced:
        """Read ``{value, unit, source, how, low?, high?}``.

        Raises
        ------
        StoreError
            If a key is missing, unknown or of the wrong type; the message names `place`.
        """
        known = {"value", "unit", "source", "how", "low", "high"}
        missing = {"value", "unit", "source", "how"} - set(table)
        unknown = set(table) - known
        if missing or unknown:
            raise StoreError(
                f"The entry {place} has missing keys {sorted(missing)} and unknown keys {sorted(unknown)}.",
                "Give value, unit, source and how, and if known low and high.",
                code="bad-resource",
                place=place,
            )
        how = str(table["how"])
        if how not in HOW or not str(table["source"]).strip():
            raise StoreError(
                f"The entry {place} has no source or an unknown 'how' ({how}).",
                f"Name a source and one of: {', '.join(HOW)}.",
                code="bad-resource",
                place=place,
            )
        numbers = {key: table.get(key) for key in ("value", "low", "high")}
        for key, number in numbers.items():
            if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
                raise StoreError(
                    f"The entry {place}.{key} is not a number.",
                    "Write a number.",
                    code="bad-resource",
                    place=place,
                )
        low, high = numbers["low"], numbers["high"]
        return cls(
            value=float(numbers["value"]),  # type: ignore[arg-type]  # checked just above
            unit=str(table["unit"]),
            source=str(table["source"]),
            how=how,
            low=None if low is None else float(low),  # type: ignore[arg-type]  # checked just above
            high=None if high is None else float(high),  # type: ignore[arg-type]  # checked just above
        )
