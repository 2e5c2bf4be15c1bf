"""Check: one line of the accuracy table, an error beside the bound it must keep."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the table: the absolute `error` must not exceed `bound`, both in `unit`.

    Attributes
    ----------
    name : str
    error, bound : float
    unit : str
        ``1`` for relative errors.
    passed : bool
    note : str
        Grid, times, what was measured.
    group : str
        Heading under which the page shows it.
    source : str
        Address of what it is compared with; empty where the program is compared with itself.
    judged : bool
        False where the source leaves too much open (which probe, where, when) to hold the program to it:
        the line is shown for comparison and never fails; `bound` is the published spread, or 0.
    """

    name: str
    error: float
    bound: float
    unit: str
    passed: bool
    note: str = ""
    group: str = ""
    source: str = ""
    judged: bool = True

    def to_text(self) -> str:
        """Return the error beside its bound, relative ones in percent."""
        if not self.judged:
            percent, unit = (100.0, "%") if self.unit == "1" else (1.0, self.unit)
            return f"{percent * self.error:+.2g} {unit} (for comparison)"
        if self.unit == "1" and self.bound >= 1e-4:
            return f"{100 * self.error:+.2f} % (bound {100 * self.bound:g} %)"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.error:.2g}{unit} (bound {self.bound:g}{unit})"

    def to_json(self) -> dict[str, object]:
        """Return the check as plain values."""
        return asdict(self)


def check(
    name: str, error: float, bound: float, unit: str, note: str = "", *, group: str = "", source: str = ""
) -> Check:
    """Return a check; an error that is not a number does not pass."""
    error = float(error)
    return Check(
        name=name, error=error, bound=bound, unit=unit, passed=bool(abs(error) <= bound), note=note,
        group=group, source=source,
    )  # fmt: skip


def comparison(
    name: str, error: float, spread: float, unit: str, note: str = "", *, group: str = "", source: str = ""
) -> Check:
    """Return a line that is shown beside the published figure and not judged."""
    return Check(
        name=name, error=float(error), bound=float(spread), unit=unit, passed=True, note=note, group=group,
        source=source, judged=False,
    )  # fmt: skip
