"""Plan: probes, protocol and thermocouples, and the part of them that changes the ice."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Protocol, freeze_thaw_freeze


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermocouple:
    """A virtual thermometer."""

    name: str
    position_mm: Point

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError(
                "A thermocouple has no name.", "Give it one.", code="thermocouple-name", place="name"
            )
        try:
            object.__setattr__(self, "position_mm", as_point(self.position_mm))
        except (TypeError, ValueError) as error:
            raise PlanError(
                f"Thermocouple {self.name}: the position is not three finite numbers.",
                "Give x, y and z in LPS millimetres.",
                code="thermocouple-position",
                place="position_mm",
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done. Edited by the pure functions of `cryoplan.plan.edits` only.

    Raises
    ------
    PlanError
        If two probes or two thermocouples share a name.
    """

    name: str = "A"
    probes: tuple[Probe, ...] = ()
    protocol: Protocol = field(default_factory=freeze_thaw_freeze)
    thermocouples: tuple[Thermocouple, ...] = ()

    def __post_init__(self) -> None:
        for kind, things in (("probe", self.probes), ("thermocouple", self.thermocouples)):
            names = [t.name for t in things]
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise PlanError(
                        f"Two {kind}s are called {name!r}.",
                        "Rename one of them.",
                        code=f"{kind}-name-twice",
                        place=f"{kind}s[{index}].name",
                    )

    def probe(self, name: str) -> Probe:
        """Return the probe of that name.

        Raises
        ------
        PlanError
            If there is none.
        """
        for probe in self.probes:
            if probe.name == name:
                return probe
        raise PlanError(
            f"There is no probe {name!r}.",
            "Choose one of the plan's probes.",
            code="probe-unknown",
            place=name,
        )

    def physics_key(self) -> tuple[object, ...]:
        """Return what changes the ice: not the plan's name, not locks."""
        return (
            tuple(
                (p.name, p.model, p.tip_mm, p.entry_mm, p.intensity, p.start_s, p.stop_s) for p in self.probes
            ),
            tuple((p.kind.value, p.duration_s, p.mode.value) for p in self.protocol.phases),
            tuple((t.name, t.position_mm) for t in self.thermocouples),
        )
