"""Alerts: how each structure with a limit stands: how cold, from when on, how near the ice came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.structure import Structure
from cryoplan.core.finding import Level
from cryoplan.core.sourced import Sourced
from cryoplan.margins.assessment import Assessment, OrganTemperature
from cryoplan.margins.limits import Direction, Limit, Limits
from cryoplan.simulation.result import ThermalResult


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganAlert:
    """One structure beside its limit.

    Attributes
    ----------
    organ : OrganTemperature
        Lowest temperature, when and where, and how near the ice came.
    limit : Limit
    level : Level
    warn_from_s, fail_from_s : float or None
        Protocol time at which it is first beyond the limit, between two frames on a straight line; None where
        it never is, or where there is no such limit.
    """

    organ: OrganTemperature
    limit: Limit
    level: Level
    warn_from_s: float | None
    fail_from_s: float | None

    @property
    def room_k(self) -> float:
        """How far the lowest temperature is from the first limit; negative beyond it."""
        first = self.limit.warn or self.limit.fail
        assert first is not None  # a limit has one of the two
        room = self.organ.minimum_degc - first.value
        return room if self.limit.direction is Direction.AT_LEAST else -room


def organ_alerts(
    case: Case, result: ThermalResult | None, assessment: Assessment, limits: Limits
) -> tuple[OrganAlert, ...]:
    """Return the structures that have a limit, the worst first; the target is none of them.

    Parameters
    ----------
    result : ThermalResult or None
        That of the assessment; without one no times are told, such as when the case is no longer its case.
    """
    alerts = []
    for organ in assessment.structures:
        limit = limits.organ(organ.role, organ.name)
        if limit is None or organ.name == case.target_name:
            continue
        level = limit.level(organ.minimum_degc)
        times: tuple[float | None, float | None] = (None, None)
        if level is not Level.OK and result is not None:
            warn, fail = (
                _first_beyond_s(case, organ.name, result, limit, s) for s in (limit.warn, limit.fail)
            )
            times = warn, fail
        alerts.append(
            OrganAlert(
                organ=organ, limit=limit, level=level, warn_from_s=times[0], fail_from_s=times[1]
            )
        )  # fmt: skip
    return tuple(sorted(alerts, key=lambda a: (-a.level.rank, a.room_k, a.organ.name)))


def _first_beyond_s(
    case: Case, name: str, result: ThermalResult, limit: Limit, side: Sourced | None
) -> float | None:
    if side is None or limit.direction is not Direction.AT_LEAST:
        return None
    return first_below_s(case.structure(name), result, side.value)


def first_below_s(structure: Structure, result: ThermalResult, degc: float) -> float | None:
    """Return the protocol time at which a structure is first below a temperature.

    Its coldest voxel is followed from frame to frame on a straight line. None when no frame is that cold,
    even if it was so between two of them: then nobody knows when.
    """
    spots = np.flatnonzero(structure_mask(structure, result.grid).values)
    if spots.size == 0:
        return None
    before: tuple[float, float] | None = None
    for frame in result.frames:
        coldest = float(frame.temperature_degc.values.ravel()[spots].min())
        if coldest < degc:
            if before is None or before[1] <= coldest:
                return frame.time_s
            time_s, warmer = before
            share = (warmer - degc) / (warmer - coldest)
            return time_s + share * (frame.time_s - time_s)
        before = frame.time_s, coldest
    return None
