"""Help pages: panels, glossary and guided tour from ``resources/help``, in one language.

Meanings of message codes have a table of their own, see `cryoplan.core.meanings`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryoplan.core.errors import StoreError
from cryoplan.core.language import ENGLISH
from cryoplan.core.resources import resource


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelHelp:
    """Help on one panel of the window.

    Attributes
    ----------
    id : str
        Of the panel, such as ``probes``; the same in every language.
    title : str
        What the panel is called.
    what_for, beware : str
        A sentence or two.
    how : tuple of str
        One paragraph each, in the order of the work.
    """

    id: str
    title: str
    what_for: str
    how: tuple[str, ...]
    beware: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word of the glossary: what it means here, and where that is from."""

    name: str
    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stop of the guided tour.

    Attributes
    ----------
    at : str
        What is pointed at: ``rail``, ``views``, ``panel``, ``solve``, ``bar`` or ``card``.
    step : int or None
        Panel of the rail that is shown, from 0; None leaves it.
    title, text : str
        What is said.
    """

    at: str
    title: str
    text: str
    step: int | None = None


@lru_cache
def panel_pages(language: str = ENGLISH) -> tuple[PanelHelp, ...]:
    """Return the help on every panel in the order of the rail.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    return tuple(
        PanelHelp(
            id=row["id"],
            title=row["title"],
            what_for=row["for"],
            how=tuple(row["how"]),
            beware=row["beware"],
        )
        for row in _rows(language, "panels", "page")
    )


@lru_cache
def glossary(language: str = ENGLISH) -> tuple[Term, ...]:
    """Return the words of the glossary, in the order of the file.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    return tuple(Term(**row) for row in _rows(language, "glossary", "term"))


@lru_cache
def tour_stops(language: str = ENGLISH) -> tuple[Stop, ...]:
    """Return the stops of the guided tour in order.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    return tuple(Stop(**row) for row in _rows(language, "tour", "stop"))


def _rows(language: str, name: str, key: str) -> list[dict[str, Any]]:
    path = resource("help", language, f"{name}.toml")
    try:
        rows = tomllib.loads(path.read_text("utf-8"))[key]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(
            f"The help file {language}/{path.name} cannot be read.",
            "Install cryoplan again.",
            code="help-file",
            place=path.name,
        ) from error
    assert isinstance(rows, list)
    return rows
