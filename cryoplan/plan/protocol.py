"""Protocol: the freeze and thaw phases of a treatment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from cryoplan.core.errors import PlanError

LONGEST_PROTOCOL_S = 4 * 3600.0


class PhaseKind(StrEnum):
    """What the probes do in a phase."""

    FREEZE = "freeze"
    THAW = "thaw"


class ThawMode(StrEnum):
    """How a thaw is driven."""

    PASSIVE = "passive"
    HELIUM = "helium"
    ELECTRIC = "electric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase; `mode` has a meaning for thaws only and is passive for freezes."""

    kind: PhaseKind
    duration_s: float
    mode: ThawMode = ThawMode.PASSIVE

    def __post_init__(self) -> None:
        if not (math.isfinite(self.duration_s) and 0.0 < self.duration_s <= LONGEST_PROTOCOL_S):
            raise PlanError(
                f"A phase of {self.duration_s:g} s cannot be carried out.",
                "Use more than 0 s and at most 4 hours.",
                code="phase-duration",
                place="duration_s",
            )
        if self.kind is PhaseKind.FREEZE and self.mode is not ThawMode.PASSIVE:
            raise PlanError(
                "A freeze has no thaw mode.", "Leave the mode out.", code="phase-mode", place="mode"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Phases in order; the first one freezes."""

    phases: tuple[Phase, ...]

    def __post_init__(self) -> None:
        if not self.phases or self.phases[0].kind is not PhaseKind.FREEZE:
            raise PlanError(
                "A protocol begins with a freeze.",
                "Put a freeze first.",
                code="protocol-order",
                place="protocol",
            )
        if self.duration_s > LONGEST_PROTOCOL_S:
            raise PlanError(
                f"A protocol of {self.duration_s / 60:.0f} minutes cannot be carried out.",
                "Keep it under 4 hours.",
                code="protocol-duration",
                place="protocol",
            )

    @property
    def duration_s(self) -> float:
        """Length of all phases together."""
        return sum(p.duration_s for p in self.phases)

    def spans(self) -> tuple[tuple[float, float, Phase], ...]:
        """Return (start_s, end_s, phase) of each phase."""
        result, start = [], 0.0
        for phase in self.phases:
            result.append((start, start + phase.duration_s, phase))
            start += phase.duration_s
        return tuple(result)

    def freeze_ends_s(self) -> tuple[float, ...]:
        """Return the end of each freeze, protocol time."""
        return tuple(end for _, end, phase in self.spans() if phase.kind is PhaseKind.FREEZE)

    def phase_at(self, time_s: float) -> Phase:
        """Return the phase at a protocol time; a border belongs to the phase that ends there."""
        for _, end, phase in self.spans():
            if time_s <= end:
                return phase
        return self.phases[-1]

    def describe(self) -> str:
        """Return the usual short form in minutes, for example ``10-5-10 min``."""
        return "-".join(f"{p.duration_s / 60:g}" for p in self.phases) + " min"


def freeze_thaw_freeze(
    freeze_s: float = 600.0, thaw_s: float = 300.0, mode: ThawMode = ThawMode.PASSIVE
) -> Protocol:
    """Return the default protocol, 10 min freeze, 5 min thaw, 10 min freeze.

    Source: general protocol of Insights Imaging 2016, doi 10.1007/s13244-015-0460-7 (10 min freeze, 5-10 min
    thaw, 10 min freeze).
    """
    freeze = Phase(kind=PhaseKind.FREEZE, duration_s=freeze_s)
    thaw = Phase(kind=PhaseKind.THAW, duration_s=thaw_s, mode=mode)
    return Protocol(phases=(freeze, thaw, freeze))
