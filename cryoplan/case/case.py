"""Case: one patient's scan and structures, frozen; every change makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from cryoplan.case.left_out import LeftOut, sides_in_order
from cryoplan.case.other_plan import OtherPlan, plans_in_order
from cryoplan.case.own_limits import OwnLimit, put_in_order
from cryoplan.case.second_image import SecondImage
from cryoplan.case.structure import Structure
from cryoplan.core.digest import digest
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.grid import Grid
from cryoplan.image.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One patient, as far as a plan needs it.

    Attributes
    ----------
    code : str
        Pseudonym that titles and reports show.
    scan : Scan
        The image.
    structures : tuple of Structure
        In drawing order; names are unique.
    target_name : str
        Name of the tumour that margins are measured on; empty when none is chosen.
    planning_grid : Grid
        Axis-aligned cubic grid around the target (or the middle of the scan) on whose lattice masks,
        temperatures and margins live. A solve may extend it to hold all probes, on the same lattice.
    findings : tuple of Finding
        What import and building noticed.
    limits : tuple of OwnLimit
        What this case is judged by in place of the ordinary limits; no part of `digest`.
    left_out : tuple of LeftOut
        Sides of the target that margins are not asked of; no part of `digest`.
    second : SecondImage or None
        Another image that is shown over this one; it changes nothing that is computed.
    other_plans : tuple of OtherPlan
        Plans that are kept beside the one that is worked on; no part of `digest`.

    Raises
    ------
    StructureError
        If two structures share a name or the target is not among them.
    ValueError
        If two of the limits are about the same number, two sides that are left out of one structure, or two
        other plans have one name.
    """

    code: str
    scan: Scan
    structures: tuple[Structure, ...] = ()
    target_name: str = ""
    planning_grid: Grid
    findings: tuple[Finding, ...] = ()
    limits: tuple[OwnLimit, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    second: SecondImage | None = None
    other_plans: tuple[OtherPlan, ...] = ()

    def __post_init__(self) -> None:
        names = [s.name for s in self.structures]
        for name in names:
            if names.count(name) > 1:
                raise StructureError(
                    f"Two structures are called {name}.",
                    "Rename one of them.",
                    code="structure-name-twice",
                    place=name,
                )
        if self.target_name:
            self.structure(self.target_name)
        if not self.planning_grid.is_planning:
            raise ValueError("a planning grid is axis-aligned and cubic")
        object.__setattr__(self, "limits", put_in_order(self.limits))
        object.__setattr__(self, "left_out", sides_in_order(self.left_out))
        object.__setattr__(self, "other_plans", plans_in_order(self.other_plans))

    def structure(self, name: str) -> Structure:
        """Return the structure of that name.

        Raises
        ------
        StructureError
            If there is none; the message lists those that exist.
        """
        for structure in self.structures:
            if structure.name == name:
                return structure
        have = ", ".join(s.name for s in self.structures) or "none"
        raise StructureError(
            f"There is no structure called {name!r}.",
            f"Choose one of: {have}.",
            code="structure-unknown",
            place=name,
        )

    @property
    def target(self) -> Structure | None:
        """The tumour that margins are measured on, None when none is chosen."""
        return self.structure(self.target_name) if self.target_name else None

    def changed(self, **fields: object) -> Self:
        """Return a copy with `fields` replaced."""
        return replace(self, **fields)  # type: ignore[arg-type]  # checked by the record itself

    def is_like(self, other: Case) -> bool:
        """Tell whether the other has the same digest and is judged in the same way."""
        return self.judged_by == other.judged_by and self.digest() == other.digest()

    @property
    def judged_by(self) -> tuple[object, ...]:
        """What numbers are judged by: no temperature depends on it, so it is no part of the digest."""
        return (self.limits, self.left_out)

    def digest(self) -> str:
        """Return the SHA-256 of everything here that can change the ice or a margin.

        Names of files are left out: the same patient read from another folder is the same patient. So is the
        second image, which is only looked at.
        """
        return digest(
            self.scan.volume.digest(),
            self.scan.facts.modality,
            [(s.name, s.role.value, s.tissue, s.mask.digest()) for s in self.structures],
            self.target_name,
            self.planning_grid,
        )
