"""Random plans for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode

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
    return Plan(
        name=draw(names),
        probes=tuple(draw(probes(name)) for name in called),
        protocol=draw(protocols),
        thermocouples=tuple(Thermocouple(name=n, position_mm=draw(points)) for n in sensors),
    )
