"""Parcel: what the background process holds already, and so need not be sent to it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryoplan.case.case import Case
from cryoplan.case.left_out import LeftOut
from cryoplan.case.own_limits import OwnLimit
from cryoplan.case.structure import Structure
from cryoplan.core.finding import Finding
from cryoplan.core.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCase:
    """A case that the process holds, by its digest, with what is no part of that and may have changed since.

    Attributes
    ----------
    told : tuple of (str, bool, str)
        Of each structure its source, whether its role is a guess, and its review.
    """

    key: str
    limits: tuple[OwnLimit, ...]
    left_out: tuple[LeftOut, ...]
    findings: tuple[Finding, ...]
    told: tuple[tuple[str, bool, str], ...]

    @classmethod
    def of(cls, case: Case) -> HeldCase:
        """Return what has to be sent of a case that the process holds."""
        return cls(
            key=case.digest(),
            limits=case.limits,
            left_out=case.left_out,
            findings=case.findings,
            told=tuple((s.source, s.role_is_guess, s.reviewed) for s in case.structures),
        )

    def case(self, held: Case) -> Case:
        """Return the case as the window has it."""
        structures = tuple(
            s
            if (s.source, s.role_is_guess, s.reviewed) == told
            else replace(s, source=told[0], role_is_guess=told[1], reviewed=told[2])
            for s, told in zip(held.structures, self.told, strict=True)
        )
        return held.changed(
            limits=self.limits, left_out=self.left_out, findings=self.findings, structures=structures
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangedCase:
    """A case that differs from one that the process holds; only what is new in it is sent.

    A stroke changes one structure: neither the image nor the others go through the pipe again, and what the
    process has worked out from them stays.

    Attributes
    ----------
    base : str
        Digest of the case that the process holds.
    structures : tuple of Structure or str
        Those that are the same as in the base by their names.
    """

    base: str
    code: str
    structures: tuple[Structure | str, ...]
    target_name: str
    planning_grid: Grid
    findings: tuple[Finding, ...]
    limits: tuple[OwnLimit, ...]
    left_out: tuple[LeftOut, ...]

    @classmethod
    def between(cls, base: Case, case: Case) -> ChangedCase:
        """Return what has to be sent of `case` where `base` is."""
        # A review makes another record of the same structure; the process needs to know nothing of it.
        there = {_same(s) for s in base.structures}
        return cls(
            base=base.digest(),
            code=case.code,
            structures=tuple(s.name if _same(s) in there else s for s in case.structures),
            target_name=case.target_name,
            planning_grid=case.planning_grid,
            findings=case.findings,
            limits=case.limits,
            left_out=case.left_out,
        )

    def case(self, base: Case) -> Case:
        """Return the case."""
        return Case(
            code=self.code,
            scan=base.scan,
            structures=tuple(base.structure(s) if isinstance(s, str) else s for s in self.structures),
            target_name=self.target_name,
            planning_grid=self.planning_grid,
            findings=self.findings,
            limits=self.limits,
            left_out=self.left_out,
        )


class Held:
    """Keys of the cases and results that the process was given or has made itself."""

    def __init__(self) -> None:
        self.cases: set[str] = set()
        self.results: set[str] = set()
        self._base: Case | None = None

    def shortened(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Name what the process holds already instead of sending it: a case may be 100 MB."""
        short = dict(arguments)
        case, solved = short.get("case"), short.get("solved")
        if case is not None:
            key = case.digest()
            base = self._base
            if key in self.cases:
                short["case"] = HeldCase.of(case)
            elif base is not None and base.scan is case.scan:
                short["case"] = ChangedCase.between(base, case)
            self.cases.add(key)
        if solved is not None and solved[0].key in self.results:
            short["solved"] = solved[0].key
        return short

    def took(self, case: Case) -> None:
        """The process has answered about a case, or has made it: it certainly holds it."""
        self.cases.add(case.digest())
        self._base = case

    def lost(self, case: Case) -> None:
        """The process gave up a job before it may have looked at its case."""
        if case is not self._base:
            self.cases.discard(case.digest())

    def forget(self) -> None:
        """The process has begun anew and holds nothing."""
        self.cases.clear()
        self.results.clear()
        self._base = None


def _same(structure: Structure) -> tuple[object, ...]:
    return (
        structure.name,
        structure.role,
        structure.tissue,
        structure.source,
        structure.role_is_guess,
        id(structure.mask),
    )
