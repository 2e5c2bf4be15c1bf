"""Calibrate: fit h of the shipped probe models again to published experiments, and say how well it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryoplan.core.errors import PlanError
from cryoplan.core.progress import SILENT, Progress

if TYPE_CHECKING:
    from cryoplan.simulation.verification.calibration import Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What a calibration found; nothing is written to the probe files.

    Attributes
    ----------
    fits : tuple of Fit
        One for each probe model with data of its own.
    spacing_mm : float
        Solver grid.
    """

    fits: tuple[Fit, ...]
    spacing_mm: float

    def to_text(self) -> str:
        """Return fits, residuals and sensitivities as lines."""
        return "\n".join(fit.to_text() for fit in self.fits)

    def to_json(self) -> dict[str, object]:
        """Return all numbers as plain values."""
        return {"spacing_mm": self.spacing_mm, "fits": [fit.to_json() for fit in self.fits]}


def run_calibration(
    *, probe: str | None = None, spacing_mm: float = 1.0, progress: Progress = SILENT
) -> Calibration:
    """Fit every probe model that has published single-probe data, or one of them.

    Raises
    ------
    PlanError
        If there are no single-probe data of `probe`; the message lists the models that have some.
    Cancelled
        When `progress` says so.
    """
    from cryoplan.simulation.verification.calibration import TARGETS, calibrate

    models = [target.model for target in TARGETS]
    if probe is not None and probe not in models:
        raise PlanError(
            f"There is no published single-probe experiment to fit {probe!r} to.",
            f"Use one of: {', '.join(models)}.",
            code="no-calibration-data",
            place="--probe",
        )
    return Calibration(
        fits=calibrate(only=probe, spacing_mm=spacing_mm, progress=progress), spacing_mm=spacing_mm
    )
