"""A case that is ready to be exported: oblique image, names in many letters, current result."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from cryoplan.case.planning import planning_grid
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.mark import Mark, MarkKind
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.tool import Tool, ToolKind
from cryoplan.simulation.result import Frame, ProbeTrace, ThermalResult, ThermocoupleTrace
from cryoplan.workflow.export import Subject
from cryoplan.workflow.solving import assess, simulation_key
from tests.support.scenes import TUMOUR_MM, ellipsoid, grid_around, make_case, make_plan, make_result, turned

OBLIQUE = grid_around((-20.0, -6.0, 12.0), (150.0, 130.0, 110.0), (1.6, 1.9, 2.6), turned((11.0, -8.0, 17.0)))
"""Oblique, off-centre and anisotropic: the identity would hide a turned axis."""

ORGAN = "Leber 肝 „groß“ ± 1"
"""Umlaut, Chinese, quotes: what a user may type."""

SENSOR, NEEDLE, MARK = "T1 Δ", "=HYDRO(1)", "Mitte"
"""A spreadsheet would take the needle's name for a formula."""


def make_subject(grid: Grid = OBLIQUE, plan: Plan | None = None, scan: Scan | None = None) -> Subject:
    """Return a case with body, tumour and an organ around it, two probes, a needle and a thermocouple."""
    case = make_case(grid)
    if scan is not None:
        case = case.changed(scan=scan)
    x, y, z = TUMOUR_MM
    organ = ellipsoid(grid, (x + 16.0, y + 4.0, z - 6.0), (26.0, 22.0, 20.0))
    liver = Structure(name=ORGAN, role=Role.ORGAN, tissue="liver", mask=organ, source="made")
    case = case.changed(structures=(*case.structures, liver))
    case = case.changed(planning_grid=planning_grid(case.scan, case.target))
    if plan is None:
        needle = Tool(
            name=NEEDLE,
            kind=ToolKind.HYDRODISSECTION,
            tip_mm=(x + 2.0, y + 20.0, z),
            entry_mm=(x - 55.0, y + 32.0, z + 4.0),
            diameter_mm=0.7,
            length_mm=150.0,
        )
        plan = replace(
            make_plan(),
            marks=(Mark(name=MARK, kind=MarkKind.MIDLINE, position_mm=(0.0, -79.0, z)),),
            tools=(needle,),
            thermocouples=(Thermocouple(name=SENSOR, position_mm=(x, y, z + 9.0)),),
        )
    probes = load_catalogue()
    result = _result(case, plan, probes)
    return Subject(
        case=case, plan=plan, probes=probes, result=result, assessment=assess(case, plan, probes, result)
    )


def _result(case, plan, probes) -> ThermalResult:
    """Return a result whose ice grows and shrinks with the protocol, current for the case and plan."""
    made = make_result(case, plan, probes)
    coldest = made.minimum_degc
    ends = dict(zip(plan.protocol.freeze_ends_s(), (1, 2), strict=False))
    frames = []
    for time_s, share in ((0.0, 0.0), (300.0, 0.7), (600.0, 1.0), (900.0, 0.4), (1200.0, 0.8), (1500.0, 1.0)):
        values = (37.0 + share * (coldest.values - 37.0)).astype(np.float32)
        label = f"end_freeze_{ends[time_s]}" if time_s in ends else ""
        frames.append(
            Frame(time_s=time_s, label=label, temperature_degc=Volume(grid=coldest.grid, values=values))
        )
    times = np.array([f.time_s for f in frames])
    curves = tuple(
        ProbeTrace(name=p.name, time_s=times, shaft_degc=-0.1 * times, heat_w=0.01 * times)
        for p in plan.probes
    )
    sensed = tuple(
        ThermocoupleTrace(
            name=t.name, time_s=times, temperature_degc=37.0 - 0.02 * times, position_mm=t.position_mm
        )
        for t in plan.sensors
    )
    colder = [(t, coldest.values <= t) for t in (0.0, -20.0, -40.0)]
    grid = coldest.grid
    return replace(
        made,
        key=simulation_key(case, plan, probes, made.settings),
        frames=tuple(frames),
        probes=curves,
        thermocouples=sensed,
        time_below=tuple((t, Volume(grid=grid, values=cold.astype(np.float32) * 60.0)) for t, cold in colder),
        freezes_below=tuple((t, Volume(grid=grid, values=cold.astype(np.uint8))) for t, cold in colder),
    )


@cache
def subject() -> Subject:
    """Return the one subject that most tests of exports use."""
    return make_subject()
