"""Parcel: what the background process holds already, and so need not be sent to it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryoplan.case.own_limits import OwnLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCase:
    """A case that the process holds, by its digest, and the limits that it has by now: no part of that."""

    key: str
    limits: tuple[OwnLimit, ...] = ()


class Held:
    """Keys of the cases and results that the process was given or has made itself."""

    def __init__(self) -> None:
        self.cases: set[str] = set()
        self.results: set[str] = set()

    def shortened(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Name what the process holds already instead of sending it: a case may be 100 MB."""
        short = dict(arguments)
        case, solved = short.get("case"), short.get("solved")
        if case is not None:
            key = case.digest()
            if key in self.cases:
                short["case"] = HeldCase(key=key, limits=case.limits)
            self.cases.add(key)
        if solved is not None and solved[0].key in self.results:
            short["solved"] = solved[0].key
        return short

    def forget(self) -> None:
        """The process has begun anew and holds nothing."""
        self.cases.clear()
        self.results.clear()
