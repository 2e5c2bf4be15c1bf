"""Sensors: the curves of the plan's thermocouples, read for the plan as it is now.

A thermocouple does not change the ice, so that one can be dropped, moved, renamed and removed without a new
solve. One that was there at the solve has a value of each step; one that came later has one of each kept
field, a minute apart, and its curve says so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cryoplan.core.finding import Finding, Level
from cryoplan.margins.assessment import Assessment, ThermocoupleCurve
from cryoplan.plan.plan import Plan
from cryoplan.simulation.moments import read_sensors
from cryoplan.simulation.result import ThermalResult

OUTSIDE_CODE = "thermocouple-outside"


def sensor_curves(plan: Plan, result: ThermalResult) -> tuple[ThermocoupleCurve, ...]:
    """Return the curve of each thermocouple that lies in the solver grid, in the plan's order."""
    return tuple(
        ThermocoupleCurve(
            name=trace.name,
            time_s=tuple(np.asarray(trace.time_s, float).tolist()),
            temperature_degc=tuple(np.asarray(trace.temperature_degc, float).tolist()),
            position_mm=trace.position_mm,
            each_minute=trace.from_frames,
        )
        for trace in read_sensors(result, plan.sensors)
    )


def sensor_findings(plan: Plan, result: ThermalResult) -> tuple[Finding, ...]:
    """Return a warning for each thermocouple that has no curve because nothing was computed there."""
    return tuple(
        Finding(
            level=Level.WARN,
            code=OUTSIDE_CODE,
            text=f"Thermocouple {t.name} lies outside the computed block; it has no curve.",
            place=t.name,
        )
        for t in plan.sensors
        if not bool(np.all(result.grid.contains_mm(t.position_mm)))
    )


def sense_again(assessment: Assessment, plan: Plan, result: ThermalResult) -> Assessment:
    """Return an assessment with the curves and findings of the thermocouples that the plan has now.

    The same record where they are those that it had.
    """
    outside = sensor_findings(plan, result)
    had = [(c.name, c.position_mm) for c in assessment.thermocouples]
    missing = {f.place for f in outside}
    wanted = [(s.name, s.position_mm) for s in plan.sensors if s.name not in missing]
    said = tuple(f for f in assessment.findings if f.code == OUTSIDE_CODE)
    if had == wanted and said == outside:
        return assessment
    others = tuple(f for f in assessment.findings if f.code != OUTSIDE_CODE)
    return replace(assessment, thermocouples=sensor_curves(plan, result), findings=(*others, *outside))
