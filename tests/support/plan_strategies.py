"""Random plans for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from cryoplan.plan.mark import Mark, MarkKind
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode
from cryoplan.plan.room import POSITIONS, Room
from cryoplan.plan.tool import Tool, ToolKind

MODELS = ("generic-15g", "icesphere-17g", "endocare-2.4mm")

coordinates = st.floats(-900.0, 900.0)
points = st.tuples(coordinates, coordinates, coordinates)
names = (
    st.text(min_size=1, max_size=12)
    .map(lambda s: "".join(c for c in s if c.isprintable()).strip())
    .filter(lambda s: len(s) > 0)
)


@st.composite
def probes(draw, name: str) -> Probe:
    tip = draw(points)
    entry = draw(points.filter(lambda e: np.linalg.norm(np.subtract(e, tip)) > 5.0))
    start = draw(st.floats(0, 1000))
    return Probe(
        name=name,
        model=draw(st.sampled_from(MODELS)),
        tip_mm=tip,
        entry_mm=entry,
        intensity=draw(st.floats(0.01, 1.0)),
        start_s=start,
        stop_s=draw(st.none() | st.floats(start + 0.5, 5000)),
        locked=draw(st.booleans()),
        channel=draw(st.sampled_from(("", "3", "B 2"))),
        order=draw(st.none() | st.integers(1, 9)),
        colour=draw(st.none() | st.integers(0, 7)),
        note=draw(st.just("") | names),
    )


@st.composite
def tools(draw, name: str) -> Tool:
    tip = draw(points)
    return Tool(
        name=name,
        kind=draw(st.sampled_from(ToolKind)),
        tip_mm=tip,
        entry_mm=draw(points.filter(lambda e: np.linalg.norm(np.subtract(e, tip)) > 5.0)),
        diameter_mm=draw(st.floats(0.3, 12.0)),
        length_mm=draw(st.floats(20.0, 500.0)),
        locked=draw(st.booleans()),
        note=draw(st.just("") | names),
    )


rooms = st.builds(
    Room,
    position=st.sampled_from(("", *POSITIONS)),
    gantry_tilt_limit_deg=st.floats(0.0, 45.0),
    bore_mm=st.floats(300.0, 2000.0),
    lift_mm=st.floats(-500.0, 500.0),
)


durations = st.floats(1.0, 1500.0)
phases = st.builds(Phase, kind=st.just(PhaseKind.FREEZE), duration_s=durations) | st.builds(
    Phase, kind=st.just(PhaseKind.THAW), duration_s=durations, mode=st.sampled_from(ThawMode)
)
protocols = st.builds(
    lambda first, rest: Protocol(phases=(Phase(kind=PhaseKind.FREEZE, duration_s=first), *rest)),
    durations,
    st.lists(phases, max_size=5),
)


@st.composite
def plans(draw, *, min_probes: int = 0) -> Plan:
    called = draw(st.lists(names, min_size=min_probes, max_size=4, unique=True))
    sensors = draw(st.lists(names, max_size=3, unique=True))
    free = names.filter(lambda name: name not in {*called, *sensors})
    needles = draw(st.lists(free, max_size=3, unique=True))
    return Plan(
        name=draw(names),
        probes=tuple(draw(probes(name)) for name in called),
        protocol=draw(protocols),
        thermocouples=tuple(Thermocouple(name=n, position_mm=draw(points)) for n in sensors),
        tools=tuple(draw(tools(name)) for name in needles),
        room=draw(st.just(Room()) | rooms),
        marks=tuple(
            Mark(name=n, kind=draw(st.sampled_from(MarkKind)), position_mm=draw(points))
            for n in draw(st.lists(names, max_size=2, unique=True))
        ),
    )
