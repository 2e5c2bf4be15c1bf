"""Plan: probes, protocol, thermocouples, tools, warmers, marks, room; and what of them changes the ice."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point
from cryoplan.plan.mark import Mark
from cryoplan.plan.probe import MOST_COLOURS, Probe
from cryoplan.plan.protocol import Protocol, freeze_thaw_freeze
from cryoplan.plan.room import Room
from cryoplan.plan.tool import Tool, ToolKind
from cryoplan.plan.warmer import Flow, Warmer


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
        If two probes share a name, or two of thermocouples and tools, two warmers, two flows a vessel,
        or two marks.
    """

    name: str = "A"
    probes: tuple[Probe, ...] = ()
    protocol: Protocol = field(default_factory=freeze_thaw_freeze)
    thermocouples: tuple[Thermocouple, ...] = ()
    tools: tuple[Tool, ...] = ()
    room: Room = field(default_factory=Room)
    warmers: tuple[Warmer, ...] = ()
    flows: tuple[Flow, ...] = ()
    marks: tuple[Mark, ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (
            ("probe", [p.name for p in self.probes]),
            ("thermocouple", [t.name for t in self.thermocouples]),
            ("warmer", [w.name for w in self.warmers]),
            ("flow", [f.structure for f in self.flows]),
            ("mark", [m.name for m in self.marks]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise PlanError(
                        f"Two {kind}s are called {name!r}.",
                        "Rename one of them.",
                        code=f"{kind}-name-twice",
                        place=f"{kind}s[{index}].name",
                    )
        # Both are read off by their name, in one list of curves and in one table of paths.
        taken = {p.name for p in self.probes} | {t.name for t in self.thermocouples}
        for index, tool in enumerate(self.tools):
            if tool.name in taken:
                raise PlanError(
                    f"Two things of the plan are called {tool.name!r}.",
                    "Rename one of them.",
                    code="tool-name-twice",
                    place=f"tools[{index}].name",
                )
            taken.add(tool.name)

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

    def tool(self, name: str) -> Tool:
        """Return the tool of that name.

        Raises
        ------
        PlanError
            If there is none.
        """
        for tool in self.tools:
            if tool.name == name:
                return tool
        raise PlanError(
            f"There is no tool {name!r}.", "Choose one of the plan's tools.", code="tool-unknown", place=name
        )

    @property
    def shafts(self) -> tuple[Probe | Tool, ...]:
        """Everything with a shaft: probes, then tools."""
        return (*self.probes, *self.tools)

    def colour_number(self, probe: Probe) -> int:
        """Return the index of a probe's colour in the theme: its own, else that of its place in the plan."""
        return self.probes.index(probe) % MOST_COLOURS if probe.colour is None else probe.colour

    @property
    def sensors(self) -> tuple[Thermocouple, ...]:
        """Everywhere that temperatures are read: thermocouples, and the tips of thermocouple needles."""
        needles = (t for t in self.tools if t.kind is ToolKind.THERMOCOUPLE)
        return (*self.thermocouples, *(Thermocouple(name=t.name, position_mm=t.tip_mm) for t in needles))

    def physics_key(self) -> tuple[object, ...]:
        """Return what changes the ice: no plan name, locks, notes, tools, marks or thermocouples.

        A thermocouple only reads the ice; its curve is read for the plan as it is (`read_sensors`).
        """
        return (
            tuple(
                (p.name, p.model, p.tip_mm, p.entry_mm, p.intensity, p.start_s, p.stop_s) for p in self.probes
            ),
            tuple((p.kind.value, p.duration_s, p.mode.value) for p in self.protocol.phases),
            (),  # thermocouples counted here once; results of plans without any keep their keys
            # Only where there are any: a result of a plan from before there were warmers stays its answer.
            *self._protection(),
        )

    def _protection(self) -> tuple[tuple[object, ...], ...]:
        """Return what warms, and flows that the plan gives to vessels; nothing when there is none."""
        warmers = tuple(w.physics for w in self.warmers if w.is_on)
        flows = tuple((f.structure, f.speed_m_s) for f in self.flows)
        return (("warmers", warmers, "flows", flows),) if warmers or flows else ()
