"""Stock: which probe models are on the shelf of the department, in one TOML file that can be locked."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from cryoplan.core.atomic import write_atomic
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.plan.catalogue import LARGEST_FILE_BYTES, Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel

STOCK_VARIABLE = "CRYOPLAN_STOCK"
"""Environment variable that names the list of the department; it is then locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The list.

    Attributes
    ----------
    path : Path
    models : frozenset of str or None
        Ids on the shelf; None where there is no list, and then nothing is said of stock.
    locked : str
        Why it cannot be changed here; empty where it can.
    fault : str
        Why the list that is there could not be read; empty where all is well.
    """

    path: Path
    models: frozenset[str] | None = None
    locked: str = ""
    fault: str = ""

    def has(self, name: str) -> bool:
        """Tell whether a model may be reached for: it is on the list, or there is no list."""
        return self.models is None or name in self.models


def stock_path() -> Path:
    """Return where the list is, or would be."""
    given = os.environ.get(STOCK_VARIABLE, "").strip()
    if given:
        return Path(given)
    return Path(platformdirs.user_config_path("cryoplan", appauthor=False)) / "stock.toml"


def load_stock(path: Path | None = None) -> Stock:
    """Read the list; one that cannot be read is no list, and `Stock.fault` says why."""
    place = path or stock_path()
    is_given = bool(os.environ.get(STOCK_VARIABLE, "").strip())
    locked = (
        f"The list is that of the department ({STOCK_VARIABLE}); it is changed there." if is_given else ""
    )
    try:
        facts = place.stat()
        if not locked and not facts.st_mode & stat.S_IWUSR:
            locked = f"{place.name} is locked (read-only)."
        if facts.st_size > LARGEST_FILE_BYTES:
            return Stock(path=place, locked=locked, fault=f"{place.name} is larger than 100 kB")
        table = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fault = f"{place.name} of {STOCK_VARIABLE} is not there" if is_given else ""
        return Stock(path=place, locked=locked, fault=fault)
    except (OSError, ValueError, RecursionError) as error:
        return Stock(path=place, locked=locked, fault=f"{place.name} cannot be read ({error})")
    fault = _fault(table)
    if fault:
        return Stock(path=place, locked=locked, fault=f"{place.name}: {fault}")
    return Stock(path=place, models=frozenset(table["models"]), locked=locked)


def _fault(table: dict[str, object]) -> str:
    for key in table:
        if key not in ("schema", "models"):
            return f"{key} is not a key of a stock list"
    if table.get("schema") != 1 or isinstance(table["schema"], bool):
        return "schema is not 1"
    models = table.get("models")
    if not isinstance(models, list) or not all(isinstance(name, str) and name for name in models):
        return "models is not a list of ids"
    return ""


def with_stocked(stock: Stock, names: Iterable[str], stocked: bool) -> frozenset[str]:
    """Return the ids of a list on which some models are (or are no longer)."""
    before = stock.models or frozenset()
    return before | frozenset(names) if stocked else before - frozenset(names)


def write_stock(stock: Stock, models: Iterable[str] | None) -> Stock:
    """Write another list, or remove it (None), and return it.

    Raises
    ------
    StoreError
        If the list is locked (``stock-locked``), if the one that is there cannot be read (``stock-damaged``:
        it is not written over), or if it cannot be written.
    """
    if stock.locked:
        raise StoreError(
            stock.locked,
            "Ask who keeps the list of the department.",
            code="stock-locked",
            place=stock.path.name,
        )
    if stock.fault:
        raise StoreError(
            f"The stock list was left as it is: {stock.fault}.",
            "Mend the file or move it away.",
            code="stock-damaged",
            place=stock.path.name,
        )
    try:
        if models is None:
            stock.path.unlink(missing_ok=True)
            return load_stock(stock.path)
        stock.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The stock list could not be changed ({error.strerror or type(error).__name__}).",
            "Check the rights of its folder.",
            code="not-writable",
            place=stock.path.name,
        ) from error
    rows = "".join(f'    "{name}",\n' for name in sorted(set(models)))
    text = f"# Probe models that are on the shelf.\nschema = 1\nmodels = [\n{rows}]\n"
    write_atomic(stock.path, text.encode())
    return load_stock(stock.path)


def ordered(catalogue: Catalogue, stock: Stock) -> tuple[tuple[ProbeModel, bool], ...]:
    """Return every model with whether it is in stock: those in stock first, then the others, each by id."""
    rows = [(model, stock.has(model.id)) for model in catalogue.models]
    return tuple(sorted(rows, key=lambda row: (not row[1], row[0].id)))


def stock_findings(plan: Plan, catalogue: Catalogue, stock: Stock) -> tuple[Finding, ...]:
    """Return a warning for each model of the plan that is not on the shelf, and for a damaged list."""
    found = [_not_there(name, users, catalogue) for name, users in _lacking(plan, stock)]
    if stock.fault and plan.probes:
        found.append(
            Finding(
                level=Level.WARN,
                code="stock-damaged",
                text=f"The stock list was not used: {stock.fault}.",
                place=stock.path.name,
            )
        )
    return tuple(found)


def _lacking(plan: Plan, stock: Stock) -> list[tuple[str, Sequence[str]]]:
    users: dict[str, list[str]] = {}
    for probe in plan.probes:
        if not stock.has(probe.model):
            users.setdefault(probe.model, []).append(probe.name)
    return list(users.items())


def _not_there(name: str, users: Sequence[str], catalogue: Catalogue) -> Finding:
    model = catalogue.get(name)
    word = "probe" if len(users) == 1 else "probes"
    called = model.name if model is not None else name
    return Finding(
        level=Level.WARN,
        code="probe-not-in-stock",
        text=f"{called} ({word} {', '.join(users)}) is not on the stock list.",
        place=f"{word} {' and '.join(users) if len(users) < 3 else ', '.join(users)}",
    )
