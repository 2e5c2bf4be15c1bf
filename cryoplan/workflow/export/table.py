"""Table: rows of numbers whose columns say their unit, written as CSV and JSON from one definition."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryoplan import RESEARCH_USE

Cell = str | float | int | bool | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a name without spaces, and the unit of its numbers; empty for words and yes or no."""

    name: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """What stands above it: ``minimum [mm]``."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes
    ----------
    name : str
        File name without ending.
    title : str
        What it tells.
    columns : tuple of Column
    rows : tuple of tuple
        As long as there are columns; a number that does not exist is None.

    Raises
    ------
    ValueError
        If a row is longer or shorter than the columns.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {self.name} has {len(row)} cells for {len(self.columns)} columns")

    def to_csv(self) -> str:
        """Return the table as CSV (RFC 4180): a line of what it is, the headings, the rows.

        A cell of words that a spreadsheet would take for a formula is led by an apostrophe.
        """
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\r\n").writerow
        write([f"# {self.title}", RESEARCH_USE])
        write([column.heading for column in self.columns])
        for row in self.rows:
            write([_in_csv(cell) for cell in row])
        return out.getvalue()

    def to_json(self) -> dict[str, object]:
        """Return the table as plain values; rows are lists in the order of the columns."""
        return {
            "title": self.title,
            "columns": [{"name": c.name, "unit": c.unit} for c in self.columns],
            "rows": [list(row) for row in self.rows],
        }


def table(name: str, title: str, columns: str, rows: Iterable[Sequence[Cell]]) -> Table:
    """Return a table from its columns as one text: ``"structure minimum:mm at:s"``.

    Infinite and missing numbers become None; whole and broken numbers of numpy become those of Python.
    """
    made = tuple(Column(*word.split(":")) for word in columns.split())
    return Table(
        name=name, title=title, columns=made, rows=tuple(tuple(_plain(cell) for cell in row) for row in rows)
    )


def _plain(cell: Cell) -> Cell:
    if cell is None or isinstance(cell, str | bool):
        return cell
    if isinstance(cell, int):
        return int(cell)
    number = float(cell)
    return number if math.isfinite(number) else None


def _in_csv(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
    return f"{cell}"
