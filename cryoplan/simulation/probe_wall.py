"""Probe wall: which line stands for a probe, and which part of the wall each heat flow of the line crosses.

The line is as long as the probe. The heat of its first half radius comes through the flat end, which has as
much area as half a radius of wall (``pi r_w^2 = 2 pi r_w (r_w / 2)``), so that an even exchange over wall and
end draws as the line does. At a wall of one temperature more heat crowds at the ends; the links bring that by
themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.line_potential import LineSink

FloatArray = npt.NDArray[np.float64]

TAPER_PIECES = 5
LOG_OVER_K = 1.25
"""``ln(r_ice / r_w) / k`` of a needle in ice, m K/W: 2.5 for an ice ball of 10 mm, over 2 W/(m K).

With it the line fades over the taper as the heat does, contact and tissue in series:
``g (1 + b) / (1 + b g)``, b = h r_w ln(r_ice / r_w) / k.
"""

WALL_PIECES = 40


@dataclass(frozen=True, slots=True, eq=False)
class ProbeWall:
    """The wall of one probe, in cell edges, by the heat that its line draws up to each place.

    Attributes
    ----------
    line : LineSink
    radius, length, reach : float
        Of the wall; end of the full exchange; end of the taper.
    drawn, along, area, exchange : float64 (n,)
        Heat of the line whose paths cross the wall up to a place, the place, the area of the wall up to it,
        and that area times g. The first and the last are the middles of the flat ends.
    """

    line: LineSink
    radius: float
    length: float
    reach: float
    drawn: FloatArray
    along: FloatArray
    area: FloatArray
    exchange: FloatArray

    def share(self, low: float, high: float) -> tuple[float, float, float]:
        """Return (heat before, heat, wall area) of what the line draws between two places."""
        first, last = np.interp([low, high], self.line.knots, self.line.drawn)
        ends = int(low <= self.line.knots[0]) + int(high >= self.line.knots[-1])
        side = max(min(high, self.reach) - max(low, 0.0), 0.0)
        area = 2.0 * math.pi * self.radius * side + ends * math.pi * self.radius**2
        return float(first), float(last - first), area

    def potential(self, rho: FloatArray, z: FloatArray) -> FloatArray:
        """Return phi of the wall where the heat that passes points at `rho`, `z` crosses it."""
        at = np.interp(self.line.passed(rho, z), self.drawn, self.along)
        return self.line.potential(np.full(len(at), self.radius), at)


def probe_wall(length: float, taper: float, radius: float, contact: float) -> ProbeWall:
    """Return the wall of a probe.

    Parameters
    ----------
    length, taper, radius : float
        Active zone, taper and wall radius, cell edges.
    contact : float
        Contact coefficient times wall radius, W/(m K).
    """
    reach = length + taper
    line = _line(length, taper, contact)
    places = np.linspace(0.0, length, WALL_PIECES + 1)
    if taper > 0.0:
        places = np.concatenate([places, np.linspace(length, reach, WALL_PIECES // 2 + 1)[1:]])
    g = np.clip((reach - places) / taper, 0.0, 1.0) if taper > 0.0 else np.ones_like(places)
    end = math.pi * radius**2
    side = 2.0 * math.pi * radius * np.diff(places)
    area = end + np.concatenate([[0.0], np.cumsum(side)])
    exchange = g[0] * end + np.concatenate([[0.0], np.cumsum(side * 0.5 * (g[1:] + g[:-1]))])
    crossed = line.passed(np.full(len(places), radius), places)
    return ProbeWall(
        line=line,
        radius=radius,
        length=length,
        reach=reach,
        drawn=np.concatenate([[0.0], crossed, [line.drawn[-1]]]),
        along=np.concatenate([[0.0], places, [reach]]),
        area=np.concatenate([[0.0], area, [area[-1] + end]]),
        exchange=np.concatenate([[0.0], exchange, [exchange[-1] + g[-1] * end]]),
    )


def _line(length: float, taper: float, contact: float) -> LineSink:
    if taper == 0.0:
        return LineSink(np.array([0.0, length]), np.array([1.0, -1.0]))
    b = contact * LOG_OVER_K
    knots = length + taper * np.linspace(0.0, 1.0, TAPER_PIECES + 1)
    g = 1.0 - (np.arange(TAPER_PIECES) + 0.5) / TAPER_PIECES
    strength = np.concatenate([[1.0], g * (1.0 + b) / (1.0 + b * g), [0.0]])
    return LineSink(np.concatenate([[0.0], knots]), np.concatenate([[1.0], np.diff(strength)]))
