"""Uncertainty: how far a margin may be off, step by step from the scan to the computed ice.

Method. Each step adds one standard deviation; they are taken as independent, so their squares add up (Guide
to the Expression of Uncertainty in Measurement, JCGM 100:2008, 5.1.2). What is left out is said in
`NOT_IN_IT`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.middle import target_centre_mm
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import unit
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.margins.assessment import Margin

COVERS_95 = 2.0
"""Standard deviations that hold 95 % of a normal distribution, rounded as usual (JCGM 100:2008, 6.2.2)."""

NOT_IN_IT = "Not in it: where the probes really come to lie, and how far the patient moves until then."

FINE_UP_TO_MM = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one step adds.

    Attributes
    ----------
    name : str
        The step, in words.
    mm : float
        One standard deviation.
    why : str
        How the number is come by, with its source.
    of_image : bool
        True for what the images cannot tell, False for what the computation adds.
    """

    name: str
    mm: float
    why: str
    of_image: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How sure one margin is; millimetres, one standard deviation."""

    shares: tuple[Share, ...]

    @property
    def mm(self) -> float:
        """All steps together."""
        return math.hypot(*(s.mm for s in self.shares))

    @property
    def images_mm(self) -> float:
        """What the images alone leave open."""
        return math.hypot(*(s.mm for s in self.shares if s.of_image))

    def is_below_images(self, margin_mm: float) -> bool:
        """Tell whether a margin is smaller than what the images can tell with 95 % certainty."""
        return abs(margin_mm) < COVERS_95 * self.images_mm


def margin_uncertainty(
    case: Case, margin: Margin, *, spacing_mm: float, moved_mm: float | None = None
) -> Uncertainty | None:
    """Return how sure a margin is at its worst place; None where there is no ice or no target.

    Parameters
    ----------
    case : Case
        With the image and the target.
    margin : Margin
    spacing_mm : float
        Of the grid it was solved on.
    moved_mm : float, optional
        By how much refining the grid moved this very margin; what verification found when left out.
    """
    target = case.target
    if target is None or margin.no_ice or not math.isfinite(margin.minimum_mm):
        return None
    table = _table()
    return Uncertainty(
        shares=(
            _voxels(case, margin),
            _outline(target, table["outline.volume"]),
            _grid(spacing_mm, moved_mm, table),
            _model(target, table),
        )
    )


def _voxels(case: Case, margin: Margin) -> Share:
    """Return the share of the voxels: a border anywhere within one is uniform, its deviation d / sqrt(12)."""
    grid = case.scan.volume.grid
    outward = np.asarray(margin.worst_point_mm) - np.asarray(target_centre_mm(case))
    length = float(np.linalg.norm(outward))
    along = unit(outward) if length > 0.0 else np.array([0.0, 0.0, 1.0])
    across = float(np.linalg.norm((np.asarray(grid.axes).T @ along) * np.asarray(grid.spacing_mm)))
    i, j, k = grid.spacing_mm
    return Share(
        name="voxels",
        mm=across / math.sqrt(12.0),
        why=f"Voxels of {i:.2g} x {j:.2g} x {k:.2g} mm are {across:.1f} mm across towards the worst place; a "
        "border lies anywhere within one (d / √12, JCGM 100:2008, 4.3.7).",
        of_image=True,
    )


def _outline(target: Structure, volume: Sourced) -> Share:
    """Return the share of whoever drew it: a relative error of volume moves a sphere's radius by a third."""
    radius_mm = (3.0 * 1000.0 * target.volume_ml / (4.0 * math.pi)) ** (1.0 / 3.0)
    return Share(
        name="outline",
        mm=radius_mm * volume.value / 3.0,
        why=f"{100 * volume.value:.0f} % of the volume are {100 * volume.value / 3:.1f} % of the radius "
        f"({radius_mm:.1f} mm). Source: {volume.source} ({volume.how}).",
        of_image=True,
    )


def _grid(spacing_mm: float, moved_mm: float | None, table: dict[str, Sourced]) -> Share:
    if moved_mm is not None:
        why = "By so much this margin moved on another grid and with half the step (the check of this plan)."
        return Share(name="grid and step", mm=abs(moved_mm), why=why, of_image=False)
    number = table["grid.fine" if spacing_mm <= FINE_UP_TO_MM else "grid.coarse"]
    why = f"Not checked for this plan. {number.source} ({number.how})."
    return Share(name="grid and step", mm=number.value, why=why, of_image=False)


def _model(target: Structure, table: dict[str, Sourced]) -> Share:
    """Return the share of the model: a normal's mean distance is sqrt(2 / pi) of its deviation."""
    in_lung = target.tissue == "lung" or target.role is Role.LUNG
    number = table["model.mean_distance_lung" if in_lung else "model.mean_distance"]
    return Share(
        name="model",
        mm=number.value * math.sqrt(math.pi / 2.0),
        why=f"{number.value:g} mm mean distance, as a standard deviation √(π/2) of it. {number.source} "
        f"({number.how}). Another program's model: cryoplan has not been compared with patients.",
        of_image=False,
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, Sourced]:
    import tomllib

    path = resource("limits", "uncertainty.toml")
    rows = tomllib.loads(path.read_text("utf-8"))
    return {
        f"{part}.{name}": Sourced.from_toml(entry, place=f"{path.name}: {part}.{name}")
        for part, entries in rows.items()
        for name, entry in entries.items()
    }
