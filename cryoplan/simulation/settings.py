"""SolverSettings: the few choices that change how a problem is solved, not what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from cryoplan.core.errors import SimulationError

SKINS = ("air", "warm-bag", "insulated")
"""What may lie on the skin; coefficients and temperatures are in ``resources/surroundings``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverSettings:
    """Solver settings; part of the key of every result.

    Attributes
    ----------
    spacing_mm : float
        Edge of the cubic cells, 0.5 to 2; 1 is the standard, 2 the preview, 0.5 the check.
    step_max_s : float
        Longest super-step.
    margin_mm : float
        Unfrozen tissue kept around active zones and target on every side.
    extra_times_s : tuple of float
        Protocol times at which the temperature is kept besides the ends of the phases.
    frames_every_s : float
        Distance of the frames kept for the time slider; 0 keeps none but the ends of the phases.
    stasis_degc : float
        Tissue that was ever colder has no perfusion any more (physics section 6).
    precision : str
        ``single`` (float32, isotherms within a micrometre of the other) or ``double``.
    solver : str
        ``compiled``, or another that is registered in `cryoplan.simulation.stepper`.
    skin : str
        What lies on the skin: ``air``, ``warm-bag`` or ``insulated`` (nothing passes).
    """

    spacing_mm: float = 1.0
    step_max_s: float = 15.0
    margin_mm: float = 35.0
    extra_times_s: tuple[float, ...] = ()
    frames_every_s: float = 60.0
    stasis_degc: float = -5.0
    precision: str = "single"
    solver: str = "compiled"
    skin: str = "air"

    def __post_init__(self) -> None:
        if not 0.3 <= self.spacing_mm <= 2.0:
            raise SimulationError(
                f"A solver grid of {self.spacing_mm:g} mm is not possible.",
                "Use 0.5 to 2 mm: coarser cells cannot hold a probe, finer ones take hours.",
                code="spacing-out-of-range",
                place="spacing_mm",
            )
        if not 0.05 <= self.step_max_s <= 60.0 or not 5.0 <= self.margin_mm <= 100.0:
            raise SimulationError(
                "The solver settings are out of range.",
                "Use steps of 0.05 to 60 s and a margin of 5 to 100 mm.",
                code="settings-out-of-range",
                place="settings",
            )
        if self.precision not in ("single", "double"):
            raise SimulationError(
                f"There is no precision called {self.precision!r}.",
                "Use single or double.",
                code="settings-out-of-range",
                place="precision",
            )
        if not all(math.isfinite(t) and t >= 0.0 for t in self.extra_times_s):
            raise SimulationError(
                "A time to keep lies before the protocol or is not a number.",
                "Give protocol times in seconds, 0 or later.",
                code="times-out-of-range",
                place="extra_times_s",
            )

        if self.skin not in SKINS:
            raise SimulationError(
                f"The skin setting {self.skin!r} is not known.",
                f"Use one of: {', '.join(SKINS)}.",
                code="skin-unknown",
                place="skin",
            )
        if self.frames_every_s != 0.0 and not self.frames_every_s >= 1.0:
            raise SimulationError(
                f"Frames every {self.frames_every_s:g} s cannot be kept.",
                "Use 1 s or more, or 0 for none.",
                code="settings-out-of-range",
                place="frames_every_s",
            )

    @property
    def is_double(self) -> bool:
        """Whether the field is kept in float64."""
        return self.precision == "double"

    def changed(
        self,
        *,
        spacing_mm: float | None = None,
        extra_times_s: tuple[float, ...] | None = None,
        skin: str | None = None,
    ) -> Self:
        """Return a copy with other values; None keeps what is there."""
        return replace(
            self,
            spacing_mm=self.spacing_mm if spacing_mm is None else spacing_mm,
            extra_times_s=self.extra_times_s if extra_times_s is None else extra_times_s,
            skin=self.skin if skin is None else skin,
        )


STANDARD = SolverSettings()
PREVIEW = SolverSettings(spacing_mm=2.0, step_max_s=30.0)
